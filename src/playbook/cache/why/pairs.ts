/** A call beside an earlier one: what their prompts have in common, and what of it the earlier one left in the cache. */
import type { CacheRule } from '../../../core/past.ts'
import type { Receipt } from '../../../core/receipt.ts'

export type Pair = Readonly<{
  receipt: Receipt
  index: number
  /** What both prompts have in common. */
  tokens: number
  /** What of it the earlier call left in the cache, as far as its receipt tells. */
  held_tokens: number
}>

export const chainOf = (receipt: Receipt) => ({
  hashes: receipt.prefix_hashes ?? [],
  tokens: receipt.prefix_tokens ?? [],
})

/** What a call read and wrote: with marks, all that it left in the cache. */
export const touchedBy = ({ cache_read_tokens = 0, cache_write_tokens = 0 }: Receipt): number =>
  cache_read_tokens + cache_write_tokens

/** Where two counts of one prefix differ by no more, they count the same. */
export const slackOf = (tokens: number): number => Math.max(2, tokens / 100)

/** The last boundary that the earlier prompt has too. What was written longer than it is matched only as a whole. */
export const commonWith = (call: Receipt, receipt: Receipt, rule: CacheRule): Pair => {
  const earlier = new Set(chainOf(receipt).hashes)
  const { hashes, tokens: lengths } = chainOf(call)
  const index = hashes.findLastIndex((hash) => earlier.has(hash))
  const tokens = lengths[index] ?? 0
  const touched = touchedBy(receipt)
  const isLonger = touched > tokens + slackOf(tokens)
  const written = isLonger ? 0 : touched >= tokens - slackOf(tokens) ? tokens : touched
  return { receipt, index, tokens, held_tokens: rule.style === 'automatic' ? tokens : written }
}

/** Longest in common first; of equals the latest. */
export const byUse = (a: Pair, b: Pair): number =>
  b.tokens - a.tokens || b.receipt.started_at_us - a.receipt.started_at_us
