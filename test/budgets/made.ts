import { formatUsd, picodollars } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'

type Made = Partial<Receipt> & Readonly<{ usd: number; started_at_us: number }>

/** A receipt that cost so many picodollars. */
export const made = ({ usd, ...fields }: Made): Receipt => ({
  receipt_id: 'r',
  call_id: 'c',
  attempt: 1,
  origin: 'live',
  ended_at_us: fields.started_at_us,
  endpoint: 'chat',
  stream: false,
  provider: 'openai',
  outcome: 'ok',
  usage_source: 'provider',
  price_state: 'priced',
  cost_usd: formatUsd(picodollars(BigInt(usd))),
  input_tokens: 1,
  ...fields,
})
