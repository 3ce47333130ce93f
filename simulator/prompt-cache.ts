import { blockTokens, startChain } from './prompt.ts'
import { type Block, type Caches, Refusal } from './types.ts'

const MINUTE_US = 60_000_000
const MOST_ENTRIES = 400_000
const MOST_BREAKPOINTS = 4
const LOOK_BACK_BLOCKS = 20
const OPENAI_LOOK_BACK_BLOCKS = 80

type Entry = { expires_us: number; ttl_us: number }

export const openCaches = (): Caches => {
  const scopes = new Map<string, Map<number, Entry>>()
  let size = 0
  const clear = (): void => {
    scopes.clear()
    size = 0
  }
  return {
    read(scope, key, now_us) {
      const entry = scopes.get(scope)?.get(key)
      if (!entry || entry.expires_us <= now_us) return false
      entry.expires_us = now_us + entry.ttl_us
      return true
    },
    write(scope, key, now_us, ttl_us) {
      if (size >= MOST_ENTRIES) clear()
      const entries = scopes.get(scope) ?? new Map<number, Entry>()
      scopes.set(scope, entries)
      if (!entries.has(key)) size++
      entries.set(key, { expires_us: now_us + ttl_us, ttl_us })
    },
    clear,
  }
}

/** What a cache did for a prompt, tokens. `commit` makes what was written readable: when the response starts. */
export type Cached = Readonly<{ read: number; written: number; written_5m: number; written_1h: number; commit(): void }>

const NOTHING: Cached = { read: 0, written: 0, written_5m: 0, written_1h: 0, commit: () => undefined }

type Place = Readonly<{ scope: string; now_us: number; caches: Caches }>

/** Prefix ends at whole multiples of `step` tokens from `minimum` on. */
const steps = (blocks: readonly Block[], minimum: number, step: number): { at: number; key: number }[] => {
  const ends: { at: number; key: number }[] = []
  const chain = startChain()
  let at = 0
  for (const block of blocks) {
    if (block.mark !== undefined) chain.add(block.mark)
    for (const id of block.ids) {
      chain.add(id)
      at++
      if (at >= minimum && (at - minimum) % step === 0) ends.push({ at, key: chain.key() })
    }
  }
  return ends
}

/** Automatic caching by token prefix: OpenAI before 5.6 (1,024 in steps of 128), DeepSeek (64), Gemini's implicit cache. */
export const automatic = (
  place: Place,
  blocks: readonly Block[],
  rules: Readonly<{ minimum: number; step: number; ttl_minutes: number }>,
): Cached => {
  if (!Number.isFinite(rules.minimum)) return NOTHING
  const { scope, now_us, caches } = place
  const ends = steps(blocks, rules.minimum, rules.step)
  const live = ends.map((end) => caches.read(scope, end.key, now_us))
  const hit = ends[live.lastIndexOf(true)]
  const commit = (): void => {
    for (const end of ends) caches.write(scope, end.key, now_us, rules.ttl_minutes * MINUTE_US)
  }
  return { ...NOTHING, read: hit?.at ?? 0, commit }
}

type End = Readonly<{ tokens: number; key: number; breakpoint: '5m' | '1h' | undefined; block: Block }>

/** Prefix ends at block boundaries, tokens as the model counts them. */
const blockEnds = (blocks: readonly Block[], ratio: number): End[] => {
  const chain = startChain()
  let tokens = 0
  const ends: End[] = []
  for (const block of blocks) {
    if (block.mark !== undefined) {
      chain.add(block.mark)
      continue
    }
    for (const id of block.ids) chain.add(id)
    tokens += blockTokens(block, ratio)
    ends.push({ tokens, key: chain.key(), breakpoint: block.breakpoint, block })
  }
  return ends
}

