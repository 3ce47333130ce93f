/** On how many calls a lever had its effect; decimal US dollars. */
export type Pulled = Readonly<{ name: string; calls: number; saving_usd: string }>

/** How the gateway is used, as far as receipts tell it, for the checklist. Money is decimal US dollars. */
export type Practice = Readonly<{
  calls: number
  cost_usd: string
  /** Calls whose usage the provider counted itself. */
  counted_calls: number
  unpriced_calls: number
  /** Cost that names no team. */
  unallocated_usd: string
  features: number
  /** Features that used more than one model. */
  mixed_features: number
  tokens: number
  /** Tokens served at a discount for waiting: batch, flex, off-peak. */
  waiting_tokens: number
  /** Calls whose sender said that they may wait. */
  deferrable_calls: number
  /** Calls that wrote output, and those of them that asked for a maximum. */
  writing_calls: number
  capped_calls: number
  /** Calls of which it is known what their prompts begin with, and the tokens that these read from a provider's cache. */
  chained_calls: number
  chained_cached_tokens: number
  /** Calls in an experiment, with an arm. */
  experiment_calls: number
  /** Levers that acted: on how many calls, and what they say they saved. */
  levers: readonly Pulled[]
  /** Levers that only observed, and what they say they would have saved. */
  observed: readonly Pulled[]
}>
