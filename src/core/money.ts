/** Money is whole picodollars (1e-12 USD). No float holds money; every product is exact and rounded once, half up. */

declare const unit: unique symbol

/** An amount of money in 1e-12 USD. */
export type Picodollars = bigint & { readonly [unit]: 'picodollars' }

/** An exact decimal amount of US dollars with at most twelve decimals, as text: how money crosses a file or a wire. */
export type Usd = string & { readonly [unit]: 'usd' }

/** A price in US dollars per million units (tokens, calls, seconds …), as a decimal string, e.g. `'0.003625'`. */
export type UsdPerMillion = string

const PICO_PER_USD = 1_000_000_000_000n
const MICRO = 1_000_000n

export const ZERO = 0n as Picodollars

/** Brands a bigint as picodollars. */
export const picodollars = (amount: bigint): Picodollars => amount as Picodollars

/** Adds any number of amounts. */
export const sum = (amounts: Iterable<Picodollars>): Picodollars => {
  let total = 0n
  for (const amount of amounts) total += amount
  return total as Picodollars
}

/** Reads a decimal string as an integer scaled by 10^`scale`, rounding half up beyond it; throws RangeError on anything else. */
const scaled = (text: string, scale: number): bigint => {
  const match = /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text.trim())
  if (!match || (match[2] === '' && match[3] === ''))
    throw new RangeError(`not a decimal number: ${JSON.stringify(text)}`)
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const places = fraction.length - Number(exponent)
  const digits = BigInt(whole + fraction)
  const shift = scale - places
  const magnitude =
    shift >= 0 ? digits * 10n ** BigInt(shift) : (digits + 10n ** BigInt(-shift) / 2n) / 10n ** BigInt(-shift)
  return sign === '-' ? -magnitude : magnitude
}

const PLAIN = /^\d{1,3}(\.\d{1,12})?$/

/** Parses a decimal amount of US dollars (`'0.02'`, `'1e-7'`). Throws RangeError when it is not a number. */
export const parseUsd = (text: string): Picodollars =>
  // Below a thousand dollars a float is less than a quarter of a picodollar off, so that rounding it is exact.
  (PLAIN.test(text) ? BigInt(Math.round(Number(text) * 1e12)) : scaled(text, 12)) as Picodollars

const LARGEST_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const ZERO_DIGIT = 48

/** The same of a whole number of picodollars below 2^53, which an ordinary number holds exactly and writes faster. */
const formatSafe = (amount: number): string => {
  const fraction = amount % 1e12
  const whole = (amount - fraction) / 1e12
  if (fraction === 0) return String(whole)
  // A leading 1 keeps the zeros after the point.
  const digits = String(1e12 + fraction)
  let end = digits.length
  while (digits.charCodeAt(end - 1) === ZERO_DIGIT) end--
  return `${whole}.${digits.slice(1, end)}`
}

/** Writes an amount as a plain decimal of US dollars without trailing zeros: `'0.000192'`, `'-3'`, `'0'`. Exact. */
export const formatUsd = (amount: Picodollars): Usd => {
  if (amount >= 0n && amount <= LARGEST_SAFE) return formatSafe(Number(amount)) as Usd
  const magnitude = amount < 0n ? -amount : amount
  const fraction = (magnitude % PICO_PER_USD).toString().padStart(12, '0').replace(/0+$/, '')
  const text = `${amount < 0n ? '-' : ''}${magnitude / PICO_PER_USD}${fraction ? `.${fraction}` : ''}`
  return text as Usd
}

/** A rate in picodollars: per million units, and per unit where that is a whole number that a float holds exactly. */
type Rate = Readonly<{ perMillion: bigint; perUnit: number | undefined }>

const rates = new Map<string, Rate>()

const parseRate = (rate: UsdPerMillion): Rate => {
  const perMillion = scaled(rate, 12)
  const perUnit = Number(perMillion / MICRO)
  return { perMillion, perUnit: perMillion % MICRO === 0n && Number.isSafeInteger(perUnit) ? perUnit : undefined }
}

/** A rate read once, because a price book has few distinct rates. */
const rateOf = (rate: UsdPerMillion): Rate => {
  let parsed = rates.get(rate)
  if (parsed === undefined) {
    parsed = parseRate(rate)
    if (rates.size < 10_000) rates.set(rate, parsed)
  }
  return parsed
}

/**
 * quantity × rate, exact and then rounded once to the picodollar, half up. `quantity` is in units and may be a
 * fraction (seconds of audio), counted to the millionth; `rate` is in US dollars per million units.
 */
export const multiply = (quantity: number, rate: UsdPerMillion): Picodollars => {
  const { perMillion, perUnit } = rateOf(rate)
  const whole = Number.isInteger(quantity)
  if (perUnit !== undefined && whole) {
    // A product below 2^53 of two whole numbers is exact.
    const product = quantity * perUnit
    if (Number.isSafeInteger(product)) return BigInt(product) as Picodollars
  }
  const numerator = whole ? BigInt(quantity) * perMillion : BigInt(Math.round(quantity * 1e6)) * perMillion
  const denominator = whole ? MICRO : MICRO * MICRO
  const half = denominator / 2n
  return ((numerator >= 0n ? numerator + half : numerator - half) / denominator) as Picodollars
}
