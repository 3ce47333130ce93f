/** The groups of a spend question. Their columns are g0, g1 … as the engine groups them and k0, k1 … as they are shown. */
import type { Question, TimeWindow } from '../../core/ledger.ts'
import { checkedZone, type Grouping, groupingOf, where } from './dimensions.ts'
import type { Row } from './engine.ts'
import { join, raw, type Sql, sql } from './sql.ts'
import { text } from './values.ts'

export type Spend = Extract<Question, { ask: 'spend' }>

export type Groups = Readonly<{
  names: readonly string[]
  /** `g0, g1`, or `()` where nothing is grouped: both can follow GROUP BY. */
  by: Sql
  /** `expression AS g0, … ,` to begin a SELECT list with. */
  select: Sql
  /** `text of g0 AS k0, … ,` */
  shown: Sql
  /** `k0, k1, ` */
  keys: Sql
  /** Groups of time alone come oldest first, others dearest first; ties by name, so that an answer is always the same. */
  order: Sql
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
export const groupsOf = ({ group_by, window, compare, zone }: Spend): Groups => {
  const length = window.to_us - window.from_us
  const at = compare
    ? sql`CASE WHEN started_at_us < ${window.from_us} THEN started_at_us + ${length} ELSE started_at_us END`
    : raw('started_at_us')
  const groupings: readonly Grouping[] = group_by.map((dimension) => groupingOf(dimension, checkedZone(zone), at))
  const columns = groupings.map((_, index) => `g${index}`)
  const byTime = groupings.length > 0 && groupings.every(({ timed }) => timed)
  return {
    names: group_by,
    by: raw(columns.length > 0 ? columns.join(', ') : '()'),
    select: listed(groupings, ({ grouped }, index) => sql`${grouped} AS ${raw(`g${index}`)}`),
    shown: listed(groupings, ({ shown }, index) => sql`${shown(`g${index}`)} AS ${raw(`k${index}`)}`),
    keys: listed(columns, (_, index) => raw(`k${index}`)),
    order: raw((byTime ? columns : ['coalesce(cost_usd, 0) DESC', 'calls DESC', ...columns]).join(', ')),
  }
}

/** The receipts that a question is about. */
export const receiptsOf = ({ filters, zone }: Spend, window: TimeWindow): Sql =>
  sql`FROM receipts WHERE ${where(window, filters, checkedZone(zone))}`

/** One text for the group of a row, to find it again in another answer. */
export const keyOf = ({ names }: Groups, row: Row): string => JSON.stringify(names.map((_, at) => text(row[`k${at}`])))

export const groupOf = ({ names }: Groups, row: Row): Readonly<Record<string, string | null>> =>
  Object.fromEntries(names.map((name, at) => [name, text(row[`k${at}`])]))
