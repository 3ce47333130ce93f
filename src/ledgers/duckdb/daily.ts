/**
 * The roll-up of whole days (UTC), and a coarser one of its rows. It is a materialisation of receipts, never a second counter: a day is in it wholly, by
 * the same expressions as any answer, or not at all; a receipt that comes late takes its day out in its own transaction.
 */
import { DAY_US } from '../../core/date.ts'
import type { TimeWindow } from '../../core/ledger.ts'
import type { Session } from './engine.ts'
import type { Spend } from './groups.ts'
import { hasCorrections, measures } from './measures.ts'
import { briefColumns, dailyColumns } from './names.ts'
import { briefGroups, briefSelect } from './schema.ts'
import { join, raw, type Sql, sql } from './sql.ts'
import { count, numberOrNull } from './values.ts'

export { dailyColumns } from './names.ts'

const calendar = new Set<string>(['day', 'month'])
const derived = ['model', ...calendar]
const kept = new Set<string>([...dailyColumns, ...derived])
const keptBrief = new Set<string>([...briefColumns, ...derived])

/** The table of the coarsest roll-up that can answer it, if any can. Days of another zone than UTC are none of theirs. */
const rollUpFor = ({ group_by, filters = [], zone = 'UTC', tags = [] }: Spend): Cover['table'] | undefined => {
  const used = [...group_by, ...filters.map(({ dimension }) => dimension)]
  if (zone !== 'UTC' && used.some((dimension) => calendar.has(dimension))) return undefined
  // Rules that say anew who pays stand in front of the finer one.
  if (tags.length === 0 && used.every((dimension) => keptBrief.has(dimension))) return 'daily_brief'
  return used.every((dimension) => kept.has(dimension)) ? 'daily' : undefined
}

/** The days that lie wholly in a window, as numbers of days since the epoch. */
const wholeDays = ({ from_us, to_us }: TimeWindow): number[] => {
  const first = Math.ceil(from_us / DAY_US)
  return Array.from({ length: Math.max(0, Math.floor(to_us / DAY_US) - first) }, (_, at) => first + at)
}

/** Days as windows, neighbours joined. `days` ascend. */
const joined = (days: readonly number[]): TimeWindow[] => {
  const windows: { from_us: number; to_us: number }[] = []
  for (const day of days) {
    const last = windows.at(-1)
    if (last?.to_us === day * DAY_US) last.to_us += DAY_US
    else windows.push({ from_us: day * DAY_US, to_us: (day + 1) * DAY_US })
  }
  return windows
}

/** What is left of a window without some parts of it; `parts` ascend. */
const without = ({ from_us, to_us }: TimeWindow, parts: readonly TimeWindow[]): TimeWindow[] => {
  const edges = [from_us, ...parts.flatMap((part) => [part.from_us, part.to_us]), to_us]
  const left: TimeWindow[] = []
  for (let at = 0; at < edges.length; at += 2) {
    const window = { from_us: edges[at] ?? to_us, to_us: edges[at + 1] ?? to_us }
    if (window.from_us < window.to_us) left.push(window)
  }
  return left
}

export type Cover = Readonly<{
  table: 'daily' | 'daily_brief'
  /** Windows that this roll-up answers for … */
  daily: readonly TimeWindow[]
  /** … and those for which receipts are read. Together they are the question's windows. */
  receipts: readonly TimeWindow[]
  /** Days that the roll-up could have had. */
  missing: readonly number[]
}>

/** Divides windows between the roll-up and the receipts. */
export const coverOf = async (session: Session, question: Spend, windows: readonly TimeWindow[]): Promise<Cover> => {
  const table = rollUpFor(question)
  if (table === undefined) return { table: 'daily', daily: [], receipts: windows, missing: [] }
  const rows = await session.rows(sql`SELECT day FROM daily_days`)
  const rolled = new Set(rows.map((row) => count(row['day'])))
  const days = windows.map(wholeDays)
  const daily = days.map((some) => joined(some.filter((day) => rolled.has(day))))
  return {
    table,
    daily: daily.flat(),
    receipts: windows.flatMap((window, at) => without(window, daily[at] ?? [])),
    missing: days.flat().filter((day) => !rolled.has(day)),
  }
}

