/** 0 = Monday … 6 = Sunday, of whole days since 1970-01-01. */
export const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

/** Mean of the week around a day, which holds each weekday once; at the ends the nearest whole week. */
const weekAround = (values: readonly number[], at: number): number => {
  const from = Math.max(0, Math.min(at - 3, values.length - 7))
  return mean(values.slice(from, from + 7))
}

/** Weeks of its own that a weekday must show before its habit counts as much as "like any other day". */
const PRIOR_WEEKS = 0.5

/**
 * What share of a usual day each weekday spends, Monday first, with mean 1. A weekday's habit is believed in proportion to
 * the weeks it was seen; under one whole week every day is like any other.
 */
export const weekdayFactors = (firstDay: number, values: readonly number[]): readonly number[] => {
  const flat = [1, 1, 1, 1, 1, 1, 1]
  if (values.length < 7) return flat
  const ratios = flat.map((): number[] => [])
  values.forEach((value, at) => {
    const around = weekAround(values, at)
    if (around > 0) ratios[weekdayOf(firstDay + at)]?.push(value / around)
  })
  const believed = ratios.map((seen) => (mean(seen) * seen.length + PRIOR_WEEKS) / (seen.length + PRIOR_WEEKS))
  const average = mean(believed)
  return average > 0 ? believed.map((factor) => factor / average) : flat
}
