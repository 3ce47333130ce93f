import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, type Dispatcher } from 'undici'
import type { Containment } from '../core/alert.ts'
import type { TokenRatio } from '../core/ledger.ts'
import type { Lever } from '../core/lever.ts'
import type { Settings } from '../core/settings.ts'
import type { KeyRecord } from '../core/store.ts'
import { levers } from '../playbook/levers.ts'
import { inOrder } from '../playbook/order.ts'
import { compileBook } from '../playbook/price/book.ts'
import { providers } from '../providers/index.ts'
import { openAnswers } from '../stores/answers.ts'
import { keyringOf } from '../stores/keyring.ts'
import { openNotes } from '../stores/notes.ts'
import { wires } from '../wires/index.ts'
import { createBreakers } from './breaker.ts'
import type { BudgetsInForce } from './budgets/active.ts'
import { type BudgetMemory, type Budgets, openBudgets } from './budgets/budgets.ts'
import type { Disk } from './disk.ts'
import { openErrands } from './errand.ts'
import { openJournal } from './journal.ts'
import { openAsker } from './levers/asker.ts'
import { openBodies } from './levers/bodies.ts'
import { openCompressor } from './levers/compressor.ts'
import { openEmbedder } from './levers/embedder.ts'
import { openKits } from './levers/kit.ts'
import { openPolicies } from './levers/policies.ts'
import type { Levers } from './levers/pulling.ts'
import { openRecount } from './levers/recount.ts'
import { rested } from './levers/rested.ts'
import { type ListenAt, openListener, urlOf } from './listener.ts'
import { type LogStream, openLog } from './log.ts'
import { type Counts, createMetrics, type Gauges } from './metrics.ts'
import { createOnce } from './once.ts'
import { openOwnKeys } from './own-key.ts'
import type { Prices } from './prices.ts'
import { createRestraint } from './restraint.ts'
import { openTenants } from './tenant.ts'
import { openTokens } from './tokens.ts'
import { openTurn } from './turn.ts'
import { openUpstreams } from './upstreams.ts'
import type { World } from './world.ts'

/** What a thread needs to know; plain data, because it may come from another thread. */
export type ThreadData = Readonly<{
  settings: Settings
  /** Names the thread's journal segments. */
  name: string
  prices: Prices
  /** Memory of `createOnce`, shared by all threads. */
  once: SharedArrayBuffer
  /** Memory of `createRestraint`, shared by all threads. */
  restraint: SharedArrayBuffer
  pepper: Uint8Array
  /** What all threads count in, and the lane of it that is this thread's. */
  budget_memory: BudgetMemory
  lane: number
  /** Since when each lever works as the policies say now, µs (`levers/since.ts`). */
  levers_since?: Readonly<Record<string, number>>
}>

/** What a thread is handed besides: the doors to time and chance, and to the main thread. */
export type ThreadDoors = Readonly<{
  now_us: () => number
  random: () => number
  new_id: () => string
  /** The metrics of all threads, as text. */
  scrape: () => Promise<string>
  /** A segment of the journal was closed. */
  onSegment: (name: string) => void
  /** Does the ledger hold a receipt that billed this response? Rejects when it cannot say. */
  billed_before: World['billed_before']
  /** The levers that there are; the catalogue's where absent. */
  levers?: Readonly<Record<string, Lever>>
  log_stream?: LogStream
  disk?: Disk
  dispatcher?: Dispatcher
}>

export type Snapshot = Readonly<{ counts: Counts; gauges: Gauges }>

/** A gateway thread, here or in a worker. Keys, containments and budgets it is told before it listens, and when they change. */
export type GatewayThread = Readonly<{
  listen(at: ListenAt): Promise<number>
  snapshot(): Promise<Snapshot>
  setKeys(keys: readonly KeyRecord[]): Promise<void>
  learn(ratios: readonly TokenRatio[]): Promise<void>
  contain(containments: readonly Containment[]): Promise<void>
  /** Takes the budgets in force. Resolves to the receipt ids of the attempts that were open before. */
  setBudgets(inForce: BudgetsInForce): Promise<readonly string[]>
  /** Closes the journal's current segment, so that the ledger can have every receipt written so far. */
  rotate(): Promise<void>
  close(): Promise<void>
}>

/** How long a rotated segment may take to reach the platter before the ledger goes on without it. */
const ROTATE_MS = 1000

const gaugesOf = (world: World): Gauges => {
  const gauges: Record<string, number> = {
    weir_gateway_threads: 1,
    weir_calls_in_flight: world.load.in_flight,
    weir_journal_waiting_receipts: world.journal.waiting(),
    weir_journal_unhealthy_threads: world.journal.healthy() ? 0 : 1,
  }
  for (const [target, state] of world.breakers.states())
    gauges[`weir_circuit_open{target="${target.replace(/["\\\n]/g, '')}"}`] = state === 'closed' ? 0 : 1
  return gauges
}

/** Journal segments as they are closed, and a way to wait for the next one. */
const segmentNews = (tell: (name: string) => void) => {
  let waiting: (() => void)[] = []
  return {
    told(name: string): void {
      tell(name)
      for (const wake of waiting) wake()
      waiting = []
    },
    next: (): Promise<void> =>
      new Promise((resolve) => {
        waiting.push(resolve)
        setTimeout(resolve, ROTATE_MS).unref()
      }),
  }
}

