/** Receipts for a replay, a page of time after the other: only what it reads of them, a line each. */
import { type columns, packs } from '../../core/columns.ts'
import type { Filter } from '../../core/dimension.ts'
import {
  type HistoryPage,
  historyCounts,
  historyKeys,
  historyPacks,
  historyTexts,
  type RepeatedCall,
} from '../../core/history.ts'
import type { Question, TimeWindow } from '../../core/ledger.ts'
import { where } from './dimensions.ts'
import type { Session } from './engine.ts'
import { raw, type Sql, sql } from './sql.ts'
import { splitsOf, storedText } from './taken.ts'
import { first, numberOrNull, text, usd } from './values.ts'

type Asked = Extract<Question, { ask: 'history' }>
type Field = keyof typeof columns
type Chosen = Readonly<{ window: TimeWindow; filters: readonly Filter[] | undefined }>

/** A call that was refused never came to a provider, nor to a lever. */
const replayed = raw(`outcome <> 'refused'`)

const [PART, VALUE, LINE] = ['chr(30)', 'chr(31)', 'chr(10)'] as const

const ownKeys = historyKeys.slice(0, -packs.chain.length)

/** `concat` leaves an absent value out, and takes half of what `concat_ws` takes. */
const said = (parts: readonly (readonly string[])[]): string =>
  `concat(${parts.map((values) => values.join(`, ${VALUE}, `)).join(`, ${PART}, `)})`

/** What is computed of a receipt takes the engine long to plan, so lines are made of columns as they are stored, packs whole. */
const storedLine = said([
  historyCounts.map(storedText),
  ...historyPacks.map((pack) => [pack]),
  [...ownKeys.map(storedText), `coalesce(chain, ${VALUE})`],
  historyTexts.map(storedText),
])

const packedLines = (rows: Sql): Sql => sql`
  SELECT ${raw(storedLine)} AS line FROM (SELECT *, ${raw(splitsOf(['rest', 'ended']))} FROM packed WHERE ${rows})`

/** Without filters nothing has to be found out of a receipt but when it came and how it ended, and its row is read once. */
const packed = ({ window, filters = [] }: Chosen): Sql => {
  const within = sql`${where(window)} AND corrects IS NULL`
  if (filters.length === 0)
    return sql`${packedLines(within)} WHERE ${raw(`nullif(${storedText('outcome')}, '')`)} <> 'refused'`
  return packedLines(
    sql`rowid IN (SELECT place FROM spending WHERE ${where(window, filters)} AND ${replayed} AND corrects IS NULL)`,
  )
}

/** The same of a receipt that is spelt. Values by position have no control characters; what is spelt may, and they are no marks of ours. */
const speltText = (name: Field): string => {
  const isList = (packs.chain as readonly Field[]).includes(name)
  const value = isList ? `array_to_string(${name}, ',')` : name === 'levers' ? 'to_json(levers)' : `"${name}"`
  return `translate((${value})::VARCHAR, chr(10) || chr(30) || chr(31), '   ')`
}

const speltLine = said(
  [historyCounts, ...historyPacks.map((pack) => packs[pack]), historyKeys, historyTexts].map((names) =>
    names.map(speltText),
  ),
)

/** Few ledgers have receipts that are spelt, and few pages of those. */
const lines = async (session: Session, chosen: Chosen): Promise<Sql> => {
  const condition = sql`${where(chosen.window, chosen.filters)} AND ${replayed} AND corrects IS NULL`
  const some = await session.rows(sql`SELECT 1 FROM spelt WHERE ${condition} LIMIT 1`)
  if (some.length === 0) return packed(chosen)
  return sql`${packed(chosen)} UNION ALL SELECT ${raw(speltLine)} AS line FROM spelt WHERE ${condition}`
}

/** The first page is looked for in this part of the window: receipts lie nearly in order of time. */
const FIRST_LOOK = 1 / 64
/** So much more than seems to be enough is looked through, that one look is. */
const MARGIN = 1.25

/** The moment with which a page of about `limit` receipts ends, filters aside; null where fewer are left. */
const endOf = async (
  session: Session,
  { from_us, to_us, look_us, limit }: TimeWindow & Readonly<{ look_us: number; limit: number }>,
): Promise<number | null> => {
  let until_us = from_us + Math.ceil(look_us * MARGIN)
  for (;;) {
    until_us = Math.min(until_us, to_us)
    const within = sql`WHERE started_at_us >= ${from_us} AND started_at_us < ${until_us}`
    const row = first(
      await session.rows(sql`
        SELECT count(*) AS receipts, max(started_at_us) AS last_us FROM (
          SELECT started_at_us FROM (
            SELECT started_at_us FROM packed ${within} UNION ALL SELECT started_at_us FROM spelt ${within})
          ORDER BY started_at_us LIMIT ${limit})`),
    )
    const receipts = Number(row['receipts'])
    if (receipts >= limit) return numberOrNull(row['last_us'])
    if (until_us >= to_us) return null
    until_us = from_us + Math.ceil((until_us - from_us) * Math.max(2, (MARGIN * limit) / Math.max(1, receipts)))
  }
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

/** Lines leave the engine as one text: each value that does so by itself costs as much as making it. */
const textOf = async (session: Session, chosen: Chosen): Promise<string> => {
  const [[all] = []] = await session.columns(
    sql`SELECT string_agg(line, ${raw(LINE)}) AS lines FROM (${await lines(session, chosen)})`,
  )
  return typeof all === 'string' ? all : ''
}

/** Answers with a page of the past, which holds every receipt of its moments. */
export const history = async (session: Session, asked: Asked): Promise<HistoryPage> => {
  const { window, filters, from_us = window.from_us, limit } = asked
  const { to_us: end_us } = window
  const look_us = asked.look_us ?? (end_us - from_us) * FIRST_LOOK
  const last_us = await endOf(session, { from_us, to_us: end_us, look_us, limit: Math.max(1, limit) })
  const to_us = last_us === null ? end_us : last_us + 1
  const rest = sql`${where({ from_us, to_us: end_us }, filters)} AND ${replayed}`
  return {
    text: await textOf(session, { window: { from_us, to_us }, filters }),
    next_us: last_us === null ? null : to_us,
    repeated: asked.from_us === undefined ? await repeatedCalls(session, rest) : [],
  }
}
