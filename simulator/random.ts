/** Chance that is none: everything the simulator makes up follows from its seed and from what it was asked. */

export type Random = Readonly<{
  /** A number in [0, 1). */
  next(): number
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly [T, ...T[]]): T
  /** Letters and digits, as provider ids have them. */
  token(length: number): string
}>

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** A 32-bit hash (FNV-1a with a murmur finish). */
export const hash = (text: string, start = 0x811c9dc5): number => {
  let state = start
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193)
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  return (state ^ (state >>> 13)) >>> 0
}

/** The same parts give the same numbers, in this process and in any other. */
export const seeded = (...parts: readonly (string | number)[]): Random => {
  let state = hash(parts.join('\u0000'))
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const integer = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: (items) => items[integer(0, items.length - 1)] ?? items[0],
    token: (length) => Array.from({ length }, () => ALPHABET[integer(0, 61)]).join(''),
  }
}
