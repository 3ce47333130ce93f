import type { Answers, Question } from '../../core/ledger.ts'
import type { LeverTrace } from '../../core/receipt.ts'
import { where } from './dimensions.ts'
import type { Session } from './engine.ts'
import { CALL, ORIGINAL, unpriced } from './measures.ts'
import { raw, sql } from './sql.ts'
import { count, first, usd } from './values.ts'

type Asked = Extract<Question, { ask: 'practice' }>

/** What was called, and not a charge of a bill that was imported. */
const MADE = `${CALL} AND origin <> 'focus'`
const WROTE = `${ORIGINAL} AND origin <> 'focus' AND output_tokens > 0`

/** A correction is no call: it has money only. What a call wrote may have come of a later attempt. */
const counts = raw(`
  count_if(${MADE}) AS calls, sum(cost_usd) AS cost_usd,
  count_if(${MADE} AND (usage_source = 'provider' OR price_state = 'none')) AS counted_calls,
  count_if(${unpriced(true)}) AS unpriced_calls,
  sum(cost_usd) FILTER (team IS NULL) AS unallocated_usd,
  sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) AS tokens,
  sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) FILTER (service_tier IN ('batch', 'flex', 'off_peak')) AS waiting_tokens,
  count_if(${CALL} AND "deferrable") AS deferrable_calls,
  count_if(${WROTE}) AS writing_calls,
  count_if(${WROTE} AND max_output_asked IS NOT NULL) AS capped_calls,
  count_if(${CALL} AND len(prefix_hashes) > 0) AS chained_calls,
  sum(cache_read_tokens) FILTER (len(prefix_hashes) > 0) AS chained_cached_tokens,
  count_if(${CALL} AND arm IS NOT NULL) AS experiment_calls`)

/** Answers how the gateway is used. */
export const practice = async (session: Session, { window, filters }: Asked): Promise<Answers['practice']> => {
  const chosen = where(window, filters)
  const sums = first(await session.rows(sql`SELECT ${counts} FROM receipts WHERE ${chosen}`))
  const mixed = first(
    await session.rows(sql`
      SELECT count(*) AS features, count_if(models > 1) AS mixed_features FROM (
        SELECT count(DISTINCT coalesce(model_served, model_asked)) AS models
        FROM receipts WHERE ${chosen} AND feature IS NOT NULL AND outcome = 'ok' GROUP BY team, feature)`),
  )
  const levers = await session.rows(sql`
    SELECT lever.name AS name, lever.action AS action, count(*) AS calls, sum(lever.saving_usd) AS saving_usd
    FROM (SELECT unnest(levers) AS lever FROM receipts WHERE ${chosen}) GROUP BY ALL ORDER BY lever.name`)
  const those = (action: LeverTrace['action']) =>
    levers
      .filter((row) => row['action'] === action)
      .map((row) => ({ name: String(row['name']), calls: count(row['calls']), saving_usd: usd(row['saving_usd']) }))
  const counted = (name: string): number => count({ ...sums, ...mixed }[name])
  return {
    calls: counted('calls'),
    cost_usd: usd(sums['cost_usd']),
    counted_calls: counted('counted_calls'),
    unpriced_calls: counted('unpriced_calls'),
    unallocated_usd: usd(sums['unallocated_usd']),
    features: counted('features'),
    mixed_features: counted('mixed_features'),
    tokens: counted('tokens'),
    waiting_tokens: counted('waiting_tokens'),
    deferrable_calls: counted('deferrable_calls'),
    writing_calls: counted('writing_calls'),
    capped_calls: counted('capped_calls'),
    chained_calls: counted('chained_calls'),
    chained_cached_tokens: counted('chained_cached_tokens'),
    experiment_calls: counted('experiment_calls'),
    levers: those('acted'),
    observed: those('observed'),
  }
}
