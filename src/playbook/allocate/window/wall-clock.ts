import { MINUTE_US } from '../../../core/date.ts'
import { localTime } from '../../price/local-time.ts'

const DAY_MINUTES = 1440
const DAY_MS = 86_400_000

/** Minutes on the wall clock of a zone since 1970-01-01 00:00 there. Throws WeirError `bad-config` on an unknown zone. */
export const wallMinutes = (zone: string, at_us: number): number => {
  const { day, minute } = localTime(zone, at_us)
  return day * DAY_MINUTES + minute
}

/** Minutes that the zone is ahead of UTC at an instant. */
export const aheadMinutes = (zone: string, at_us: number): number =>
  wallMinutes(zone, at_us) - Math.floor(at_us / MINUTE_US)

/** The first minute in (low, high] at which `holds` is true; it must be false at `low` and, once true, stay true. */
const firstMinute = (low: number, high: number, holds: (minute: number) => boolean): number => {
  let [no, yes] = [low, high]
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2)
    if (holds(middle)) yes = middle
    else no = middle
  }
  return yes
}

/**
 * The first instant (µs since the epoch) at which the wall clock shows `minutes`. Where the clock skips that moment it is
 * the instant of the skip; where the clock shows it twice, the first time.
 */
export const instantOfWall = (zone: string, minutes: number): number => {
  const ahead = [-DAY_MINUTES, DAY_MINUTES].map((off) => aheadMinutes(zone, (minutes + off) * MINUTE_US))
  const guesses = ahead.map((offset) => minutes - offset).sort((a, b) => a - b)
  const exact = guesses.find((guess) => wallMinutes(zone, guess * MINUTE_US) === minutes)
  if (exact !== undefined) return exact * MINUTE_US
  const [early = minutes, late = minutes] = guesses
  return firstMinute(early - 1, late, (minute) => wallMinutes(zone, minute * MINUTE_US) >= minutes) * MINUTE_US
}

/** The instant in (from, to] at which the zone's offset changes, µs; `from` and `to` must differ in offset. */
export const transitionBetween = (zone: string, from_us: number, to_us: number): number => {
  const after = aheadMinutes(zone, to_us)
  const holds = (minute: number) => aheadMinutes(zone, minute * MINUTE_US) === after
  return firstMinute(Math.floor(from_us / MINUTE_US), Math.floor(to_us / MINUTE_US), holds) * MINUTE_US
}

/** `YYYY-MM-DD` of whole days since 1970-01-01. */
export const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10)

/** Whole days since 1970-01-01 of a month (may run over a year's end) and a day in it; a day past its end is its last. */
export const dayIn = (year: number, month: number, day: number): number => {
  const first = Date.UTC(year, month - 1, 1) / DAY_MS
  const next = Date.UTC(year, month, 1) / DAY_MS
  return Math.min(first + day - 1, next - 1)
}

/** Year and month (1–12) of whole days since 1970-01-01. */
export const monthOf = (day: number): Readonly<{ year: number; month: number }> => {
  const date = new Date(day * DAY_MS)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1 }
}
