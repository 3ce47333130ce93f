/** Receipts in order of time for a replay: only what it reads of them, as one text each, and what repeats only once. */
import { packs } from '../../core/columns.ts'
import { historyFacts, historyFields, type RepeatedCall } from '../../core/history.ts'
import type { Answers, Question } from '../../core/ledger.ts'
import { where } from './dimensions.ts'
import type { Session } from './engine.ts'
import { raw, type Sql, sql } from './sql.ts'
import { splitsOf, storedText } from './taken.ts'
import { first, numberOrNull, text, usd } from './values.ts'

type Asked = Extract<Question, { ask: 'history' }>
type Field = (typeof historyFacts)[number] | (typeof historyFields)[number]

const NEWLINE = 10

/** A call that was refused never came to a provider, nor to a lever. */
const replayed = raw(`outcome <> 'refused'`)

/** The same of a receipt that is spelt. */
const spelt = (name: Field): string => {
  if (name === 'prefix_hashes' || name === 'prefix_tokens') return `array_to_string(${name}, ',')`
  return name === 'levers' ? 'to_json(levers)' : `"${name}"`
}

const joined = (names: readonly Field[], read: (name: Field) => string): string =>
  `concat_ws(chr(31), ${names.map((name) => `coalesce((${read(name)})::VARCHAR, '')`).join(', ')})`

const lineOf = (read: (name: Field) => string): string =>
  `concat_ws(chr(30), ${joined(historyFacts, read)}, ${joined(historyFields, read)})`

const splits = raw(splitsOf(Object.keys(packs)))

/** What is computed of a receipt takes the engine long to plan, so the lines are made from the columns as they are stored. */
const packed = (condition: Sql): Sql => sql`
  SELECT started_at_us, receipt_id, ${raw(lineOf(storedText))} AS line FROM (
    SELECT *, ${splits} FROM packed WHERE rowid IN (SELECT place FROM spending WHERE ${condition}))`

/** Values by position have no control characters. What is spelt may, and then they are no marks of ours. */
const asSpelt = (condition: Sql): Sql => sql`
  SELECT started_at_us, receipt_id,
    ${raw(lineOf((name) => `translate((${spelt(name)})::VARCHAR, chr(10) || chr(30) || chr(31), '   ')`))} AS line
  FROM spelt WHERE ${condition}`

/** Few ledgers have receipts that are spelt, and few pages of those. */
const lines = async (session: Session, condition: Sql): Promise<Sql> => {
  const some = await session.rows(sql`SELECT 1 FROM spelt WHERE ${condition} LIMIT 1`)
  return some.length === 0 ? packed(condition) : sql`${packed(condition)} UNION ALL ${asSpelt(condition)}`
}

/** The moment with which a page of about `limit` receipts ends; null where fewer are left. Read from one narrow column. */
const endOf = async (session: Session, condition: Sql, limit: number): Promise<number | null> => {
  const row = first(
    await session.rows(sql`
      SELECT count(*) AS receipts, max(started_at_us) AS last_us
      FROM (SELECT started_at_us FROM spending WHERE ${condition} ORDER BY started_at_us LIMIT ${limit})`),
  )
  return Number(row['receipts']) < limit ? null : numberOrNull(row['last_us'])
}

/** Calls of several receipts: further attempts, and corrections. There are few of them. */
const repeatedCalls = async (session: Session, condition: Sql): Promise<readonly RepeatedCall[]> => {
  const rows = await session.rows(sql`
    WITH several AS (SELECT DISTINCT call_id FROM spending WHERE ${condition} AND (attempt > 1 OR corrects IS NOT NULL))
    SELECT arg_max(receipt_id, (attempt, started_at_us)) FILTER (corrects IS NULL) AS stands,
      list(receipt_id) FILTER (corrects IS NULL) AS receipts, sum(cost_usd) AS cost_usd
    FROM spending WHERE ${condition} AND call_id IN (SELECT call_id FROM several)
    GROUP BY call_id`)
  return rows.map((row) => {
    const stands = text(row['stands'])
    const all = (row['receipts'] ?? []) as readonly string[]
    return { stands, others: all.filter((id) => id !== stands), cost_usd: usd(row['cost_usd']) }
  })
}

/** Each line as a text of its own: a slice would keep the whole page alive for as long as anybody keeps one of its hashes. */
const apart = (page: string): string[] => {
  const bytes = Buffer.from(page)
  const found: string[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start)
    found.push(bytes.toString('utf8', start, end < 0 ? bytes.length : end))
    start = end < 0 ? bytes.length : end + 1
  }
  return found
}

/** Answers with a page of the past, which holds every receipt of its moments. */
export const history = async (session: Session, asked: Asked): Promise<Answers['history']> => {
  const { window, filters, from_us = window.from_us, limit } = asked
  const within = (from: number, to: number) => sql`${where({ from_us: from, to_us: to }, filters)} AND ${replayed}`
  const last_us = await endOf(session, sql`${within(from_us, window.to_us)} AND corrects IS NULL`, Math.max(1, limit))
  const to_us = last_us === null ? window.to_us : last_us + 1
  const [[page = null] = []] = await session.columns(sql`
    SELECT string_agg(line, chr(10) ORDER BY started_at_us, receipt_id)
    FROM (${await lines(session, sql`${within(from_us, to_us)} AND corrects IS NULL`)})`)
  return {
    lines: typeof page === 'string' ? apart(page) : [],
    next_us: last_us === null ? null : to_us,
    repeated: asked.from_us === undefined ? await repeatedCalls(session, within(from_us, window.to_us)) : [],
  }
}
