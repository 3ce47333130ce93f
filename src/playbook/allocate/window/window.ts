import { HOUR_US, MINUTE_US } from '../../../core/date.ts'
import { WeirError } from '../../../core/errors.ts'
import { localTime } from '../../price/local-time.ts'
import { aheadMinutes, dateOf, dayIn, instantOfWall, monthOf, transitionBetween, wallMinutes } from './wall-clock.ts'

export type Every = 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year'

/** Where a calendar period begins. Only what its length needs is read; a day past a month's end is the month's last. */
export type Anchor = Readonly<{
  /** Minutes after midnight (after the hour, for hours). */
  minute?: number
  /** 1 = Monday … 7 = Sunday, for weeks. */
  weekday?: number
  /** Day of the month, for months, quarters and years. */
  day?: number
  /** First month of the year, for quarters and years, e.g. 4 for a fiscal year that begins in April. */
  month?: number
}>

/** A calendar window turns on the wall clock of an IANA zone. */
export type CalendarWindow = Readonly<{ every: Every; zone: string; anchor?: Anchor }>

/** The last `length_us`, kept in `slices` equal slices that turn on whole multiples of their length since the epoch. */
export type RollingWindow = Readonly<{ length_us: number; slices: number }>

export type Window = CalendarWindow | RollingWindow

/** [from, to) in µs since the epoch, UTC. `id` is the same for every instant inside and for no other period of the window. */
export type Period = Readonly<{ id: string; from_us: number; to_us: number }>

const DAY_MINUTES = 1440
const every = ['hour', 'day', 'week', 'month', 'quarter', 'year']
const bounds = { minute: [0, 1439], weekday: [1, 7], day: [1, 31], month: [1, 12] } as const

const bad = (field: string, found: unknown, use: string): WeirError =>
  new WeirError('bad-config', `window.${field}: ${JSON.stringify(found) ?? 'nothing'} is no value here: use ${use}`)

const checkCalendar = (window: CalendarWindow): void => {
  if (!every.includes(window.every)) throw bad('every', window.every, every.join(', '))
  localTime(window.zone, 0)
  for (const [name, [least, most]] of Object.entries(bounds)) {
    const found = window.anchor?.[name as keyof Anchor]
    if (found === undefined) continue
    if (!Number.isInteger(found) || found < least || found > most)
      throw bad(`anchor.${name}`, found, `a whole number from ${least} to ${most}`)
  }
}

/** Throws WeirError `bad-config` naming the field when a window cannot be one. */
export const checkWindow = (window: Window): void => {
  if ('every' in window) {
    checkCalendar(window)
    return
  }
  const { length_us, slices } = window
  if (!Number.isSafeInteger(length_us) || length_us < MINUTE_US)
    throw bad('length_us', length_us, 'whole microseconds, a minute or more')
  if (!Number.isInteger(slices) || slices < 1 || slices > 1000) throw bad('slices', slices, 'a whole number, 1 to 1000')
  if (length_us % slices !== 0) throw bad('slices', slices, 'a number that divides length_us')
}

/** Clocks that move by half an hour cut the hour of the change in two, so that hours neither overlap nor leave a gap. */
const hourOf = ({ zone, anchor }: CalendarWindow, at_us: number): Period => {
  const past = (((wallMinutes(zone, at_us) - (anchor?.minute ?? 0)) % 60) + 60) % 60
  let from_us = (Math.floor(at_us / MINUTE_US) - past) * MINUTE_US
  let to_us = from_us + HOUR_US
  const moved = (a: number, b: number) => (aheadMinutes(zone, a) - aheadMinutes(zone, b)) % 60 !== 0
  if (moved(at_us, from_us)) from_us = transitionBetween(zone, from_us, at_us)
  if (moved(at_us, to_us)) to_us = transitionBetween(zone, at_us, to_us)
  return { id: `hour:${new Date(from_us / 1000).toISOString().slice(0, 16)}Z`, from_us, to_us }
}

const monthsIn = { month: 1, quarter: 3, year: 12 }

/** Days since 1970-01-01 on which the `step`-th month-like period after the one that holds `day` begins. */
const monthStart = (window: CalendarWindow, length: number, day: number, step: number): number => {
  const { month = 1, day: first = 1 } = window.anchor ?? {}
  const phase = length === 1 ? 0 : month - 1
  const now = monthOf(day)
  const months = now.year * 12 + now.month - 1 - phase
  const startOf = (index: number) => dayIn(Math.floor((index + phase) / 12), ((index + phase) % 12) + 1, first)
  const index = Math.floor(months / length) * length
  const begun = startOf(index) <= day ? index : index - length
  return startOf(begun + step * length)
}

/** Days since 1970-01-01 on which the `step`-th period after the one that holds `day` begins. */
const startDay = (window: CalendarWindow, day: number, step: number): number => {
  if (window.every === 'day' || window.every === 'hour') return day + step
  if (window.every === 'week') {
    const weekday = (((day + 3) % 7) + 7) % 7
    const first = (window.anchor?.weekday ?? 1) - 1
    return day - ((weekday - first + 7) % 7) + step * 7
  }
  return monthStart(window, monthsIn[window.every], day, step)
}

const labelOf = (window: CalendarWindow, day: number): string =>
  `${window.every}:${window.every === 'month' && (window.anchor?.day ?? 1) === 1 ? dateOf(day).slice(0, 7) : dateOf(day)}`

const calendarPeriod = (window: CalendarWindow, at_us: number): Period => {
  const minute = window.anchor?.minute ?? 0
  const day = Math.floor((wallMinutes(window.zone, at_us) - minute) / DAY_MINUTES)
  const begins = (step: number) => {
    const first = startDay(window, day, step)
    return { first, at_us: instantOfWall(window.zone, first * DAY_MINUTES + minute) }
  }
  // A clock set back over midnight shows the old date again after the new period has begun.
  let step = 0
  while (begins(step + 1).at_us <= at_us) step += 1
  while (begins(step).at_us > at_us) step -= 1
  const { first, at_us: from_us } = begins(step)
  return { id: labelOf(window, first), from_us, to_us: begins(step + 1).at_us }
}

const slice = ({ length_us, slices }: RollingWindow, index: number): Period => {
  const step = length_us / slices
  return { id: `slice:${step}:${index}`, from_us: index * step, to_us: (index + 1) * step }
}

/**
 * The period of a window that holds an instant (µs since the epoch, UTC): for a rolling window its slice. Periods of a
 * window follow each other without gap or overlap, daylight saving included. Throws WeirError `bad-config` on an unknown zone.
 */
export const periodOf = (window: Window, at_us: number): Period => {
  if (!('every' in window)) return slice(window, Math.floor(at_us / (window.length_us / window.slices)))
  return window.every === 'hour' ? hourOf(window, at_us) : calendarPeriod(window, at_us)
}

/**
 * The periods whose spend counts against a window's limit at an instant, oldest first: one for a calendar window. For a
 * rolling window the slice of the instant and `slices` before it, so that no stretch of `length_us` escapes; what is
 * counted reaches back by up to one slice more.
 */
export const periodsInForce = (window: Window, at_us: number): readonly Period[] => {
  if ('every' in window) return [periodOf(window, at_us)]
  const now = Math.floor(at_us / (window.length_us / window.slices))
  return Array.from({ length: window.slices + 1 }, (_, back) => slice(window, now - window.slices + back))
}
