import type { CacheRule, Chain, TokenRates } from '../../../core/past.ts'
import type { CacheTtl } from '../../../core/prompt.ts'
import type { Plan, Visit } from './shelf.ts'

/** What of a prompt is written: nothing, what stands before the conversation, or all of it. */
export type Reach = 'nothing' | 'definitions' | 'everything'

/** A way to have a route's prompts cached. */
export type Candidate = Readonly<{
  name: string
  reach: Reach
  ttl: CacheTtl
  /** What happens when nobody does anything. */
  idle: boolean
}>

/** A prompt with the boundaries at which marks make sense; -1 where there is none. */
export type Marked = Readonly<{ chain: Chain; tools_end: number; system_end: number; last: number }>

/** What configuration wants; auto leaves it to what has paid. */
export type Wanted = Readonly<{ ttl: 'auto' | CacheTtl; reach: 'auto' | Exclude<Reach, 'nothing'> }>

/** Ways that the rule allows, the idle one first. With a TTL that the model has, only that one is tried. */
export const candidatesOf = (rule: CacheRule, { ttl: choice, reach: extent }: Wanted): readonly Candidate[] => {
  if (rule.style === 'automatic') {
    const automatic = { name: 'automatic', reach: 'everything', ttl: rule.default_ttl } as const
    if (!rule.needs_key) return [{ ...automatic, idle: true }]
    return [
      { name: 'nothing', reach: 'nothing', ttl: rule.default_ttl, idle: true },
      { ...automatic, idle: false },
    ]
  }
  const wanted = rule.ttls.filter((ttl) => choice === 'auto' || ttl === choice)
  const ttls = wanted.length > 0 ? wanted : [rule.default_ttl]
  const idleReach = rule.style === 'both' ? 'everything' : 'nothing'
  const idle: Candidate = { name: 'idle', reach: idleReach, ttl: rule.default_ttl, idle: true }
  const nothing: Candidate = { name: 'nothing', reach: 'nothing', ttl: rule.default_ttl, idle: false }
  const ways = ttls.flatMap((ttl): Candidate[] => [
    { name: `definitions ${ttl}`, reach: 'definitions', ttl, idle: false },
    { name: `everything ${ttl}`, reach: 'everything', ttl, idle: false },
  ])
  const allowed = ways.filter(({ reach }) => extent === 'auto' || reach === extent)
  if (rule.style === 'marks') return [idle, ...allowed]
  const others = allowed.filter(({ reach, ttl }) => !(reach === idleReach && ttl === rule.default_ttl))
  return [idle, ...(extent === 'auto' ? [nothing] : []), ...others]
}

/** Puts a boundary at its place among a few that ascend, if it is one and there is room: a sort takes longer than all else that is done for a plan. */
const mark = (ascending: number[], boundary: number, most: number): void => {
  if (boundary < 0 || ascending.length >= most || ascending.includes(boundary)) return
  let at = ascending.push(boundary) - 1
  for (; at > 0 && (ascending[at - 1] ?? 0) > boundary; at--) ascending[at] = ascending[at - 1] ?? 0
  ascending[at] = boundary
}

/**
 * Marks what is worth it, the most useful first: the end; the end of the definitions; the one before the end, for a last block that is
 * another one the next time; one look-back before, so that a turn of many blocks is bridged; the tools.
 */
const markByUse = (
  boundaries: number[],
  { tools_end, system_end, last }: Marked,
  reach: Reach,
  { most_marks, lookback_blocks: lookback }: CacheRule,
): void => {
  const definitions = Math.max(tools_end, system_end)
  if (reach === 'definitions') mark(boundaries, system_end, most_marks)
  else {
    mark(boundaries, last, most_marks)
    mark(boundaries, definitions, most_marks)
    if (last - 1 > definitions) mark(boundaries, last - 1, most_marks)
    if (last - definitions > lookback) mark(boundaries, last - lookback + 1, most_marks)
  }
  mark(boundaries, tools_end, most_marks)
}

/** Where a prompt is written with such a reach. */
export const planOf = (reach: Reach, prompt: Marked, rule: CacheRule): Plan => {
  if (rule.style === 'automatic') return reach === 'nothing' ? [] : 'automatic'
  if (reach === 'nothing') return []
  // Where the provider marks the end of the system part and of the prompt itself, these two are all that there is to say.
  const boundaries: number[] = []
  if (rule.style === 'both') {
    mark(boundaries, prompt.system_end, rule.most_marks)
    if (reach === 'everything') mark(boundaries, prompt.last, rule.most_marks)
  } else markByUse(boundaries, prompt, reach, rule)
  return boundaries
}

/** What the input of a call costs after a visit, picodollars. */
export const inputCost = ({ read, written_short, written_long }: Visit, total: number, rates: TokenRates): number => {
  const { fresh, cache_read, cache_write } = rates
  const short = cache_write['5m'] ?? cache_write['30m'] ?? fresh
  const long = cache_write['1h'] ?? cache_write['12h'] ?? short
  const rest = Math.max(0, total - read - written_short - written_long)
  return rest * fresh + read * cache_read + written_short * short + written_long * long
}