const checkBreakpoints = (marked: readonly End[]): void => {
  if (marked.length > MOST_BREAKPOINTS) {
    throw new Refusal(400, `A maximum of 4 blocks with cache_control may be provided. Found ${marked.length}.`)
  }
  const firstShort = marked.findIndex((end) => end.breakpoint === '5m')
  if (firstShort >= 0 && marked.slice(firstShort).some((end) => end.breakpoint === '1h')) {
    throw new Refusal(
      400,
      "messages: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
    )
  }
}

/** The furthest readable prefix, looking back from each position over `reach` blocks. */
const furthest = (
  place: Place,
  ends: readonly End[],
  from: readonly number[],
  reach: number,
  least: number,
): number => {
  let best = -1
  for (const position of from) {
    for (let at = position; at > Math.max(best, position - reach); at--) {
      const end = ends[at]
      if (end && end.tokens >= least && place.caches.read(place.scope, end.key, place.now_us)) best = Math.max(best, at)
    }
  }
  return best
}

/**
 * Anthropic's explicit caching: at most four breakpoints, each looking back over twenty blocks; a prefix below the
 * model's minimum is not cached. What lies between the hit and the last breakpoint is written, at the rate of the
 * breakpoint that closes each stretch. Throws Refusal on too many breakpoints or on a short TTL before a long one.
 */
export const explicit = (place: Place, blocks: readonly Block[], ratio: number, minimum: number): Cached => {
  const ends = blockEnds(blocks, ratio)
  const marked = ends.filter((end) => end.breakpoint !== undefined)
  checkBreakpoints(marked)
  const places = ends.flatMap((end, at) => (end.breakpoint !== undefined && end.tokens >= minimum ? [at] : []))
  const hit = furthest(place, ends, places, LOOK_BACK_BLOCKS, minimum)
  const read = ends[hit]?.tokens ?? 0
  const written = { '5m': 0, '1h': 0 }
  const fresh: End[] = []
  let from = read
  for (const at of places) {
    const end = ends[at]
    if (!end?.breakpoint || at <= hit) continue
    written[end.breakpoint] += end.tokens - from
    from = end.tokens
    fresh.push(end)
  }
  const commit = (): void => {
    for (const end of fresh) {
      place.caches.write(place.scope, end.key, place.now_us, (end.breakpoint === '1h' ? 60 : 5) * MINUTE_US)
    }
  }
  return { read, written: written['5m'] + written['1h'], written_5m: written['5m'], written_1h: written['1h'], commit }
}

/**
 * OpenAI from GPT-5.6 on: a prefix is written at breakpoints (the caller's, or after the system part and at the end) and
 * matches only as a whole, up to the latest 80 blocks. Writes are counted.
 */
export const written = (
  place: Place,
  blocks: readonly Block[],
  rules: Readonly<{ minimum: number; ttl_minutes: number; caller_only: boolean }>,
): Cached => {
  const ends = blockEnds(blocks, 1)
  const last = ends.length - 1
  const system = ends.findLastIndex((end) => end.block.part !== 'messages')
  const called = ends.flatMap((end, at) => (end.breakpoint === undefined ? [] : [at])).slice(-MOST_BREAKPOINTS)
  const chosen = rules.caller_only || called.length > 0 ? called : [...new Set([system, last])].filter((at) => at >= 0)
  const places = chosen.filter((at) => (ends[at]?.tokens ?? 0) >= rules.minimum)
  const hit = furthest(place, ends, [last], OPENAI_LOOK_BACK_BLOCKS, rules.minimum)
  const read = ends[hit]?.tokens ?? 0
  const fresh = places.filter((at) => at > hit)
  const upTo = ends[fresh.at(-1) ?? -1]?.tokens ?? read
  const commit = (): void => {
    for (const at of fresh) {
      const end = ends[at]
      if (end) place.caches.write(place.scope, end.key, place.now_us, rules.ttl_minutes * MINUTE_US)
    }
  }
  return { ...NOTHING, read, written: upTo - read, commit }
}
