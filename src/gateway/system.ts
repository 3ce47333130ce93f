/** The doors to time and chance, for `start.ts` and `worker.ts` only. */
import { randomFillSync } from 'node:crypto'

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

/** Every two bytes in hexadecimal. */
const hex = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, '0'))
const pool = new Uint16Array(2048)
let used = pool.length
let last_ms = 0
let time = ''

const next = (): number => pool[used++] ?? 0

/** A UUIDv7 (RFC 9562): 48 bits of milliseconds, 74 of strong chance taken from a pool. */
export const newId = (): string => {
  if (used + 5 > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const now_ms = Math.floor(now_us() / 1000)
  if (now_ms !== last_ms) {
    const digits = now_ms.toString(16).padStart(12, '0')
    time = `${digits.slice(0, 8)}-${digits.slice(8)}`
    last_ms = now_ms
  }
  const version = hex[0x7000 | (next() & 0x0fff)]
  const variant = hex[0x8000 | (next() & 0x3fff)]
  return `${time}-${version}-${variant}-${hex[next()]}${hex[next()]}${hex[next()]}`
}
