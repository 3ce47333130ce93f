import { MINUTE_US } from '../../core/date.ts'
import type { Receipt } from '../../core/receipt.ts'
import type { Active } from './active.ts'
import { add, type Entry, enterAt, giveBack, leave } from './counters.ts'
import type { InFlight } from './in-flight.ts'
import { bookIn, type Known, spend, sumReserved } from './known.ts'

/** Acts in the counter of these values, if there is room for it. */
const within = <T>(
  known: Known,
  active: Active,
  { values, at_us }: Readonly<{ values: readonly string[]; at_us: number }>,
  act: (entry: Entry) => T,
): T | undefined => {
  const book = bookIn(known, active)
  const entry = book && enterAt(known.table, book, values, 0n, at_us)
  if (entry === undefined || entry === 'full') return undefined
  const done = act(entry)
  leave(known.table, entry)
  return done
}

/** What the main thread needs to count, to show and to clear up. */
export const accounting = (known: Known, flightOf: (lane: number) => InFlight) => ({
  spend: (receipt: Receipt) => spend(known, receipt),
  seed(active: Active, values: readonly string[], amount: bigint, at_us: number): void {
    within(known, active, { values, at_us }, (entry) => add(known.table, entry, amount))
  },
  used(active: Active, values: readonly string[], at_us: number) {
    const { table } = known
    const found = within(known, active, { values, at_us }, ({ slot }) => {
      const minute = table.lacked(slot)
      return { slot, used: table.used(slot), lacked_us: minute === 0 ? undefined : minute * MINUTE_US }
    })
    return found ?? { slot: -1, used: 0n, lacked_us: undefined }
  },
  usedIn: (slot: number) => known.table.used(slot),
  reserved: () => sumReserved(known),
  heldBy(lane: number): ReadonlySet<string> {
    const ids = [...flightOf(lane).records()].map(({ receipt_id }) => receipt_id)
    return new Set(ids.filter((id) => id !== ''))
  },
  bury(lane: number): void {
    known.table.bury(lane)
    const flight = flightOf(lane)
    for (const { record, held } of flight.records()) {
      flight.close(record)
      for (const one of held) giveBack(known.table, one)
    }
  },
  sweep: () => known.table.sweep(Math.floor(known.now_us() / MINUTE_US)),
})
