import type { Answers, SpendMove, SpendRow, TimeWindow } from '../../core/ledger.ts'
import { type Cover, coverOf, within } from './daily.ts'
import { filtered } from './dimensions.ts'
import type { Row, Session } from './engine.ts'
import { amongForemost, type Foremost, foremost, isWorth, ranking } from './foremost.ts'
import { calendarFor, type Groups, groupOf, groupsOf, keyOf, type Spend, ungrouped } from './groups.ts'
import { hasCorrections, measures, totals } from './measures.ts'
import { countNames, measureNames, moneyNames } from './names.ts'
import { type Pace, pacesOf, unknownPace } from './pace.ts'
import { join, raw, type Sql, sql } from './sql.ts'
import { flat, trendsOf } from './trend.ts'
import { count, usd } from './values.ts'

/** The window, and with `compare` the one of the same length before it. */
const windowsOf = ({ window, compare }: Spend): readonly TimeWindow[] => {
  const { from_us, to_us } = window
  return compare ? [{ from_us: from_us - (to_us - from_us), to_us: from_us }, window] : [window]
}

/** What is asked for of a question's rows: which sums, and of which groups. */
type Wanted = Readonly<{ names: readonly (typeof measureNames)[number][]; among?: Foremost }>

type Source = Readonly<{ table: Sql; windows: readonly TimeWindow[]; sums: (only?: Sql) => Sql }>

/** Sums over a part of the question's windows, from the roll-up's rows or from receipts. */
const partOf = (question: Spend, groups: Groups, { table, windows, sums }: Source, { among }: Wanted): Sql => {
  const { window, compare, filters } = question
  const current = compare ? sql`started_at_us >= ${window.from_us}` : undefined
  const previous = current ? sql`, sum(cost_usd) FILTER (NOT (${current})) AS previous_cost_usd` : raw('')
  const asked = sql`${table} WHERE ${within(windows)} AND ${filtered(filters, calendarFor(question))}`
  const rows = among ? amongForemost(groups, sql`${asked} AND ${among.narrowed}`) : asked
  return sql`SELECT ${groups.select} ${sums(current)} ${previous} FROM ${rows} GROUP BY ${groups.by}`
}

/** The same over all of them, from wherever each part comes. */
const partsOf = (question: Spend, groups: Groups, { cover, corrected }: Basis, wanted: Wanted): Sql => {
  const { names } = wanted
  const receipts: Source = {
    table: raw('spending'),
    windows: cover.receipts,
    sums: (only) => measures(corrected, only, names),
  }
  const daily: Source = { table: raw(cover.table), windows: cover.daily, sums: (only) => totals(only, names) }
  const sources = cover.daily.length > 0 ? [receipts, daily] : [receipts]
  return join(
    sources.map((source) => partOf(question, groups, source, wanted)),
    ' UNION ALL ',
  )
}

/** What an answer is made from: the roll-up as far as it goes, and whether there are corrections. */
type Basis = Readonly<{ cover: Cover; corrected: boolean }>

const MARK = '|'

/** All sums of a row as one text: of many columns each value is taken out of the engine by itself, which takes longer than the sums. */
const together = (names: readonly string[]): Sql =>
  raw(`concat_ws('${MARK}', ${names.map((name) => `coalesce(${name}::VARCHAR, '')`).join(', ')}) AS sums`)

/** Places of the total and, before it, of what moved: rows come in their order, so movers come last first. */
const TOTAL = -1

/** The groups that moved most, as rows of their own. */
const movers = ({ movers: most }: Spend, { names, shown, moved }: Groups, sums: Sql): Sql =>
  most === undefined || names.length === 0
    ? raw('')
    : sql`UNION ALL
    SELECT ${shown} ${TOTAL} - row_number() OVER (ORDER BY ${moved}) AS place, 0, ${sums}
    FROM (SELECT * FROM grouped ORDER BY ${moved} LIMIT ${most})`

/** The total comes from the same groups as the rows, in one statement: a view cannot disagree with its sum. */
const statementOf = (question: Spend, groups: Groups, basis: Basis, among?: Foremost): Sql => {
  const { compare, limit } = question
  const sums = together([...measureNames, ...(compare ? ['previous_cost_usd'] : [])])
  const previous = compare ? raw(', sum(previous_cost_usd) AS previous_cost_usd') : raw('')
  const by = raw(groups.names.map((_, at) => `g${at}, `).join(''))
  return sql`
    WITH parts AS (
      ${partsOf(question, groups, basis, { names: measureNames, ...(among ? { among } : {}) })}
    ), grouped AS MATERIALIZED (
      SELECT ${by} ${totals()} ${previous} FROM parts GROUP BY ${groups.by}
    ), top AS (
      SELECT * FROM grouped ORDER BY ${groups.order} LIMIT ${limit ?? Number.MAX_SAFE_INTEGER}
    )
    SELECT ${raw(groups.names.map((_, at) => `NULL AS k${at}, `).join(''))} ${TOTAL} AS place, groups, ${sums}
    FROM (SELECT count(*) AS groups, ${totals()} ${previous} FROM grouped)
    UNION ALL
    SELECT ${groups.shown} row_number() OVER (ORDER BY ${groups.order}) AS place, 0, ${sums} FROM top
    ${movers(question, groups, sums)}
    ORDER BY place`
}

type Sums = Readonly<{ total: Row; rows: readonly Row[]; moved: readonly Row[]; groups: number }>

