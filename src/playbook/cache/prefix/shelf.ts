import type { CacheRule, Chain } from '../../../core/past.ts'
import { type CacheTtl, ttl_s } from '../../../core/prompt.ts'

/**
 * A prefix that a provider holds, in each of the ways of caching that are compared. `times` has three moments a way: when it
 * can be read (as soon as the answer that wrote it began), when it expires, and how long it lives, µs; `over_us` is when it has
 * expired in all of them.
 */
type Hold = {
  /**
   * Its length by the shortest prompt that began with it: tokens are divided among blocks by characters, and the less stands behind a
   * prefix, the less it matters that some texts have fewer tokens a character than others.
   */
  tokens: number
  /** Tokens behind it in that prompt. */
  rest: number
  over_us: number
  readonly times: number[]
}

/** No prompt is as long; and as a small integer it needs no object of its own beside each of millions of holds. */
const MOST_REST = 2 ** 30

const [READY, UNTIL, LIFE, EACH] = [0, 1, 2, 3]

/** What a provider's cache holds in several ways, by the hash of the prefix. */
export type Shelf = Readonly<{
  holds: Map<string, Hold>
  /** The times of a prefix that is held in no way. */
  blank: readonly number[]
}> & {
  sweep_at: number
  /** When all that is held has expired, µs. */
  over_us: number
}

/** Where prefixes are written: at marks on boundaries, ascending, or (automatic) wherever the provider likes, which is everywhere. */
export type Plan = 'automatic' | readonly number[]

/** A prefix that was written in one way. */
export type Write = Readonly<{ hold: Hold; way: number }>

/** What a cache did for one prompt, tokens. */
export type Visit = Readonly<{
  read: number
  written_short: number
  written_long: number
  /** The boundary that was read up to; -1 where none was. */
  hit: number
}>

/** A prompt at a shelf: what is held of it at each boundary, looked up when it is first asked for, for all ways; null where nothing is. */
export type Look = Readonly<{
  shelf: Shelf
  chain: Chain
  holds: (Hold | null | undefined)[]
  at_us: number
  /** Nothing was held any more when it came. */
  is_over: boolean
}>

/** Prefixes that are held for one route before the expired are swept out, and at most. */
const SWEEP_FROM = 16
const MOST_HELD = 400_000

const isLong = (ttl: CacheTtl): boolean => ttl_s[ttl] > ttl_s['30m']

export const openShelf = (ways: number): Shelf => ({
  holds: new Map(),
  blank: Array.from({ length: ways * EACH }, () => Number.NEGATIVE_INFINITY),
  sweep_at: SWEEP_FROM,
  over_us: 0,
})

export const lookAt = (shelf: Shelf, chain: Chain, at_us: number): Look => {
  const is_over = shelf.over_us <= at_us
  if (is_over && shelf.holds.size > 0) shelf.holds.clear()
  return { shelf, chain, holds: new Array(chain.hashes.length).fill(is_over ? null : undefined), at_us, is_over }
}

const heldAt = ({ shelf, chain, holds }: Look, boundary: number): Hold | null => {
  const found = holds[boundary]
  if (found !== undefined) return found
  const hash = chain.hashes[boundary]
  const hold = (hash === undefined ? undefined : shelf.holds.get(hash)) ?? null
  holds[boundary] = hold
  if (hold !== null) measure(hold, chain, boundary)
  return hold
}

const measure = (hold: Hold, { tokens }: Chain, boundary: number): void => {
  const length = tokens[boundary] ?? 0
  const rest = (tokens[tokens.length - 1] ?? 0) - length
  if (rest >= hold.rest) return
  hold.tokens = length
  hold.rest = rest
}

const time = ({ times }: Hold, way: number, which: number): number => times[way * EACH + which] ?? 0

const isLive = (hold: Hold | null, way: number, at_us: number): hold is Hold =>
  hold !== null && time(hold, way, UNTIL) > at_us && time(hold, way, READY) <= at_us

const keep = ({ shelf }: Look, hold: Hold, way: number, until_us: number): void => {
  hold.times[way * EACH + UNTIL] = until_us
  if (until_us > hold.over_us) hold.over_us = until_us
  if (until_us > shelf.over_us) shelf.over_us = until_us
}

const refresh = (look: Look, hold: Hold, way: number): void => keep(look, hold, way, look.at_us + time(hold, way, LIFE))

/** Takes out what has expired in every way, each time that twice as much is held as was left the last time. */
const sweep = (shelf: Shelf, at_us: number): void => {
  const { holds } = shelf
  for (const [hash, hold] of holds) if (hold.over_us <= at_us) holds.delete(hash)
  for (const hash of holds.keys()) {
    if (holds.size < MOST_HELD) break
    holds.delete(hash)
  }
  shelf.sweep_at = Math.min(MOST_HELD, Math.max(SWEEP_FROM, holds.size * 2))
}

