import { beginsWithDay } from '../../core/date.ts'
import { WeirError } from '../../core/errors.ts'
import { parseTime } from '../asking/time.ts'

const epochs: Readonly<Record<number, number>> = { 10: 1_000_000, 13: 1000, 16: 1 }

type Said = Readonly<{ zone: string; name: string; now_us: number }>

const momentOf = (text: string, { zone, name, now_us }: Said): number => {
  const epoch = /^\d+$/.test(text) ? epochs[text.length] : undefined
  if (epoch !== undefined) return Number(text) * epoch
  if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/.test(text)) {
    const instant = Date.parse(text.replace(' ', 'T'))
    if (!Number.isNaN(instant) && beginsWithDay(text)) return instant * 1000
    throw new WeirError('bad-input', `${name} ${text} is not a time`)
  }
  const plain = text.replace(/\.\d+$/, '')
  return Math.round(parseTime(plain, now_us / 1000, zone, name) * 1000)
}

/**
 * When an outcome was, µs: a time as every command takes it, an ISO 8601 instant with its offset and fractions, or seconds,
 * milliseconds or microseconds since the epoch. Throws WeirError `bad-input` naming the flag or column, also for a time
 * before 1970 or after the last whose microseconds are a whole number, such as the `9999-12-31` of who knows no time.
 */
export const readMoment = (text: string, said: Said): number => {
  const at_us = momentOf(text, said)
  if (at_us > 0 && Number.isSafeInteger(at_us)) return at_us
  throw new WeirError('bad-input', `${said.name} ${text} is no time from 1970 to 2255`)
}
