import { type Picodollars, parseUsd } from '../../../core/money.ts'
import type { Receipt } from '../../../core/receipt.ts'

/** What one meter of one model cost in a call. */
export type Cell = Readonly<{ key: string; quantity: number; cost: Picodollars }>

/** What the watch looks at of a receipt: the payer, what was called, how it ended, and what it cost by meter. */
export type Watched = Pick<
  Receipt,
  | 'receipt_id'
  | 'corrects'
  | 'origin'
  | 'ended_at_us'
  | 'key_id'
  | 'team'
  | 'feature'
  | 'customer'
  | 'user'
  | 'environment'
  | 'tags'
  | 'session'
  | 'agent'
  | 'wire'
  | 'endpoint'
  | 'region'
  | 'model_asked'
  | 'provider'
  | 'model_served'
  | 'outcome'
  | 'input_tokens'
  | 'cache_read_tokens'
  | 'price_state'
  | 'cost_usd'
  | 'reserved_usd'
  | 'fingerprint_exact'
> &
  Readonly<{
    cells: readonly Cell[]
    /** The rows of the price book that priced it, each once. */
    price_rows: readonly string[]
  }>

export const cellName = (model: string, meter: string): string => `${model} ${meter}`

/** The same of a whole receipt. */
export const watchedOf = (receipt: Receipt): Watched => ({
  ...receipt,
  cells: (receipt.lines ?? []).flatMap(({ model, meter, quantity, cost_usd }) =>
    cost_usd === undefined ? [] : [{ key: cellName(model, meter), quantity, cost: parseUsd(cost_usd) }],
  ),
  price_rows: [...new Set((receipt.lines ?? []).flatMap(({ price_row }) => price_row ?? []))],
})
