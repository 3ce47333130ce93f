/**
 * Questions with very many groups of which few are shown: what makes the foremost of them is summed for all, and the rest of
 * the sums for those alone.
 */
import type { Session } from './engine.ts'
import type { Groups, Spend } from './groups.ts'
import { join, raw, type Sql, sql } from './sql.ts'
import { count } from './values.ts'

/** Dimensions that have nearly as many values as there are calls. */
const many: ReadonlySet<string> = new Set(['session', 'user', 'customer'])
const FEW_DIMENSIONS = 2

/** Are there likely so many groups that it is worth to look at the receipts twice? */
export const isWorth = ({ group_by, limit }: Spend, { byTime }: Groups): boolean =>
  limit !== undefined &&
  !byTime &&
  (group_by.length > FEW_DIMENSIONS || group_by.some((one) => many.has(one) || one.startsWith('tag:')))

/** What decides the order of groups. */
export const ranking = ['calls', 'cost_usd'] as const

/** The foremost groups are in the table `foremost` of the session; `groups` is how many there are of all. */
export type Foremost = Readonly<{ groups: number; narrowed: Sql }>

/** A condition on a plain column that the engine holds against its blocks, where a join would read each row. */
const narrowed = async (session: Session, { group_by }: Spend): Promise<Sql> => {
  const at = group_by.findIndex((one) => many.has(one))
  if (at < 0) return raw('true')
  const rows = await session.rows(sql`SELECT DISTINCT ${raw(`g${at}`)} AS value FROM temp.foremost`)
  const values = rows.flatMap(({ value }) => (value === null ? [] : [sql`${String(value)}`]))
  const column = raw(`"${group_by[at]}"`)
  const named = values.length > 0 ? sql`${column} IN (${join(values, ', ')})` : raw('false')
  return values.length < rows.length ? sql`(${named} OR ${column} IS NULL)` : named
}

/**
 * Finds the foremost groups, and those that moved most where they are asked for. `parts` is a query of `ranking` by groups,
 * whose sums it adds up.
 */
export const foremost = async (session: Session, question: Spend, groups: Groups, parts: Sql): Promise<Foremost> => {
  const { compare, limit, movers } = question
  const names = [...ranking, ...(compare ? ['previous_cost_usd'] : [])]
  const sums = raw(names.map((name) => `sum(${name}) AS ${name}`).join(', '))
  const first = (order: Sql, most: number): Sql =>
    sql`(SELECT ${groups.by}, (SELECT count(*) FROM ranked) AS groups FROM ranked ORDER BY ${order} LIMIT ${most})`
  const moved = movers === undefined ? raw('') : sql`UNION ${first(groups.moved, movers)}`
  await session.run(sql`
    CREATE OR REPLACE TEMP TABLE foremost AS
    WITH parts AS (${parts}), ranked AS MATERIALIZED (SELECT ${groups.by}, ${sums} FROM parts GROUP BY ${groups.by})
    ${first(groups.order, limit ?? Number.MAX_SAFE_INTEGER)} ${moved}`)
  const [found] = await session.rows(sql`SELECT max(groups) AS groups FROM temp.foremost`)
  return { groups: count(found?.['groups'] ?? 0), narrowed: await narrowed(session, question) }
}

/** The rows of a table that lie in one of the foremost groups. */
export const amongForemost = (groups: Groups, rows: Sql): Sql => {
  const same = groups.names.map((_, at) => `one.f${at} IS NOT DISTINCT FROM two.g${at}`).join(' AND ')
  return sql`(SELECT one.* FROM (SELECT ${groups.named('f')} * FROM ${rows}) AS one SEMI JOIN temp.foremost AS two ON ${raw(same)})`
}
