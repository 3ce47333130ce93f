import type { PartKind } from '../../core/prompt.ts'
import type { AnatomyTokens } from '../../core/receipt.ts'
import type { Part } from '../../core/wire.ts'

const kinds: readonly PartKind[] = ['tools', 'system', 'examples', 'history', 'context', 'user']

/** Where the largest remainder stands that is not taken yet (-1); the first of equals. Parts are few, so nothing is sorted. */
const largest = (remainders: readonly number[]): number => {
  let found = -1
  let most = -1
  for (let index = 0; index < remainders.length; index++) {
    const remainder = remainders[index] ?? -1
    if (remainder <= most) continue
    most = remainder
    found = index
  }
  return found
}

/**
 * Divides a whole number among `weights` in proportion, by largest remainder, so that the shares sum to `total` exactly.
 * Ties go to the earlier weight; without any weight the last share takes all.
 */
export const apportion = (total: number, weights: readonly number[]): number[] => {
  let sum = 0
  for (const weight of weights) sum += weight
  if (weights.length === 0) return []
  if (weights.length === 1) return [total]
  if (sum === 0) return weights.map((_, index) => (index === weights.length - 1 ? total : 0))
  const shares: number[] = []
  const remainders: number[] = []
  let left = total
  for (const weight of weights) {
    const exact = (total * weight) / sum
    const share = Math.floor(exact)
    shares.push(share)
    remainders.push(exact - share)
    left -= share
  }
  for (; left > 0; left--) {
    const index = largest(remainders)
    if (index < 0) break
    shares[index] = (shares[index] ?? 0) + 1
    remainders[index] = -1
  }
  return shares
}

/**
 * Tokens of a prompt by what they are for, in proportion to characters: no tokenizer runs. The sum is exactly
 * `input_tokens` where the provider stated it, and characters / `bytes_per_token`, rounded up, where it did not.
 * A kind that the prompt does not have is absent. A prompt without text (an image alone) counts as the user's. They are
 * written into `tokens` where one is given.
 */
export const anatomy = (
  parts: readonly Part[],
  input_tokens: number | undefined,
  bytes_per_token: number,
  tokens: AnatomyTokens = {},
): AnatomyTokens => {
  const characters: Record<PartKind, number> = { tools: 0, system: 0, examples: 0, history: 0, context: 0, user: 0 }
  let sum = 0
  for (const part of parts) {
    characters[part.kind] += part.text.length
    sum += part.text.length
  }
  const total = input_tokens ?? Math.ceil(sum / bytes_per_token)
  if (total === 0 && sum === 0) return tokens
  const present = sum === 0 ? (['user'] as const) : kinds.filter((kind) => characters[kind] > 0)
  const shares = apportion(
    total,
    present.map((kind) => characters[kind]),
  )
  for (let index = 0; index < present.length; index++) {
    const kind = present[index]
    if (kind) tokens[`${kind}_tokens`] = shares[index] ?? 0
  }
  return tokens
}