/** The levers that policies name; none where there are no policies, so that a call pays nothing for them. */
const openLevers = (data: ThreadData, doors: ThreadDoors, world: World): Levers | undefined => {
  const { settings } = data
  if (settings.policies.length === 0) return undefined
  const { now_us, random } = doors
  const { compressor, embedder } = settings.services
  const kitOf = openKits({
    now_us,
    random,
    book: world.book,
    tokens: world.tokens,
    answers: openAnswers({ path: join(settings.data, 'answers.db'), now_us, shared: settings.threads > 1 }),
    doors: {
      notes: openNotes({ path: join(settings.data, 'learnt.db'), now_us }),
      ask: openAsker(world.upstreams, world.errands),
      ...(compressor ? { compress: openCompressor(compressor) } : {}),
      ...(embedder ? { embedder: rested(openEmbedder(embedder, world.errands), settings.breaker, now_us) } : {}),
    },
    price_as: (provider) => world.upstreams.get(provider)?.price_as ?? provider,
    ...(data.levers_since ? { since: data.levers_since } : {}),
  })
  const choose = openPolicies(inOrder(doors.levers ?? levers), settings.policies)
  return { choose, kitOf, bodies: openBodies(), recount: openRecount(world.tokens) }
}

const budgetsOf = ({ settings, budget_memory, lane }: ThreadData, now_us: () => number): Budgets => {
  const { unpriced_ceiling: ceiling, reserve_output_tokens } = settings
  return openBudgets({ memory: budget_memory, lane, ceiling, reserve_output_tokens, now_us })
}

const openWorld = (data: ThreadData, doors: ThreadDoors, onSegment: (name: string) => void) => {
  const { settings } = data
  const { now_us, random, new_id } = doors
  let keyring = keyringOf([], data.pepper)
  const book = compileBook({ ...data.prices, checked: true })
  const dispatcher =
    doors.dispatcher ?? new Agent({ connect: { timeout: settings.limits.connect_ms }, keepAliveTimeout: 30_000 })
  const log = openLog(settings, doors.log_stream)
  const onHealth = (healthy: boolean, why: string): void => {
    if (healthy) log.event('the journal is written again')
    else log.trouble('the journal cannot be written; calls are refused until it can', { why, data: settings.data })
  }
  const plain: World = {
    settings,
    upstreams: openUpstreams(settings.providers, providers, wires),
    book,
    journal: openJournal({
      folder: join(settings.data, 'journal'),
      thread: data.name,
      now_us,
      onSegment,
      onHealth,
      ...(doors.disk ? { disk: doors.disk } : {}),
    }),
    dispatcher,
    now_us,
    random,
    new_id,
    keys: { identifyToken: (token, at_us) => keyring.identifyToken(token, at_us) },
    log,
    metrics: createMetrics(),
    breakers: createBreakers(settings.breaker, now_us),
    own_keys: openOwnKeys(settings.mode, log, now_us),
    budgets: budgetsOf(data, now_us),
    bill_once: createOnce(data.once),
    billed_before: doors.billed_before,
    tokens: openTokens(({ message }) =>
      log.trouble('tokens are counted by length, for the thread that counts them has ended', { why: message }),
    ),
    restraint: createRestraint(data.restraint),
    tenants: openTenants(data.pepper),
    errands: openErrands(data.pepper),
    load: { in_flight: 0, leaving: false, shutting_down: false },
    turn: openTurn(),
  }
  const found = openLevers(data, doors, plain)
  const world: World = found ? { ...plain, levers: found } : plain
  const setKeys = (keys: readonly KeyRecord[]): void => {
    keyring = keyringOf(keys, data.pepper)
  }
  return { world, setKeys }
}

/** Opens a gateway thread's world and server; it does not listen yet. Throws `bad-config` or `journal-unwritable`. */
export const openThread = (data: ThreadData, doors: ThreadDoors): GatewayThread => {
  const news = segmentNews(doors.onSegment)
  const { world, setKeys } = openWorld(data, doors, news.told)
  const listener = openListener(world, doors.scrape)
  let rotated = 0
  let listening = false
  return {
    async listen(at) {
      const port = await listener.listen(at)
      listening = true
      world.errands.listen(urlOf(at.host, port))
      return port
    },
    snapshot: async () => ({ counts: world.metrics.counts(), gauges: gaugesOf(world) }),
    setKeys: async (keys) => setKeys(keys),
    learn: async (learnt) => world.tokens.learn(learnt),
    contain: async (containments) => world.restraint.set(containments),
    async setBudgets(inForce) {
      world.budgets.set(inForce)
      return world.journal.openIds()
    },
    async rotate() {
      const written = world.metrics.counts().counters['weir_receipts_total'] ?? 0
      if (written === rotated) return
      rotated = written
      const closed = news.next()
      world.journal.rotate()
      await closed
    },
    async close() {
      const { shutdown_delay_ms, shutdown_ms } = world.settings.limits
      world.load.leaving = true
      if (listening) await sleep(shutdown_delay_ms)
      world.load.shutting_down = true
      await listener.drain(shutdown_ms)
      world.journal.close()
      await world.dispatcher.destroy()
      await world.tokens.close()
    },
  }
}
