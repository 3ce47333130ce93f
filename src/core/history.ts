/** How a page of the past is said: a line a receipt, values in these orders. */
import type { Receipt } from './receipt.ts'

/** Fields with few values that a replay reads of a receipt, so that each combination of them is read once. */
export const historyFacts = [
  'provider',
  'model_served',
  'model_asked',
  'wire',
  'endpoint',
  'key_id',
  'tenant',
  'team',
  'feature',
  'environment',
  'agent',
  'service_tier',
  'speed',
  'region',
  'geo',
  'outcome',
  'finish_reason',
  'stream',
  'temperature',
  'price_state',
  'deferrable',
] as const satisfies readonly (keyof Receipt)[]

/** Fields that differ from receipt to receipt. Lists have commas between their items; levers are JSON. */
export const historyFields = [
  'receipt_id',
  'session',
  'customer',
  'user',
  'started_at_us',
  'first_token_at_us',
  'ended_at_us',
  'input_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cache_write_1h_tokens',
  'output_tokens',
  'tools_tokens',
  'system_tokens',
  'max_output_asked',
  'cost_usd',
  'fingerprint_exact',
  'fingerprint_template',
  'fingerprint_conversation',
  'prefix_hashes',
  'prefix_tokens',
  'levers',
] as const satisfies readonly (keyof Receipt)[]

/** On a line of a page: between its facts and its fields, and between the values of either. An absent one is empty. */
export const historyMarks = { part: '\u001e', value: '\u001f' } as const

/** A call with several receipts: which of them stands for it, which do not, and what they cost together. */
export type RepeatedCall = Readonly<{
  /** The last attempt; null where the window holds only corrections of the call. */
  stands: string | null
  others: readonly string[]
  cost_usd: string
}>
