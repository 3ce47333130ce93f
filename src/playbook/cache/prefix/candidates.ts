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

/**
 * Boundaries that are worth a mark, the most useful first: the end; the end of the definitions; the one before the end, for a
 * last block that is another one the next time; one look-back before, so that a turn of many blocks is bridged; the tools.
 */
const byUse = ({ tools_end, system_end, last }: Marked, reach: Reach, lookback: number): readonly number[] => {
  if (reach === 'definitions') return [system_end, tools_end]
  const definitions = Math.max(tools_end, system_end)
  const bridge = last - definitions > lookback ? last - lookback + 1 : -1
  return [last, definitions, last - 1 > definitions ? last - 1 : -1, bridge, tools_end]
}

/** Puts a number at its place among a few that ascend: a sort takes longer than all else that is done for a plan. */
const insert = (ascending: number[], number: number): void => {
  let at = ascending.push(number) - 1
  for (; at > 0 && (ascending[at - 1] ?? 0) > number; at--) ascending[at] = ascending[at - 1] ?? 0
  ascending[at] = number
}

/** Where a prompt is written with such a reach. */
export const planOf = (reach: Reach, prompt: Marked, rule: CacheRule): Plan => {
  if (rule.style === 'automatic') return reach === 'nothing' ? [] : 'automatic'
  if (reach === 'nothing') return []
  // Where the provider marks the end of the system part and of the prompt itself, these two are all that there is to say.
  const { system_end, last } = prompt
  const wanted =
    rule.style === 'both'
      ? [system_end, ...(reach === 'everything' ? [last] : [])]
      : byUse(prompt, reach, rule.lookback_blocks)
  const boundaries: number[] = []
  for (const boundary of wanted)
    if (boundary >= 0 && boundaries.length < rule.most_marks && !boundaries.includes(boundary))
      insert(boundaries, boundary)
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