/** Of days that are missing, those worth rolling up: in the past of the newest receipt, so that they will hardly change. */
export const worthRolling = async (session: Session, missing: readonly number[]): Promise<readonly number[]> => {
  if (missing.length === 0) return []
  // Of a table the engine knows both without reading it, of the view in front of the two it does not.
  const [found] = await session.rows(sql`
    SELECT least(packed.first, spelt.first) AS first, greatest(packed.last, spelt.last) AS last
    FROM (SELECT min(started_at_us) AS first, max(started_at_us) AS last FROM packed) AS packed,
      (SELECT min(started_at_us) AS first, max(started_at_us) AS last FROM spelt) AS spelt`)
  const [from, to] = [numberOrNull(found?.['first']), numberOrNull(found?.['last'])]
  return missing.filter((day) => from !== null && to !== null && (day + 1) * DAY_US > from && (day + 1) * DAY_US <= to)
}

/** How many receipts there are from the first of these days to the last. `days` ascend. */
export const receiptsIn = async (session: Session, days: readonly number[]): Promise<number> => {
  const [found] = await session.rows(sql`SELECT count(*) AS n FROM spending WHERE ${spanOf(days)}`)
  return count(found?.['n'])
}

const spanOf = (days: readonly number[]): Sql =>
  within([{ from_us: (days[0] ?? 0) * DAY_US, to_us: ((days.at(-1) ?? 0) + 1) * DAY_US }])

const names = raw(dailyColumns.join(', '))
const size = raw(String(DAY_US))
const day = sql`started_at_us // ${size}`
const listOf = (days: readonly number[]): Sql =>
  join(
    days.map((one) => sql`${one}`),
    ', ',
  )

/** Rolls days up, in a transaction of their own. Those that are there already stay as they are. `days` ascend. */
export const rollDays = async (session: Session, days: readonly number[]): Promise<void> => {
  await session.run(sql`BEGIN`)
  try {
    const known = await session.rows(sql`SELECT day FROM daily_days WHERE day IN (${listOf(days)})`)
    const rolled = new Set(known.map((row) => count(row['day'])))
    const fresh = days.filter((one) => !rolled.has(one))
    if (fresh.length > 0) {
      await session.run(sql`
        INSERT INTO daily BY NAME
        SELECT ${day} * ${size} AS started_at_us, ${names}, ${measures(await hasCorrections(session))}
        FROM spending WHERE ${spanOf(fresh)} AND ${day} IN (${listOf(fresh)}) GROUP BY ${day}, ${names}`)
      await session.run(sql`
        INSERT INTO daily_brief BY NAME ${raw(briefSelect)} WHERE ${day} IN (${listOf(fresh)}) ${raw(briefGroups)}`)
      await session.run(sql`INSERT INTO daily_days SELECT unnest([${listOf(fresh)}])`)
    }
    await session.run(sql`COMMIT`)
  } catch (error) {
    await session.run(sql`ROLLBACK`).catch(() => 0)
    throw error
  }
}

/**
 * Takes the days of the receipts from those rows of the two tables on out of the roll-up, in the caller's transaction. A
 * correction can end the unpriced state of a receipt of any day, so it takes all of them out.
 */
export const unrollDays = async (session: Session, first_row: number, first_spelt: number): Promise<void> => {
  if ((await session.rows(sql`SELECT 1 FROM daily_days LIMIT 1`)).length === 0) return
  const [added] = await session.rows(sql`
    SELECT min(started_at_us) AS first, max(started_at_us) AS last, bool_or(corrects IS NOT NULL) AS corrects
    FROM (SELECT started_at_us, corrects FROM packed WHERE rowid >= ${first_row}
      UNION ALL SELECT started_at_us, corrects FROM spelt WHERE rowid >= ${first_spelt})`)
  const [from, to] = [numberOrNull(added?.['first']), numberOrNull(added?.['last'])]
  if (from === null || to === null) return
  const touched = added?.['corrects']
    ? raw('true')
    : sql`day BETWEEN ${Math.floor(from / DAY_US)} AND ${Math.floor(to / DAY_US)}`
  const gone = sql`started_at_us // ${DAY_US} IN (SELECT day FROM daily_days WHERE ${touched})`
  for (const table of ['daily', 'daily_brief']) await session.run(sql`DELETE FROM ${raw(table)} WHERE ${gone}`)
  await session.run(sql`DELETE FROM daily_days WHERE ${touched}`)
}

/** Any of the windows. */
export const within = (windows: readonly TimeWindow[]) =>
  windows.length === 0
    ? raw('false')
    : sql`(${join(
        windows.map(({ from_us, to_us }) => sql`started_at_us >= ${from_us} AND started_at_us < ${to_us}`),
        ' OR ',
      )})`
