import type { Budget, BudgetState } from '../../core/budget.ts'
import type { Receipt } from '../../core/receipt.ts'
import type { Settings } from '../../core/settings.ts'
import { countersOf } from '../../playbook/allocate/budget/counter.ts'
import { inTurn } from '../in-turn.ts'
import type { Log } from '../log.ts'
import type { BudgetsInForce, InForce } from './active.ts'
import { type BudgetMemory, openBudgets } from './budgets.ts'
import { type Counting, count, hasFailed, importing, isRolling, type Known, recount, type Threads } from './counting.ts'
import { inFlightMemory } from './in-flight.ts'
import { gaugesOf, NO_SCOPES, statesOf } from './standing.ts'
import { tableMemory } from './table.ts'

export type DeskOptions = Readonly<{
  settings: Settings
  now_us: () => number
  log: Log
  /** Those who are told; nobody where absent. */
  threads?: Threads
}>

/** The main thread's part in budgets: which are in force, what was spent before, how they stand. */
export type Desk = Readonly<{
  memory: BudgetMemory
  inForce(): BudgetsInForce
  /** Counts what was spent before, then lets the calls in that wait for it. Without a ledger there was nothing. */
  begin(counting?: Counting | 'no-ledger'): Promise<void>
  /** The ledger cannot be opened: hard budgets refuse what is under them, until it begins after all. */
  fail(): Promise<void>
  /** Puts other budgets in force. What was spent under those that stay, stays; a limit is a limit at once. */
  change(budgets: readonly Budget[]): Promise<void>
  /** Brings receipts in by another way than the journal, and charges them. */
  importing<T>(act: () => Promise<T>): Promise<T>
  /** Makes good what a thread that is dead left: its calls are charged what their receipts say. */
  bury(lane: number, recover: (ends: { wants(id: string): boolean; told(receipt: Receipt): void }) => void): void
  states(): Promise<readonly BudgetState[]>
  /** The same for who looks every few seconds: counters as they are, but a scope that is new may be missing for a while. */
  glance(): Promise<readonly BudgetState[]>
  /** Limit, spent and reserved by series, of budgets that have one counter: their names are labels, users and sessions never. */
  gauges(): Readonly<Record<string, number>>
  close(): void
}>

const NO_THREADS: Threads = { setBudgets: async () => [] }

/** Lane 0 is the main thread's, and that of a gateway that runs in it. */
export const MAIN_LANE = 0

const SWEEP_EVERY_MS = 30_000
/** How often the clock is looked at: whether it was set back. */
const CLOCK_EVERY_MS = 1000

/** One for each unit, because each has a counter, and a history, of its own. */
const split = (budget: Budget): { budget: Budget; identity: string }[] =>
  countersOf(budget).map(({ unit, identity }) => ({
    budget: { ...budget, limits: { [unit]: budget.limits[unit] } },
    identity,
  }))

/** What is in force after a change: a counter that was there before goes on. */
const next = (before: BudgetsInForce, budgets: readonly Budget[], newEpoch: () => number): BudgetsInForce => {
  const known = new Map(before.budgets.map((one) => [split(one.budget)[0]?.identity, one]))
  const all = budgets.flatMap(split).map(({ budget, identity }): InForce => {
    const same = known.get(identity)
    return same ? { ...same, budget } : { budget, epoch: newEpoch(), state: 'counting' }
  })
  const epochs = (some: readonly InForce[]) => some.map(({ epoch }) => epoch).join()
  const changed = epochs(all) !== epochs(before.budgets)
  return { generation: before.generation + (changed ? 1 : 0), budgets: all }
}

/** Is the clock behind where it was at the last look? */
const setBack = (now_us: () => number) => {
  let seen_us = now_us()
  return (): boolean => {
    const before_us = seen_us
    seen_us = now_us()
    return seen_us < before_us
  }
}

/** Opens the desk; no budget is in force yet. */
export const openDesk = ({ settings, now_us, log, threads = NO_THREADS }: DeskOptions): Desk => {
  const memory = { table: tableMemory(), lanes: inFlightMemory(settings.threads + 1) }
  const { unpriced_ceiling: ceiling, reserve_output_tokens } = settings
  const own = openBudgets({ memory, lane: MAIN_LANE, ceiling, reserve_output_tokens, now_us })
  const turn = inTurn()
  let epoch = 0
  const nextEpoch = () => ++epoch
  const inForce: BudgetsInForce = { generation: 0, budgets: [] }
  const none = { scopes: NO_SCOPES, counting: undefined }
  const known: Known = { settings, now_us, log, own, threads, inForce, ...none }
  own.set(inForce)
  const timer = setInterval(() => {
    own.sweep()
    if (typeof known.counting === 'object') void turn(() => recount(known, nextEpoch, hasFailed))
  }, SWEEP_EVERY_MS)
  timer.unref()
  // What has left a rolling window comes into it again then, and its counter would let it go at once.
  const wasSetBack = setBack(now_us)
  const clock = setInterval(() => {
    if (wasSetBack()) void turn(() => recount(known, nextEpoch, isRolling))
  }, CLOCK_EVERY_MS)
  clock.unref()
  return {
    memory,
    inForce: () => known.inForce,
    begin: (counting = 'no-ledger') =>
      turn(async () => {
        known.counting = counting
        await recount(known, nextEpoch, hasFailed)
        await count(known)
      }),
    fail: () =>
      turn(async () => {
        known.counting = 'lost'
        await count(known)
      }),
    change: (changed) =>
      turn(() => {
        known.inForce = next(known.inForce, changed, nextEpoch)
        return count(known)
      }),
    importing: (act) => turn(() => importing(known, act)),
    bury(lane, recover) {
      const held = own.heldBy(lane)
      recover({ wants: (id) => held.has(id), told: own.spend })
      own.bury(lane)
    },
    states: () => statesOf(known, true),
    glance: () => statesOf(known, false),
    gauges: () => gaugesOf(known),
    close() {
      clearInterval(timer)
      clearInterval(clock)
    },
  }
}
