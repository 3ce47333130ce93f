import { WeirError } from '../../../core/errors.ts'
import { type Picodollars, parseUsd, picodollars } from '../../../core/money.ts'

/** How much of a shared cost an owner bears, as a whole number in any unit; only the proportions matter. */
export type Weight = Readonly<{ owner: string; weight: bigint }>
export type Part = Readonly<{ owner: string; amount: Picodollars }>

/** Names compare by UTF-16 unit, which no locale changes. */
export const byName = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

const bad = (field: string, message: string): WeirError => new WeirError('bad-input', `split.${field}: ${message}`)

/**
 * Splits an amount by weight so that the parts sum to it, to the picodollar: each part is rounded down, and what is left
 * over goes by one picodollar each to the largest remainders (equal ones by name). The order of `weights` does not
 * matter. Where all weights are zero the split is even: nothing may be lost. Credits (negative amounts) split alike.
 * Throws WeirError `bad-input` without owners, on an owner named twice, and on a negative weight.
 */
export const splitByWeight = (amount: Picodollars, weights: readonly Weight[]): readonly Part[] => {
  if (weights.length === 0) throw bad('owners', 'nobody is named to bear the cost: name at least one owner')
  const sorted = [...weights].sort((a, b) => byName(a.owner, b.owner))
  sorted.forEach(({ owner, weight }, at) => {
    if (owner === sorted[at + 1]?.owner) throw bad('owners', `${JSON.stringify(owner)} is named twice`)
    if (weight < 0n) throw bad(`weights.${owner}`, `${weight} is negative: a share is zero or more`)
  })
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0n)
  const even = total === 0n
  const divisor = even ? BigInt(sorted.length) : total
  const magnitude = amount < 0n ? -amount : amount
  const parts = sorted.map(({ owner, weight }) => {
    const product = magnitude * (even ? 1n : weight)
    return { owner, floor: product / divisor, remainder: product % divisor }
  })
  const left = Number(magnitude - parts.reduce((sum, { floor }) => sum + floor, 0n))
  const ranked = [...parts].sort((a, b) =>
    a.remainder === b.remainder ? byName(a.owner, b.owner) : a.remainder > b.remainder ? -1 : 1,
  )
  const favoured = new Set(ranked.slice(0, left).map(({ owner }) => owner))
  return parts.map(({ owner, floor }) => {
    const share = floor + (favoured.has(owner) ? 1n : 0n)
    return { owner, amount: picodollars(amount < 0n ? -share : share) }
  })
}

/** Decimal text as a whole number of 1e-12, so that percentages and usage divide without a float. */
const decimal = (field: string, text: string): bigint => {
  try {
    return parseUsd(text)
  } catch {
    throw bad(field, `${JSON.stringify(text)} is not a decimal number`)
  }
}

const HUNDRED = 100n * 10n ** 12n

/** Weights of percentages (decimal text). Throws WeirError `bad-input` unless they sum to exactly 100. */
export const percentWeights = (percent: Readonly<Record<string, string>>): readonly Weight[] => {
  const weights = Object.entries(percent).map(([owner, text]) => ({ owner, weight: decimal(`percent.${owner}`, text) }))
  const total = weights.reduce((sum, { weight }) => sum + weight, 0n)
  if (total !== HUNDRED) throw bad('percent', `shares sum to ${Number(total) / 1e12} %: they must sum to exactly 100`)
  return weights
}

/** Weights of a usage metric by owner (decimal text: tokens, calls, seats …); an owner without an entry used none. */
export const usageWeights = (
  owners: readonly string[],
  usage: Readonly<Record<string, string | undefined>>,
): readonly Weight[] =>
  owners.map((owner) => {
    const used = Object.hasOwn(usage, owner) ? usage[owner] : undefined
    return { owner, weight: decimal(`usage.${owner}`, used ?? '0') }
  })
