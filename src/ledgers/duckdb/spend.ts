import type { Answers, SpendRow, TimeWindow } from '../../core/ledger.ts'
import type { Row, Session } from './engine.ts'
import { type Groups, groupOf, groupsOf, keyOf, receiptsOf, type Spend } from './groups.ts'
import { countNames, measureNames, measures, moneyNames, totals } from './measures.ts'
import { type Pace, pacesOf, unknownPace } from './pace.ts'
import { raw, type Sql, sql } from './sql.ts'
import { flat, trendsOf } from './trend.ts'
import { count, usd } from './values.ts'

const withBefore = ({ from_us, to_us }: TimeWindow): TimeWindow => ({ from_us: from_us - (to_us - from_us), to_us })

/** Corrections are rare; only where there are some must unpriced receipts be looked up in them. */
const hasCorrections = async (session: Session): Promise<boolean> =>
  (await session.rows(sql`SELECT 1 FROM receipts WHERE corrects IS NOT NULL LIMIT 1`)).length > 0

/** The total comes from the same groups as the rows, in one statement: a view cannot disagree with its sum. */
const statementOf = (question: Spend, groups: Groups, corrected: boolean): Sql => {
  const { window, compare, limit } = question
  const current = compare ? sql`started_at_us >= ${window.from_us}` : undefined
  const previous = current ? sql`, sum(cost_usd) FILTER (NOT (${current})) AS previous_cost_usd` : raw('')
  const names = raw([...measureNames, ...(compare ? ['previous_cost_usd'] : [])].join(', '))
  return sql`
    WITH grouped AS MATERIALIZED (
      SELECT ${groups.select} ${measures(corrected, current)} ${previous}
      ${receiptsOf(question, compare ? withBefore(window) : window)} GROUP BY ${groups.by}
    ), top AS (
      SELECT * FROM grouped ORDER BY ${groups.order} LIMIT ${limit ?? Number.MAX_SAFE_INTEGER}
    )
    SELECT ${raw(groups.names.map((_, at) => `NULL AS k${at}, `).join(''))} -1 AS place, count(*) AS groups,
      ${totals} ${compare ? raw(', sum(previous_cost_usd) AS previous_cost_usd') : raw('')} FROM grouped
    UNION ALL
    SELECT ${groups.shown} row_number() OVER (ORDER BY ${groups.order}) AS place, 0, ${names} FROM top
    ORDER BY place`
}

type Extras = Readonly<{ pace: Pace; trend_usd?: readonly string[] }>

const named = <Name extends string, Value>(names: readonly Name[], value: (name: Name) => Value) =>
  Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Name, Value>

const rowOf = (row: Row, group: SpendRow['group'], { pace, trend_usd }: Extras): SpendRow => {
  const counts = named(countNames, (name) => count(row[name]))
  const money = named(moneyNames, (name): string => usd(row[name]))
  return {
    group,
    ...counts,
    ...money,
    ...pace,
    ...('previous_cost_usd' in row ? { previous_cost_usd: usd(row['previous_cost_usd']) } : {}),
    ...(trend_usd ? { trend_usd } : {}),
  }
}

/** Answers where the money went. The sum of all groups is the total, to the picodollar. */
export const spend = async (session: Session, question: Spend): Promise<Answers['spend']> => {
  const { slices } = question
  const groups = groupsOf(question)
  const found = await session.rows(statementOf(question, groups, await hasCorrections(session)))
  const [total = {}, ...grouped] = found
  const rows = groups.names.length > 0 ? grouped : []
  const paces = await pacesOf(session, question, groups)
  const trends = await trendsOf(session, question, groups)
  const ungrouped: Groups = { ...groups, names: [] }
  const all = slices
    ? await trendsOf(session, { ...question, group_by: [] }, groupsOf({ ...question, group_by: [] }))
    : trends
  const trendIn = (from: ReadonlyMap<string, readonly string[]>, key: string) =>
    slices ? { trend_usd: from.get(key) ?? flat(slices) } : {}
  return {
    rows: rows.map((row) => {
      const key = keyOf(groups, row)
      return rowOf(row, groupOf(groups, row), { pace: paces.of.get(key) ?? unknownPace, ...trendIn(trends, key) })
    }),
    total: rowOf(total, {}, { pace: paces.all, ...trendIn(all, keyOf(ungrouped, {})) }),
    more: Math.max(0, count(total['groups']) - grouped.length),
  }
}
