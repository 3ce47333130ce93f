/** Marks a name; false when it was marked before. */
export type Once = (name: string) => boolean

const SLOTS = 1 << 16
const WAYS = 8

/** Memory for `createOnce`, shared by all gateway threads: 512 KiB. */
export const onceMemory = (): SharedArrayBuffer => new SharedArrayBuffer((SLOTS + SLOTS / WAYS) * 8)

/** FNV-1a over UTF-16 units, in two halves of 32 bits; never 0, which means empty. */
const hash = (name: string): { slot: number; mark: bigint } => {
  let low = 0x811c9dc5
  let high = 0x01000193
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    low = Math.imul(low ^ unit, 0x01000193)
    high = Math.imul(high ^ unit, 0x85ebca6b) ^ (high >>> 13)
  }
  const mark = BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)) || 1n
  return { slot: ((low ^ high) >>> 0) % (SLOTS / WAYS), mark }
}

/**
 * Remembers the last 65,536 names, by hash, in memory shared by threads, without a lock: whoever swaps the mark in first
 * was first. Used so that polls of a background response bill it once.
 */
export const createOnce = (memory: SharedArrayBuffer): Once => {
  const cells = new BigInt64Array(memory)
  return (name) => {
    const { slot, mark } = hash(name)
    const start = slot * WAYS
    for (let i = start; i < start + WAYS; i++) {
      const seen = Atomics.compareExchange(cells, i, 0n, mark)
      if (seen === 0n) return true
      if (seen === mark) return false
    }
    // The set is full: the oldest mark makes room.
    const turn = Number(Atomics.add(cells, SLOTS + slot, 1n)) % WAYS
    Atomics.store(cells, start + turn, mark)
    return true
  }
}
