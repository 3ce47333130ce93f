import type { PartKind } from '../../core/prompt.ts'
import type { Part } from '../../core/wire.ts'
import { hexadecimal, type Lanes, runningHash } from './digest.ts'

/** Boundaries of a prompt: the hash of everything up to each and the characters up to it, ascending. */
export type PrefixChain = Readonly<{ hashes: readonly string[]; characters: readonly number[] }>

const MOST_BOUNDARIES = 64
const FIRST_KEPT = 8
const LAST_KEPT = 24
const MIDDLE_KEPT = MOST_BOUNDARIES - FIRST_KEPT - LAST_KEPT

/** A block that was the user's is history a turn later and must hash the same, so messages are one group. */
const group = (kind: PartKind) => {
  if (kind === 'tools') return 't'
  if (kind === 'system') return 's'
  return kind === 'examples' ? 'e' : 'm'
}

/**
 * How long an index is kept: its factors of two less its size in octaves, so that every octave has equally many indices
 * of each roundness or more.
 */
const roundness = (index: number) => 31 - Math.clz32(index & -index) - (31 - Math.clz32(index))

/** The indices of a chain that is kept whole. */
const all = Array.from({ length: MOST_BOUNDARIES }, (_, index) => index)

/**
 * The boundaries that are kept of `count`: the first 8, the last 24, and of the middle those at round indices, about
 * equally many from every octave. Of the middle a longer chain keeps a subset of what a shorter one keeps, so two
 * conversations with a common beginning keep common boundaries in it.
 */
export const keptBoundaries = (count: number): readonly number[] => {
  if (count <= MOST_BOUNDARIES) return all.slice(0, count)
  const end = count - LAST_KEPT
  /** How many middle indices have a roundness of 0, -1, -2 … -31. */
  const tally = new Array<number>(32).fill(0)
  for (let index = FIRST_KEPT; index < end; index++) tally[-roundness(index)] = (tally[-roundness(index)] ?? 0) + 1
  let depth = 0
  let sum = 0
  while (depth < tally.length && sum + (tally[depth] ?? 0) <= MIDDLE_KEPT) sum += tally[depth++] ?? 0
  const kept: number[] = []
  for (let index = 0; index < count; index++)
    if (index < FIRST_KEPT || index >= end || -roundness(index) < depth) kept.push(index)
  return kept
}

export type Linked = Readonly<{
  chain: PrefixChain
  /** The chain before it was thinned: a boundary after every part. */
  whole(): PrefixChain
  /** Hash of the leading tools, system and examples parts; absent where there are none. */
  template: string | undefined
  /** Hash up to and with the first part of a message; absent where there is none. */
  conversation: string | undefined
}>

const thin = (states: readonly Lanes[], characters: readonly number[]): PrefixChain => {
  const kept = keptBoundaries(states.length)
  return {
    hashes: kept.flatMap((index) => states.slice(index, index + 1).map(hexadecimal)),
    characters: kept.map((index) => characters[index] ?? 0),
  }
}

/**
 * Chains the parts of a prompt: the hash at a boundary is that of every part before it, in order, and a boundary lies after
 * every part. At most 64 boundaries are kept (`keptBoundaries`); the last one is the whole prompt.
 */
export const linkParts = (parts: readonly Part[], digest: (text: string) => string): Linked => {
  const running = runningHash()
  const states: Lanes[] = []
  const characters: number[] = []
  let total = 0
  let template: Lanes | undefined
  let conversation: Lanes | undefined
  for (const part of parts) {
    const own = group(part.kind)
    const text = digest(part.text)
    // A digest is told from a short text that reads like one.
    running.add(text === part.text ? own : `${own}#`)
    running.add(text)
    total += part.text.length
    const state = running.state()
    states.push(state)
    characters.push(total)
    if (own === 'm') conversation ??= state
    else if (conversation === undefined) template = state
  }
  const all = (): PrefixChain => ({ hashes: states.map(hexadecimal), characters })
  const chain = states.length <= MOST_BOUNDARIES ? all() : thin(states, characters)
  return {
    chain,
    whole: () => (states.length <= MOST_BOUNDARIES ? chain : all()),
    template: template && hexadecimal(template),
    conversation: conversation && hexadecimal(conversation),
  }
}

/** A chain whose parts weigh otherwise than by their characters (`weightsOf`). */
export const weighted = ({ hashes }: PrefixChain, weights: readonly number[]): PrefixChain => {
  let sum = 0
  const upTo = weights.map((weight) => {
    sum += weight
    return Math.round(sum)
  })
  const kept = hashes.length === upTo.length ? upTo : keptBoundaries(upTo.length).map((index) => upTo[index] ?? 0)
  return { hashes, characters: kept }
}

/**
 * Tokens up to each boundary, in proportion to characters: the last is `input_tokens` exactly. Without the provider's
 * count, characters / `bytes_per_token`.
 */
export const prefixTokens = (
  chain: PrefixChain,
  input_tokens: number | undefined,
  bytes_per_token: number,
): number[] => {
  const total = chain.characters.at(-1) ?? 0
  const tokens = input_tokens ?? Math.ceil(total / bytes_per_token)
  if (total === 0) return chain.characters.map(() => tokens)
  return chain.characters.map((characters) => Math.floor((characters * tokens) / total))
}
