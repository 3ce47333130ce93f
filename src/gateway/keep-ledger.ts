import { WeirError } from '../core/errors.ts'
import type { Ledger } from '../core/ledger.ts'
import { type Bookkeeping, type BookkeepingOptions, startBookkeeping } from './bookkeeping.ts'
import { type Control, startControl } from './control.ts'
import type { Crew } from './crew.ts'
import { letCallsGoFirst } from './precedence.ts'
import type { Reloaded } from './reload.ts'

export type KeepLedgerOptions = BookkeepingOptions &
  Readonly<{
    url: string
    /** Takes the keys and budgets that the store has by now. */
    look: () => Promise<unknown>
    /** Takes the settings that weir.yaml has by now. */
    reload: () => Promise<Reloaded>
    /** For tests: how long to wait before the ledger is tried again. */
    again_ms?: number | undefined
  }>

/** The ledger of a running gateway, and the port on which commands ask for it. */
export type KeptLedger = Readonly<{
  /** Settles when the ledger is open or cannot be; a promise of its own for each try. */
  ready(): Promise<void>
  /** Undefined as long as the ledger is not open. */
  bookkeeping(): Bookkeeping | undefined
  /** Could it not be opened? */
  failed(): boolean
  close(): Promise<void>
}>

const AGAIN_MS = 10_000

/** Another program has the file, or the disk is full: that passes. A broken file is the operator's, who may be replacing it. */
const passes = (error: unknown): boolean =>
  error instanceof WeirError ? error.code === 'overloaded' : (error as NodeJS.ErrnoException).code === 'ENOSPC'

/** Do the threads write their journals, and how many receipts wait in memory for room on the disk? */
const journalsOf = async (crew: Crew) => {
  const { gauges } = await crew.snapshot()
  const { weir_journal_unhealthy_threads: unhealthy = 0, weir_journal_waiting_receipts: waiting = 0 } = gauges
  return { journal: { writable: unhealthy === 0, waiting } }
}

type State = {
  control: Control | undefined
  bookkeeping: Bookkeeping | undefined
  failure: Error | undefined
  ready: Promise<void>
  timer: NodeJS.Timeout | undefined
  closing: boolean
}

/** Commands reach the gateway before its ledger is open, and are told why it is not where it cannot be. */
const openControl = (
  { settings, crew, desk, url, look, reload }: KeepLedgerOptions,
  state: State,
): Promise<Control> => {
  const opened = async (): Promise<Bookkeeping> => {
    await state.ready
    if (!state.bookkeeping) throw new WeirError('shutting-down', 'The gateway is stopping')
    return state.bookkeeping
  }
  const ledger: Ledger = {
    append: async (segment) => (await opened()).ledger.append(segment),
    query: async (question) => (await opened()).ledger.query(question),
    close: async () => {},
  }
  const status = async () => ({
    url,
    mode: settings.mode,
    ...(state.bookkeeping ? { lag: state.bookkeeping.lag() } : {}),
    ...(state.failure ? { ledger_failed: state.failure.message } : {}),
    ...(await journalsOf(crew)),
  })
  const refresh = async () => (await opened()).refresh()
  return startControl({
    data: settings.data,
    ledger,
    refresh,
    budgets: desk.states,
    importing: desk.importing,
    status,
    look,
    reload,
  })
}

const tryOnce = async (options: KeepLedgerOptions, state: State): Promise<void> => {
  state.control ??= await openControl(options, state)
  state.bookkeeping = await startBookkeeping(options)
  state.failure = undefined
  if (options.settings.threads > 0) letCallsGoFirst()
  options.log.event('the ledger is open')
}

const start = async (options: KeepLedgerOptions, state: State): Promise<void> => {
  try {
    await tryOnce(options, state)
  } catch (error) {
    const { message } = error as Error
    const again = passes(error) && !state.closing
    if (state.failure?.message !== message)
      options.log.trouble('the ledger cannot be opened; receipts stay in the journal', { error: message })
    state.failure = error as Error
    await options.desk.fail()
    if (again) state.timer = setTimeout(() => begin(options, state), options.again_ms ?? AGAIN_MS).unref()
    throw error
  }
}

/** A failure is for those who wait for the ledger to see; nobody has to. */
const begin = (options: KeepLedgerOptions, state: State): void => {
  state.ready = start(options, state)
  state.ready.catch(() => {})
}

/** Opens the ledger, and tries again by itself where what keeps it shut passes. */
export const keepLedger = (options: KeepLedgerOptions): KeptLedger => {
  const state: State = {
    control: undefined,
    bookkeeping: undefined,
    failure: undefined,
    ready: Promise.resolve(),
    timer: undefined,
    closing: false,
  }
  begin(options, state)
  return {
    ready: () => state.ready,
    bookkeeping: () => state.bookkeeping,
    failed: () => state.failure !== undefined,
    async close() {
      state.closing = true
      clearTimeout(state.timer)
      await state.ready.catch(() => {})
      await state.control?.close()
      await state.bookkeeping?.close()
    },
  }
}
