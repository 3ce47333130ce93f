import type { PartKind } from '../../core/prompt.ts'
import type { AnatomyTokens } from '../../core/receipt.ts'
import type { Part } from '../../core/wire.ts'

/** The columns of the kinds of part, and the place of each kind among them. */
const columns = [
  'tools_tokens',
  'system_tokens',
  'examples_tokens',
  'history_tokens',
  'context_tokens',
  'user_tokens',
] as const satisfies readonly (keyof AnatomyTokens)[]
const placeOf: Readonly<Record<PartKind, number>> = {
  tools: 0,
  system: 1,
  examples: 2,
  history: 3,
  context: 4,
  user: 5,
}

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
 * written into `tokens` where one is given. `weights` stand for the characters of the parts where more is known of them (`weightsOf`).
 */
export const anatomy = (
  parts: readonly Part[],
  input_tokens: number | undefined,
  bytes_per_token: number,
  tokens: AnatomyTokens = {},
  weights?: readonly number[],
): AnatomyTokens => {
  const characters = [0, 0, 0, 0, 0, 0]
  let sum = 0
  for (let at = 0; at < parts.length; at++) {
    const { kind, text } = parts[at] as Part
    const place = placeOf[kind]
    const weight = weights?.[at] ?? text.length
    characters[place] = (characters[place] ?? 0) + weight
    sum += weight
  }
  const total = input_tokens ?? Math.ceil(sum / bytes_per_token)
  if (sum === 0) {
    if (total > 0) tokens.user_tokens = total
    return tokens
  }
  const shares = apportion(total, characters)
  for (let place = 0; place < columns.length; place++) {
    const column = columns[place]
    if (column && characters[place] !== 0) tokens[column] = shares[place] ?? 0
  }
  return tokens
}
