/** Statistics that a few wild values do not move. Amounts here are dollars in floating point: estimates, never a bill. */

/** The value below which `share` of the sorted values lie, interpolated. */
const quantileOf = (sorted: ArrayLike<number>, share: number): number => {
  const at = share * (sorted.length - 1)
  const low = sorted[Math.floor(at)] ?? 0
  const high = sorted[Math.ceil(at)] ?? low
  return low + (high - low) * (at - Math.floor(at))
}

/** Typed arrays sort numbers several times as fast as lists do. */
const ascending = (values: readonly number[]): Float64Array => Float64Array.from(values).sort()

export const median = (values: readonly number[]): number => quantileOf(ascending(values), 0.5)

export type Usual = Readonly<{ middle: number; spread: number }>

/**
 * Middle and standard deviation of residuals: the largest of 1.4826 × MAD and the deviation that the upper tenth implies,
 * mixed with `prior` as if it had been seen `weight` times. Upper tails of spend are long, which the MAD alone does not see.
 */
export const usualOf = (residuals: readonly number[], prior: number, weight: number): Usual => {
  if (residuals.length === 0) return { middle: 0, spread: prior }
  const sorted = ascending(residuals)
  const middle = quantileOf(sorted, 0.5)
  const deviation = 1.4826 * quantileOf(sorted.map((value) => Math.abs(value - middle)).sort(), 0.5)
  const upper = (quantileOf(sorted, 0.9) - middle) / 1.2816
  const seen = Math.max(deviation, upper)
  const count = residuals.length
  return { middle, spread: Math.sqrt((count * seen ** 2 + weight * prior ** 2) / (count + weight)) }
}

/** The largest of the last `count` values. */
export const recordOf = (values: readonly number[], count: number): number =>
  values.slice(-count).reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)

/** The largest values, at most so many, ascending: one pass, for the few at the top of many. */
export const largest = (values: Iterable<number>, most: number): number[] => {
  const top: number[] = []
  for (const value of values) {
    if (top.length === most && value <= (top[0] ?? 0)) continue
    let at = top.length
    while (at > 0 && (top[at - 1] ?? 0) > value) at -= 1
    top.splice(at, 0, value)
    if (top.length > most) top.shift()
  }
  return top
}
