import { HOUR_US } from '../../../core/date.ts'
import { against, amountOf, dollars, show } from './amounts.ts'
import { alikeAt, type Day } from './clock.ts'
import type { Candidate } from './finding.ts'
import { usualDay, usualHour } from './seasonal.ts'
import { closeStep, type Judge, type Limit, limitsOf, openSeries, type Series } from './series.ts'
import type { DetectSettings } from './settings.ts'
import { explain, type Tallies } from './tallies.ts'

/** Spend of an owner in the running hour or day, and the limits that it must keep. */
export type Level = { step: number; cost: bigint; series: Series; limits: Limit[]; since_us: number }

export const openLevel = (step: number, at_us: number): Level => ({
  step,
  cost: 0n,
  series: openSeries(),
  limits: [],
  since_us: at_us,
})

const HOURS = { spans: [1, 4, 12], kept: 672, residuals_kept: 336, record_steps: 48, settling: 24 } as const
const DAYS = { spans: [1, 3, 7], kept: 42, residuals_kept: 56, record_steps: 3, settling: 7 } as const

const hourJudge = (settings: DetectSettings, factor: number): Judge => ({
  ...HOURS,
  prior: 0.4,
  prior_weight: 12,
  least_spread: 0.08,
  caution: 8,
  deviations: settings.deviations.hour * factor,
})
const dayJudge = (settings: DetectSettings, factor: number): Judge => ({
  ...DAYS,
  prior: 0.15,
  prior_weight: 4,
  least_spread: 0.06,
  caution: 2,
  deviations: settings.deviations.day * factor,
})

type Turn = Readonly<{ step: number; at_us: number; settings: DetectSettings; factor: number }>

/** What one kind of step is judged by: its excess floor in dollars, and what a step usually costs, by its number. */
type Steps = Readonly<{
  judge: Judge
  floor: number
  usual: (step: number) => (history: readonly number[]) => number | undefined
}>

/** Closes every step up to the one that begins; steps without a call cost nothing. */
const turn = (level: Level, { step, at_us }: Turn, { judge, floor, usual }: Steps): void => {
  if (step <= level.step) return
  const first = Math.max(level.step + 1, step - judge.kept)
  for (let next = first; next <= step; next += 1)
    closeStep(level.series, judge, next === first ? dollars(level.cost) : 0, usual(next), floor)
  level.step = step
  level.cost = 0n
  level.since_us = at_us
  level.limits = [...limitsOf(level.series, judge, floor)]
}

export const turnHours = (level: Level, begun: Turn): void => {
  const { settings, factor } = begun
  turn(level, begun, {
    judge: hourJudge(settings, factor),
    floor: dollars(settings.floors['level-hour']),
    usual: (hour) => {
      const alike = alikeAt(settings.zone, hour * HOUR_US)
      return (history) => usualHour(history, alike)
    },
  })
}

/** The same by local days, of which the one that begins is given. */
export const turnDays = (level: Level, begun: Turn, day: Day): void => {
  const { settings, factor, step } = begun
  turn(level, begun, {
    judge: dayJudge(settings, factor),
    floor: dollars(settings.floors['level-day']),
    usual: (number) => {
      const alike = alikeAt(settings.zone, day.from_us + HOUR_US - (step - number) * 24 * HOUR_US)
      return (history) => usualDay(history, alike)
    },
  })
}

type Seen = Readonly<{ owner: string; at_us: number; hour: number; day: Day; tallies: Tallies }>

/**
 * The span whose limit the running step has passed, if any: the one that stands out most. As the running step only grows,
 * passing early says the same as passing at its end, and says it sooner. The limit is then raised by a quarter, so that
 * trouble that grows is told of in steps.
 */
export const overLimit = (level: Level, kind: 'level-hour' | 'level-day', seen: Seen): Candidate | undefined => {
  const spent = dollars(level.cost)
  if (!level.limits.some(({ limit }) => spent > limit)) return undefined
  const passed = level.limits.filter(({ limit }) => spent > limit)
  level.limits = level.limits.map((one) => (spent > one.limit ? { ...one, limit: spent * 1.25 } : one))
  const standing = (one: Limit) => (spent + one.closed) / Math.max(0.01, one.expected)
  const top = passed.reduce((one, other) => (standing(other) > standing(one) ? other : one))
  const unit_us = kind === 'level-hour' ? HOUR_US : 24 * HOUR_US
  const begun = level.step * HOUR_US
  const from_us = (kind === 'level-hour' ? begun : seen.day.from_us) - (top.span - 1) * unit_us
  const hours = Math.max(1 / 6, (seen.at_us - from_us) / HOUR_US)
  const excess = spent + top.closed - top.expected
  const word = `${top.span === 1 ? 'this' : `the last ${top.span}`} ${kind === 'level-hour' ? 'hour' : 'day'}${top.span === 1 ? '' : 's'}`
  const at = kind === 'level-hour' ? { hour: seen.hour } : { hour: seen.hour, day: seen.day.number }
  return {
    kind,
    owner: seen.owner,
    since_us: from_us,
    excess: amountOf(excess),
    hourly: amountOf(excess / hours),
    score: standing(top),
    ...explain(seen.tallies, at),
    message: `${seen.owner} has spent ${show(spent + top.closed)} in ${word}, ${against(spent + top.closed, top.expected)}`,
  }
}
