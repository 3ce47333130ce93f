import type { PriceRow, PriceWindow } from '../../core/price.ts'
import { type Bucket, isBucket } from '../../core/usage.ts'
import { dayNumber, instant_us, localTime } from './local-time.ts'
import { fallbacks } from './meters.ts'

/** A rate and the meter it was found under. */
export type Rate = Readonly<{ rate: string; inherited: boolean; meter: string }>

/** A row made ready for matching: dates in µs, its band as whole tokens [low, high], its window with day numbers. */
export type Compiled = Readonly<{
  row: PriceRow
  from_us: number
  to_us: number
  region: string | undefined
  geo: string | undefined
  low: number
  high: number
  banded: boolean
  window: PriceWindow | undefined
  windowKey: string
  exceptDays: ReadonlySet<number>
  attrs: readonly (readonly [string, string])[]
  /** How many conditions it states beyond tier, speed and batch. */
  conditions: number
  pricesTokens: boolean
  /** Rates by meter after fallback, filled as they are asked for. */
  resolved: Map<Bucket, Rate | null>
}>

/** What a line is matched by. */
export type Circumstances = Readonly<{
  at_us: number
  region: string | undefined
  geo: string | undefined
  context_tokens: number
}>

const band = (row: PriceRow): readonly [low: number, high: number] => {
  const { operator, tokens } = row.context ?? { operator: '>=', tokens: 0 }
  if (operator === '>') return [tokens + 1, Number.POSITIVE_INFINITY]
  if (operator === '>=') return [tokens, Number.POSITIVE_INFINITY]
  return [0, operator === '<' ? tokens - 1 : tokens]
}

/** Makes a row ready. It must be valid (`problemsOf`). */
export const compileRow = (row: PriceRow): Compiled => {
  const [low, high] = band(row)
  const attrs = Object.entries(row.attrs ?? {})
  const has = [row.region, row.geo, row.context, row.window].filter((condition) => condition !== undefined)
  return {
    row,
    from_us: row.effective_from === undefined ? Number.NEGATIVE_INFINITY : instant_us(row.effective_from),
    to_us: row.effective_to === undefined ? Number.POSITIVE_INFINITY : instant_us(row.effective_to),
    region: row.region,
    geo: row.geo,
    low,
    high,
    banded: row.context !== undefined,
    window: row.window,
    windowKey: row.window === undefined ? '' : JSON.stringify(row.window),
    exceptDays: new Set((row.window?.except_dates ?? []).map(dayNumber)),
    attrs,
    conditions: has.length + attrs.length,
    pricesTokens: attrs.length === 0 && Object.keys(row.rates).some(isBucket),
    resolved: new Map(),
  }
}

/** Does the window hold at the moment? The weekday and the excepted dates are those of the window's own zone. */
export const windowHolds = (compiled: Compiled, at_us: number): boolean => {
  const { window } = compiled
  if (window === undefined) return true
  const { day, minute, weekday } = localTime(window.zone, at_us)
  if (window.weekdays !== undefined && !window.weekdays.includes(weekday)) return false
  if (compiled.exceptDays.has(day)) return false
  return window.minutes.some(([from, to]) => minute >= from && minute < to)
}

/** Do all conditions hold but those on a unit's attributes? The clock is read last, because it costs most. */
export const holds = (compiled: Compiled, circumstances: Circumstances): boolean =>
  circumstances.at_us >= compiled.from_us &&
  circumstances.at_us < compiled.to_us &&
  (compiled.region === undefined || compiled.region === circumstances.region) &&
  (compiled.geo === undefined || compiled.geo === circumstances.geo) &&
  circumstances.context_tokens >= compiled.low &&
  circumstances.context_tokens <= compiled.high &&
  windowHolds(compiled, circumstances.at_us)

export const attrsHold = (compiled: Compiled, attrs: Readonly<Record<string, string>> | undefined): boolean =>
  compiled.attrs.every(([name, value]) => attrs?.[name] === value)

/** More conditions first; of two bands the narrower. With ties excluded (`ties.ts`) the first that holds is the most specific. */
export const bySpecificity = (a: Compiled, b: Compiled): number =>
  b.conditions - a.conditions || a.high - a.low - (b.high - b.low) || b.low - a.low || 0

/** The row's rate for a token class after the documented fallbacks, or null. Remembered. */
export const tokenRate = (compiled: Compiled, bucket: Bucket): Rate | null => {
  const found = compiled.resolved.get(bucket)
  if (found !== undefined) return found
  let rate: Rate | null = null
  for (const { meter, inherited } of fallbacks(bucket)) {
    const stated = compiled.row.rates[meter]
    if (stated === undefined) continue
    rate = { rate: stated, inherited, meter }
    break
  }
  compiled.resolved.set(bucket, rate)
  return rate
}
