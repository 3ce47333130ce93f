import { join } from 'node:path'
import { isLoopback } from '../config/fields.ts'
import { strayPrices } from '../config/strays.ts'
import type { BudgetStates } from '../core/budget.ts'
import { WeirError } from '../core/errors.ts'
import type { Settings } from '../core/settings.ts'
import { type Desk, MAIN_LANE, openDesk } from './budgets/desk.ts'
import { type BudgetWatch, openBudgetWatch } from './budgets/watch.ts'
import { type Crew, openCrew } from './crew.ts'
import { inTurn } from './in-turn.ts'
import { type KeptLedger, keepLedger } from './keep-ledger.ts'
import { type KeepOptions, keepThread } from './keep-thread.ts'
import { type KeyWatch, openKeyWatch, pepperOf } from './key-watch.ts'
import { leversSince } from './levers/since.ts'
import { urlOf } from './listener.ts'
import { lockData } from './lock.ts'
import { type Log, openLog } from './log.ts'
import { prometheus } from './metrics.ts'
import { onceMemory } from './once.ts'
import { loadPrices, type Prices } from './prices.ts'
import { recover } from './recover.ts'
import { type Reloaded, renewed } from './reload.ts'
import { restraintMemory } from './restraint.ts'
import { newId, now_us, random } from './system.ts'
import type { GatewayThread } from './thread.ts'
import type { Renewal, ThreadData, ThreadDoors } from './thread-data.ts'
import type { Watching } from './watch/open.ts'

export type Running = Readonly<{
  url: string
  port: number
  settings: Settings
  /** Resolves when the ledger is open and takes receipts, and rejects when it cannot be opened at once; the gateway serves before that. */
  ledger_ready: Promise<void>
  /** Brings every receipt written so far into the ledger and before the watch; what that finds is in the store then. */
  catchUp(): Promise<void>
  /** How every budget stands. */
  budgets: BudgetStates
  /** Reads the settings anew: calls that come from now on find them. Throws `bad-config`, and all is as before. */
  reload(): Promise<Reloaded>
  /** Drains the calls in flight, writes what is owed, and gives everything back. Safe to call twice. */
  close(): Promise<void>
}>

/**
 * `reread` says the settings as they are by now, for a reload. The rest is for tests: other doors (only with `threads: 0`), prices,
 * no ledger, or one that is tried again sooner; `on_worker` is told each worker.
 */
export type Overrides = Partial<Omit<ThreadDoors, 'scrape' | 'onSegment' | 'billed_before'>> &
  Readonly<{
    reread?: () => Promise<Settings>
    prices?: Prices
    ledger?: boolean
    ledger_again_ms?: number
    secret?: string
    on_worker?: KeepOptions['on_worker']
  }>

/** In pass-through mode anybody who reaches the port may call, so nobody from outside may reach it. */
const checkAddress = ({ mode, host }: Settings): void => {
  if (mode === 'keys' || isLoopback(host)) return
  throw new WeirError(
    'bad-config',
    `${host} can be reached from other machines, and in pass-through mode anybody there could use the gateway. Keep host: 127.0.0.1, or set mode: keys and give out keys with weir keys create.`,
  )
}

type Shared = Omit<ThreadData, 'name' | 'lane'>
type MainState = {
  readonly lock: Readonly<{ release(): void }>
  readonly desk: Desk
  readonly crew: Crew
  watch?: KeyWatch
  budget_watch?: BudgetWatch
  /** Absent without a ledger, and until the gateway listens. */
  ledger?: KeptLedger
  /** Absent without a ledger. */
  watching?: Watching
}

/** Gives everything back that was opened, those who use a thing before the thing. */
const shutDown = async (state: MainState): Promise<void> => {
  await state.crew.close()
  await state.ledger?.ready().catch(() => {})
  state.desk.close()
  await state.budget_watch?.close()
  await state.ledger?.close()
  await state.watching?.close()
  await state.watch?.close()
  state.lock.release()
}

/** What was billed before, as far as there is a ledger that can know it. */
const billedBefore =
  (state: MainState) =>
  async (provider: string, response_id: string): Promise<boolean> => {
    await state.ledger?.ready()
    return (await state.ledger?.bookkeeping()?.billedBefore(provider, response_id)) ?? false
  }

