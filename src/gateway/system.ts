/** The doors to time and chance, for `start.ts` and `worker.ts` only. */
import { randomBytes } from 'node:crypto'

/** The machine's clock is looked at this often: between two looks time runs evenly, over days it follows the clock. */
const LOOK_EVERY_MS = 10_000
let origin_ms = performance.timeOrigin
let looked_ms = 0

/** Whole microseconds since the epoch, UTC. */
export const now_us = (): number => {
  const since_ms = performance.now()
  if (since_ms - looked_ms > LOOK_EVERY_MS) {
    looked_ms = since_ms
    origin_ms = Date.now() - since_ms
  }
  return Math.round((origin_ms + since_ms) * 1000)
}

export const random = (): number => Math.random()

const POOL_BYTES = 4096
/** Hexadecimal digits of chance an id takes: 3 for `rand_a`, 16 for the variant and `rand_b`. */
const DIGITS = 19
let pool = ''
let used = 0
let last_ms = 0
let time = ''

/** `8`, `9`, `a` or `b`: the variant's two bits and two of chance. */
const variants: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from('0123456789abcdef', (digit, value) => [digit, '89ab'.charAt(value & 3)]),
)

/** A UUIDv7 (RFC 9562): 48 bits of milliseconds, 74 of strong chance taken from a pool. */
export const newId = (): string => {
  if (used + DIGITS > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex')
    used = 0
  }
  const now_ms = Math.floor(now_us() / 1000)
  if (now_ms !== last_ms) {
    const digits = now_ms.toString(16).padStart(12, '0')
    time = `${digits.slice(0, 8)}-${digits.slice(8)}-7`
    last_ms = now_ms
  }
  const from = used
  used += DIGITS
  const variant = variants[pool.charAt(from + 3)]
  return `${time}${pool.slice(from, from + 3)}-${variant}${pool.slice(from + 4, from + 7)}-${pool.slice(from + 7, from + 19)}`
}
