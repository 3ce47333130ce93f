/** What provider caching could have read: prefixes that were sent before. */

import type { Leak } from '../../../core/ledger.ts'
import { fieldMark, lineMark } from '../../../core/line-marks.ts'
import { raw, type Sql, sql } from '../sql.ts'
import { count, first } from '../values.ts'
import { BILLED_INPUT, dollars, percent, type Scope, search, tokens } from './scope.ts'

/** No provider caches a shorter prefix (`docs/ledger.md`). */
const SHORTEST = 1024

/** The longest time that providers sell for keeping a prefix. Money is counted up to it. */
const LONGEST_US = 3_600_000_000

/** The part of the fresh price at the smallest discount among the large providers, assumed where no receipt shows the model's own. */
const LARGEST_PART = 0.5

/**
 * For each receipt the longest prefix that an earlier receipt of the same provider, model and key has sent, and how long
 * ago that was last. One cache is shared by all who use one key, Weir's or their own; where none is known, by the calls of a
 * session. Each hash of a chain covers all that comes before it, so the longest boundary seen is the prefix.
 */
const seenPrefixes = (where: Sql): Sql => sql`
  WITH chained AS (
    SELECT place AS line_number, started_at_us AS moment, provider, coalesce(model_served, model_asked) AS model,
      coalesce(key_id, tenant, session) AS cache, unnest(prefix_hashes) AS prefix, unnest(prefix_tokens) AS length
    FROM receipts WHERE ${where} AND ${BILLED_INPUT} AND len(prefix_hashes) > 0
  ), slim AS (
    SELECT line_number, moment, hash(provider, model, cache, prefix) AS prefix, length FROM chained
  ), seen AS (
    SELECT line_number, length, moment - lag(moment) OVER (PARTITION BY prefix ORDER BY moment, line_number) AS ago FROM slim
  )
  SELECT line_number, max(length) AS longest, arg_max(ago, length) AS ago FROM seen WHERE ago IS NOT NULL GROUP BY line_number`

/** What a fresh and a cached input token cost, US dollars per token, as each set of lines that receipts have alike shows it. */
const shownPrices = (where: Sql): Sql => sql`
  SELECT provider, meters, line[2] AS model,
    max(TRY_CAST(line[4] AS DOUBLE)) FILTER (line[3] = 'in.text.fresh') / 1e6 AS fresh,
    min(TRY_CAST(line[4] AS DOUBLE)) FILTER (line[3] = 'in.text.cache_read') / 1e6 AS cached
  FROM (
    SELECT provider, meters, string_split(unnest(string_split(meters, ${lineMark})), ${fieldMark}) AS line
    FROM (SELECT DISTINCT provider, meters FROM receipts WHERE ${where})
  ) GROUP BY ALL`

/**
 * The part of the fresh price that a cached token of a model costs, at the smallest discount that a receipt shows. A part,
 * because the prices themselves change with length, tier, hour and date.
 */
const shownParts = raw(`
  SELECT provider, model, min(fresh) AS least, coalesce(max(cached / nullif(fresh, 0)), min(cached) / nullif(min(fresh), 0)) AS part
  FROM prices GROUP BY ALL`)

/**
 * Tokens of prefixes that were sent before and not read from a cache, at what a cache read would have saved. Money is
 * counted only for prefixes that a provider would have kept: long enough, and used again within an hour.
 */
export const uncachedPrefix = (scope: Scope): Promise<Leak> =>
  search(scope, {
    kind: 'uncached-prefix',
    found: sql`
      WITH prefixes AS (${seenPrefixes(scope.where)}), prices AS (${shownPrices(scope.where)}), parts AS (${shownParts}), calls AS (
        SELECT place AS line_number, receipt_id, feature, provider, meters, coalesce(model_served, model_asked) AS model, input_tokens,
          coalesce(cache_read_tokens, 0) AS cached_tokens, input_cost_usd::DOUBLE / nullif(input_tokens, 0) AS paid
        FROM receipts WHERE ${scope.where} AND ${BILLED_INPUT} AND len(prefix_hashes) > 0
      ), missed AS (
        SELECT *, least(longest, input_tokens) AS prefix_tokens, greatest(0, prefix_tokens - cached_tokens) AS missed_tokens,
          prefix_tokens >= ${SHORTEST} AND ago <= ${LONGEST_US} AS kept,
          CASE WHEN ago <= 300000000 THEN 'within 5 minutes' WHEN ago <= ${LONGEST_US} THEN 'within an hour' ELSE 'later' END AS again,
          coalesce(fresh, least, paid) AS fresh_price, coalesce(cached, fresh_price * coalesce(part, ${LARGEST_PART})) AS cached_price
        FROM calls JOIN prefixes USING (line_number) LEFT JOIN prices USING (provider, meters, model)
          LEFT JOIN parts USING (provider, model)
      )
      SELECT receipt_id, feature, model, again, prefix_tokens, cached_tokens, missed_tokens, part IS NULL AS assumed,
        CASE WHEN kept THEN missed_tokens * greatest(fresh_price - cached_price, 0) ELSE 0 END AS leak
      FROM missed`,
    facts: raw(`sum(prefix_tokens) AS cacheable, sum(missed_tokens) AS missed,
      sum(leak) FILTER (assumed) AS assumed_usd`),
    detail: raw(`feature, model, again, count(*) AS calls, sum(prefix_tokens) AS cacheable_tokens,
      sum(missed_tokens) AS missed_tokens, sum(leak) AS cost_usd`),
    finding: (facts, cost) => {
      const assumed =
        count(facts['assumed_usd']) > 0 ? ' Where no cached price is known, half the fresh one is assumed.' : ''
      return `${percent(count(facts['cacheable']), scope.input_tokens)} of all input had been sent before as a prefix; ${tokens(facts['missed'])} of those tokens were not read from a cache, which cost ${dollars(cost)} more where a provider would still have had them.${assumed}`
    },
  })

/** Tokens of prefixes sent before: what a cache that forgets nothing could have read. Call it right after `uncachedPrefix`. */
export const cacheable = async ({ session, where }: Scope) => {
  const row = first(
    await session.rows(sql`
      SELECT (SELECT sum(prefix_tokens) FROM found) AS cacheable,
        (SELECT sum(cache_read_tokens) FROM spending WHERE ${where}) AS cached`),
  )
  return { cacheable_tokens: count(row['cacheable']), cached_tokens: count(row['cached']) }
}
