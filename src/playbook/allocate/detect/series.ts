import { push } from './bounded.ts'
import { recordOf, usualOf } from './robust.ts'

/**
 * A stream in equal steps (hours, days) with what each step was expected to cost, judged over several spans at once: the
 * last 1, 4, 12 steps. Amounts are dollars (statistics); residuals are logarithms of actual over expected.
 */
export type Series = {
  /** Closed steps, oldest first. */
  history: number[]
  /** What the last steps were expected to cost, and the running one. */
  expected: number[]
  residuals: Map<string, number[]>
}

export const openSeries = (): Series => ({ history: [], expected: [], residuals: new Map() })

export type Judge = Readonly<{
  spans: readonly number[]
  kept: number
  residuals_kept: number
  /** Residuals within so many steps must be exceeded: what happened lately does not page again. */
  record_steps: number
  /** The last steps do not count for what is usual, once there are twice as many. */
  settling: number
  /** Standard deviation assumed of a single step before it is known, and the steps this assumption counts for. */
  prior: number
  prior_weight: number
  least_spread: number
  /** With this many residuals the spread is taken twice: few say little. */
  caution: number
  deviations: number
}>

/** A span that costs too much once the running step passes `limit` dollars. */
export type Limit = Readonly<{
  span: number
  limit: number
  expected: number
  closed: number
  middle: number
  spread: number
}>

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
const last = (values: readonly number[], count: number): readonly number[] => (count === 0 ? [] : values.slice(-count))

/** What a step cost in the mean of the last 168, dollars. */
export const meanStep = ({ history }: Readonly<{ history: readonly number[] }>): number =>
  total(history.slice(-168)) / Math.max(1, Math.min(168, history.length))

/** Added to both sides of a ratio, so that cents in quiet steps are no multiples: a part of the mean step. */
const softener = (history: readonly number[], span: number, floor: number): number =>
  span * (0.12 * meanStep({ history }) + 0.02 * floor)

/** Closes a step with what it cost, and opens the next with what is expected of it (undefined: nothing is known yet). */
export const closeStep = (
  series: Series,
  judge: Judge,
  cost: number,
  next: (history: readonly number[]) => number | undefined,
  floor: number,
): void => {
  const running = series.expected.at(-1)
  push(series.history, cost, judge.kept)
  if (running !== undefined) {
    for (const span of judge.spans) {
      if (series.expected.length < span) continue
      const soft = softener(series.history, span, floor)
      const residual = Math.log(
        (total(last(series.history, span)) + soft) / (total(last(series.expected, span)) + soft),
      )
      const name = String(span)
      const list = series.residuals.get(name) ?? []
      push(list, residual, judge.residuals_kept)
      series.residuals.set(name, list)
    }
  }
  const expected = next(series.history)
  if (expected === undefined) series.expected = []
  else push(series.expected, expected, Math.max(...judge.spans))
}

/** For each span how much the running step may cost. */
export const limitsOf = (series: Series, judge: Judge, floor: number): readonly Limit[] =>
  judge.spans.flatMap((span): Limit[] => {
    if (series.expected.length < span) return []
    const residuals = series.residuals.get(String(span)) ?? []
    // What happens now must not widen what is usual: the last steps are left out once there are others.
    const settled = residuals.slice(0, Math.max(judge.settling, residuals.length - judge.settling))
    const { middle, spread: seen } = usualOf(settled, judge.prior / span ** 0.3, judge.prior_weight)
    const spread = Math.max(judge.least_spread, seen) * (1 + judge.caution / (settled.length + 1))
    const threshold = Math.max(middle + judge.deviations * spread, recordOf(residuals, judge.record_steps), 0)
    const expected = total(last(series.expected, span))
    const closed = total(last(series.history, span - 1))
    const soft = softener(series.history, span, floor)
    const usual = Math.max(0, (expected + soft) * Math.exp(middle) - soft)
    const limit = Math.max((expected + soft) * Math.exp(threshold) - soft, usual + floor) - closed
    return [{ span, limit, expected: usual, closed, middle, spread }]
  })
