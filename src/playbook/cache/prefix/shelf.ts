import type { CacheRule, Chain } from '../../../core/past.ts'
import type { CacheTtl } from '../../../core/prompt.ts'
import { ttl_s } from '../rules.ts'

/**
 * A prefix that a provider holds, in each of the ways of caching that are compared. `times` has three moments a way: when it
 * can be read (as soon as the answer that wrote it began), when it expires, and how long it lives, µs.
 */
type Hold = { tokens: number; readonly times: number[] }

const [READY, UNTIL, LIFE, EACH] = [0, 1, 2, 3]

/** What a provider's cache holds in several ways, by the hash of the prefix. */
export type Shelf = Readonly<{
  holds: Map<string, Hold>
  /** The times of a prefix that is held in no way. */
  blank: readonly number[]
}> & { sweep_at: number }

/** Where prefixes are written: at marks, or (automatic) wherever the provider likes, which is everywhere. */
export type Plan = 'automatic' | readonly Readonly<{ boundary: number; ttl: CacheTtl }>[]

/** A prefix that was written in one way. */
export type Write = Readonly<{ hold: Hold; way: number }>

/** What a cache did for one prompt, tokens; and what was written, to be made readable when the answer begins. */
export type Visit = Readonly<{
  read: number
  written_short: number
  written_long: number
  writes: readonly Write[]
  /** The boundary that was read up to; -1 where none was. */
  hit: number
}>

/** A prompt at a shelf: what is held of it at each boundary, looked up once for all ways. */
export type Look = Readonly<{ shelf: Shelf; chain: Chain; holds: (Hold | undefined)[]; at_us: number }>

/** Prefixes that are held for one route before the expired are swept out, and at most. */
const SWEEP_FROM = 64
const MOST_HELD = 400_000

const isLong = (ttl: CacheTtl): boolean => ttl_s[ttl] > ttl_s['30m']

export const openShelf = (ways: number): Shelf => ({
  holds: new Map(),
  blank: Array.from({ length: ways * EACH }, () => Number.NEGATIVE_INFINITY),
  sweep_at: SWEEP_FROM,
})

export const lookAt = (shelf: Shelf, chain: Chain, at_us: number): Look => ({
  shelf,
  chain,
  holds: chain.hashes.map((hash) => shelf.holds.get(hash)),
  at_us,
})

const time = ({ times }: Hold, way: number, which: number): number => times[way * EACH + which] ?? 0

const isLive = (hold: Hold | undefined, way: number, at_us: number): hold is Hold =>
  hold !== undefined && time(hold, way, UNTIL) > at_us && time(hold, way, READY) <= at_us

const refresh = ({ times }: Hold, way: number, at_us: number): void => {
  const at = way * EACH
  times[at + UNTIL] = at_us + (times[at + LIFE] ?? 0)
}

const isOver = ({ times }: Hold, at_us: number): boolean => {
  for (let at = UNTIL; at < times.length; at += EACH) if ((times[at] ?? 0) > at_us) return false
  return true
}

/** Takes out what has expired in every way, each time that twice as much is held as was left the last time. */
const sweep = (shelf: Shelf, at_us: number): void => {
  const { holds } = shelf
  for (const [hash, hold] of holds) if (isOver(hold, at_us)) holds.delete(hash)
  for (const hash of holds.keys()) {
    if (holds.size < MOST_HELD) break
    holds.delete(hash)
  }
  shelf.sweep_at = Math.min(MOST_HELD, Math.max(SWEEP_FROM, holds.size * 2))
}

const holdAt = ({ shelf, chain, holds, at_us }: Look, boundary: number, hash: string): Hold => {
  const found = holds[boundary]
  if (found !== undefined) return found
  if (shelf.holds.size >= shelf.sweep_at) sweep(shelf, at_us)
  const hold: Hold = { tokens: chain.tokens[boundary] ?? 0, times: shelf.blank.slice() }
  shelf.holds.set(hash, hold)
  holds[boundary] = hold
  return hold
}

