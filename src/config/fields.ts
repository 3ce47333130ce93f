import { z } from 'zod'
import { beginsWithDay } from '../core/date.ts'
import { parseUsd } from '../core/money.ts'
import { buckets, type Meter, units } from '../core/usage.ts'

/** Kinds of field. Each carries what it expects as its error, so that every message can say it. */

/** A whole number within limits; text of digits will do, because that is what an environment variable gives. */
export const whole = (least: number, most: number, of = '') => {
  const expected = `a whole number${of === '' ? '' : ` of ${of}`} from ${least} to ${most}`
  const number = z.int(expected).min(least, expected).max(most, expected)
  return z.preprocess((value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value), number)
}

export const text = (expected: string) => z.string(expected).min(1, expected)

export const choice = <const T extends readonly [string, ...string[]]>(words: T) =>
  z.enum(words, `one of ${words.join(', ')}`)

/** A YAML number or text as exact decimal text. */
export const decimal = (expected: string) =>
  z.preprocess(
    (value) => (typeof value === 'number' && Number.isFinite(value) ? String(value) : value),
    z.string(expected).refine((given) => isAmount(given), expected),
  )

const isAmount = (given: string): boolean => {
  try {
    return parseUsd(given) >= 0n
  } catch {
    return false
  }
}

export const flag = z.boolean('true or false')

/** Every meter that a price may put a rate on. */
export const meters: readonly Meter[] = [...buckets, ...units]

const isLoopbackName = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

/** Does a host name mean this machine only? */
export const isLoopback = (host: string): boolean => isLoopbackName(host.replace(/^\[(.*)\]$/, '$1').toLowerCase())

const addressed = 'an address such as https://api.example.com/v1, without user, password, query or fragment'

export const address = z.string(addressed).refine((given) => {
  if (!URL.canParse(given)) return false
  const url = new URL(given)
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  return plain && (url.protocol === 'https:' || url.protocol === 'http:')
}, addressed)

const instants = 'an instant such as 2026-11-01 or 2026-11-01T00:00:00Z (UTC)'

/** A date or an instant; YAML gives both as text. */
export const instant = z
  .string(instants)
  .refine((given) => beginsWithDay(given) && !Number.isNaN(Date.parse(given)), instants)
