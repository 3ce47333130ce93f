import type { CacheRule, Chain } from '../../../core/past.ts'
import type { CacheTtl } from '../../../core/prompt.ts'
import { ttl_s } from '../rules.ts'

/** A prefix that a provider holds. */
type Hold = {
  tokens: number
  /** When it can be read: as soon as the answer that wrote it began. */
  ready_us: number
  expires_us: number
  ttl_us: number
}

/** What a provider's cache holds, by the hash of the prefix. */
export type Shelf = Map<string, Hold>

/** Where prefixes are written: at marks, or (automatic) wherever the provider likes, which is everywhere. */
export type Plan = 'automatic' | readonly Readonly<{ boundary: number; ttl: CacheTtl }>[]

/** What a cache did for one prompt, tokens; and what was written, to be made readable when the answer begins. */
export type Visit = Readonly<{
  read: number
  written_short: number
  written_long: number
  writes: readonly Hold[]
  /** The boundary that was read up to; -1 where none was. */
  hit: number
}>

/** Prefixes that are held for one route before the expired are swept out, and at most. */
const SWEEP_FROM = 8192
const MOST_HELD = 400_000

const isLong = (ttl: CacheTtl): boolean => ttl_s[ttl] > ttl_s['30m']

const live = (shelf: Shelf, hash: string | undefined, at_us: number): Hold | undefined => {
  const hold = hash === undefined ? undefined : shelf.get(hash)
  return hold && hold.ready_us <= at_us && hold.expires_us > at_us ? hold : undefined
}

const refresh = (hold: Hold, at_us: number): void => {
  hold.expires_us = at_us + hold.ttl_us
}

const sweep = (shelf: Shelf, at_us: number): void => {
  for (const [hash, hold] of shelf) if (hold.expires_us <= at_us) shelf.delete(hash)
  for (const hash of shelf.keys()) {
    if (shelf.size <= MOST_HELD) return
    shelf.delete(hash)
  }
}

const write = (shelf: Shelf, chain: Chain, boundary: number, ttl: CacheTtl, at_us: number): Hold | undefined => {
  const hash = chain.hashes[boundary]
  const before = hash === undefined ? undefined : shelf.get(hash)
  if (hash === undefined || (before && before.expires_us > at_us)) return undefined
  if (shelf.size >= SWEEP_FROM && shelf.size % SWEEP_FROM === 0) sweep(shelf, at_us)
  const ttl_us = ttl_s[ttl] * 1_000_000
  const tokens = chain.tokens[boundary] ?? 0
  const hold: Hold = { tokens, ready_us: Number.POSITIVE_INFINITY, expires_us: at_us + ttl_us, ttl_us }
  shelf.set(hash, hold)
  return hold
}

/** The furthest boundary that can be read, looked for backwards from each position over `reach` blocks. Reading refreshes. */
const furthest = (shelf: Shelf, chain: Chain, from: readonly number[], reach: number, at_us: number): number => {
  let best = -1
  for (const position of from) {
    for (let at = position; at > Math.max(best, position - reach); at--) {
      const hold = live(shelf, chain.hashes[at], at_us)
      if (!hold) continue
      refresh(hold, at_us)
      best = at
    }
  }
  return best
}

/** Every boundary is written, and the furthest that is held is read, down to the provider's step. */
const visitAutomatic = (shelf: Shelf, chain: Chain, rule: CacheRule, at_us: number): Visit => {
  const { minimum_tokens: minimum, step_tokens: step, default_ttl } = rule
  let hit = -1
  const writes: Hold[] = []
  chain.hashes.forEach((hash, boundary) => {
    if ((chain.tokens[boundary] ?? 0) < minimum) return
    const hold = live(shelf, hash, at_us)
    if (hold) {
      refresh(hold, at_us)
      hit = boundary
      return
    }
    const written = write(shelf, chain, boundary, default_ttl, at_us)
    if (written) writes.push(written)
  })
  const tokens = chain.tokens[hit] ?? 0
  const read = hit < 0 ? 0 : minimum + Math.floor((tokens - minimum) / step) * step
  return { read, written_short: 0, written_long: 0, writes, hit }
}

/**
 * One prompt at a provider's cache: what is read, what is written, at the rules of the model. A read keeps a prefix alive for its
 * TTL anew; what is written can be read once the answer has begun (`makeReady`).
 */
export const visit = (shelf: Shelf, chain: Chain, plan: Plan, rule: CacheRule, at_us: number): Visit => {
  if (plan === 'automatic') return visitAutomatic(shelf, chain, rule, at_us)
  const places = plan.filter(({ boundary }) => (chain.tokens[boundary] ?? 0) >= rule.minimum_tokens)
  // Where the provider chooses the places too, the whole prompt is what a prefix is looked for in.
  const from = rule.style === 'both' ? [chain.hashes.length - 1] : places.map(({ boundary }) => boundary)
  const hit = furthest(shelf, chain, from, rule.lookback_blocks, at_us)
  const total = chain.tokens.at(-1) ?? 0
  const read = hit < 0 ? 0 : Math.min(total, shelf.get(chain.hashes[hit] ?? '')?.tokens ?? 0)
  let upTo = read
  const written = { short: 0, long: 0 }
  const writes: Hold[] = []
  for (const { boundary, ttl } of places) {
    if (boundary <= hit) continue
    const tokens = chain.tokens[boundary] ?? 0
    written[isLong(ttl) ? 'long' : 'short'] += Math.max(0, tokens - upTo)
    upTo = Math.max(upTo, tokens)
    const hold = write(shelf, chain, boundary, ttl, at_us)
    if (hold) writes.push(hold)
  }
  return { read, written_short: written.short, written_long: written.long, writes, hit }
}

/** The answer has begun: what was written can be read. */
export const makeReady = (writes: readonly Hold[], ready_us: number): void => {
  for (const hold of writes) hold.ready_us = ready_us
}
