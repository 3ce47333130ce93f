import type { Facts } from '../../playbook/allocate/budget/counter.ts'
import { SLICES_IN_FORCE } from '../../playbook/allocate/budget/period.ts'
import { type Active, valuesFor } from './active.ts'
import { type Place, placeOf, sliceKey } from './place.ts'
import type { Table } from './table.ts'

/** What is counted of one call in one counter, or reserved in it. */
export type Entry = {
  readonly active: Active
  readonly values: readonly string[]
  readonly place: Place
  readonly slot: number
  /** Of a rolling window, the slot of its slice; -1 otherwise. */
  readonly slice: number
  readonly amount: bigint
}

const MOST_PLACES = 20_000

/** Places of one counter as last found, by the values of `each`: a period is looked up once, not for every call. */
export const openPlaces = (active: Active) => {
  const places = new Map<string, Place>()
  let only: Place | undefined
  return (values: readonly string[], at_us: number): Place => {
    if (values.length === 0) {
      if (!only || at_us < only.from_us || at_us >= only.to_us) only = placeOf(active, values, at_us)
      return only
    }
    const name = values.length === 1 ? (values[0] ?? '') : values.join('\u0000')
    const known = places.get(name)
    if (known && at_us >= known.from_us && at_us < known.to_us) return known
    const place = placeOf(active, values, at_us)
    if (places.size >= MOST_PLACES) places.clear()
    places.set(name, place)
    return place
  }
}

/** One counter that calls are matched with. */
export type Book = Readonly<{ active: Active; places: ReturnType<typeof openPlaces> }>

export const openBook = (active: Active): Book => ({ active, places: openPlaces(active) })

const slotOf = (table: Table, place: Place): number => {
  if (place.slot >= 0 && table.again(place.slot, place.key)) return place.slot
  place.slot = table.enter(place.key, place.expires_min)
  return place.slot
}

const sliceSlotOf = (table: Table, place: Place): number => {
  if (!place.slice) return -1
  const { key, expires_min } = place.slice
  if (place.slice_slot >= 0 && table.again(place.slice_slot, key)) return place.slice_slot
  place.slice_slot = table.enter(key, expires_min)
  return place.slice_slot
}

/**
 * Takes slices that have left a rolling window out of its counter. Who moves the mark takes them, each exactly once; the
 * mark moves first, so that whoever changes a slice afterwards sees that it is gone.
 */
const turn = (table: Table, { active, values, place, slot }: Entry): void => {
  if (!place.slice) return
  const due = place.slice.index - BigInt(SLICES_IN_FORCE)
  const done = table.turned(slot)
  if (done >= due || !table.turn(slot, done, due) || done === 0n) return
  // Of a counter that rested the slices after `done + SLICES_IN_FORCE` are empty.
  const last = due < done + BigInt(SLICES_IN_FORCE) ? due : done + BigInt(SLICES_IN_FORCE)
  for (let index = done + 1n; index <= last; index++) {
    const found = table.find(sliceKey(active, values, index))
    if (found >= 0) table.add(slot, -table.take(found))
  }
}

/** The counter of these values of `each`, held; 'full' where there is no room for it. */
export const enterAt = (
  table: Table,
  book: Book,
  values: readonly string[],
  amount: bigint,
  at_us: number,
): Entry | 'full' => {
  const place = book.places(values, at_us)
  const slot = slotOf(table, place)
  if (slot < 0) return 'full'
  const slice = sliceSlotOf(table, place)
  if (place.slice && slice < 0) {
    table.leave(slot)
    return 'full'
  }
  const entry: Entry = { active: book.active, values, place, slot, slice, amount }
  turn(table, entry)
  return entry
}

/** The counter of a call that is under it, held; undefined for one that is not; 'full' where there is no room for it. */
export const enter = (
  table: Table,
  book: Book,
  facts: Facts,
  amount: bigint,
  at_us: number,
): Entry | 'full' | undefined => {
  const values = valuesFor(book.active.counter, facts)
  return values && enterAt(table, book, values, amount, at_us)
}

/** Lets the counter be given away when its time has come. */
export const leave = (table: Table, { slot, slice }: Pick<Entry, 'slot' | 'slice'>): void => {
  table.leave(slot)
  if (slice >= 0) table.leave(slice)
}

type Counted = Pick<Entry, 'slot' | 'slice' | 'place'>

/** What the counter must lose, because the slice has left its window: it was taken out, and so is what is added to it now. */
const goneIn = (table: Table, { slot, slice, place }: Counted): bigint =>
  place.slice && table.turned(slot) >= place.slice.index ? table.take(slice) : 0n

/** Adds an amount whatever the limit. */
export const add = (table: Table, entry: Counted, amount: bigint): void => {
  if (amount === 0n) return
  const { slot, slice } = entry
  if (slice < 0) {
    table.add(slot, amount)
    return
  }
  // The counter holds a moment too much, never too little.
  if (amount > 0n) table.add(slot, amount)
  table.add(slice, amount)
  const change = (amount < 0n ? amount : 0n) - goneIn(table, entry)
  if (change !== 0n) table.add(slot, change)
}

/**
 * Gives back what a thread that is dead had reserved. A slice that holds less was taken out of its window before, and the
 * reservation with it.
 */
export const giveBack = (table: Table, { slot, slice, amount }: Pick<Entry, 'slot' | 'slice' | 'amount'>): void => {
  if (slice < 0) table.add(slot, -amount)
  else if (table.used(slice) >= amount) {
    table.add(slice, -amount)
    table.add(slot, -amount)
  }
  leave(table, { slot, slice })
}

/** Reserves where the limit allows it; says whether it did. */
export const reserve = (table: Table, entry: Entry): boolean => {
  const { active, slot, slice, amount } = entry
  if (!active.counter.hard) table.add(slot, amount)
  else if (!table.reserve(slot, amount, active.counter.limit)) return false
  if (slice < 0) return true
  table.add(slice, amount)
  const gone = goneIn(table, entry)
  if (gone !== 0n) table.add(slot, -gone)
  return true
}

/** Puts the actual amount in the place of a reservation. */
export const replace = (table: Table, entry: Entry, actual: bigint): void => add(table, entry, actual - entry.amount)
