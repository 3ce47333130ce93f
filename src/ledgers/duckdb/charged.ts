import type { ChargedQuestion, ChargedRow } from '../../core/charged.ts'
import type { Answers } from '../../core/ledger.ts'
import { formatUsd, parseUsd, picodollars, type Usd } from '../../core/money.ts'
import { LARGEST_PROMPT } from '../../playbook/allocate/budget/bound.ts'
import { chargeOf } from '../../playbook/allocate/budget/charge.ts'
import { groupingOf } from './dimensions.ts'
import type { Row, Session } from './engine.ts'
import { join, raw, type Sql, sql } from './sql.ts'
import { count, numberOrNull, usd } from './values.ts'

/** Nobody knows its price, and no correction has brought one. */
const noPrice = raw(`cost_usd IS NULL AND price_state IN ('unpriced', 'unmetered')
  AND receipt_id NOT IN (SELECT corrects FROM receipts WHERE corrects IS NOT NULL)`)

/** The same as `chargeOf` says of one receipt; what is charged at the ceiling is multiplied out there. */
const tokens = (usual: number): Sql => sql`CASE
  WHEN input_tokens IS NOT NULL OR output_tokens IS NOT NULL THEN coalesce(input_tokens, 0) + coalesce(output_tokens, 0)
  WHEN outcome = 'unknown' THEN least(coalesce(request_bytes, 0), ${LARGEST_PROMPT}) + coalesce(max_output_asked, ${usual})
  ELSE 0 END`

const list = (ids: readonly string[]): Sql =>
  join(
    ids.map((id) => sql`${id}`),
    ', ',
  )

/** What receipts of one kind without a price are charged at the ceiling. */
const atCeiling = (row: Row, { ceiling, output_tokens }: ChargedQuestion): bigint => {
  const each = chargeOf(
    {
      attempt: 1,
      outcome: 'ok',
      price_state: 'unpriced',
      input_tokens: count(row['bare_in']),
      output_tokens: count(row['bare_out']),
      ...(row['bare_reserved'] === null ? {} : { reserved_usd: usd(row['bare_reserved']) as Usd }),
    },
    ceiling,
    output_tokens,
  )
  return each.usd * BigInt(count(row['receipts']))
}

const rowOf = (row: Row, question: ChargedQuestion): ChargedRow => {
  const priced = parseUsd(usd(row['cost_usd']))
  const bare = row['bare'] === true ? atCeiling(row, question) : 0n
  return {
    group: Object.fromEntries(question.by.map((name, at) => [name, (row[`by_${at}`] as string | null) ?? null])),
    slice: numberOrNull(row['slice']),
    usd: formatUsd(picodollars(priced + bare)),
    tokens: count(row['tokens']),
    calls: count(row['calls']),
  }
}

/** What receipts charge to budgets. Groups may come in several rows. */
export const charged = async (session: Session, question: ChargedQuestion): Promise<Answers['charged']> => {
  const { by, window, slice_us, except = [], imported = false, alive_since_us } = question
  const groups = by.map((dimension, at) => sql`${groupingOf(dimension).grouped} AS ${raw(`by_${at}`)}`)
  const names = by.map((_, at) => raw(`by_${at}`))
  const slice = slice_us === undefined ? raw('NULL') : sql`started_at_us // CAST(${slice_us} AS BIGINT)`
  const kind = join([...names, raw('slice, bare, bare_in, bare_out, bare_reserved')], ', ')
  const over = names.length === 0 ? raw('()') : sql`(PARTITION BY ${join(names, ', ')})`
  const alive =
    alive_since_us === undefined ? raw('') : sql`QUALIFY max(max(started_at_us)) OVER ${over} >= ${alive_since_us}`
  const rows = await session.rows(sql`
    WITH charging AS (
      SELECT ${join([...groups, sql`${slice} AS slice`], ', ')}, *, ${noPrice} AS bare FROM receipts
      WHERE started_at_us >= ${window.from_us} AND started_at_us < ${window.to_us}
        AND (attempt > 0 OR corrects IS NOT NULL)
        ${imported ? raw(`AND (origin <> 'live' OR corrects IS NOT NULL)`) : raw('')}
        ${except.length === 0 ? raw('') : sql`AND receipt_id NOT IN (${list(except)})`}
    ), kinds AS (
      SELECT *, CASE WHEN bare THEN coalesce(input_tokens, 0) END AS bare_in,
        CASE WHEN bare THEN coalesce(output_tokens, 0) END AS bare_out,
        CASE WHEN bare THEN reserved_usd END AS bare_reserved
      FROM charging
    )
    SELECT ${kind}, count(*) AS receipts, sum(coalesce(cost_usd, 0)) AS cost_usd,
      sum(${tokens(question.output_tokens)}) AS tokens, count_if(attempt = 1 AND corrects IS NULL) AS calls
    FROM kinds GROUP BY ${kind} ${alive}`)
  return { rows: rows.map((row) => rowOf(row, question)) }
}
