import { formatUsd, parseUsd, type Usd } from '../../core/money.ts'
import type { Row } from './engine.ts'

/** Money as the engine writes it (twelve decimals, always) into the shortest exact text. Nothing is no money: '0'. */
export const usd = (value: unknown): Usd => {
  if (typeof value !== 'string' || value === '') return '0' as Usd
  if (value.at(-13) !== '.') return formatUsd(parseUsd(value))
  let end = value.length
  while (value.charCodeAt(end - 1) === ZERO) end -= 1
  return value.slice(0, value.charCodeAt(end - 1) === POINT ? end - 1 : end) as Usd
}
const ZERO = 48
const POINT = 46

/** A count: the engine writes wide integers as text. Null is zero. */
export const count = (value: unknown): number => Number(value ?? 0)

export const text = (value: unknown): string | null => (value === null || value === undefined ? null : String(value))

export const numberOrNull = (value: unknown): number | null =>
  value === null || value === undefined ? null : Number(value)

export const rounded = (value: unknown, decimals = 0): number | null => {
  const number = numberOrNull(value)
  return number === null ? null : Math.round(number * 10 ** decimals) / 10 ** decimals
}

export const first = (rows: readonly Row[]): Row => rows[0] ?? {}
