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

/** A slot has 32 bytes together, so that a call fetches one line of memory for each of its counters. */
const SLOT_BYTES = 32
const WIDE = SLOT_BYTES / 8
const NARROW = SLOT_BYTES / 4
/** Its integers of 64 bits, by place among those of their size … */
const KEY = 0
const USED = 1
const TURNED = 2
/** … and of 32. */
const EXPIRES = 6
const HOLDERS = 7

/** Apart from what every call looks at, a word for each slot: when it last had no room. */
const LACKED = SLOTS * SLOT_BYTES
const DOOR = LACKED + SLOTS * 4
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
  /** Notes the minute since the epoch in which the counter had no room for a call. */
  lack(slot: number, now_min: number): void
  /** The last such minute; 0 where there was none. */
  lacked(slot: number): number
  /** The slot of a key, or -1. */
  find(key: bigint): number
  /** Gives slots that nobody needs away. Only one thread may: the main one. Returns how many. */
  sweep(now_min: number): number
  /** A thread of this lane is dead: whatever it was doing, it keeps nobody waiting. */
  bury(lane: number): void
}>

const bucketOf = (key: bigint): number => (Number(BigInt.asUintN(32, key >> 16n)) % (SLOTS / WAYS)) * WAYS

const slotsOf = (memory: SharedArrayBuffer) => ({
  wide: new BigInt64Array(memory, 0, SLOTS * WIDE),
  narrow: new Int32Array(memory, 0, SLOTS * NARROW),
  lacked: new Int32Array(memory, LACKED, SLOTS),
  /** Who is making a slot, by lane; the last one is set while slots are given away. */
  door: new Int32Array(memory, DOOR, LANES + 1),
})

type Slots = ReturnType<typeof slotsOf>

const find = ({ wide }: Slots, key: bigint): number => {
  const first = bucketOf(key)
  for (let slot = first; slot < first + WAYS; slot++) if (Atomics.load(wide, slot * WIDE + KEY) === key) return slot
  return -1
}

/** Holds a slot that has this key, unless it was given away at this moment. */
const grasp = ({ wide, narrow }: Slots, slot: number, key: bigint): boolean => {
  Atomics.add(narrow, slot * NARROW + HOLDERS, 1)
  if (Atomics.load(wide, slot * WIDE + KEY) === key) return true
  Atomics.sub(narrow, slot * NARROW + HOLDERS, 1)
  return false
}

const make = ({ wide }: Slots, key: bigint): number => {
  const first = bucketOf(key)
  for (let slot = first; slot < first + WAYS; slot++) {
    const before = Atomics.compareExchange(wide, slot * WIDE + KEY, 0n, key)
    if (before === 0n || before === key) return slot
  }
  return -1
}

const goIn = ({ door }: Slots, lane: number): void => {
  for (;;) {
    Atomics.store(door, lane, 1)
    if (Atomics.load(door, LANES) === 0) return
    Atomics.store(door, lane, 0)
    Atomics.wait(door, LANES, 1, WAIT_MS)
  }
}

/** Nobody gives slots away meanwhile, so all who make the same key come to the same first free slot. */
const makeAlone = (slots: Slots, lane: number, key: bigint): number => {
  goIn(slots, lane)
  let slot = find(slots, key)
  if (slot < 0) slot = make(slots, key)
  if (slot >= 0) Atomics.add(slots.narrow, slot * NARROW + HOLDERS, 1)
  Atomics.store(slots.door, lane, 0)
  return slot
}

const giveAway = ({ wide, narrow, lacked }: Slots, slot: number): boolean => {
  const key = Atomics.load(wide, slot * WIDE + KEY)
  if (Atomics.compareExchange(wide, slot * WIDE + KEY, key, BUSY) !== key) return false
  if (Atomics.load(narrow, slot * NARROW + HOLDERS) !== 0) {
    Atomics.store(wide, slot * WIDE + KEY, key)
    return false
  }
  Atomics.store(wide, slot * WIDE + USED, 0n)
  Atomics.store(wide, slot * WIDE + TURNED, 0n)
  Atomics.store(lacked, slot, 0)
  Atomics.store(narrow, slot * NARROW + EXPIRES, 0)
  Atomics.store(wide, slot * WIDE + KEY, 0n)
  return true
}

const isStale = ({ wide, narrow }: Slots, slot: number, now_min: number): boolean => {
  const until = Atomics.load(narrow, slot * NARROW + EXPIRES)
  return (
    until !== 0 &&
    until < now_min &&
    Atomics.load(wide, slot * WIDE + KEY) !== 0n &&
    Atomics.load(narrow, slot * NARROW + HOLDERS) === 0
  )
}

const isEmptyRoom = ({ door }: Slots): boolean => {
  for (let lane = 0; lane < LANES; lane++) if (Atomics.load(door, lane) !== 0) return false
  return true
}

/** Whoever is making a slot at this moment goes first: then it is tried again at the next sweep. */
const sweep = (slots: Slots, now_min: number): number => {
  const stale: number[] = []
  for (let slot = 0; slot < SLOTS; slot++) if (isStale(slots, slot, now_min)) stale.push(slot)
  if (stale.length === 0) return 0
  Atomics.store(slots.door, LANES, 1)
  const given = isEmptyRoom(slots)
    ? stale.filter((slot) => isStale(slots, slot, now_min) && giveAway(slots, slot)).length
    : 0
  Atomics.store(slots.door, LANES, 0)
  Atomics.notify(slots.door, LANES)
  return given
}

const reserve = ({ wide }: Slots, slot: number, amount: bigint, limit: bigint): boolean => {
  for (let before = Atomics.load(wide, slot * WIDE + USED); ; ) {
    const after = before + amount
    if (after > limit) return false
    const seen = Atomics.compareExchange(wide, slot * WIDE + USED, before, after)
    if (seen === before) return true
    before = seen
  }
}

/** Opens the table for the thread of a lane. */
export const openTable = (memory: SharedArrayBuffer, lane: number): Table => {
  const slots = slotsOf(memory)
  const { wide, narrow, lacked, door } = slots
  return {
    find: (key) => find(slots, key),
    again: (slot, key) => grasp(slots, slot, key),
    enter(key, expires_min) {
      let slot = find(slots, key)
      if (slot < 0 || !grasp(slots, slot, key)) slot = makeAlone(slots, lane, key)
      if (slot >= 0 && Atomics.load(narrow, slot * NARROW + EXPIRES) < expires_min)
        Atomics.store(narrow, slot * NARROW + EXPIRES, expires_min)
      return slot
    },
    leave: (slot) => void Atomics.sub(narrow, slot * NARROW + HOLDERS, 1),
    reserve: (slot, amount, limit) => reserve(slots, slot, amount, limit),
    add: (slot, amount) => void Atomics.add(wide, slot * WIDE + USED, amount),
    used: (slot) => Atomics.load(wide, slot * WIDE + USED),
    take: (slot) => Atomics.exchange(wide, slot * WIDE + USED, 0n),
    turned: (slot) => Atomics.load(wide, slot * WIDE + TURNED),
    turn: (slot, from, to) => Atomics.compareExchange(wide, slot * WIDE + TURNED, from, to) === from,
    lack: (slot, now_min) => void Atomics.store(lacked, slot, now_min),
    lacked: (slot) => Atomics.load(lacked, slot),
    sweep: (now_min) => sweep(slots, now_min),
    bury: (dead) => void Atomics.store(door, dead, 0),
  }
}
