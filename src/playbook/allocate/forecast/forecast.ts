import { WeirError } from '../../../core/errors.ts'
import { type Picodollars, picodollars } from '../../../core/money.ts'
import { studentQuantile } from './quantile.ts'
import { weekdayFactors, weekdayOf } from './season.ts'

/** Local days since 1970-01-01. `costs` are of complete days in a row, oldest first; a day without spend is zero. */
export type SpendHistory = Readonly<{
  first_day: number
  costs: readonly Picodollars[]
  /** The day after the last complete one: what it has cost so far, and what share of it has passed, 0 to 1. */
  today: Readonly<{ cost: Picodollars; elapsed: number }>
}>

export type Forecast = Readonly<{
  /** What the period has cost so far, exact. */
  spent: Picodollars
  expected: Picodollars
  /** The period's cost lies between these with probability `coverage`; neither is below what is spent. */
  low: Picodollars
  high: Picodollars
  coverage: number
  /** Complete days the forecast rests on. With none it is today's pace, and the interval is open upward only as far as that allows. */
  days: number
}>

type Model = Readonly<{
  level: number
  alpha: number
  sigma: number
  growth: number
  growthError: number
  freedom: number
}>
/** Days as they were, and the weekday factor of each. */
type Series = Readonly<{ values: readonly number[]; factors: readonly number[] }>

const DAYS_USED = 84
/** How strongly a day differs from its forecast where little is known yet, as a share of the level, and the days this counts for. */
const PRIOR_SIGMA = 0.35
const PRIOR_DAYS = 3
/** Growth a day, in logarithms, that is nothing unusual before the stream has shown its own. */
const PRIOR_GROWTH = 0.015
/** Share of a trend that is left from one day to the next: no growth goes on for ever. */
const DAMPING = 0.995
/** A first day's pace is taken from a quarter of an hour at least. */
const SHORTEST_PACE = 1 / 96
/** How much further than its own noise the slope of a wandering level is trusted to be off; fitted to seeded streams, see `docs/anomalies.md`. */
const WANDER = 6
/** Parameters fitted to the days: level, smoothing, growth, and the weekdays' part. */
const FITTED = 5
/** No level stays for ever: what smoothing found steady is projected as wandering by at least this. */
const LEAST_ALPHA = 0.05
const ALPHAS = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

/** Sum of squared errors of tomorrow's forecast by exponential smoothing, and the level at the end. */
const smooth = ({ values, factors }: Series, alpha: number, growth: number) => {
  const start = total(factors.slice(0, 7))
  let level = start > 0 ? total(values.slice(0, 7)) / start : 0
  let errors = 0
  values.forEach((value, at) => {
    const factor = factors[at] ?? 1
    level *= Math.exp(growth)
    const error = value - level * factor
    errors += error ** 2
    level = Math.max(0, level + alpha * Math.min(1, factor) * error)
  })
  return { alpha, level, errors }
}

const bestFit = (series: Series, growth: number) => {
  const candidates = series.values.length < 10 ? [0.2] : ALPHAS
  const fits = candidates.map((alpha) => smooth(series, alpha, growth))
  return fits.reduce((one, other) => (other.errors < one.errors ? other : one))
}

/** Slope of the logarithm over the days by least squares, with twice the variance of white noise, as days resemble their neighbours. */
const slopeOf = ({ values, factors }: Series) => {
  const average = total(values) / values.length
  const logs = values.map((value, at) => Math.log(Math.max(value, average / 50) / Math.max(factors[at] ?? 1, 0.02)))
  const weights = factors.map((factor) => Math.min(1, factor) ** 2)
  const weight = total(weights)
  const middle = total(weights.map((w, at) => w * at)) / weight
  const height = total(weights.map((w, at) => w * (logs[at] ?? 0))) / weight
  const spread = total(weights.map((w, at) => w * (at - middle) ** 2))
  const slope = total(weights.map((w, at) => w * (at - middle) * (logs[at] ?? 0))) / spread
  const rest = weights.map((w, at) => w * ((logs[at] ?? 0) - height - slope * (at - middle)) ** 2)
  return { slope, variance: (2 * total(rest)) / Math.max(1, values.length - 2) / spread }
}

