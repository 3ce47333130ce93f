/** Hours, days and months of a time zone, as arithmetic: the engine's own calendar is too slow for millions of receipts. */
import { MINUTE_US } from '../../core/date.ts'
import { WeirError } from '../../core/errors.ts'
import type { TimeWindow } from '../../core/ledger.ts'
import { join, raw, type Sql, sql } from './sql.ts'

export type Calendar = Readonly<{
  zone: string
  /** From a moment in µs (UTC) to the µs that a clock in the zone shows, counted as if it were UTC. */
  local: (at: Sql) => Sql
}>

export const utc: Calendar = { zone: 'UTC', local: (at) => at }

/** Two changes of a zone's clocks are further apart than this (Morocco's are a month apart). */
const STEP_US = 10 * 86_400_000_000
/** Receipts from before 2000 and after 2099 are cut with the offsets of those years. */
const EARLIEST_US = Date.UTC(2000, 0) * 1000
const LATEST_US = Date.UTC(2100, 0) * 1000

const formatterOf = (zone: string): Intl.DateTimeFormat => {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  } catch (cause) {
    const message = `${JSON.stringify(zone)} is no time zone; use a name such as Europe/Berlin`
    throw new WeirError('bad-request', message, { cause })
  }
}

/** Reads `GMT+05:30`. */
const offsetUs = (formatter: Intl.DateTimeFormat, at_us: number): number => {
  const name = formatter.formatToParts(at_us / 1000).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d+):(\d+)/.exec(name) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_US
}

type Change = Readonly<{ at_us: number; offset_us: number }>

/** The moment, to the minute, at which the offset becomes what it is at `to_us`. */
const changeBetween = (formatter: Intl.DateTimeFormat, from_us: number, to_us: number): Change => {
  const offset_us = offsetUs(formatter, to_us)
  let [before, after] = [from_us, to_us]
  while (after - before > MINUTE_US) {
    const middle = Math.floor((before + after) / 2)
    if (offsetUs(formatter, middle) === offset_us) after = middle
    else before = middle
  }
  return { at_us: Math.floor(after / MINUTE_US) * MINUTE_US, offset_us }
}

const changesOf = (formatter: Intl.DateTimeFormat, { from_us, to_us }: TimeWindow): Change[] => {
  const changes: Change[] = []
  for (let at = from_us; at < to_us; at += STEP_US) {
    const next = Math.min(at + STEP_US, to_us)
    if (offsetUs(formatter, at) !== offsetUs(formatter, next)) changes.push(changeBetween(formatter, at, next))
  }
  return changes
}

/** The calendar of a zone, right within a window. Throws `bad-request` when there is no such zone. */
export const calendarOf = (zone: string | undefined, window: TimeWindow): Calendar => {
  if (zone === undefined || zone === 'UTC') return utc
  const formatter = formatterOf(zone)
  const from_us = Math.min(Math.max(window.from_us, EARLIEST_US), LATEST_US)
  const to_us = Math.min(Math.max(window.to_us, from_us), LATEST_US)
  const first = offsetUs(formatter, from_us)
  const changes = changesOf(formatter, { from_us, to_us }).toReversed()
  const cases = (at: Sql) =>
    join(
      changes.map((change) => sql`WHEN ${at} >= ${change.at_us} THEN ${change.offset_us}`),
      ' ',
    )
  const local = (at: Sql): Sql =>
    changes.length === 0 ? sql`((${at}) + ${first})` : sql`((${at}) + CASE ${cases(at)} ELSE ${first} END)`
  return { zone, local }
}

/** Text of a moment that `local` gave. `column` holds it divided by `size_us`. */
export const written = (column: string, size_us: number, format: string): Sql =>
  raw(`strftime(make_timestamp(${column} * ${size_us}), '${format}')`)
