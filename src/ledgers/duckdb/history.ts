/** Receipts in order of time for a replay: only what it reads of them, as one text each, and what repeats only once. */
import { factFields, ownFields, restFields } from '../../core/columns.ts'
import { historyFacts, historyFields, type RepeatedCall } from '../../core/history.ts'
import type { Answers, Question } from '../../core/ledger.ts'
import { where } from './dimensions.ts'
import type { Session } from './engine.ts'
import { raw, type Sql, sql } from './sql.ts'
import { first, numberOrNull, text, usd } from './values.ts'

type Asked = Extract<Question, { ask: 'history' }>
type Field = (typeof historyFacts)[number] | (typeof historyFields)[number]

const NEWLINE = 10

/** A call that was refused never came to a provider, nor to a lever. */
const replayed = raw(`outcome <> 'refused'`)

const isOwn = (name: Field): boolean => (ownFields as readonly Field[]).includes(name)

/** Where a field lies in the columns that hold several, split once for all of a receipt's fields. */
const placeOf = (name: Field): string => {
  if (isOwn(name)) return `"${name}"`
  const fact = (factFields as readonly Field[]).indexOf(name)
  return fact >= 0 ? `few[${fact + 1}]` : `rare[${(restFields as readonly Field[]).indexOf(name) + 2}]`
}

/** Columns that are computed read the same of a receipt that is said as JSON. */
const spelt = (name: Field): string => {
  if (name === 'prefix_hashes' || name === 'prefix_tokens') return `array_to_string(${name}, ',')`
  return name === 'levers' ? 'to_json(levers)' : `"${name}"`
}

const joined = (names: readonly Field[], read: (name: Field) => string): string =>
  `concat_ws(chr(31), ${names.map((name) => `coalesce((${read(name)})::VARCHAR, '')`).join(', ')})`

const lineOf = (read: (name: Field) => string): string =>
  `concat_ws(chr(30), ${joined(historyFacts, read)}, ${joined(historyFields, read)})`

const own = [...new Set<Field>([...historyFacts, ...historyFields])].filter(isOwn).map((name) => `"${name}"`)

/** What is computed of a receipt takes the engine long to plan, so only the stored columns are named. */
const byPosition = (condition: Sql): Sql => sql`
  SELECT started_at_us, receipt_id, ${raw(lineOf(placeOf))} AS line FROM (
    SELECT ${raw(own.join(', '))}, string_split(facts, chr(31)) AS few, string_split(rest, chr(31)) AS rare
    FROM receipts WHERE whole IS NULL AND ${condition})`

/** Values by position have no control characters. What was said as JSON may, and then they are no marks of ours. */
const asJson = (condition: Sql): Sql => sql`
  SELECT started_at_us, receipt_id,
    ${raw(lineOf((name) => `translate((${spelt(name)})::VARCHAR, chr(10) || chr(30) || chr(31), '   ')`))} AS line
  FROM receipts WHERE whole IS NOT NULL AND ${condition}`

/** Few ledgers have receipts that were said as JSON, and few pages of those. */
const lines = async (session: Session, condition: Sql): Promise<Sql> => {
  const spelt = await session.rows(sql`SELECT 1 FROM receipts WHERE whole IS NOT NULL AND ${condition} LIMIT 1`)
  return spelt.length === 0 ? byPosition(condition) : sql`${byPosition(condition)} UNION ALL ${asJson(condition)}`
}

/** The moment with which a page of about `limit` receipts ends; null where fewer are left. Read from one narrow column. */
const endOf = async (session: Session, condition: Sql, limit: number): Promise<number | null> => {
  const row = first(
    await session.rows(sql`
      SELECT count(*) AS receipts, max(started_at_us) AS last_us
      FROM (SELECT started_at_us FROM receipts WHERE ${condition} ORDER BY started_at_us LIMIT ${limit})`),
  )
  return Number(row['receipts']) < limit ? null : numberOrNull(row['last_us'])
}

/** Calls of several receipts: further attempts, and corrections. There are few of them. */
const repeatedCalls = async (session: Session, condition: Sql): Promise<readonly RepeatedCall[]> => {
  const rows = await session.rows(sql`
    WITH several AS (SELECT DISTINCT call_id FROM receipts WHERE ${condition} AND (attempt > 1 OR corrects IS NOT NULL))
    SELECT arg_max(receipt_id, (attempt, started_at_us)) FILTER (corrects IS NULL) AS stands,
      list(receipt_id) FILTER (corrects IS NULL) AS receipts, sum(cost_usd) AS cost_usd
    FROM receipts WHERE ${condition} AND call_id IN (SELECT call_id FROM several)
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
