import type { Receipt } from '../../core/receipt.ts'
import type { Amounts } from '../../playbook/allocate/budget/charge.ts'
import type { Active } from './active.ts'
import { add, type Book, type Entry, enter, leave } from './counters.ts'
import type { InFlight } from './in-flight.ts'
import type { Table } from './table.ts'

/** What a call holds until its receipt is written. */
export type Hold = {
  readonly generation: number
  readonly record: number
  readonly entries: readonly Entry[]
  open: boolean
}

/** Why a call cannot be let in. */
export type Refusal = Readonly<
  | {
      why: 'exhausted'
      active: Active
      values: readonly string[]
      slot: number
      amount: bigint
      used: bigint
      at_us: number
    }
  | { why: 'full' | 'busy' | 'uncounted'; active: Active | undefined }
>

export const isHold = (found: Hold | Refusal): found is Hold => 'entries' in found

/** What a thread knows of budgets. */
export type Known = {
  readonly table: Table
  readonly own: InFlight
  readonly all: readonly InFlight[]
  readonly charge: (receipt: Receipt) => Amounts
  readonly now_us: () => number
  generation: number
  counting: boolean
  books: readonly Book[]
  waiting: PromiseWithResolvers<void>
}

/** The book of a counter, if it is in force. */
export const bookIn = ({ books }: Known, { counter, epoch }: Active): Book | undefined =>
  books.find(({ active }) => active.counter.identity === counter.identity && active.epoch === epoch)

export const letGo = ({ table }: Known, entries: readonly Entry[]): void => {
  for (const entry of entries) leave(table, entry)
}

/** What calls under way hold, by counter slot, of all threads. */
export const sumReserved = ({ all }: Known): ReadonlyMap<number, bigint> => {
  const sums = new Map<number, bigint>()
  for (const flight of all)
    for (const { held } of flight.records())
      for (const { slot, amount } of held) sums.set(slot, (sums.get(slot) ?? 0n) + amount)
  return sums
}

/** Charges a receipt to every budget that it is under. */
export const spend = ({ table, books, charge }: Known, receipt: Receipt): void => {
  const amounts = charge(receipt)
  for (const book of books) {
    const entry = enter(table, book, receipt, 0n, receipt.started_at_us)
    if (entry === undefined || entry === 'full') continue
    add(table, entry, amounts[entry.active.counter.unit])
    leave(table, entry)
  }
}
