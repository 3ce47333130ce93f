import { DAY_US, HOUR_US, MINUTE_US } from '../../../core/date.ts'
import { against, amountOf, dollars, show } from './amounts.ts'
import { push } from './bounded.ts'
import type { Candidate } from './finding.ts'
import { recordOf, usualOf } from './robust.ts'
import type { BurnBudget, DetectSettings } from './settings.ts'
import { explain, type Tallies } from './tallies.ts'

type WindowMinutes = 5 | 10 | 30 | 60 | 360

type Limit = { usual: number; most: number }

/** Spend by minute over six hours, and how far the busiest ten minutes of each hour stood above that hour's usual pace. */
export type Pace = {
  minutes: [minute: number, cost: bigint][]
  /** Spend of the last so many minutes without the running one. */
  closed: Map<WindowMinutes, bigint>
  peak: number
  peaks: number[]
  /** Dollars that ten minutes usually cost and may cost; null while that is not known. */
  limit: Limit | null
  /** The same for the first ten minutes of the hour, which hold part of the hour before. */
  early: Limit | null
}

export const openPace = (): Pace => ({ minutes: [], closed: new Map(), peak: 0, peaks: [], limit: null, early: null })

const PEAKS_KEPT = 336
const LEAST_PEAKS = 24
/** The last day does not say what is usual; a peak must exceed all of two days to page. */
const SETTLING = 24
const RECORD_HOURS = 48

/** Books a cost at a minute. */
export const spendAt = (pace: Pace, minute: number, cost: bigint): void => {
  const running = pace.minutes.at(-1)
  if (running?.[0] === minute) {
    running[1] += cost
    return
  }
  while ((pace.minutes[0]?.[0] ?? minute) <= minute - 360) pace.minutes.shift()
  pace.closed.clear()
  pace.minutes.push([minute, cost])
}

/** Spend of the last so many minutes; what lies before the running one is added up once a minute, and only if asked for. */
const spentIn = (pace: Pace, length: WindowMinutes): bigint => {
  const [running, now] = pace.minutes.at(-1) ?? [0, 0n]
  let closed = pace.closed.get(length)
  if (closed === undefined) {
    closed = 0n
    for (let at = pace.minutes.length - 2; at >= 0; at -= 1) {
      const [minute, spent] = pace.minutes[at] ?? [0, 0n]
      if (minute <= running - length) break
      closed += spent
    }
    pace.closed.set(length, closed)
  }
  return closed + now
}

/** Of the hour that ends and the next: what they usually cost, dollars, and the mean hour of the last week. */
export type Turned = Readonly<{
  hours: number
  expected: number | undefined
  next: number | undefined
  usual_hour: number
  settings: DetectSettings
  factor: number
}>

/** Closes an hour: its peak becomes history, and the limit for the next is set from what that hour usually costs. */
export const turnPace = (pace: Pace, { hours, expected, next, usual_hour, settings, factor }: Turned): void => {
  const floor = dollars(settings.floors['level-burst'])
  // Cents in quiet hours are no multiples: a part of the usual pace is added to both sides of a ratio.
  const soft = 0.05 * floor + (0.3 * usual_hour) / 6
  if (expected !== undefined) {
    push(pace.peaks, Math.log((pace.peak + soft) / (expected / 6 + soft)), PEAKS_KEPT)
    // Of a long silence one more hour is enough: it has no peaks to learn from.
    if (hours > 1) push(pace.peaks, 0, PEAKS_KEPT)
  }
  pace.peak = 0
  pace.limit = null
  pace.early = null
  if (next === undefined || pace.peaks.length < LEAST_PEAKS) return
  const { middle, spread } = usualOf(pace.peaks.slice(0, Math.max(SETTLING, pace.peaks.length - SETTLING)), 0.5, 12)
  const deviations = settings.deviations.burst * factor
  const threshold = Math.max(middle + deviations * Math.max(0.1, spread), recordOf(pace.peaks, RECORD_HOURS))
  const limitFor = (hour: number): Limit => {
    const usual = Math.max(0, (hour / 6 + soft) * Math.exp(middle) - soft)
    return { usual, most: Math.max((hour / 6 + soft) * Math.exp(threshold) - soft, usual + floor) }
  }
  pace.limit = limitFor(next)
  pace.early = limitFor(Math.max(next, expected ?? 0))
}

type Seen = Readonly<{ owner: string; at_us: number; hour: number; tallies: Tallies }>

/** Ten minutes that cost more than the busiest ten minutes of such an hour usually do. */
export const overPace = (pace: Pace, seen: Seen): Candidate | undefined => {
  const spent = dollars(spentIn(pace, 10))
  const early = seen.at_us - seen.hour * HOUR_US < 10 * MINUTE_US
  if (!early) pace.peak = Math.max(pace.peak, spent)
  const limit = early ? pace.early : pace.limit
  if (limit === null || spent <= limit.most) return undefined
  limit.most = spent * 1.25
  return {
    kind: 'level-burst',
    owner: seen.owner,
    since_us: seen.at_us - 10 * MINUTE_US,
    excess: amountOf(spent - limit.usual),
    hourly: amountOf((spent - limit.usual) * 6),
    score: spent / Math.max(0.01, limit.usual),
    ...explain(seen.tallies, { hour: seen.hour }),
    message: `${seen.owner} has spent ${show(spent)} in ten minutes, ${against(spent, limit.usual)} in the busiest ten of such an hour`,
  }
}

type Rule = Readonly<{ long: WindowMinutes; short: WindowMinutes; share: number }>

/** What share of a budget may go in an hour or in six (Google SRE workbook, ch. 5, for a month; shorter budgets burn faster by nature). */
const rulesFor = (length_us: number): readonly Rule[] => {
  if (length_us >= 28 * DAY_US)
    return [
      { long: 60, short: 5, share: 0.02 },
      { long: 360, short: 30, share: 0.05 },
    ]
  if (length_us >= 7 * DAY_US)
    return [
      { long: 60, short: 5, share: 0.05 },
      { long: 360, short: 30, share: 0.15 },
    ]
  return length_us >= DAY_US ? [{ long: 60, short: 5, share: 0.16 }] : []
}

/** A budget of which a large share goes in an hour or in six, and is still going at that rate in the last minutes. */
export const overBurn = (pace: Pace, budget: BurnBudget, seen: Seen): Candidate | undefined => {
  const limit = dollars(budget.limit)
  for (const { long, short, share } of rulesFor(budget.length_us)) {
    const spent = dollars(spentIn(pace, long))
    const recent = dollars(spentIn(pace, short))
    if (spent <= share * limit || recent <= (share * limit * short) / long) continue
    const fair = (limit * long * MINUTE_US) / budget.length_us
    return {
      kind: 'budget-burn',
      owner: seen.owner,
      subject: budget.id,
      since_us: seen.at_us - long * MINUTE_US,
      excess: amountOf(spent - fair),
      hourly: amountOf((recent * 60) / short),
      score: spent / (share * limit),
      ...explain(seen.tallies, { hour: seen.hour }),
      message: `${seen.owner} has spent ${show(spent)} of its budget ${budget.id} (${show(limit)}) in ${long} minutes, ${(spent / fair).toFixed(1)} times the pace that lasts`,
    }
  }
  return undefined
}
