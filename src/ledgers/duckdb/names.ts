/** Names of what an answer counts and sums, and of what the roll-up of days keeps apart: columns of the schema and of every query. */

export const countNames = [
  'calls',
  'attempts',
  'errors',
  'unpriced_calls',
  'unmetered_calls',
  'estimated_calls',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
] as const

export const moneyNames = [
  'cost_usd',
  'input_cost_usd',
  'output_cost_usd',
  'fee_cost_usd',
  'list_cost_usd',
  'counterfactual_cost_usd',
] as const

export const measureNames = [...countNames, ...moneyNames]

/** What the roll-up can be grouped and filtered by. Sessions, customers and users have too many values to be worth a row each. */
export const dailyColumns = [
  'team',
  'feature',
  'environment',
  'key_id',
  'agent',
  'model_asked',
  'model_served',
  'provider',
  'endpoint',
  'wire',
  'service_tier',
  'outcome',
  'origin',
] as const

/** What the coarser roll-up keeps of them: few values between them, so that a year of it is read in no time. */
export const briefColumns = ['team', 'environment', 'model_asked', 'model_served', 'provider', 'origin'] as const
