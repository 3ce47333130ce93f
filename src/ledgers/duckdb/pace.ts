import type { SpendRow } from '../../core/ledger.ts'
import type { Session } from './engine.ts'
import { type Groups, keyOf, receiptsOf, type Spend } from './groups.ts'
import { raw, sql } from './sql.ts'
import { count, first, rounded } from './values.ts'

/** How fast a group was, in ms: time to the first token, and to the end. */
export type Pace = Pick<SpendRow, 'ttft_ms_p50' | 'duration_ms_p50' | 'duration_ms_p95'>

export const unknownPace: Pace = { ttft_ms_p50: null, duration_ms_p50: null, duration_ms_p95: null }

/** Up to so many receipts quantiles are exact; beyond, they are taken from every n-th receipt, evenly. */
const MOST_RECEIPTS = 500_000

/** An answer that nobody had to compute has no pace of a model. */
const TIMED = raw(`corrects IS NULL AND outcome NOT IN ('refused', 'cached', 'deferred', 'unknown')`)

/** The pace of every group, by `keyOf`, and under `all` that of all receipts. */
export const pacesOf = async (session: Session, question: Spend, groups: Groups) => {
  const receipts = receiptsOf(question, question.window)
  const [found] = await session.rows(sql`SELECT count(*) AS n ${receipts}`)
  const every = Math.ceil(Math.max(1, count(found?.['n'])) / MOST_RECEIPTS)
  const quantiles = (by: Groups) => sql`
    WITH grouped AS (
      SELECT ${by.select}
        quantile_cont((first_token_at_us - started_at_us) / 1000, 0.5) AS ttft_ms_p50,
        quantile_cont((ended_at_us - started_at_us) / 1000, [0.5, 0.95]) AS duration_ms
      ${receipts} AND ${TIMED} AND rowid % ${every} = 0 GROUP BY ${by.by}
    )
    SELECT ${by.shown} ttft_ms_p50, duration_ms[1] AS duration_ms_p50, duration_ms[2] AS duration_ms_p95 FROM grouped`
  const pace = (row: Readonly<Record<string, unknown>>): Pace => ({
    ttft_ms_p50: rounded(row['ttft_ms_p50'], 1),
    duration_ms_p50: rounded(row['duration_ms_p50'], 1),
    duration_ms_p95: rounded(row['duration_ms_p95'], 1),
  })
  const none: Groups = { ...groups, names: [], by: raw('()'), select: raw(''), shown: raw(''), keys: raw('') }
  const all = pace(first(await session.rows(quantiles(none))))
  const rows = groups.names.length > 0 ? await session.rows(quantiles(groups)) : []
  return { all, of: new Map(rows.map((row) => [keyOf(groups, row), pace(row)])) }
}
