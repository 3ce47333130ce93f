import type { OwnedRow } from '../../core/allocation.ts'
import type { Answers, Question } from '../../core/ledger.ts'
import { formatUsd, parseUsd, sum } from '../../core/money.ts'
import type { Row, Session } from './engine.ts'
import { groupOf, groupsOf, receiptsOf, type Spend } from './groups.ts'
import { hasCorrections, measures } from './measures.ts'
import { raw, sql } from './sql.ts'
import { count, usd } from './values.ts'

type Owned = Extract<Question, { ask: 'owned' }>

const more = raw(`
  sum(cost_usd) FILTER (corrects IS NOT NULL) AS corrections_usd,
  count_if(corrects IS NOT NULL) AS corrections,
  sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) FILTER (service_tier IN ('batch', 'flex', 'off_peak')) AS batch_tokens,
  sum(output_tokens) FILTER (outcome IN ('ok', 'cached')) AS useful_output_tokens`)

const rowOf = (row: Row, group: OwnedRow['group']): OwnedRow => ({
  group,
  cost_usd: usd(row['cost_usd']),
  input_cost_usd: usd(row['input_cost_usd']),
  output_cost_usd: usd(row['output_cost_usd']),
  corrections_usd: usd(row['corrections_usd']),
  corrections: count(row['corrections']),
  calls: count(row['calls']),
  attempts: count(row['attempts']),
  errors: count(row['errors']),
  input_tokens: count(row['input_tokens']),
  output_tokens: count(row['output_tokens']),
  cache_read_tokens: count(row['cache_read_tokens']),
  batch_tokens: count(row['batch_tokens']),
  useful_output_tokens: count(row['useful_output_tokens']),
  unpriced_calls: count(row['unpriced_calls']),
  unmetered_calls: count(row['unmetered_calls']),
  estimated_calls: count(row['estimated_calls']),
})

/** Answers what each group cost: every receipt of the window is in exactly one group. */
export const owned = async (session: Session, question: Owned): Promise<Answers['owned']> => {
  const spend: Spend = { ...question, ask: 'spend' }
  const groups = groupsOf(spend)
  const rows = await session.rows(sql`
    WITH grouped AS (
      SELECT ${groups.select} ${measures(await hasCorrections(session))}, ${more}
      ${receiptsOf(spend, question.window)} GROUP BY ${groups.by}
    )
    SELECT ${groups.shown} * FROM grouped ORDER BY ${groups.order}`)
  const found = rows.map((row) => rowOf(row, groupOf(groups, row)))
  return { rows: found, total_usd: formatUsd(sum(found.map(({ cost_usd }) => parseUsd(cost_usd)))) }
}
