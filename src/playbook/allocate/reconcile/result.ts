import type { Picodollars } from '../../../core/money.ts'
import type { KindGroup } from './kinds.ts'

/**
 * Why a provider's figure and the ledger's differ. late: the provider does not have that day yet. bypass: spend that never
 * passed Weir. boundary: calls over midnight, counted on the other day. alias: one model under two names. unpriced: metered,
 * but nobody has a price. aborted: the client went or the end was not seen, so the count is ours. estimated: counted by
 * tokenizer for another reason. rounding, tier, discount, credit and tax: as the words say. fee: what is billed by the piece.
 */
export const reasons = [
  'bypass',
  'late',
  'boundary',
  'alias',
  'unpriced',
  'aborted',
  'estimated',
  'tier',
  'discount',
  'fee',
  'credit',
  'tax',
  'rounding',
] as const

export type Reason = (typeof reasons)[number]

/** Named parts of a difference. Together with the residual they are the difference, exactly. */
export type Parts<Amount extends bigint> = ReadonlyMap<Reason, Amount>

/** A provider's figure beside the ledger's: `provider - ledger = parts + residual`. */
export type Comparison<Amount extends bigint> = Readonly<{
  provider: Amount
  ledger: Amount
  parts: Parts<Amount>
  residual: Amount
}>

/** One line of a reconciliation. What the bill does not state at this grain is absent. */
export type Compared = Readonly<{
  day: string
  owner: string | null
  model: string | null
  /** Kinds compared as one, of tokens or of pieces; empty for what is neither. */
  kinds: KindGroup
  /** `tokens`, `pieces`, or the charge of the bill that is neither. */
  about: 'tokens' | 'pieces' | 'fee' | 'discount' | 'credit' | 'tax' | 'rounding'
  tokens?: Comparison<bigint>
  pieces?: Comparison<bigint>
  cost?: Comparison<Picodollars>
}>

/** Adds to a part; a part that comes to nothing is none. */
export const addPart = <Amount extends bigint>(parts: Map<Reason, Amount>, reason: Reason, amount: bigint): void => {
  const sum = (parts.get(reason) ?? 0n) + amount
  if (sum === 0n) parts.delete(reason)
  else parts.set(reason, sum as Amount)
}

/** The comparison of two figures with what explains them; what is left over is the residual. */
export const comparisonOf = <Amount extends bigint>(
  provider: Amount,
  ledger: Amount,
  parts: Parts<Amount>,
): Comparison<Amount> => {
  let rest = BigInt(provider) - BigInt(ledger)
  for (const part of parts.values()) rest -= part
  return { provider, ledger, parts, residual: rest as Amount }
}

/** The sum of comparisons, or undefined where there is none. */
export const sumOf = <Amount extends bigint>(all: readonly Comparison<Amount>[]): Comparison<Amount> | undefined => {
  if (all.length === 0) return undefined
  let provider: bigint = 0n
  let ledger: bigint = 0n
  const parts = new Map<Reason, Amount>()
  for (const one of all) {
    provider += one.provider
    ledger += one.ledger
    for (const [reason, amount] of one.parts) addPart(parts, reason, amount)
  }
  return comparisonOf(provider as Amount, ledger as Amount, parts)
}

export const size = (amount: bigint): bigint => (amount < 0n ? -amount : amount)

/** How much is open: the sizes of the residuals, so that one does not make up for another. */
export const openIn = (all: readonly Comparison<bigint>[]): bigint =>
  all.reduce((total, { residual }) => total + size(residual), 0n)

export const least = (first: bigint, ...others: readonly bigint[]): bigint => {
  let low = first
  for (const other of others) if (other < low) low = other
  return low
}

/** amount × part ÷ whole, rounded half away from zero; 0 where there is no whole. */
export const share = (amount: bigint, part: bigint, whole: bigint): bigint => {
  if (whole === 0n) return 0n
  const product = amount * part
  const negative = product < 0n !== whole < 0n
  const rounded = (size(product) + size(whole) / 2n) / size(whole)
  return negative ? -rounded : rounded
}