/** The metrics of all threads, and how far the ledger is behind. */
const scraper = (state: MainState) => async (): Promise<string> => {
  const { counts, gauges: of_threads } = await state.crew.snapshot()
  const gauges: Record<string, number> = { ...of_threads, ...state.desk.gauges(), ...(await state.watching?.counts()) }
  const lag = state.ledger?.bookkeeping()?.lag()
  if (state.ledger?.failed()) gauges['weir_ledger_failed'] = 1
  if (lag) {
    gauges['weir_ledger_lag_segments'] = lag.segments
    gauges['weir_ledger_lag_bytes'] = lag.bytes
    gauges['weir_ledger_failed'] = lag.failed ? 1 : 0
  }
  return prometheus(counts, gauges)
}

/** Gateway threads in workers, or one in this process where `threads` is 0. */
const startThreads = async (
  shared: Shared,
  state: MainState,
  log: Log,
  overrides: Overrides,
): Promise<GatewayThread[]> => {
  const scrape = scraper(state)
  const segment = (): void => state.ledger?.bookkeeping()?.notice()
  const billed_before = billedBefore(state)
  if (shared.settings.threads === 0) {
    const { openThread } = await import('./thread.ts')
    const doors = { now_us, random, new_id: newId, ...overrides, scrape, billed_before, onSegment: segment }
    return [openThread({ ...shared, name: 'gateway-0', lane: MAIN_LANE }, doors)]
  }
  const { on_worker } = overrides
  const bury = (name: string, lane: number): void => {
    try {
      let unknown = 0
      state.desk.bury(lane, (ends) => {
        unknown = recover(join(shared.settings.data, 'journal'), name, ends).unknown
      })
      if (unknown > 0) log.trouble('attempts of a gateway thread that died are now unknown', { attempts: unknown })
      segment()
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      log.trouble('what a gateway thread left in the journal is looked at again at the next start', { code })
    }
  }
  const main = { scrape, segment, billed_before }
  return Array.from({ length: shared.settings.threads }, (_, index) => {
    const data = { ...shared, name: `gateway-${index + 1}`, lane: index + 1 }
    return keepThread({
      data,
      main,
      log,
      now_us,
      told: state.crew.told,
      bury: (name) => bury(name, data.lane),
      ...(on_worker ? { on_worker } : {}),
    })
  })
}

/** What the system says of an address that cannot be listened on, in words that help. */
const addressError = (cause: NodeJS.ErrnoException, { host, port }: Settings): Error => {
  const at = `${host}:${port}`
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `${at} is taken by another process: stop that one, or choose another port with --port (0 takes a free one)`,
    EACCES: `${at} may not be listened on by this user: choose a port from 1024 on with --port`,
    EADDRNOTAVAIL: `${host} is no address of this machine: choose one that is with --host`,
    ENOTFOUND: `${host} is no address, and no name that this machine can look up: choose another with --host`,
    EAI_AGAIN: `${host} could not be looked up: choose an address of this machine with --host`,
  }
  const message = why[cause.code ?? '']
  return message === undefined ? cause : new WeirError('bad-config', message, { cause })
}

/**
 * Starts the gateway: takes the data folder, makes the journal of processes that died whole, listens, and only then
 * opens the ledger. Throws `bad-config` for a public address without keys or one that cannot be listened on, `overloaded`
 * when another process has the folder; what was opened until then is given back.
 */
export const startGateway = async (settings: Settings, overrides: Overrides = {}): Promise<Running> => {
  checkAddress(settings)
  const log = openLog(settings, overrides.log_stream)
  const lock = await lockData(settings.data, { role: 'weir serve' })
  const crew = openCrew()
  const desk = openDesk({ settings, now_us: overrides.now_us ?? now_us, log, threads: crew })
  const state: MainState = { lock, desk, crew }
  try {
    return await openGateway(settings, overrides, log, state)
  } catch (error) {
    await shutDown(state)
    throw error
  }
}

