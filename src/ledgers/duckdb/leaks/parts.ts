/** Leaks that are a part of the tokens of each call, paid at that call's own effective price. */
import type { Leak } from '../../../core/ledger.ts'
import { raw, sql } from '../sql.ts'
import { count } from '../values.ts'
import { BILLED_INPUT, dollars, percent, plural, type Scope, search, tokens } from './scope.ts'

const MODEL = raw('coalesce(model_served, model_asked)')

/** What a call paid for an input token, on average over fresh and cached ones; null where the split of the cost is not known. */
const INPUT_PRICE = raw('input_cost_usd::DOUBLE / nullif(input_tokens, 0)')
const OUTPUT_PRICE = raw('output_cost_usd::DOUBLE / nullif(output_tokens, 0)')

/** System prompt and tool descriptions: sent again with every call. */
export const systemAndTools = (scope: Scope): Promise<Leak> =>
  search(scope, {
    kind: 'system-and-tools',
    found: sql`
      SELECT receipt_id, feature, ${MODEL} AS model, input_tokens, coalesce(system_tokens, 0) AS system_tokens,
        coalesce(tools_tokens, 0) AS tools_tokens, 
        (coalesce(system_tokens, 0) + coalesce(tools_tokens, 0)) * ${INPUT_PRICE} AS leak
      FROM spending WHERE ${scope.where} AND ${BILLED_INPUT} AND coalesce(system_tokens, 0) + coalesce(tools_tokens, 0) > 0`,
    facts: raw('sum(system_tokens) AS system, sum(tools_tokens) AS tools, sum(input_tokens) AS input'),
    detail: raw(`feature, model, count(*) AS calls, avg(system_tokens) AS system_tokens_per_call,
      avg(tools_tokens) AS tools_tokens_per_call,
      sum(system_tokens + tools_tokens) / nullif(sum(input_tokens), 0) AS share_of_input, sum(leak) AS cost_usd`),
    finding: (facts, cost) =>
      `System prompts (${tokens(facts['system'])} tokens) and tool descriptions (${tokens(facts['tools'])}) are ${percent(count(facts['system']) + count(facts['tools']), scope.input_tokens)} of all input and cost ${dollars(cost)}.`,
  })

/** Earlier turns that are sent again with every turn. */
export const contextAccumulation = (scope: Scope): Promise<Leak> =>
  search(scope, {
    kind: 'context-accumulation',
    found: sql`
      SELECT receipt_id, session, greatest(coalesce(turns, step, 1), 1) AS turn, input_tokens,
        coalesce(history_tokens, 0) AS history_tokens, coalesce(history_tokens, 0) * ${INPUT_PRICE} AS leak,
        CASE WHEN turn <= 1 THEN 1 WHEN turn <= 3 THEN 2 WHEN turn <= 7 THEN 4 WHEN turn <= 15 THEN 8
          WHEN turn <= 31 THEN 16 WHEN turn <= 63 THEN 32 ELSE 64 END AS from_turn
      FROM spending WHERE ${scope.where} AND ${BILLED_INPUT} AND history_tokens IS NOT NULL`,
    facts: raw(`sum(history_tokens) AS history, avg(input_tokens) FILTER (turn = 1) AS early,
      avg(input_tokens) FILTER (turn >= 8) AS late, count(DISTINCT session) AS sessions, max(turn) AS longest`),
    detail: raw(`from_turn, CASE from_turn WHEN 1 THEN 1 WHEN 64 THEN NULL ELSE 2 * from_turn - 1 END AS to_turn,
      count(*) AS calls, count(DISTINCT session) AS sessions, avg(input_tokens) AS input_tokens_per_call,
      avg(history_tokens) AS history_tokens_per_call,
      sum(history_tokens) / nullif(sum(input_tokens), 0) AS share_of_input, sum(leak) AS cost_usd`),
    detail_order: raw('from_turn'),
    finding: (facts, cost) => {
      const growth =
        facts['late'] && facts['early']
          ? ` A call at turn 8 or later carries ${tokens(facts['late'])} input tokens, a first turn ${tokens(facts['early'])}.`
          : ''
      const sessions = count(facts['sessions'])
      const over = sessions === 0 ? 'calls that name no session' : plural(sessions, 'session')
      return `Earlier turns sent again are ${percent(count(facts['history']), scope.input_tokens)} of all input and cost ${dollars(cost)}, over ${over}, of up to ${tokens(facts['longest'])} turns.${growth}`
    },
  })

/** Tokens that the model thought and nobody read. */
export const reasoning = (scope: Scope): Promise<Leak> =>
  search(scope, {
    kind: 'reasoning',
    found: sql`
      SELECT receipt_id, feature, ${MODEL} AS model, reasoning_tokens, output_tokens, output_cost_usd,
        reasoning_tokens * ${OUTPUT_PRICE} AS leak
      FROM spending WHERE ${scope.where} AND corrects IS NULL AND reasoning_tokens > 0`,
    facts: raw('sum(reasoning_tokens) AS reasoning, sum(output_tokens) AS output'),
    detail: raw(`feature, model, count(*) AS calls, avg(reasoning_tokens) AS reasoning_tokens_per_call,
      sum(reasoning_tokens) / nullif(sum(output_tokens), 0) AS share_of_output, sum(leak) AS cost_usd`),
    finding: (facts, cost) =>
      `Reasoning is ${percent(count(facts['reasoning']), count(facts['output']))} of the output of the calls that reason (${tokens(facts['reasoning'])} tokens) and costs ${dollars(cost)}.`,
  })
