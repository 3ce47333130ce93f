/** The doors to time and chance, for `start.ts` and `worker.ts` only. */
import { randomFillSync } from 'node:crypto'

/** Whole microseconds since the epoch, UTC, that never run backwards within a process. */
export const now_us = (): number => Math.round((performance.timeOrigin + performance.now()) * 1000)

export const random = (): number => Math.random()

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const pool = new Uint8Array(4096)
let used = pool.length

const byte = (index: number): string => hex[pool[index] ?? 0] ?? '00'

/** A UUIDv7 (RFC 9562): 48 bits of milliseconds, 74 of strong chance taken from a pool. */
export const newId = (): string => {
  if (used + 10 > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const at = used
  used += 10
  const time = Math.floor(performance.timeOrigin + performance.now())
    .toString(16)
    .padStart(12, '0')
  const version = hex[0x70 | ((pool[at] ?? 0) & 0x0f)] ?? '70'
  const variant = hex[0x80 | ((pool[at + 2] ?? 0) & 0x3f)] ?? '80'
  const rest = byte(at + 4) + byte(at + 5) + byte(at + 6) + byte(at + 7) + byte(at + 8) + byte(at + 9)
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${byte(at + 1)}-${variant}${byte(at + 3)}-${rest}`
}
