import type { Receipt } from '../../core/receipt.ts'
import { type Amounts, type Ceiling, chargeOf } from '../../playbook/allocate/budget/charge.ts'
import type { Facts } from '../../playbook/allocate/budget/counter.ts'
import { accounting } from './accounting.ts'
import { type Active, activeOf, type BudgetsInForce, payerMatches, valuesFor } from './active.ts'
import { openBook } from './counters.ts'
import { holding } from './holding.ts'
import { openInFlight } from './in-flight.ts'
import type { Hold, Known, Refusal } from './known.ts'
import { openTable } from './table.ts'

/** Memory that all threads share: the counters, and what the calls of each lane hold. */
export type BudgetMemory = Readonly<{ table: SharedArrayBuffer; lanes: readonly SharedArrayBuffer[] }>

export type BudgetsOptions = Readonly<{
  memory: BudgetMemory
  /** Which of the lanes this thread writes. */
  lane: number
  ceiling: Ceiling
  reserve_output_tokens: number
  now_us: () => number
}>

export type Used = Readonly<{ slot: number; used: bigint; lacked_us: number | undefined }>

/** The budgets of one thread: all threads count in the same memory. */
export type Budgets = Readonly<{
  /** Takes the budgets that are in force from now on. */
  set(inForce: BudgetsInForce): void
  active(): readonly Active[]
  /** The hard budgets of dollars or tokens that the call is under, whoever serves it. */
  gates(facts: Facts): readonly Active[]
  /** Is something that the call is under still being counted? Then wait for `counted`. */
  waits(facts: Facts): boolean
  counted(): Promise<void>
  /** Reserves in every budget that the call is under, or in none. */
  reserve(facts: Facts, need: Amounts, at_us: number): Hold | Refusal
  /** Names the receipt that will say what the call cost. */
  name(hold: Hold, receipt_id: string): void
  /** Was it made under the budgets that are in force, and in the periods of that instant? */
  isCurrent(hold: Hold, at_us: number): boolean
  /** The receipt is written: its charge replaces the reservation. A second time changes nothing. */
  settle(hold: Hold, receipt: Receipt): void
  /** Nothing was dispatched with it. */
  release(hold: Hold): void
  /** Charges a receipt to every budget that it is under. */
  spend(receipt: Receipt): void
  /** Adds what was spent before in one counter; `at_us` is an instant of its period or slice. */
  seed(active: Active, values: readonly string[], amount: bigint, at_us: number): void
  /** What a counter holds now, spent and reserved together; 0 for one that nobody has used. And when it last had no room. */
  used(active: Active, values: readonly string[], at_us: number): Used
  /** What calls under way hold, by counter slot, of all threads. */
  reserved(): ReadonlyMap<number, bigint>
  usedIn(slot: number): bigint
  /** The receipts that say, or will say, what the calls of a lane cost that hold something now. */
  heldBy(lane: number): ReadonlySet<string>
  /** Gives back what a thread that is dead held. Charge the receipts of its calls before. */
  bury(lane: number): void
  sweep(): number
}>

const set = (known: Known, inForce: BudgetsInForce): void => {
  const before = known.books
  known.books = activeOf(inForce).map((active) => {
    const book = before.find(
      (one) => one.active.counter.identity === active.counter.identity && one.active.epoch === active.epoch,
    )
    return book ? { active, places: book.places } : openBook(active)
  })
  known.counting = known.books.some(({ active }) => active.state === 'counting')
  known.generation = inForce.generation
  known.waiting.resolve()
  known.waiting = Promise.withResolvers()
}

/** Opens the budgets of a thread. */
export const openBudgets = (options: BudgetsOptions): Budgets => {
  const { memory, lane, ceiling, reserve_output_tokens, now_us } = options
  const flightOf = (one: number) => openInFlight(memory.lanes[one] as SharedArrayBuffer)
  const known: Known = {
    table: openTable(memory.table, lane),
    own: flightOf(lane),
    all: memory.lanes.map(openInFlight),
    charge: (receipt) => chargeOf(receipt, ceiling, reserve_output_tokens),
    now_us,
    generation: 0,
    counting: false,
    books: [],
    waiting: Promise.withResolvers(),
  }
  return {
    set: (inForce) => set(known, inForce),
    active: () => known.books.map(({ active }) => active),
    gates: (facts) =>
      known.books
        .map(({ active }) => active)
        .filter(({ counter }) => counter.hard && counter.unit !== 'calls' && payerMatches(counter, facts)),
    waits: (facts) =>
      known.counting &&
      known.books.some(({ active }) => active.state === 'counting' && valuesFor(active.counter, facts) !== undefined),
    counted: () => known.waiting.promise,
    ...holding(known),
    ...accounting(known, flightOf),
  }
}
