/**
 * Counters in memory that all gateway threads share: integers that only atomic operations touch, found by a key of 64
 * bits. No thread waits for another to count; only giving slots of past periods away keeps newcomers waiting a moment.
 */

/** Counters that there is room for: 8 MiB of address space, of which the system gives what is used. */
const SLOTS = 1 << 18
/** A key lies in one of so many neighbouring slots. */
const WAYS = 16
const BUSY = -1n
/** Between two looks at a door that is closed, ms. */
const WAIT_MS = 1

export const LANES = 72

const KEYS = 0
const USED = SLOTS * 8
const TURNED = SLOTS * 16
const EXPIRES = SLOTS * 24
const HOLDERS = SLOTS * 28
const DOOR = SLOTS * 32
const BYTES = DOOR + (LANES + 1) * 4

/** Memory for `openTable`. */
export const tableMemory = (): SharedArrayBuffer => new SharedArrayBuffer(BYTES)

export type Table = Readonly<{
  /**
   * The slot of a key, made where it is not there, and kept from being given away until `leave`. -1 when there is no room.
   * `expires_min`: minutes since the epoch after which nobody needs it.
   */
  enter(key: bigint, expires_min: number): number
  leave(slot: number): void
  /** Holds a slot that was this key's before; false when it was given away since. */
  again(slot: number, key: bigint): boolean
  /** Adds an amount where the sum stays within the limit; says whether it did. */
  reserve(slot: number, amount: bigint, limit: bigint): boolean
  add(slot: number, amount: bigint): void
  used(slot: number): bigint
  /** Takes everything out and gives it back: exactly one caller gets an amount. */
  take(slot: number): bigint
  /** The last slice of a rolling window that was taken out; `turn` moves it on, once. */
  turned(slot: number): bigint
  turn(slot: number, from: bigint, to: bigint): boolean
  /** The slot of a key, or -1. */
  find(key: bigint): number
  /** Gives slots that nobody needs away. Only one thread may: the main one. Returns how many. */
  sweep(now_min: number): number
  /** A thread of this lane is dead: whatever it was doing, it keeps nobody waiting. */
  bury(lane: number): void
}>

const bucketOf = (key: bigint): number => (Number(BigInt.asUintN(32, key >> 16n)) % (SLOTS / WAYS)) * WAYS

const columnsOf = (memory: SharedArrayBuffer) => ({
  keys: new BigInt64Array(memory, KEYS, SLOTS),
  used: new BigInt64Array(memory, USED, SLOTS),
  turned: new BigInt64Array(memory, TURNED, SLOTS),
  expires: new Int32Array(memory, EXPIRES, SLOTS),
  holders: new Int32Array(memory, HOLDERS, SLOTS),
  /** Who is making a slot, by lane; the last one is set while slots are given away. */
  door: new Int32Array(memory, DOOR, LANES + 1),
})

type Columns = ReturnType<typeof columnsOf>

const find = ({ keys }: Columns, key: bigint): number => {
  const first = bucketOf(key)
  for (let slot = first; slot < first + WAYS; slot++) if (Atomics.load(keys, slot) === key) return slot
  return -1
}

/** Holds a slot that has this key, unless it was given away at this moment. */
const grasp = ({ keys, holders }: Columns, slot: number, key: bigint): boolean => {
  Atomics.add(holders, slot, 1)
  if (Atomics.load(keys, slot) === key) return true
  Atomics.sub(holders, slot, 1)
  return false
}

const make = ({ keys }: Columns, key: bigint): number => {
  const first = bucketOf(key)
  for (let slot = first; slot < first + WAYS; slot++) {
    const before = Atomics.compareExchange(keys, slot, 0n, key)
    if (before === 0n || before === key) return slot
  }
  return -1
}