const sumsOf = async (
  session: Session,
  question: Spend,
  groups: Groups,
  basis: Basis,
  among?: Foremost,
): Promise<Sums> => {
  const all = await session.rows(statementOf(question, groups, basis, among))
  const at = all.findIndex(({ place }) => count(place) === TOTAL)
  const total = all[at] ?? {}
  if (groups.names.length === 0) return { total, rows: [], moved: [], groups: 0 }
  return { total, rows: all.slice(at + 1), moved: all.slice(0, at).toReversed(), groups: count(total['groups']) }
}

/** The same where there are very many groups; the total of all is asked for by itself, in the same snapshot. */
const sumsOfForemost = async (session: Session, question: Spend, groups: Groups, basis: Basis): Promise<Sums> => {
  const among = await foremost(session, question, groups, partsOf(question, groups, basis, { names: ranking }))
  const { rows, moved } = await sumsOf(session, question, groups, basis, among)
  const whole: Spend = { ...question, group_by: [] }
  const cover = await coverOf(session, whole, windowsOf(whole))
  const { total } = await sumsOf(session, whole, ungrouped(groups), { ...basis, cover })
  return { total, rows, moved, groups: among.groups }
}

/** Cost over time, of every group that is shown by `keyOf`, and of all receipts; none where no slices are asked for. */
const trendsIn = async (session: Session, question: Spend, groups: Groups, shown: readonly Row[]) => {
  const { slices } = question
  const none = ungrouped(groups)
  const trends = await trendsOf(session, question, groups, shown)
  const all = await trendsOf(session, question, none, [])
  const trendIn = (from: ReadonlyMap<string, readonly string[]>, key: string) =>
    slices ? { trend_usd: from.get(key) ?? flat(slices) } : {}
  return { of: (key: string) => trendIn(trends, key), all: trendIn(all, keyOf(none, {})) }
}

/** All that is money, from one snapshot. */
const moneyOf = async (session: Session, question: Spend, groups: Groups) => {
  const cover = await coverOf(session, question, windowsOf(question))
  const basis = { cover, corrected: await hasCorrections(session) }
  const sums = await (isWorth(question, groups) ? sumsOfForemost : sumsOf)(session, question, groups, basis)
  return { ...sums, trends: await trendsIn(session, question, groups, sums.rows), missing: cover.missing }
}

type Extras = Readonly<{ pace: Pace; trend_usd?: readonly string[] }>

const named = <Name extends string, Value>(
  names: readonly Name[],
  value: (at: number) => Value,
): Record<Name, Value> => {
  const found: Partial<Record<Name, Value>> = {}
  for (const [at, name] of names.entries()) found[name] = value(at)
  return found as Record<Name, Value>
}

const sumsIn = (row: Row): readonly string[] => String(row['sums'] ?? '').split(MARK)

const moveOf = (row: Row, group: SpendRow['group']): SpendMove => {
  const sums = sumsIn(row)
  return { group, before_usd: usd(sums[measureNames.length]), now_usd: usd(sums[measureNames.indexOf('cost_usd')]) }
}

const rowOf = (row: Row, group: SpendRow['group'], { pace, trend_usd }: Extras): SpendRow => {
  const sums = sumsIn(row)
  const counts = named(countNames, (at) => count(sums[at]))
  const money = named(moneyNames, (at): string => usd(sums[countNames.length + at]))
  const previous = sums[measureNames.length]
  return {
    group,
    ...counts,
    ...money,
    ...pace,
    ...(previous === undefined ? {} : { previous_cost_usd: usd(previous) }),
    ...(trend_usd ? { trend_usd } : {}),
  }
}

export type SpendAnswer = Readonly<{ answer: Answers['spend']; missing: readonly number[] }>

/** Runs on a connection of its own, with the same question's rules: beside what is asked here, and from a snapshot that may be a moment newer. */
export type Beside = <T>(act: (session: Session) => Promise<T>) => Promise<T>

/** Waits for both, also where one fails: nobody closes a connection on which something runs. */
const both = async <One, Other>(one: Promise<One>, other: Promise<Other>): Promise<readonly [One, Other]> => {
  await Promise.allSettled([one, other])
  return Promise.all([one, other])
}

/**
 * Answers where the money went. The sum of all groups is the total, to the picodollar. `missing` are the days that would
 * have made it faster, had they been rolled up.
 */
export const spend = async (session: Session, beside: Beside, question: Spend): Promise<SpendAnswer> => {
  const groups = groupsOf(question)
  const coming = moneyOf(session, question, groups)
  // How fast few groups were is asked for at the same time; of many, when it is known which are shown.
  const pacing = isWorth(question, groups)
    ? coming.then(({ rows }) => pacesOf(session, question, groups, rows))
    : beside((other) => pacesOf(other, question, groups))
  const [{ rows, moved, total, groups: all_groups, trends, missing }, paces] = await both(coming, pacing)
  const answer = {
    rows: rows.map((row) => {
      const key = keyOf(groups, row)
      return rowOf(row, groupOf(groups, row), { pace: paces.of.get(key) ?? unknownPace, ...trends.of(key) })
    }),
    total: rowOf(total, {}, { pace: paces.all, ...trends.all }),
    more: Math.max(0, all_groups - rows.length),
    ...(question.movers === undefined ? {} : { movers: moved.map((row) => moveOf(row, groupOf(groups, row))) }),
  }
  return { answer, missing }
}
