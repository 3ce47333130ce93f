import type { BillLine } from '../core/bill.ts'
import { beginsWithDay } from '../core/date.ts'
import { WeirError } from '../core/errors.ts'
import { type Picodollars, parseUsd } from '../core/money.ts'

/** A record as a source has it; numbers are text. */
export type BillRecord = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is BillRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const wrong = (field: string, value: unknown, expected: string): WeirError =>
  new WeirError('bad-input', `${field} is ${JSON.stringify(value)?.slice(0, 80)}, expected ${expected}`)

const empty = (value: unknown): boolean => value === undefined || value === null || value === ''

/** The inside of a field that is nested, or that a table has as the text of it. */
const insideOf = (value: unknown): unknown => {
  if (typeof value !== 'string' || !value.startsWith('{')) return value
  try {
    return JSON.parse(value) as unknown
  } catch {
    return undefined
  }
}

/** A field by its path (`usage.amount`), nested (in a CSV: as the text of JSON) or flat with dots, underscores or slashes between. Undefined where it is not there. */
export const fieldOf = (record: BillRecord, path: string): unknown => {
  if (path in record) return record[path]
  const [head = '', ...rest] = path.split('.')
  if (rest.length === 0) return undefined
  for (const mark of ['_', '/']) {
    const flat = path.replaceAll('.', mark)
    if (flat in record) return record[flat]
  }
  const inner = insideOf(record[head])
  return typeof inner === 'object' && inner !== null ? fieldOf(inner as BillRecord, rest.join('.')) : undefined
}

/** Text of the first of these fields that is there; null where none is. */
export const textOf = (record: BillRecord, ...paths: readonly string[]): string | null => {
  for (const path of paths) {
    const value = fieldOf(record, path)
    if (empty(value)) continue
    if (typeof value === 'object') throw wrong(path, value, 'a text')
    return String(value)
  }
  return null
}

/** Text that must be there. Throws `bad-input`. */
export const neededText = (record: BillRecord, path: string, why = 'a text'): string => {
  const value = textOf(record, path)
  if (value === null) throw wrong(path, fieldOf(record, path) ?? null, why)
  return value
}

/** A whole count, or null where the field is not there. Throws `bad-input` for anything else. */
export const countOf = (record: BillRecord, path: string): bigint | null => {
  const value = textOf(record, path)
  if (value === null) return null
  if (!/^\d{1,18}(\.0+)?$/.test(value)) throw wrong(path, value, 'a whole count')
  return BigInt(value.split('.')[0] ?? '0')
}

/** An amount in US dollars; `shift` moves the point (`-2` for cents). Null where the field is not there. */
export const dollarsOf = (record: BillRecord, path: string, shift = 0): Picodollars | null => {
  const value = textOf(record, path)
  if (value === null) return null
  const match = /^(-?\d*\.?\d+)(?:[eE]([+-]?\d{1,3}))?$/.exec(value)
  if (match === null) throw wrong(path, value, 'an amount')
  return parseUsd(`${match[1]}e${Number(match[2] ?? 0) + shift}`)
}

const PICO = 1_000_000_000_000n

/** A quantity in whole tokens, and whether that took rounding. */
export type Counted = Pick<BillLine, 'rounded'> & Readonly<{ quantity: bigint }>

/** A quantity in units of `unit` tokens each; null where the field is not there. Throws `bad-input`. */
export const tokensOf = (record: BillRecord, path: string, unit: bigint): Counted | null => {
  const quantity = dollarsOf(record, path)
  if (quantity === null) return null
  const exact = quantity * unit
  const half = exact < 0n ? -PICO / 2n : PICO / 2n
  return { quantity: (exact + half) / PICO, rounded: exact % PICO !== 0n }
}

/** How many tokens a unit is (`1K tokens`, `1000000 Tokens`, `Tokens`); undefined where the bill does not say so. */
export const unitOf = (text: string | null, assumed = false): bigint | undefined => {
  const match = /^\s*([\d,]*)\s*([KM])?\b\s*(tokens?)?\s*$/i.exec(text ?? '')
  if (match === null || (match[3] === undefined && !assumed)) return undefined
  if (match[1] === '' && match[2] === undefined && match[3] === undefined) return undefined
  const scale = { k: 1000n, m: 1_000_000n }[match[2]?.toLowerCase() ?? ''] ?? 1n
  return BigInt(match[1]?.replaceAll(',', '') || '1') * scale
}

/** The UTC day of a moment: a date, an instant with or without zone (UTC then), or seconds since the epoch. Throws `bad-input`. */
export const dayOf = (record: BillRecord, ...paths: readonly string[]): string => {
  const value = textOf(record, ...paths)
  const path = paths[0] ?? ''
  if (value === null) throw wrong(path, null, 'a date such as 2026-11-01')
  const in_seconds = /^\d{9,11}$/.test(value)
  if (!in_seconds && !beginsWithDay(value)) throw wrong(path, value, 'a date such as 2026-11-01')
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return value
  const written = value.replace(/\s*UTC$/, 'Z').replace(/([+-]\d\d)$/, '$1:00')
  const zoned = /(?:[Zz]|\d[+-]\d\d:?\d\d)$/.test(written) ? written : `${written}Z`
  const ms = in_seconds ? Number(value) * 1000 : Date.parse(zoned.replace(/^(\S+) /, '$1T'))
  if (Number.isNaN(ms)) throw wrong(path, value, 'a date such as 2026-11-01')
  return new Date(ms).toISOString().slice(0, 10)
}

/** A line that says nothing but what it is given. */
export const lineOf = (given: Partial<BillLine> & Pick<BillLine, 'day' | 'label'>): BillLine => ({
  project: null,
  key: null,
  model: null,
  tier: null,
  charge: 'usage',
  kinds: [],
  quantity: null,
  rounded: false,
  requests: null,
  cost: null,
  ...given,
})

/** Refuses a currency that is not the dollar. Throws `bad-input`. */
export const needDollars = (record: BillRecord, path: string): void => {
  const currency = textOf(record, path) ?? 'USD'
  if (currency.toUpperCase() !== 'USD') throw wrong(path, currency, 'USD: the row states no rate to change it at')
}