const holdAt = (look: Look, boundary: number, hash: string): Hold => {
  const found = heldAt(look, boundary)
  if (found !== null) return found
  const { shelf, chain, holds, at_us } = look
  if (shelf.holds.size >= shelf.sweep_at) sweep(shelf, at_us)
  const hold: Hold = { tokens: 0, rest: MOST_REST, over_us: 0, times: shelf.blank.slice() }
  measure(hold, chain, boundary)
  shelf.holds.set(hash, hold)
  holds[boundary] = hold
  return hold
}

/** One way of caching at a look, and where what it writes is noted. */
type Visiting = Readonly<{
  way: number
  plan: Plan
  ttl: CacheTtl
  rule: CacheRule
  /** When what is written can be read; where that is not known it is noted in `writes`. */
  ready_us?: number | undefined
  writes: Write[]
}>

const write = (look: Look, boundary: number, { way, ttl, ready_us, writes }: Visiting): void => {
  const hash = look.chain.hashes[boundary]
  if (hash === undefined) return
  const hold = holdAt(look, boundary, hash)
  if (time(hold, way, UNTIL) > look.at_us) return
  const [at, life_us] = [way * EACH, ttl_s[ttl] * 1_000_000]
  hold.times[at + READY] = ready_us ?? Number.POSITIVE_INFINITY
  hold.times[at + LIFE] = life_us
  keep(look, hold, way, look.at_us + life_us)
  if (ready_us === undefined) writes.push({ hold, way })
}

/** The furthest boundary beyond `best` that can be read, looked for backwards over `reach` blocks. Reading refreshes. */
const furthest = (look: Look, way: number, from: number, reach: number, best: number): number => {
  let hit = best
  for (let at = from; at > Math.max(hit, from - reach); at--) {
    const hold = heldAt(look, at)
    if (!isLive(hold, way, look.at_us)) continue
    refresh(look, hold, way)
    hit = at
  }
  return hit
}

/** Every boundary is written, and the furthest that is held is read, down to the provider's step. */
const visitAutomatic = (look: Look, visiting: Visiting): Visit => {
  const { way, rule } = visiting
  const { minimum_tokens: minimum, step_tokens: step } = rule
  const { chain, at_us } = look
  let hit = -1
  for (let boundary = 0; boundary < chain.hashes.length; boundary++) {
    if ((chain.tokens[boundary] ?? 0) < minimum) continue
    const hold = heldAt(look, boundary)
    if (isLive(hold, way, at_us)) {
      refresh(look, hold, way)
      hit = boundary
    } else write(look, boundary, visiting)
  }
  const tokens = Math.min(chain.tokens.at(-1) ?? 0, look.holds[hit]?.tokens ?? 0)
  const read = hit < 0 ? 0 : minimum + Math.floor((tokens - minimum) / step) * step
  return { read, written_short: 0, written_long: 0, hit }
}

const hitOf = (look: Look, { way, rule }: Visiting, plan: readonly number[]): number => {
  const { chain, is_over } = look
  if (is_over) return -1
  // Where the provider chooses the places too, the whole prompt is what a prefix is looked for in.
  if (rule.style === 'both') return furthest(look, way, chain.hashes.length - 1, rule.lookback_blocks, -1)
  let hit = -1
  for (const boundary of plan)
    if ((chain.tokens[boundary] ?? 0) >= rule.minimum_tokens)
      hit = furthest(look, way, boundary, rule.lookback_blocks, hit)
  return hit
}

/**
 * One prompt at a provider's cache in one way: what is read, what is written, at the rules of the model. A read keeps a prefix
 * alive for its TTL anew; what is written can be read once the answer has begun (`makeReady`).
 */
export const visit = (look: Look, visiting: Visiting): Visit => {
  const { plan, rule, ttl } = visiting
  if (plan === 'automatic') return visitAutomatic(look, visiting)
  const { tokens } = look.chain
  const hit = hitOf(look, visiting, plan)
  const read = hit < 0 ? 0 : Math.min(tokens.at(-1) ?? 0, look.holds[hit]?.tokens ?? 0)
  let upTo = read
  for (const boundary of plan) {
    const end = tokens[boundary] ?? 0
    if (end < rule.minimum_tokens || boundary <= hit) continue
    upTo = Math.max(upTo, end)
    write(look, boundary, visiting)
  }
  const written = upTo - read
  return isLong(ttl)
    ? { read, written_short: 0, written_long: written, hit }
    : { read, written_short: written, written_long: 0, hit }
}

/** The answer has begun: what was written can be read. */
export const makeReady = (writes: readonly Write[], ready_us: number): void => {
  for (const { hold, way } of writes) hold.times[way * EACH + READY] = ready_us
}

/** The call failed, or was answered otherwise: nothing was written. */
export const forget = (writes: readonly Write[]): void => {
  for (const { hold, way } of writes) hold.times[way * EACH + UNTIL] = Number.NEGATIVE_INFINITY
}
