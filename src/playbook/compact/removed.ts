import type { ReplayKit, Spent } from '../../core/lever.ts'
import type { CacheRule, Past, PastUsage, Replay } from '../../core/past.ts'

type Chain = Past['chain']

/** Tokens taken out of the first `tokens` of a prompt: exact at a boundary, in proportion between two. */
const removedUpTo = (tokens: number, chain: Chain, removed: readonly number[]): number => {
  let before = 0
  let taken = 0
  for (let index = 0; index < chain.tokens.length; index++) {
    const end = chain.tokens[index] ?? before
    const all = removed[index] ?? taken
    if (tokens < end) return taken + ((all - taken) * (tokens - before)) / Math.max(1, end - before)
    before = end
    taken = all
  }
  return taken
}

/** Does the caller say where caches end? Then that is at a boundary. */
const hasMarks = ({ cache_write_5m, cache_write_long }: Readonly<PastUsage>): boolean =>
  cache_write_5m + cache_write_long > 0

/**
 * Tokens taken out before the boundary that fits best: boundaries are placed by counts and characters, so none lies quite where it is
 * `expected`. An error counts by the length of the prefix, since that is what it grows with.
 */
const removedBefore = (
  ends: readonly number[],
  removed: readonly number[],
  expected: (boundary: number) => number,
): number => {
  let [best, least] = [0, 1]
  for (const [boundary, end] of ends.entries()) {
    const error = Math.abs(end - expected(boundary)) / Math.max(1, end)
    if (error <= least) [best, least] = [removed[boundary] ?? 0, error]
  }
  return best
}

const order = ['cache_read', 'cache_write_long', 'cache_write_5m', 'fresh'] as const

/**
 * The usage of a call had its prompt been shorter. `removed` is cumulative at the boundaries of `chain`; what is read from
 * a cache lies first in a prompt, then what is written (longer TTL first), then the rest. Each class loses what was taken out of its
 * own stretch, so no class falls below zero and the sum falls by what was removed.
 */
export const shorten = (usage: Readonly<PastUsage>, chain: Chain, removed: readonly number[]): PastUsage => {
  const whole = chain.tokens.at(-1) ?? 0
  const input = order.reduce((sum, name) => sum + usage[name], 0)
  const scale = input === 0 ? 1 : whole / input
  const shorter = { ...usage }
  const isMarked = hasMarks(usage)
  const gone = removed.at(-1) ?? 0
  let end = 0
  let kept = 0
  for (const name of order) {
    if (usage[name] === 0) continue
    end += usage[name]
    // What comes behind cannot lose more than it has.
    const least = gone - (input - end)
    const all = isMarked
      ? Math.max(
          least,
          removedBefore(chain.tokens, removed, () => end * scale),
        )
      : removedUpTo(end * scale, chain, removed)
    const left = Math.max(kept, Math.round(end - Math.min(end, all)))
    shorter[name] = left - kept
    kept = left
  }
  return shorter
}

/** Boundaries are placed by characters, so the one that a cache had read to may seem to lie a little before what was read. */
const MISPLACED = 0.02

/**
 * Tokens that are still read: whole steps of what is left of the prefix that was cached. Its end is the boundary that lies in the step
 * behind what was read; where none does, it is somewhere in that step.
 */
const stillRead = (read: number, step: number, chain: Chain, removed: readonly number[]): number => {
  const from = read * (1 - MISPLACED)
  const at = chain.tokens.findLastIndex((end) => end < read + step)
  const end = chain.tokens[at] ?? 0
  const cached = end < from ? read + step / 2 : end
  return Math.floor((cached - removedUpTo(cached, chain, removed)) / step) * step
}

/**
 * A shorter usage as the provider's cache can give it: a read is whole steps, and none is below the minimum. What is not read
 * is paid as what comes behind it.
 */
const readable = (
  shorter: PastUsage,
  usage: Readonly<PastUsage>,
  { chain, removed, rule }: Readonly<{ chain: Chain; removed: readonly number[]; rule: CacheRule | undefined }>,
): PastUsage => {
  const { cache_read: read } = shorter
  if (!rule || read === usage.cache_read) return shorter
  const step = Math.max(1, rule.step_tokens)
  const whole = step > 1 && usage.cache_read % step === 0
  const steps = whole ? stillRead(usage.cache_read, step, chain, removed) : read
  const next = order.slice(1).find((name) => shorter[name] > 0) ?? 'fresh'
  const left = steps < rule.minimum_tokens ? 0 : Math.min(steps, read + shorter[next])
  return { ...shorter, cache_read: left, [next]: shorter[next] + read - left }
}

