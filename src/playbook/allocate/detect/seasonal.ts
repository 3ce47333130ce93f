import { median } from './robust.ts'

const DAY_HOURS = 24
const WEEK_HOURS = 168
/** Least history for a statement about an hour at all. */
const LEAST_HOURS = 24
/** Days that a usual hour of the day is taken from. */
const DAYS_USED = 7

/** Whether the local day of a moment so many hours back is like the one predicted: both workdays or both weekend. */
export type Alike = (hoursBack: number) => boolean

/** The amounts `lags` hours before the hour that follows the history (newest last). */
const at = (history: readonly number[], lags: readonly number[]): number[] =>
  lags.flatMap((lag) => {
    const value = history[history.length - lag]
    return lag <= history.length && value !== undefined ? [value] : []
  })

/**
 * What the hour after the history usually costs, in dollars, or undefined under a day of history: the median of the same
 * hour on up to seven days alike (workdays or weekend once both are known); with few days the hours beside it count too.
 * An hour of the week that costs more than the hour of the day (a weekly job) is believed after three weeks.
 */
export const usualHour = (history: readonly number[], alike: Alike): number | undefined => {
  if (history.length < LEAST_HOURS) return undefined
  const days = Array.from({ length: Math.floor(history.length / DAY_HOURS) }, (_, day) => (day + 1) * DAY_HOURS)
  const same = days.filter(alike)
  const lags = (same.length >= 2 ? same : days).slice(0, DAYS_USED)
  const beside = lags.length >= 4 ? lags : lags.flatMap((lag) => [lag - 1, lag, lag + 1])
  const ofDay = median(at(history, beside))
  if (history.length < 3 * WEEK_HOURS) return ofDay
  return Math.max(
    ofDay,
    median(
      at(
        history,
        [1, 2, 3, 4].map((week) => week * WEEK_HOURS),
      ),
    ),
  )
}

/**
 * What the day after the history usually costs: the median of its weekday once two weeks are known, so that slow growth
 * of the last days cannot hide itself; before, of all days alike. Undefined under three days.
 */
export const usualDay = (history: readonly number[], alike: Alike): number | undefined => {
  if (history.length < 3) return undefined
  if (history.length >= 14) return median(at(history, [7, 14, 21, 28]))
  const days = history.map((_, back) => back + 1)
  const same = days.filter((day) => alike(day * DAY_HOURS))
  return median(at(history, same.length >= 2 ? same : days))
}
