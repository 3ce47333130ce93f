/** Receipts for the engine of advice. */
import { formatUsd, picodollars } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { BEGIN_US } from '../levers/day.ts'

const RATES = { fresh: 2_000_000n, cache_read: 1_000_000n, output: 10_000_000n }

type Made = Readonly<{ at_s: number; fresh: number; read?: number; output: number }> & Partial<Receipt>

/** A receipt at the prices of the tests (`gpt-4o-mini`: $2, $1 and $10 a million). */
export const receiptOf = ({ at_s, fresh, read = 0, output, ...over }: Made): Receipt => {
  const cost = BigInt(fresh) * RATES.fresh + BigInt(read) * RATES.cache_read + BigInt(output) * RATES.output
  const id = `${String(at_s).padStart(8, '0')}-0000-7000-8000-${String(over.attempt ?? 1).padStart(12, '0')}`
  return {
    receipt_id: id,
    call_id: id,
    attempt: 1,
    origin: 'live',
    started_at_us: BEGIN_US + at_s * 1_000_000,
    ended_at_us: BEGIN_US + at_s * 1_000_000 + 1000,
    endpoint: 'chat',
    stream: false,
    provider: 'openai',
    model_asked: 'gpt-4o-mini',
    model_served: 'gpt-4o-mini',
    outcome: 'ok',
    input_tokens: fresh + read,
    cache_read_tokens: read,
    output_tokens: output,
    usage_source: 'provider',
    price_state: 'priced',
    cost_usd: formatUsd(picodollars(cost)),
    session: `s${at_s % 40}`,
    fingerprint_exact: (at_s % 9).toString(16).padStart(16, '0'),
    ...over,
  }
}
