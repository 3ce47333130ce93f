import type { BudgetUnit } from '../../../core/budget.ts'
import { multiply, parseUsd, type UsdPerMillion } from '../../../core/money.ts'
import type { Receipt } from '../../../core/receipt.ts'
import { LARGEST_PROMPT } from './bound.ts'

/** What unpriced calls are charged at, US dollars per million tokens. */
export type Ceiling = Readonly<{ input: UsdPerMillion; output: UsdPerMillion }>

/** Picodollars, tokens and calls. */
export type Amounts = Readonly<Record<BudgetUnit, bigint>>

export const NOTHING: Amounts = { usd: 0n, tokens: 0n, calls: 0n }

/** The columns of a receipt that a budget is charged by. */
export type Charged = Pick<
  Receipt,
  | 'attempt'
  | 'outcome'
  | 'corrects'
  | 'price_state'
  | 'cost_usd'
  | 'reserved_usd'
  | 'input_tokens'
  | 'output_tokens'
  | 'request_bytes'
  | 'max_output_asked'
>

/** What nobody has priced yet is charged at the ceiling, and where its tokens are not known either, at its reservation. */
const dollars = ({ cost_usd, price_state, reserved_usd, input_tokens, output_tokens }: Charged, ceiling: Ceiling) => {
  if (cost_usd !== undefined) return parseUsd(cost_usd)
  if (price_state !== 'unpriced' && price_state !== 'unmetered') return 0n
  const counted = (input_tokens ?? 0) + (output_tokens ?? 0) > 0
  if (counted) return multiply(input_tokens ?? 0, ceiling.input) + multiply(output_tokens ?? 0, ceiling.output)
  return reserved_usd === undefined ? 0n : parseUsd(reserved_usd)
}

/** Of an attempt whose end nobody saw the bytes of its request and the output it asked for stand for its tokens. */
const tokens = ({ outcome, input_tokens, output_tokens, request_bytes, max_output_asked }: Charged, usual: number) => {
  if (input_tokens !== undefined || output_tokens !== undefined)
    return BigInt(Math.round((input_tokens ?? 0) + (output_tokens ?? 0)))
  return outcome === 'unknown' ? BigInt(Math.min(request_bytes ?? 0, LARGEST_PROMPT) + (max_output_asked ?? usual)) : 0n
}

/**
 * What a receipt charges to the budgets that it is under: the one rule by which counters are kept and counted again. A call
 * counts with its first attempt; refusals and answers that needed no attempt count as none. `output_tokens` is the
 * reservation's output where none was asked (settings.reserve_output_tokens).
 */
export const chargeOf = (receipt: Charged, ceiling: Ceiling, output_tokens: number): Amounts => {
  if (receipt.attempt === 0 && receipt.corrects === undefined) return NOTHING
  const corrects = receipt.corrects !== undefined
  return {
    usd: dollars(receipt, ceiling),
    tokens: tokens(receipt, output_tokens),
    calls: !corrects && receipt.attempt === 1 ? 1n : 0n,
  }
}
