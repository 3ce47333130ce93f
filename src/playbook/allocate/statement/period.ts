import type { TimeWindow } from '../../../core/ledger.ts'
import { type CalendarWindow, type Period, periodOf } from '../window/window.ts'

/** The time of a statement and the time it is compared with. */
export type StatementPeriod = Readonly<{
  every: 'week' | 'month'
  /** `2026-10` or the date of the week's Monday. */
  name: string
  zone: string
  /** What is counted: the whole period, or the part that has passed. */
  window: TimeWindow
  /** The period before, as far into it. */
  previous: TimeWindow
  /** When the whole period ends, µs. */
  ends_us: number
  complete: boolean
}>

const named = ({ id, from_us, to_us }: Period) => ({ name: id.slice(id.indexOf(':') + 1), from_us, to_us })

/** The week or month in a zone that holds an instant, as far as it has passed. Throws WeirError `bad-config` on an unknown zone. */
export const statementPeriod = (
  every: 'week' | 'month',
  at_us: number,
  { zone, now_us }: Readonly<{ zone: string; now_us: number }>,
): StatementPeriod => {
  const window: CalendarWindow = { every, zone }
  const { name, from_us, to_us } = named(periodOf(window, at_us))
  const before = named(periodOf(window, from_us - 1))
  const complete = to_us <= now_us
  const until_us = complete ? to_us : Math.max(from_us + 1, Math.min(to_us, now_us + 1))
  const previous_until = complete ? before.to_us : Math.min(before.to_us, before.from_us + (until_us - from_us))
  return {
    every,
    name,
    zone,
    window: { from_us, to_us: until_us },
    previous: { from_us: before.from_us, to_us: previous_until },
    ends_us: to_us,
    complete,
  }
}

/** The month after one: `2026-12` → `2027-01`. */
export const monthAfter = (month: string): string => {
  const [year = 0, number = 0] = month.split('-').map(Number)
  return number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, '0')}`
}
