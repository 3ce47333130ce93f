/** Leaks that are whole calls: failed ones, repeated ones, and the excess of overlong ones. */
import type { Leak } from '../../../core/ledger.ts'
import { raw, sql } from '../sql.ts'
import { dollars, percent, plural, type Scope, search, tokens } from './scope.ts'

const MODEL = raw('coalesce(model_served, model_asked)')

/** Money for calls that did not end well. A correction belongs to the failure that it corrects by its own outcome. */
export const errorSpend = (scope: Scope): Promise<Leak> =>
  search(scope, {
    kind: 'error-spend',
    found: sql`
      SELECT receipt_id, outcome, coalesce(error_code, http_status::VARCHAR) AS error, provider, ${MODEL} AS model, cost_usd AS leak
      FROM spending WHERE ${scope.where}
        AND (outcome IN ('error', 'cut', 'client-gone', 'unknown') OR coalesce(http_status, 0) >= 400)`,
    facts: raw('count(*) AS failed'),
    detail: raw('outcome, error, provider, model, count(*) AS calls, sum(leak) AS cost_usd'),
    finding: (facts, cost) =>
      `${plural(facts['failed'], 'attempt')} failed, were cut, or were left by their client; those that billed cost ${dollars(cost)}.`,
  })

/** The same body at most so long after the one before belongs to the same loop. */
const LOOP_GAP_US = 10 * 60_000_000
const LOOP_LENGTH = 3

/**
 * A loop is the same body three times or more from one session (or key, Weir's or a client's own), each within ten minutes of
 * the one before; all but its first call leak. An attempt that failed and was repeated within its call leaks too. What is
 * neither sent so often nor repeated is left out first: of many receipts that is nearly all.
 */
export const retryLoops = (scope: Scope): Promise<Leak> =>
  search(scope, {
    kind: 'retry-loops',
    found: sql`
      WITH attempts AS (
        SELECT receipt_id, call_id, attempt, started_at_us, fingerprint_exact, coalesce(session, key_id, tenant, '') AS source,
          session, feature, ${MODEL} AS model, cost_usd,
          outcome IN ('error', 'cut', 'unknown') OR coalesce(http_status, 0) >= 400 AS failed,
          CASE WHEN fingerprint_exact IS NOT NULL AND attempt <= 1 THEN hash(source, fingerprint_exact) END AS body
        FROM spending WHERE ${scope.where} AND corrects IS NULL AND outcome NOT IN ('cached', 'deferred')
      ), again AS (
        SELECT call_id, max(attempt) AS last FROM attempts WHERE attempt > 1 GROUP BY call_id
      ), often AS (
        SELECT body FROM attempts WHERE body IS NOT NULL GROUP BY body HAVING count(*) >= ${LOOP_LENGTH}
      ), few AS (
        SELECT * FROM attempts WHERE body IN (FROM often) OR call_id IN (SELECT call_id FROM again)
      ), calls AS (
        SELECT *, coalesce(started_at_us - lag(started_at_us) OVER same > ${LOOP_GAP_US}, true) AS begins
        FROM few WHERE body IS NOT NULL
        WINDOW same AS (PARTITION BY source, fingerprint_exact ORDER BY started_at_us, receipt_id)
      ), numbered AS (
        SELECT *, count_if(begins) OVER (PARTITION BY source, fingerprint_exact ORDER BY started_at_us, receipt_id) AS loop FROM calls
      ), loops AS (
        SELECT receipt_id, loop, row_number() OVER inside AS place, count(*) OVER (PARTITION BY source, fingerprint_exact, loop) AS length
        FROM numbered WINDOW inside AS (PARTITION BY source, fingerprint_exact, loop ORDER BY started_at_us, receipt_id)
      )
      SELECT receipt_id, source, session, feature, model, fingerprint_exact, loop,
        coalesce(length >= ${LOOP_LENGTH}, false) AS looped,
        CASE WHEN looped AND place = 1 AND NOT coalesce(attempt < last AND failed, false) THEN 0 ELSE coalesce(cost_usd, 0)::DOUBLE END AS leak
      FROM few LEFT JOIN loops USING (receipt_id) LEFT JOIN again USING (call_id)
      WHERE looped OR coalesce(attempt < last AND failed, false)`,
    facts: raw(`count(DISTINCT (source, fingerprint_exact, loop)) FILTER (looped) AS loops, count_if(looped) AS looped,
      count_if(NOT looped) AS repeated`),
    detail: raw(`CASE WHEN looped THEN 'same call again' ELSE 'failed attempt' END AS reason, feature, model, session,
      CASE WHEN looped THEN fingerprint_exact END AS fingerprint, count(*) AS times, sum(leak) AS cost_usd`),
    finding: (facts, cost) =>
      `${plural(facts['loops'], 'loop')} sent the same body three times or more within minutes (${plural(facts['looped'], 'call')}), and ${plural(facts['repeated'], 'further attempt')} failed and were repeated; all but the first of each cost ${dollars(cost)}.`,
  })

/** Fewer answers than this say nothing about what is usual. */
const FEWEST = 20

/**
 * An answer is verbose beyond the upper fence of its feature and model (Tukey: third quartile + 1.5 × interquartile range of
 * visible output tokens). Only what is beyond the fence leaks, at the call's own output price.
 */
export const verboseOutput = (scope: Scope): Promise<Leak> =>
  search(scope, {
    kind: 'verbose-output',
    found: sql`
      WITH answers AS (
        SELECT receipt_id, feature, ${MODEL} AS model, output_tokens - coalesce(reasoning_tokens, 0) AS visible,
          output_cost_usd::DOUBLE / nullif(output_tokens, 0) AS price
        FROM spending WHERE ${scope.where} AND corrects IS NULL AND outcome = 'ok' AND output_tokens > 0
      ), usual AS (
        SELECT feature, model, quantile_cont(visible, [0.25, 0.5, 0.75]) AS quartiles,
          quartiles[3] + 1.5 * (quartiles[3] - quartiles[1]) AS fence
        FROM answers GROUP BY feature, model HAVING count(*) >= ${FEWEST}
      )
      SELECT receipt_id, answers.feature, answers.model, visible, quartiles[2] AS median, fence, (visible - fence) * price AS leak
      FROM answers JOIN usual ON answers.feature IS NOT DISTINCT FROM usual.feature AND answers.model IS NOT DISTINCT FROM usual.model
      WHERE visible > fence`,
    facts: raw('count(*) AS verbose, avg(visible) AS visible, avg(median) AS median'),
    detail:
      raw(`feature, model, count(*) AS calls, any_value(median) AS median_tokens, any_value(fence) AS fence_tokens,
      avg(visible) AS visible_tokens_per_call, sum(leak) AS cost_usd`),
    finding: (facts, cost) =>
      facts['visible'] === null
        ? 'No answer is much longer than is usual for its feature and model.'
        : `${plural(facts['verbose'], 'answer')} longer than is usual for feature and model (${tokens(facts['visible'])} tokens where the median is ${tokens(facts['median'])}); what is beyond the usual range costs ${dollars(cost)}, ${percent(cost, scope.total_usd)} of all.`,
  })
