import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Lever, Memory } from '../core/lever.ts'
import type { Breaker, Proxies, Settings } from '../core/settings.ts'
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
import { type Budgets, openBudgets } from './budgets/budgets.ts'
import { openErrands } from './errand.ts'
import { openJournal } from './journal.ts'
import { openAsker } from './levers/asker.ts'
import { openBodies } from './levers/bodies.ts'
import { openCompressor } from './levers/compressor.ts'
import { openEmbedder } from './levers/embedder.ts'
import { openKits, openMemory } from './levers/kit.ts'
import { openPolicies } from './levers/policies.ts'
import type { Levers } from './levers/pulling.ts'
import { openRecount } from './levers/recount.ts'
import { rested } from './levers/rested.ts'
import { openLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { createOnce } from './once.ts'
import { openOwnKeys } from './own-key.ts'
import { createRestraint } from './restraint.ts'
import { openTenants } from './tenant.ts'
import type { Renewal, ThreadData, ThreadDoors } from './thread-data.ts'
import { openTokens } from './tokens.ts'
import { openTurn } from './turn.ts'
import { openUpstreams } from './upstreams.ts'
import { openWayOut } from './way-out.ts'
import type { World } from './world.ts'

/** What of a world is made of settings, and so is made anew with them. */
type OfSettings = Pick<World, 'settings' | 'upstreams' | 'book' | 'dispatcher' | 'breakers' | 'levers'>
/** What a thread has for as long as it lives. */
type Lasting = Omit<World, keyof OfSettings>

/** What is made of settings, and made anew only where those are others. */
const madeOf = <From, Made>(make: (from: From) => Made) => {
  let last: Readonly<{ from: From; made: Made }> | undefined
  return (from: From): Made => {
    if (!last || !isDeepStrictEqual(last.from, from)) last = { from, made: make(from) }
    return last.made
  }
}

const budgetsOf = ({ settings, budget_memory, lane }: ThreadData, now_us: () => number): Budgets => {
  const { unpriced_ceiling: ceiling, reserve_output_tokens } = settings
  return openBudgets({ memory: budget_memory, lane, ceiling, reserve_output_tokens, now_us })
}

const openLasting = (data: ThreadData, doors: ThreadDoors, onSegment: (name: string) => void) => {
  const { settings } = data
  const { now_us, random, new_id, billed_before } = doors
  let keyring = keyringOf([], data.pepper)
  const log = openLog(settings, doors.log_stream)
  const onHealth = (healthy: boolean, why: string): void => {
    if (healthy) log.event('the journal is written again')
    else log.trouble('the journal cannot be written; calls are refused until it can', { why, data: settings.data })
  }
  const lasting: Lasting = {
    journal: openJournal({
      folder: join(settings.data, 'journal'),
      thread: data.name,
      now_us,
      onSegment,
      onHealth,
      ...(doors.disk ? { disk: doors.disk } : {}),
    }),
    now_us,
    random,
    new_id,
    keys: { identifyToken: (token, at_us) => keyring.identifyToken(token, at_us) },
    log,
    metrics: createMetrics(),
    budgets: budgetsOf(data, now_us),
    own_keys: openOwnKeys(settings.mode, log, now_us),
    bill_once: createOnce(data.once),
    billed_before,
    tokens: openTokens(({ message }) =>
      log.trouble('tokens are counted by length, for the thread that counts them has ended', { why: message }),
    ),
    restraint: createRestraint(data.restraint),
    tenants: openTenants(data.pepper),
    errands: openErrands(data.pepper),
    load: { in_flight: 0, leaving: false, shutting_down: false },
    turn: openTurn(),
  }
  const setKeys = (keys: readonly KeyRecord[]): void => {
    keyring = keyringOf(keys, data.pepper)
  }
  return { lasting, setKeys }
}

/** The memories of levers. One that works as before keeps its own when settings are read anew. */
const openMemories = () => {
  const known = new Map<string, Readonly<{ since: number; memory: Memory }>>()
  return (levers_since: Renewal['levers_since']) =>
    ({ name }: Lever): Memory => {
      const since = levers_since[name]
      const before = known.get(name)
      if (before !== undefined && before.since === since) return before.memory
      const memory = openMemory()
      if (since === undefined) known.delete(name)
      else known.set(name, { since, memory })
      return memory
    }
}

/** The levers that policies name; none where there are no policies, so that a call pays nothing for them. */
const leverOpener = ({ settings: { data, threads } }: ThreadData, doors: ThreadDoors, lasting: Lasting) => {
  const { now_us, random } = doors
  // Both open their file when it is first used.
  const answers = openAnswers({ path: join(data, 'answers.db'), now_us, shared: threads > 1 })
  const notes = openNotes({ path: join(data, 'learnt.db'), now_us })
  const memoriesAt = openMemories()
  const servicesOf = madeOf(({ services, breaker }: Pick<Settings, 'services' | 'breaker'>) => ({
    ...(services.compressor ? { compress: openCompressor(services.compressor) } : {}),
    ...(services.embedder
      ? { embedder: rested(openEmbedder(services.embedder, lasting.errands), breaker, now_us) }
      : {}),
  }))
  return ({ settings, levers_since }: Renewal, { book, upstreams }: Omit<OfSettings, 'levers'>): Levers | undefined => {
    const { policies, services, breaker } = settings
    if (policies.length === 0) return undefined
    const kitOf = openKits({
      now_us,
      random,
      book,
      tokens: lasting.tokens,
      answers,
      doors: { notes, ask: openAsker(upstreams, lasting.errands), ...servicesOf({ services, breaker }) },
      price_as: (provider) => upstreams.get(provider)?.price_as ?? provider,
      since: levers_since,
      memoryOf: memoriesAt(levers_since),
    })
    const choose = openPolicies(inOrder(doors.levers ?? levers), policies)
    return { choose, kitOf, bodies: openBodies(), recount: openRecount(lasting.tokens) }
  }
}

/**
 * Opens the world of a thread's calls. `world` is the one that a call takes at its begin and keeps to its end; after `renew` it is
 * another, in which what has not changed goes on. Throws `bad-config` or `journal-unwritable`.
 */
export const openWorld = (data: ThreadData, doors: ThreadDoors, onSegment: (name: string) => void) => {
  const { lasting, setKeys } = openLasting(data, doors, onSegment)
  const openLevers = leverOpener(data, doors, lasting)
  const dispatcherOf = madeOf(
    ({ connect_ms, proxy }: Readonly<{ connect_ms: number; proxy: Proxies | undefined }>) =>
      doors.dispatcher ?? openWayOut(connect_ms, proxy),
  )
  const breakersOf = madeOf((breaker: Breaker) => createBreakers(breaker, doors.now_us))
  const open = (renewal: Renewal): World => {
    const { settings, prices } = renewal
    const plain = {
      settings,
      upstreams: openUpstreams(settings.providers, providers, wires),
      book: compileBook({ ...prices, checked: true }),
      dispatcher: dispatcherOf({ connect_ms: settings.limits.connect_ms, proxy: settings.proxy }),
      breakers: breakersOf(settings.breaker),
    }
    const found = openLevers(renewal, plain)
    return { ...lasting, ...plain, ...(found ? { levers: found } : {}) }
  }
  let world = open(data)
  const renew = (renewal: Renewal): void => {
    world = open(renewal)
  }
  return { world: (): World => world, setKeys, renew }
}
