import { MINUTE_US } from '../../core/date.ts'
import type { Receipt } from '../../core/receipt.ts'
import type { Amounts } from '../../playbook/allocate/budget/charge.ts'
import type { Facts } from '../../playbook/allocate/budget/counter.ts'
import { type Entry, enter, replace, reserve } from './counters.ts'
import { MOST_HELD } from './in-flight.ts'
import { type Hold, type Known, letGo, type Refusal, spend, sumReserved } from './known.ts'

/** Closes a hold's record; false when that was done before. */
const close = ({ own }: Known, hold: Hold): boolean => {
  if (!hold.open) return false
  hold.open = false
  if (hold.record >= 0) own.close(hold.record)
  return true
}

const hasRoom = ({ table }: Known, { active, slot, amount }: Entry): boolean =>
  !active.counter.hard || table.used(slot) + amount <= active.counter.limit

/**
 * Notes, once a minute, that a counter is at its end: what is spent leaves no room for the call. Where calls under way merely
 * hold the rest, or the call may take more than the whole limit, it is not.
 */
const noteEnd = (known: Known, { active, slot, amount }: Entry, used: bigint, at_us: number): void => {
  const { table } = known
  const { limit } = active.counter
  const minute = Math.floor(at_us / MINUTE_US)
  if (amount > limit || table.lacked(slot) === minute) return
  if (used - (sumReserved(known).get(slot) ?? 0n) + amount > limit) table.lack(slot, minute)
}

const exhausted = (known: Known, entry: Entry, at_us: number): Refusal => {
  const { active, values, slot, amount } = entry
  const used = known.table.used(slot)
  noteEnd(known, entry, used, at_us)
  return { why: 'exhausted', active, values, slot, amount, used, at_us }
}

/**
 * The first budget that has no room; one that names cheaper targets goes before one that refuses, wherever they stand: what
 * it falls back to has to fit into all of them anyhow.
 */
const lackingOf = (known: Known, entries: readonly Entry[]): Entry | undefined => {
  let first: Entry | undefined
  for (const entry of entries) {
    if (hasRoom(known, entry)) continue
    if (entry.active.counter.budget.when_exhausted !== 'refuse') return entry
    first ??= entry
  }
  return first
}

const refused = (known: Known, entries: readonly Entry[], refusal: Refusal): Refusal => {
  letGo(known, entries)
  return refusal
}

/** Reserves in all of them or, undoing what was done, in none. First a look: what cannot fit disturbs nobody. */
const reserveAll = (known: Known, entries: readonly Entry[], at_us: number): Hold | Refusal => {
  const { table, own, generation } = known
  if (entries.length === 0) return { generation, record: -1, entries, open: true }
  const lacking = lackingOf(known, entries)
  if (lacking) return refused(known, entries, exhausted(known, lacking, at_us))
  const record = entries.length > MOST_HELD ? -1 : own.open()
  if (record < 0) return refused(known, entries, { why: 'busy', active: entries[0]?.active })
  for (let made = 0; made < entries.length; made++) {
    const entry = entries[made] as Entry
    if (reserve(table, entry)) {
      own.hold(record, entry.slot, entry.slice, entry.amount)
      continue
    }
    const refusal = exhausted(known, entry, at_us)
    own.close(record)
    for (const before of entries.slice(0, made)) replace(table, before, 0n)
    return refused(known, entries, refusal)
  }
  return { generation, record, entries, open: true }
}

/** Enters every counter that the facts are under, then reserves in them. */
const reserveFor = (known: Known, facts: Facts, need: Amounts, at_us: number): Hold | Refusal => {
  const entries: Entry[] = []
  let barred: Refusal | undefined
  for (const book of known.books) {
    const { counter, state } = book.active
    const entry = enter(known.table, book, facts, need[counter.unit], at_us)
    if (entry === undefined) continue
    if (entry !== 'full') entries.push(entry)
    if (counter.hard && entry === 'full') barred ??= { why: 'full', active: book.active }
    if (counter.hard && state === 'failed') barred ??= { why: 'uncounted', active: book.active }
  }
  return barred ? refused(known, entries, barred) : reserveAll(known, entries, at_us)
}

const settle = (known: Known, hold: Hold, receipt: Receipt): void => {
  if (!close(known, hold)) return
  const { table, charge } = known
  if (hold.generation === known.generation) {
    const amounts = charge(receipt)
    for (const entry of hold.entries) replace(table, entry, amounts[entry.active.counter.unit])
  } else {
    // Budgets that came meanwhile are charged too. Both in this order: a moment too much, never too little.
    spend(known, receipt)
    for (const entry of hold.entries) replace(table, entry, 0n)
  }
  letGo(known, hold.entries)
}

/** What calls need on their way. */
export const holding = (known: Known) => ({
  reserve: (facts: Facts, need: Amounts, at_us: number) => reserveFor(known, facts, need, at_us),
  name({ record }: Hold, receipt_id: string): void {
    if (record >= 0) known.own.name(record, receipt_id)
  },
  isCurrent: (hold: Hold, at_us: number) =>
    hold.generation === known.generation &&
    hold.entries.every(({ place }) => at_us >= place.from_us && at_us < place.to_us),
  settle: (hold: Hold, receipt: Receipt) => settle(known, hold, receipt),
  release(hold: Hold): void {
    if (!close(known, hold)) return
    for (const entry of hold.entries) replace(known.table, entry, 0n)
    letGo(known, hold.entries)
  },
})