/** How strongly a day differs from its forecast; little history is mixed with what is usual. */
const sigmaOf = ({ errors, level }: Readonly<{ errors: number; level: number }>, days: number): number =>
  Math.sqrt((errors + PRIOR_DAYS * (PRIOR_SIGMA * level) ** 2) / (days + PRIOR_DAYS))

/** Growth a day: the slope, believed as far as its error (a wandering level's too) is small beside what is usual. */
const growthOf = (series: Series) => {
  const days = series.values.length
  if (days < 7 || total(series.values) <= 0) return { growth: 0, growthError: PRIOR_GROWTH }
  const { slope, variance } = slopeOf(series)
  const { alpha, level, errors } = bestFit(series, slope)
  const relative = level > 0 ? Math.min(1, sigmaOf({ errors, level }, days) / level) : 1
  const error = variance + (WANDER * (alpha * relative) ** 2) / days
  const belief = PRIOR_GROWTH ** 2 / (PRIOR_GROWTH ** 2 + error)
  return { growth: slope * belief, growthError: Math.sqrt(error * belief) }
}

const learn = (series: Series): Model => {
  const days = series.values.length
  const trend = growthOf(series)
  const best = bestFit(series, trend.growth)
  const freedom = days + PRIOR_DAYS
  const sigma = sigmaOf(best, days) * Math.sqrt(freedom / Math.max(PRIOR_DAYS, freedom - FITTED))
  return { level: best.level, alpha: Math.max(best.alpha, LEAST_ALPHA), sigma, ...trend, freedom }
}

/** What is still to come: expected cost and its variance, over `shares` of the coming days (today's rest first). */
const project = (model: Model, days: number, shares: readonly number[]) => {
  let [expected, slope, lean, damp] = [0, 0, 0, 1]
  for (const share of shares) {
    damp *= DAMPING
    slope += damp
    const value = model.level * Math.exp(model.growth * slope) * share
    expected += value
    lean += value * slope
  }
  // The error of one day carries into the level of all days after it.
  let [after, variance] = [0, 0]
  for (const share of [...shares].reverse()) {
    variance += (share + model.alpha * after) ** 2
    after += share
  }
  const level = after ** 2 * Math.max(1 / days, model.alpha / (2 - model.alpha) / 2)
  return { expected, variance: (variance + level) * model.sigma ** 2 + (lean * model.growthError) ** 2 }
}

const whole = (value: number): bigint => BigInt(Math.round(value))

/**
 * The cost of a period of local days [from_day, to_day) that is still running, with an interval. Weekday habits come from
 * the history (from a week on), the level from exponential smoothing, growth from week over week; the width of the
 * interval from how wrong the same forecast was on the days before. Money that is spent is exact, what is to come is an
 * estimate rounded to the picodollar. Throws WeirError `bad-input` when today lies outside the period.
 */
export const forecastPeriod = (
  history: SpendHistory,
  period: Readonly<{ from_day: number; to_day: number }>,
  coverage = 0.8,
): Forecast => {
  const today = history.first_day + history.costs.length
  if (today < period.from_day || today >= period.to_day)
    throw new WeirError(
      'bad-input',
      `forecast: day ${today} lies outside the period ${period.from_day} to ${period.to_day}`,
    )
  const inPeriod = history.costs.filter((_, at) => history.first_day + at >= period.from_day)
  const spent = picodollars(inPeriod.reduce((sum, cost) => sum + cost, history.today.cost as bigint))
  const elapsed = Math.min(1, Math.max(0, history.today.elapsed))
  const used = history.costs.slice(-DAYS_USED).map(Number)
  const first = today - used.length
  const values = used.length > 0 ? used : [Number(history.today.cost) / Math.max(elapsed, SHORTEST_PACE)]
  const weekdays = weekdayFactors(first, used)
  const factor = (day: number) => weekdays[weekdayOf(day)] ?? 1
  const model = learn({ values, factors: values.map((_, at) => factor(first + at)) })
  const shares = Array.from({ length: period.to_day - today }, (_, at) => {
    return factor(today + at) * (at === 0 ? 1 - elapsed : 1)
  })
  const { expected, variance } = project(model, values.length, shares)
  const width = Math.sqrt(variance) * studentQuantile(0.5 + coverage / 2, model.freedom)
  const beside = (value: number) => picodollars(spent + whole(Math.max(0, value)))
  return {
    spent,
    expected: beside(expected),
    low: beside(expected - width),
    high: beside(expected + width),
    coverage,
    days: used.length,
  }
}