/** What threads are made of, of these settings. */
const renewalOf = async (settings: Settings, overrides: Overrides, log: Log): Promise<Renewal> => {
  const prices = overrides.prices ?? (await loadPrices(settings))
  for (const { row, says: why } of strayPrices(prices.rows, settings))
    log.trouble('prices that no call has', { row, why })
  const at_us = (overrides.now_us ?? now_us)()
  return { settings, prices, levers_since: leversSince(join(settings.data, 'levers.json'), settings.policies, at_us) }
}

/** Starts the threads, opens what the main thread needs while they load their code, and tells them before they listen. */
const openThreads = async (settings: Settings, overrides: Overrides, log: Log, state: MainState) => {
  const { desk, crew } = state
  const renewal = await renewalOf(settings, overrides, log)
  const memories = { once: onceMemory(), restraint: restraintMemory(), budget_memory: desk.memory }
  const pepper = pepperOf(settings, overrides.secret ?? process.env['WEIR_SECRET'])
  crew.take(await startThreads({ ...renewal, ...memories, pepper }, state, log, overrides))
  const watch = await openKeyWatch(settings)
  state.watch = watch
  const budget_watch = await openBudgetWatch(settings, log)
  state.budget_watch = budget_watch
  await desk.change(budget_watch.budgets)
  if (overrides.ledger !== false) {
    const { openWatching } = await import('./watch/open.ts')
    const doors = { now_us: overrides.now_us ?? now_us, random: overrides.random ?? random }
    state.watching = await openWatching({ settings, prices: renewal.prices, log, ...doors })
  }
  await crew.setKeys(watch.keys)
  await crew.contain(state.watching?.containments ?? [])
  await crew.setBudgets(desk.inForce())
  return { watch, budget_watch }
}

/** Reads the settings anew, once after the other. */
const reloader = (settings: Settings, overrides: Overrides, log: Log, state: MainState) => {
  const turn = inTurn()
  let running = settings
  const reload = async (): Promise<Reloaded> => {
    const asked = (await overrides.reread?.()) ?? running
    const { settings: next, in_force, next_start } = renewed(running, asked)
    if (in_force.length > 0) {
      const renewal = await renewalOf(next, overrides, log)
      await state.crew.renew(renewal)
      await state.budget_watch?.renew(next.budgets)
      await state.watching?.renew(renewal)
    }
    running = next
    log.event('settings were read anew', { in_force: in_force.join(', '), next_start: next_start.join(', ') })
    return { in_force, next_start }
  }
  return (): Promise<Reloaded> => turn(reload)
}

/** Whatever it opens it names in `state` at once, from which it can be given back. */
const openGateway = async (settings: Settings, overrides: Overrides, log: Log, state: MainState): Promise<Running> => {
  const { desk, crew } = state
  const recovered = recover(join(settings.data, 'journal'))
  if (recovered.unknown > 0)
    log.trouble('attempts of a process that died are now unknown', { attempts: recovered.unknown })
  const { watch, budget_watch } = await openThreads(settings, overrides, log, state)
  const reload = reloader(settings, overrides, log, state)
  const look = () => Promise.all([watch.look(), budget_watch.look()])
  const port = await crew.listen(settings).catch((error: Error) => Promise.reject(addressError(error, settings)))
  const url = urlOf(settings.host, port)
  const { watching } = state
  const { ledger_again_ms: again_ms } = overrides
  const taken = watching ? { taken: watching.taken } : {}
  if (overrides.ledger !== false)
    state.ledger = keepLedger({ settings, log, url, crew, desk, look, reload, again_ms, ...taken })
  const ledger_ready = state.ledger?.ready() ?? Promise.resolve()
  const { contain } = crew
  await watching?.begin({ contain, ledger: () => state.ledger?.bookkeeping()?.ledger, budgets: desk.glance })
  if (overrides.ledger === false) await desk.begin()
  budget_watch.watch(desk.change)
  watch.watch(crew.setKeys)
  log.event('listening', { url, mode: settings.mode, threads: crew.size() })
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= shutDown(state).then(() => log.event('stopped'))
    return closing
  }
  const catchUp = async (): Promise<void> => {
    await state.ledger?.ready()
    await state.ledger?.bookkeeping()?.refresh()
    await watching?.catchUp()
  }
  return { url, port, settings: { ...settings, port }, ledger_ready, budgets: desk.states, reload, catchUp, close }
}