const write = (look: Look, boundary: number, way: number, ttl: CacheTtl): Write | undefined => {
  const hash = look.chain.hashes[boundary]
  if (hash === undefined) return undefined
  const hold = holdAt(look, boundary, hash)
  if (time(hold, way, UNTIL) > look.at_us) return undefined
  const [at, life_us] = [way * EACH, ttl_s[ttl] * 1_000_000]
  hold.tokens = look.chain.tokens[boundary] ?? 0
  hold.times[at + READY] = Number.POSITIVE_INFINITY
  hold.times[at + UNTIL] = look.at_us + life_us
  hold.times[at + LIFE] = life_us
  return { hold, way }
}

/** The furthest boundary that can be read, looked for backwards from each position over `reach` blocks. Reading refreshes. */
const furthest = ({ holds, at_us }: Look, way: number, from: readonly number[], reach: number): number => {
  let best = -1
  for (const position of from) {
    for (let at = position; at > Math.max(best, position - reach); at--) {
      const hold = holds[at]
      if (!isLive(hold, way, at_us)) continue
      refresh(hold, way, at_us)
      best = at
    }
  }
  return best
}

/** Every boundary is written, and the furthest that is held is read, down to the provider's step. */
const visitAutomatic = (look: Look, way: number, rule: CacheRule): Visit => {
  const { minimum_tokens: minimum, step_tokens: step, default_ttl } = rule
  const { chain, holds, at_us } = look
  let hit = -1
  const writes: Write[] = []
  for (let boundary = 0; boundary < chain.hashes.length; boundary++) {
    if ((chain.tokens[boundary] ?? 0) < minimum) continue
    const hold = holds[boundary]
    if (isLive(hold, way, at_us)) {
      refresh(hold, way, at_us)
      hit = boundary
      continue
    }
    const written = write(look, boundary, way, default_ttl)
    if (written) writes.push(written)
  }
  const tokens = chain.tokens[hit] ?? 0
  const read = hit < 0 ? 0 : minimum + Math.floor((tokens - minimum) / step) * step
  return { read, written_short: 0, written_long: 0, writes, hit }
}

/**
 * One prompt at a provider's cache in one way: what is read, what is written, at the rules of the model. A read keeps a prefix
 * alive for its TTL anew; what is written can be read once the answer has begun (`makeReady`).
 */
export const visit = (look: Look, way: number, plan: Plan, rule: CacheRule): Visit => {
  if (plan === 'automatic') return visitAutomatic(look, way, rule)
  const { chain } = look
  const places = plan.filter(({ boundary }) => (chain.tokens[boundary] ?? 0) >= rule.minimum_tokens)
  // Where the provider chooses the places too, the whole prompt is what a prefix is looked for in.
  const from = rule.style === 'both' ? [chain.hashes.length - 1] : places.map(({ boundary }) => boundary)
  const hit = furthest(look, way, from, rule.lookback_blocks)
  const total = chain.tokens.at(-1) ?? 0
  const read = hit < 0 ? 0 : Math.min(total, look.holds[hit]?.tokens ?? 0)
  let upTo = read
  const written = { short: 0, long: 0 }
  const writes: Write[] = []
  for (const { boundary, ttl } of places) {
    if (boundary <= hit) continue
    const tokens = chain.tokens[boundary] ?? 0
    written[isLong(ttl) ? 'long' : 'short'] += Math.max(0, tokens - upTo)
    upTo = Math.max(upTo, tokens)
    const done = write(look, boundary, way, ttl)
    if (done) writes.push(done)
  }
  return { read, written_short: written.short, written_long: written.long, writes, hit }
}

/** The answer has begun: what was written can be read. */
export const makeReady = (writes: readonly Write[], ready_us: number): void => {
  for (const { hold, way } of writes) hold.times[way * EACH + READY] = ready_us
}