/**
 * What a lever still finds to take out where levers before it were in the same blocks: of a block's tokens that are left, the share that
 * it would have taken of all. When they only observed each saw the whole prompt, so their counts may overlap.
 */
const stillThere = ({ chain, removed: before }: Past, removed: readonly number[]): readonly number[] => {
  if (before === undefined) return removed
  let [taken, end, mine, theirs] = [0, 0, 0, 0]
  return chain.tokens.map((next, at) => {
    const [upTo, gone] = [removed[at] ?? mine, before[at] ?? theirs]
    const size = next - end
    taken += size > 0 ? (upTo - mine) * Math.max(0, 1 - (gone - theirs) / size) : 0
    end = next
    mine = upTo
    theirs = gone
    return taken
  })
}

const plus = (before: readonly number[] | undefined, removed: readonly number[]): readonly number[] =>
  before === undefined ? removed : removed.map((tokens, at) => tokens + (before[at] ?? 0))

/**
 * Replays a lever that shortens prompts by what it recorded when it only observed: exact, since the receipt says how many tokens
 * it would have taken out before each boundary. A receipt without that record says nothing about its text, so nothing is promised
 * of it: observe first. Where the lever acted the saving is in the usage already.
 */
export const replayRemoved = (name: string, kit: Pick<ReplayKit, 'cache_rule'>): Replay => {
  return (past) => {
    if (past.answered) return past
    const trace = past.traces.find((one) => one.name === name)
    if (trace?.action !== 'observed' || !trace.removed || (trace.removed.at(-1) ?? 0) <= 0) return past
    const rule = kit.cache_rule(past.provider, past.model, past.at_us)
    const { usage, chain } = past
    const removed = stillThere(past, trace.removed)
    const shorter = readable(shorten(usage, chain, removed), usage, { chain, removed, rule })
    return { ...past, usage: shorter, removed: plus(past.removed, removed) }
  }
}

/** Price of the input of a call in picodollars. */
const priceOf = (usage: Readonly<PastUsage>, { rates }: Pick<Spent, 'rates'>): number => {
  const short = rates.cache_write['5m'] ?? rates.cache_write['30m'] ?? rates.fresh
  const long = rates.cache_write['1h'] ?? rates.cache_write['12h'] ?? rates.cache_write['24h'] ?? short
  const { fresh, cache_read, cache_write_5m, cache_write_long } = usage
  return fresh * rates.fresh + cache_read * rates.cache_read + cache_write_5m * short + cache_write_long * long
}

/**
 * What the tokens that were taken out would have cost where they stood: read from the cache, written to it, or fresh. Of a
 * call that was only observed they are in its usage; of one that was shortened they are put back first.
 */
export const worthOfRemoved = (spent: Spent): number => {
  const { pulled, usage, chain, mode } = spent
  if (pulled.do !== 'change' || !pulled.removed) return 0
  if (mode === 'observe') return priceOf(usage, spent) - priceOf(shorten(usage, chain(), pulled.removed), spent)
  return priceOf(lengthen(usage, chain(), pulled.removed), spent) - priceOf(usage, spent)
}

/** The usage as it would have been without the edits: the inverse of `shorten`, class by class. */
export const lengthen = (usage: Readonly<PastUsage>, chain: Chain, removed: readonly number[]): PastUsage => {
  const input = order.reduce((sum, name) => sum + usage[name], 0)
  // The chain is estimated: it is stretched to what the provider counted and what was taken out.
  const stretch = (input + (removed.at(-1) ?? 0)) / Math.max(1, chain.tokens.at(-1) ?? 0)
  const asked = chain.tokens.map((end) => end * stretch)
  const isMarked = hasMarks(usage)
  let before = 0
  const tokens = asked.map((end, index) => {
    before = Math.max(before, end - (removed[index] ?? 0))
    return before
  })
  const left: Chain = { hashes: chain.hashes, tokens }
  const scale = input === 0 ? 1 : (tokens.at(-1) ?? 0) / input
  const longer = { ...usage }
  let end = 0
  let added = 0
  for (const name of order) {
    if (usage[name] === 0) continue
    end += usage[name]
    const upTo = isMarked
      ? removedBefore(asked, removed, (boundary) => end * scale + (removed[boundary] ?? 0))
      : removedUpTo(end * scale, left, removed)
    const all = Math.round(upTo)
    longer[name] = usage[name] + Math.max(0, all - added)
    added = Math.max(added, all)
  }
  return longer
}
