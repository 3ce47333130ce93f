import type { Answers, Extent, Question } from '../../core/ledger.ts'
import { filtered } from './dimensions.ts'
import type { Session } from './engine.ts'
import { hasCorrections, unpriced } from './measures.ts'
import { raw, sql } from './sql.ts'
import { count, first, numberOrNull, usd } from './values.ts'

/** All that is in the ledger, or all of it that the filters leave. */
export const extent = async (session: Session, { filters }: Extract<Question, { ask: 'extent' }>): Promise<Extent> => {
  // A segment has receipts of many: how many there are says something of those that the filters leave out.
  const segments = raw((filters ?? []).length === 0 ? '(SELECT count(*) FROM segments)' : '0')
  const row = first(
    await session.rows(sql`
      SELECT count(*) AS receipts, count_if(corrects IS NULL AND attempt <= 1) AS calls,
        min(started_at_us) AS first_us, max(started_at_us) AS last_us, sum(cost_usd) AS cost_usd,
        sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
        count_if(${raw(unpriced(await hasCorrections(session)))}) AS unpriced, ${segments} AS segments
      FROM spending WHERE ${filtered(filters)}`),
  )
  return {
    receipts: count(row['receipts']),
    calls: count(row['calls']),
    first_us: numberOrNull(row['first_us']),
    last_us: numberOrNull(row['last_us']),
    cost_usd: usd(row['cost_usd']),
    input_tokens: count(row['input_tokens']),
    output_tokens: count(row['output_tokens']),
    unpriced: count(row['unpriced']),
    segments: count(row['segments']),
  }
}

/** The receipts from which ratios are learnt: the latest of them, because a provider may change a tokenizer. */
const LATEST = 200_000

/**
 * Bytes of a request for each token that the provider counted, from text-only calls with the provider's own counts. Sums
 * over sums, so long prompts weigh more than the envelope of short ones.
 */
export const ratios = async (session: Session): Promise<Answers['ratios']> => {
  const rows = await session.rows(sql`
    SELECT provider, coalesce(model_served, model_asked) AS model,
      sum(request_bytes) / sum(input_tokens) AS bytes_per_token, count(*) AS samples
    FROM receipts
    WHERE place >= (SELECT count(*) FROM packed) - ${LATEST}
      AND corrects IS NULL AND outcome = 'ok' AND usage_source = 'provider' AND input_tokens > 0 AND request_bytes > 0
      AND coalesce(input_audio_tokens, 0) + coalesce(input_image_tokens, 0) + coalesce(input_video_tokens, 0) = 0
      AND coalesce(model_served, model_asked) IS NOT NULL
    GROUP BY ALL ORDER BY provider, model`)
  return {
    ratios: rows.map((row) => ({
      provider: String(row['provider']),
      model: String(row['model']),
      bytes_per_token: Number(row['bytes_per_token']),
      samples: count(row['samples']),
    })),
  }
}
