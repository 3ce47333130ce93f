/** How a page of the past is said: a line a receipt, in parts, values in these orders. */
import { type Pack, packs } from './columns.ts'
import type { Receipt } from './receipt.ts'

/** Parts with few values between them, so that each is read once: whole packs, as they are stored. They come after the counts. */
export const historyPacks = ['payer', 'what', 'ended'] as const satisfies readonly Pack[]

/** What levers may keep of a call, in a part of its own. Lists have commas between their items; the chain stands last, as it is stored. */
export const historyKeys = [
  'session',
  'fingerprint_exact',
  'fingerprint_template',
  'fingerprint_conversation',
  'customer',
  'user',
  ...packs.chain,
] as const satisfies readonly (keyof Receipt)[]

/** What else is read of a receipt, in the last part: texts and fractions. Levers are JSON. */
export const historyTexts = [
  'receipt_id',
  'temperature',
  'cost_usd',
  'levers',
] as const satisfies readonly (keyof Receipt)[]

/** Whole numbers, in the first part; the moment is the first of them. */
export const historyCounts = [
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
] as const satisfies readonly (keyof Receipt)[]

/** On a line of a page: between its parts, and between the values of a part. An absent one is empty. */
export const historyMarks = { part: '\u001e', value: '\u001f' } as const

/** A call with several receipts: which of them stands for it, which do not, and what they cost together. */
export type RepeatedCall = Readonly<{
  /** The last attempt; null where the window holds only corrections of the call. */
  stands: string | null
  others: readonly string[]
  cost_usd: string
}>

/** A page of the past. */
export type HistoryPage = Readonly<{
  /** A line a receipt, in no order. */
  text: string
  /** Where the next page begins; null on the last. */
  next_us: number | null
  /** On the first page, of all pages. */
  repeated: readonly RepeatedCall[]
}>
