/** The groups of a spend question. Their columns are g0, g1 … as the engine groups them and k0, k1 … as they are shown. */
import type { Question, TimeWindow } from '../../core/ledger.ts'
import { type Calendar, calendarOf } from './calendar.ts'
import { type Grouping, groupingOf, where } from './dimensions.ts'
import type { Row } from './engine.ts'
import { join, raw, type Sql, sql } from './sql.ts'
import { text } from './values.ts'

export type Spend = Extract<Question, { ask: 'spend' }>

/** The calendar in which a question cuts its days, right for the window before it too. */
export const calendarFor = ({ zone, window }: Spend): Calendar =>
  calendarOf(zone, { from_us: window.from_us - (window.to_us - window.from_us), to_us: window.to_us })

export type Groups = Readonly<{
  names: readonly string[]
  /** `g0, g1`, or `()` where nothing is grouped: both can follow GROUP BY. */
  by: Sql
  /** `expression AS g0, … ,` to begin a SELECT list with. */
  select: Sql
  /** The same under other names: `expression AS f0, … ,`. */
  named: (letter: string) => Sql
  /** Nothing but moments: groups come oldest first. */
  byTime: boolean
  /** `text of g0 AS k0, … ,` */
  shown: Sql
  /** Groups of time alone come oldest first, others dearest first; ties by name, so that an answer is always the same. */
  order: Sql
  /** What moved most against the window before comes first, up or down. */
  moved: Sql
}>

const listed = <T>(items: readonly T[], write: (item: T, at: number) => Sql): Sql =>
  join(
    items.map((item, at) => sql`${write(item, at)}, `),
    '',
  )

/**
 * With `compare` the window before is read too, its moments moved by one window, so that each of its days meets the day
 * that came in its place.
 */
export const groupsOf = (question: Spend): Groups => {
  const { group_by, window, compare } = question
  const length = window.to_us - window.from_us
  const at = compare
    ? sql`CASE WHEN started_at_us < ${window.from_us} THEN started_at_us + ${length} ELSE started_at_us END`
    : raw('started_at_us')
  const calendar = calendarFor(question)
  const groupings: readonly Grouping[] = group_by.map((dimension) => groupingOf(dimension, calendar, at))
  const columns = groupings.map((_, index) => `g${index}`)
  const named = (letter: string) =>
    listed(groupings, ({ grouped }, index) => sql`${grouped} AS ${raw(`${letter}${index}`)}`)
  const byTime = groupings.length > 0 && groupings.every(({ timed }) => timed)
  return {
    names: group_by,
    by: raw(columns.length > 0 ? columns.join(', ') : '()'),
    select: named('g'),
    named,
    byTime,
    shown: listed(groupings, ({ shown }, index) => sql`${shown(`g${index}`)} AS ${raw(`k${index}`)}`),
    order: raw((byTime ? columns : ['coalesce(cost_usd, 0) DESC', 'calls DESC', ...columns]).join(', ')),
    moved: raw(['abs(coalesce(cost_usd, 0) - coalesce(previous_cost_usd, 0)) DESC', ...columns].join(', ')),
  }
}

/** The same question without its groups. */
export const ungrouped = (groups: Groups): Groups => {
  const none = raw('')
  return { ...groups, names: [], by: raw('()'), select: none, named: () => none, shown: none, order: raw('calls') }
}

/** The receipts that a question is about. */
export const receiptsOf = (question: Spend, window: TimeWindow): Sql =>
  sql`FROM spending WHERE ${where(window, question.filters, question.zone)}`

/** One text for the group of a row, to find it again in another answer. */
export const keyOf = ({ names }: Groups, row: Row): string => JSON.stringify(names.map((_, at) => text(row[`k${at}`])))

export const groupOf = ({ names }: Groups, row: Row): Readonly<Record<string, string | null>> =>
  Object.fromEntries(names.map((name, at) => [name, text(row[`k${at}`])]))

/** Beyond so many groups all of them are asked for, rather than each by name. */
const MOST_NAMED = 1000

/** A condition on k0, k1 … : the group is one of those rows. Without rows each group is. */
export const amongst = ({ names }: Groups, rows?: readonly Row[]): Sql => {
  if (names.length === 0 || rows === undefined || rows.length > MOST_NAMED) return raw('true')
  const group = (row: Row) => {
    const values = names
      .map((_, at) => text(row[`k${at}`]))
      .map((value) => (value === null ? raw('NULL') : sql`${value}`))
    return sql`[${join(values, ', ')}]::VARCHAR[]`
  }
  const columns = raw(names.map((_, at) => `k${at}`).join(', '))
  return rows.length === 0 ? raw('false') : sql`[${columns}]::VARCHAR[] IN (${join(rows.map(group), ', ')})`
}
