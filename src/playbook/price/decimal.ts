/**
 * Arithmetic on decimal strings, so that a derived rate (half price for batch, 1.1 times for a region) is as exact as the
 * one it comes from. Throws RangeError on what is not a number.
 */

const parse = (text: string): readonly [digits: bigint, places: number] => {
  const match = /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text.trim())
  if (!match || (match[2] === '' && match[3] === '')) throw new RangeError(`not a decimal: ${JSON.stringify(text)}`)
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = BigInt(`${sign}${whole}${fraction}`)
  const places = fraction.length - Number(exponent)
  return places < 0 ? [digits * 10n ** BigInt(-places), 0] : [digits, places]
}

const write = (digits: bigint, places: number): string => {
  const negative = digits < 0n
  const text = (negative ? -digits : digits).toString().padStart(places + 1, '0')
  const whole = text.slice(0, text.length - places)
  const fraction = text.slice(text.length - places).replace(/0+$/, '')
  return `${negative ? '-' : ''}${whole}${fraction ? `.${fraction}` : ''}`
}

/** The number without exponent, leading plus or trailing zeros: `'2.50e-06'` is `'0.0000025'`. */
export const plainDecimal = (text: string): string => write(...parse(text))

/** a × b, exact. */
export const multiplyDecimal = (a: string, b: string): string => {
  const [x, xPlaces] = parse(a)
  const [y, yPlaces] = parse(b)
  return write(x * y, xPlaces + yPlaces)
}

/** a ÷ b, rounded half up at `places` decimals. Neither may be negative, and b not zero. */
export const divideDecimal = (a: string, b: string, places = 12): string => {
  const [x, xPlaces] = parse(a)
  const [y, yPlaces] = parse(b)
  if (y <= 0n || x < 0n) throw new RangeError(`cannot divide ${a} by ${b}`)
  const numerator = x * 10n ** BigInt(places + yPlaces)
  const denominator = y * 10n ** BigInt(xPlaces)
  return write((numerator * 2n + denominator) / (denominator * 2n), places)
}

/** Negative, zero or positive as a is less than, equal to or more than b. */
export const compareDecimal = (a: string, b: string): number => {
  const [x, xPlaces] = parse(a)
  const [y, yPlaces] = parse(b)
  const difference = x * 10n ** BigInt(yPlaces) - y * 10n ** BigInt(xPlaces)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
