/** What the calls of each thread hold, in shared memory, so that it can be given back when the thread is dead. */

/** Calls of one thread that can hold something at once, and counters that one call can hold. */
const RECORDS = 8192
const ENTRIES = 32
export const MOST_HELD = ENTRIES
const ID_BYTES = 36

const COUNTS = 0
const SLOTS = COUNTS + RECORDS * 4
const SLICES = SLOTS + RECORDS * ENTRIES * 4
const AMOUNTS = SLICES + RECORDS * ENTRIES * 4
const IDS = AMOUNTS + RECORDS * ENTRIES * 8
const BYTES = IDS + RECORDS * ID_BYTES

/** Memory for the lanes of so many threads. The system gives what is used of it. */
export const inFlightMemory = (lanes: number): readonly SharedArrayBuffer[] =>
  Array.from({ length: lanes }, () => new SharedArrayBuffer(BYTES))

/** What a call holds of one counter. `slice`: of a rolling window, the slot of the slice beside it; -1 otherwise. */
export type Held = Readonly<{ slot: number; slice: number; amount: bigint }>

export type InFlight = Readonly<{
  /** A free record; -1 when there is none. */
  open(): number
  /** Notes what the record holds besides, `MOST_HELD` times at most. */
  hold(record: number, slot: number, slice: number, amount: bigint): void
  /** Names the receipt that will say what the call cost. */
  name(record: number, receipt_id: string): void
  close(record: number): void
  /** Everything that is held now. Read from another thread it is a moment's view. */
  records(): IterableIterator<Readonly<{ record: number; receipt_id: string; held: readonly Held[] }>>
}>

/** Opens the records of one lane. Its own thread writes; the main thread reads, and writes when that thread is dead. */
export const openInFlight = (memory: SharedArrayBuffer): InFlight => {
  const counts = new Int32Array(memory, COUNTS, RECORDS)
  const slots = new Int32Array(memory, SLOTS, RECORDS * ENTRIES)
  const slices = new Int32Array(memory, SLICES, RECORDS * ENTRIES)
  const amounts = new BigInt64Array(memory, AMOUNTS, RECORDS * ENTRIES)
  const ids = Buffer.from(memory, IDS, RECORDS * ID_BYTES)
  const freed: number[] = []
  let used = 0
  return {
    open: () => freed.pop() ?? (used < RECORDS ? used++ : -1),
    hold(record, slot, slice, amount) {
      const count = counts[record] ?? 0
      const at = record * ENTRIES + count
      slots[at] = slot
      slices[at] = slice
      amounts[at] = amount
      Atomics.store(counts, record, count + 1)
    },
    name: (record, receipt_id) => void ids.write(receipt_id, record * ID_BYTES, ID_BYTES, 'latin1'),
    close(record) {
      Atomics.store(counts, record, 0)
      ids[record * ID_BYTES] = 0
      freed.push(record)
    },
    *records() {
      for (let record = 0; record < RECORDS; record++) {
        const count = counts[record] ?? 0
        if (count === 0) continue
        const held = Array.from({ length: count }, (_, n) => {
          const at = record * ENTRIES + n
          return { slot: slots[at] ?? -1, slice: slices[at] ?? -1, amount: amounts[at] ?? 0n }
        })
        const start = record * ID_BYTES
        const named = ids[start] !== 0
        yield { record, receipt_id: named ? ids.toString('latin1', start, start + ID_BYTES) : '', held }
      }
    },
  }
}
