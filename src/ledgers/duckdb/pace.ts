import type { SpendRow } from '../../core/ledger.ts'
import { coverOf, within } from './daily.ts'
import { where } from './dimensions.ts'
import type { Row, Session } from './engine.ts'
import { amongst, type Groups, keyOf, type Spend } from './groups.ts'
import { raw, type Sql, sql } from './sql.ts'
import { spendingSelect } from './taken.ts'
import { count, rounded } from './values.ts'

/** How fast a group was, in ms: time to the first token, and to the end. No time at all is a call brought in without its end. */
export type Pace = Pick<SpendRow, 'ttft_ms_p50' | 'duration_ms_p50' | 'duration_ms_p95'>

export const unknownPace: Pace = { ttft_ms_p50: null, duration_ms_p50: null, duration_ms_p95: null }

/** Up to so many receipts quantiles are exact … */
const MOST_RECEIPTS = 200_000

/** … and beyond they are those of a sample of about so many, taken evenly in blocks. */
const SAMPLE = 100_000

/**
 * An answer that nobody had to compute has no pace of a model, and the row of a bill was no call. Asked of each receipt once, for
 * all quantiles: as a condition on receipts the engine takes the packs apart anew for each word of it.
 */
const TIMED = raw(
  `corrects IS NULL AND outcome NOT IN ('refused', 'cached', 'deferred', 'unknown') AND origin <> 'focus'`,
)

const paceOf = (row: Row): Pace => ({
  ttft_ms_p50: rounded(row['ttft_ms_p50'], 1),
  duration_ms_p50: rounded(row['duration_ms_p50'], 1),
  duration_ms_p95: rounded(row['duration_ms_p95'], 1),
})

/** About how many receipts there are in a window, whatever the question asks of them. The tables alone are planned faster than the view of both. */
const receiptsAbout = async (session: Session, { window }: Spend): Promise<number> => {
  const cover = await coverOf(session, { ask: 'spend', window, group_by: [] }, [window])
  const inside = within(cover.receipts)
  const [found] = await session.rows(sql`
    SELECT (SELECT count(*) FROM packed WHERE ${inside}) + (SELECT count(*) FROM spelt WHERE ${inside}) AS n,
      (SELECT sum(greatest(calls, attempts)) FROM ${raw(cover.table)} WHERE ${within(cover.daily)}) AS rolled`)
  return count(found?.['n']) + count(found?.['rolled'])
}

/** The sample is drawn from the whole table, so its share is that of the window's receipts. */
const sampleOf = async (session: Session, question: Spend): Promise<Sql> => {
  const { tags = [] } = question
  const receipts = await receiptsAbout(session, question)
  if (receipts <= MOST_RECEIPTS) return raw('FROM spending')
  const sample = `TABLESAMPLE system(${((100 * SAMPLE) / receipts).toFixed(4)}%) REPEATABLE (1)`
  // Of tables the engine reads the sample alone, of a view all; where rules stand in front of the receipts there is only a view.
  return tags.length === 0 ? raw(`FROM (${spendingSelect(sample)})`) : raw(`FROM spending ${sample}`)
}

/** The pace of every group, or of those that are shown, by `keyOf`, and under `all` that of all receipts. */
export const pacesOf = async (session: Session, question: Spend, groups: Groups, shown?: readonly Row[]) => {
  const from = await sampleOf(session, question)
  const sets = groups.names.length > 0 ? sql`GROUPING SETS ((), (${groups.by}))` : groups.by
  const whole = groups.names.length > 0 ? sql`grouping(${groups.by}) > 0` : raw('true')
  const rows = await session.rows(sql`
    WITH asked AS (
      SELECT ${groups.select} (first_token_at_us - started_at_us) / 1000 AS ttft_ms,
        nullif(ended_at_us - started_at_us, 0) / 1000 AS duration_ms,
        ${TIMED} AS timed
      ${from}
      WHERE ${where(question.window, question.filters, question.zone)}
    ), grouped AS (
      SELECT ${raw(groups.names.map((_, at) => `g${at}, `).join(''))} ${whole} AS whole,
        quantile_cont(ttft_ms, 0.5) FILTER (timed) AS ttft_ms_p50,
        quantile_cont(duration_ms, [0.5, 0.95]) FILTER (timed) AS durations_ms
      FROM asked GROUP BY ${sets}
    )
    SELECT * FROM (SELECT ${groups.shown} whole, ttft_ms_p50, durations_ms[1] AS duration_ms_p50, durations_ms[2] AS duration_ms_p95 FROM grouped)
    WHERE whole OR ${amongst(groups, shown)}`)
  const all = rows.find((row) => row['whole'] === true)
  const each = rows.filter((row) => row['whole'] !== true)
  return { all: all ? paceOf(all) : unknownPace, of: new Map(each.map((row) => [keyOf(groups, row), paceOf(row)])) }
}