const goIn = ({ door }: Columns, lane: number): void => {
  for (;;) {
    Atomics.store(door, lane, 1)
    if (Atomics.load(door, LANES) === 0) return
    Atomics.store(door, lane, 0)
    Atomics.wait(door, LANES, 1, WAIT_MS)
  }
}

/** Nobody gives slots away meanwhile, so all who make the same key come to the same first free slot. */
const makeAlone = (columns: Columns, lane: number, key: bigint): number => {
  goIn(columns, lane)
  let slot = find(columns, key)
  if (slot < 0) slot = make(columns, key)
  if (slot >= 0) Atomics.add(columns.holders, slot, 1)
  Atomics.store(columns.door, lane, 0)
  return slot
}

const giveAway = ({ keys, holders, used, turned, expires }: Columns, slot: number): boolean => {
  const key = Atomics.load(keys, slot)
  if (Atomics.compareExchange(keys, slot, key, BUSY) !== key) return false
  if (Atomics.load(holders, slot) !== 0) {
    Atomics.store(keys, slot, key)
    return false
  }
  Atomics.store(used, slot, 0n)
  Atomics.store(turned, slot, 0n)
  Atomics.store(expires, slot, 0)
  Atomics.store(keys, slot, 0n)
  return true
}

const isStale = ({ keys, holders, expires }: Columns, slot: number, now_min: number): boolean => {
  const until = Atomics.load(expires, slot)
  return until !== 0 && until < now_min && Atomics.load(keys, slot) !== 0n && Atomics.load(holders, slot) === 0
}

const isEmptyRoom = ({ door }: Columns): boolean => {
  for (let lane = 0; lane < LANES; lane++) if (Atomics.load(door, lane) !== 0) return false
  return true
}

/** Whoever is making a slot at this moment goes first: then it is tried again at the next sweep. */
const sweep = (columns: Columns, now_min: number): number => {
  const stale: number[] = []
  for (let slot = 0; slot < SLOTS; slot++) if (isStale(columns, slot, now_min)) stale.push(slot)
  if (stale.length === 0) return 0
  Atomics.store(columns.door, LANES, 1)
  const given = isEmptyRoom(columns)
    ? stale.filter((slot) => isStale(columns, slot, now_min) && giveAway(columns, slot)).length
    : 0
  Atomics.store(columns.door, LANES, 0)
  Atomics.notify(columns.door, LANES)
  return given
}

const reserve = ({ used }: Columns, slot: number, amount: bigint, limit: bigint): boolean => {
  for (let before = Atomics.load(used, slot); ; ) {
    const after = before + amount
    if (after > limit) return false
    const seen = Atomics.compareExchange(used, slot, before, after)
    if (seen === before) return true
    before = seen
  }
}

/** Opens the table for the thread of a lane. */
export const openTable = (memory: SharedArrayBuffer, lane: number): Table => {
  const columns = columnsOf(memory)
  const { used, turned, expires, holders, door } = columns
  return {
    find: (key) => find(columns, key),
    again: (slot, key) => grasp(columns, slot, key),
    enter(key, expires_min) {
      let slot = find(columns, key)
      if (slot < 0 || !grasp(columns, slot, key)) slot = makeAlone(columns, lane, key)
      if (slot >= 0 && Atomics.load(expires, slot) < expires_min) Atomics.store(expires, slot, expires_min)
      return slot
    },
    leave: (slot) => void Atomics.sub(holders, slot, 1),
    reserve: (slot, amount, limit) => reserve(columns, slot, amount, limit),
    add: (slot, amount) => void Atomics.add(used, slot, amount),
    used: (slot) => Atomics.load(used, slot),
    take: (slot) => Atomics.exchange(used, slot, 0n),
    turned: (slot) => Atomics.load(turned, slot),
    turn: (slot, from, to) => Atomics.compareExchange(turned, slot, from, to) === from,
    sweep: (now_min) => sweep(columns, now_min),
    bury: (dead) => void Atomics.store(door, dead, 0),
  }
}
