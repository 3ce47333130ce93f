import type { Dispatcher } from 'undici'
import type { Lever } from '../core/lever.ts'
import type { Settings } from '../core/settings.ts'
import type { BudgetMemory } from './budgets/budgets.ts'
import type { Disk } from './disk.ts'
import type { LogStream } from './log.ts'
import type { Prices } from './prices.ts'
import type { World } from './world.ts'

/** What can be other while a thread serves; plain data, because it may come from another thread. */
export type Renewal = Readonly<{
  settings: Settings
  prices: Prices
  /** Since when each lever works as the policies say now, µs (`levers/since.ts`). */
  levers_since: Readonly<Record<string, number>>
}>

/** What a thread needs to know. */
export type ThreadData = Renewal &
  Readonly<{
    /** Names the thread's journal segments. */
    name: string
    /** Memory of `createOnce`, shared by all threads. */
    once: SharedArrayBuffer
    /** Memory of `createRestraint`, shared by all threads. */
    restraint: SharedArrayBuffer
    pepper: Uint8Array
    /** What all threads count in, and the lane of it that is this thread's. */
    budget_memory: BudgetMemory
    lane: number
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
