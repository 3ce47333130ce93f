import { openKinds } from '../../core/kinds.ts'
import type { Chosen, Kit, Lever, LiveCall, Pulled, ReplayKit, Schema, Spent } from '../../core/lever.ts'
import type { CacheRule, Past, Replay, TokenRates } from '../../core/past.ts'
import type { Block, Change, Outline } from '../../core/prompt.ts'
import type { Marked, Wanted } from './prefix/candidates.ts'
import { type Decision, decide, openRoute, type Route } from './prefix/route.ts'
import { forget, makeReady } from './prefix/shelf.ts'

const settings = {
  ttl: {
    type: 'text',
    default: 'auto',
    one_of: ['auto', '5m', '30m', '1h', '12h'],
    about: 'how long providers are asked to keep prefixes; auto takes what has cost least on the route so far',
  },
  reach: {
    type: 'text',
    default: 'auto',
    one_of: ['auto', 'definitions', 'everything'],
    about:
      'how much of a prompt is marked: tools and system, or the conversation too; auto marks what has come again on the route, and nothing before anything has',
  },
  key: {
    type: 'text',
    default: 'template',
    one_of: ['template', 'conversation', 'none'],
    about:
      'what calls must share to get one cache key (prompt_cache_key), where the provider takes one and the client set none',
  },
} as const satisfies Schema

type Settings = Chosen<typeof settings>

/** Stands for unpriced models: the usual proportions are enough to choose by. */
const PROPORTIONS: TokenRates = {
  fresh: 1,
  cache_read: 0.1,
  cache_write: { '5m': 1.25, '30m': 1.25, '1h': 2, '12h': 2.5 },
  output: 5,
}

/** Calls whose prompts are judged together. A template would be too narrow: one that changes with every call has no history. */
const routeParts = ({ circle, account, provider, model }: LiveCall | Past): readonly (string | undefined)[] => [
  account,
  provider,
  model,
  circle.team,
  circle.feature,
  circle.agent,
  circle.endpoint,
]

const markedOf = (call: LiveCall, { blocks, definitions }: Outline, rule: CacheRule): Marked => {
  const isEnd = ({ part, gone, markable }: Block) => part >= 0 && !gone && (rule.style !== 'marks' || markable)
  let [tools_end, system_end] = [-1, -1]
  for (const index of definitions) {
    const block = blocks[index]
    if (!block || !isEnd(block)) continue
    if (block.form === 'tool') tools_end = block.part
    else if (block.role === 'system') system_end = block.part
  }
  return { chain: call.chain, tools_end, system_end, last: blocks.findLast(isEnd)?.part ?? -1 }
}

/** The block that closes a boundary: the last of its part that takes a mark. */
const markAt = (blocks: readonly Block[], boundary: number): number =>
  blocks.findLastIndex((block) => block.part === boundary && block.markable && !block.gone)

const keyFor = (call: LiveCall, { fields }: Outline, rule: CacheRule, by: string, kit: Kit): string | undefined => {
  if (!rule.takes_key || by === 'none' || fields.cache_key !== undefined) return undefined
  const { template, conversation } = call.fingerprints
  const shared = by === 'conversation' ? conversation : (template ?? conversation)
  return shared === undefined ? undefined : `weir-${kit.hash(`${call.tenant} ${shared}`)}`
}

/** What a decision changes in the body. */
const changesOf = (decision: Decision, outline: Outline, rule: CacheRule): Change[] => {
  const { candidate, plan } = decision
  if (candidate.idle || plan === 'automatic') return []
  const marks = plan.flatMap((boundary): Change[] => {
    const block = markAt(outline.blocks, boundary)
    return block < 0 ? [] : [{ do: 'mark', block, ttl: candidate.ttl }]
  })
  if (rule.style === 'marks') return marks
  const ttl = candidate.ttl === rule.default_ttl ? {} : { cache_ttl: candidate.ttl }
  if (candidate.reach === 'everything') return [{ do: 'set', fields: ttl }]
  return [...marks, { do: 'set', fields: { ...ttl, marks_only: true } }]
}

const reasonOf = ({ candidate, plan }: Decision, prompt: Marked, rule: CacheRule): string => {
  const total = prompt.chain.tokens.at(-1) ?? 0
  if (total < rule.minimum_tokens) return `the prompt is below the minimum of ${rule.minimum_tokens} tokens`
  if (candidate.idle)
    return rule.style === 'marks'
      ? 'no prefix of this route has paid for its writing yet'
      : 'the provider caches it as it is'
  const reach =
    candidate.reach === 'definitions'
      ? 'tools and system'
      : candidate.reach === 'nothing'
        ? 'nothing'
        : 'tools, system and history'
  return `${reach} kept for ${candidate.ttl}: cheapest on this route so far${plan === 'automatic' ? ', by a cache key' : ''}`
}

const clientDecided = ({ marked, fields }: Outline, rule: CacheRule): boolean =>
  marked.length > 0 || fields.marks_only === true || (rule.style === 'marks' && fields.cache_ttl !== undefined)

const wantedBy = ({ ttl, reach }: Settings): Wanted => ({ ttl, reach }) as Wanted

const NOTE_EVERY_US = 60_000_000

const notesOf = (name: string, kit: Kit) => `cache/provider-prefix ${kit.hash(name)}`

/** What the route had learnt before a restart: what its calls would have cost in each way, by the way's name. */
const remember = (route: Route, name: string, kit: Kit): void => {
  const note = kit.notes?.after(notesOf(name, kit), 0).notes.at(-1) ?? ''
  const bills = new Map(note.split('\n').map((line) => [line.slice(line.indexOf(' ') + 1), Number.parseFloat(line)]))
  for (const [at, { name: way }] of route.ways.entries()) {
    const bill = bills.get(way)
    if (bill !== undefined && Number.isFinite(bill)) route.bills[at] = bill
  }
}

/** Notes what the route has learnt, once a minute: a restart goes on from there. */
const keep = ({ ways, bills, settled }: Route, name: string, at_us: number, kit: Kit): void => {
  if (!kit.notes || settled || ways.length < 2) return
  if (at_us - (kit.memory.get<number>('noted', name) ?? 0) < NOTE_EVERY_US) return
  kit.memory.set('noted', name, at_us)
  const note = ways.map((way, at) => `${bills[at]} ${way.name}`).join('\n')
  kit.notes.add(notesOf(name, kit), note, 1)
}

const nameOf = (call: LiveCall, { ttl, reach }: Wanted): string => [...routeParts(call), ttl, reach].join('\u0000')

const routeOf = (name: string, rule: CacheRule, wanted: Wanted, kit: Kit): Route => {
  const known = kit.memory.get<Route>('route', name)
  if (known?.rule === rule) return known
  const route = openRoute(rule, wanted)
  remember(route, name, kit)
  kit.memory.set('route', name, route)
  return route
}

const pull = (call: LiveCall, chosen: Settings, kit: Kit): Pulled => {
  const rule = kit.cache_rule(call.provider, call.model, call.at_us)
  if (!rule) return { do: 'nothing', why: 'how this model caches is not known' }
  const outline = call.outline()
  if (!outline || call.chain.hashes.length === 0)
    return { do: 'nothing', why: 'the prompt cannot be edited on this wire' }
  if (clientDecided(outline, rule)) return { do: 'nothing', why: 'the client has placed the marks itself' }
  const prompt = markedOf(call, outline, rule)
  const rates = kit.rates(call.provider, call.model, call.at_us) ?? PROPORTIONS
  const wanted = wantedBy(chosen)
  const name = nameOf(call, wanted)
  const route = routeOf(name, rule, wanted, kit)
  const decision = decide(route, prompt, rates, { at_us: call.at_us })
  keep(route, name, call.at_us, kit)
  if (!decision) return { do: 'nothing', why: 'there is no way to cache it' }
  kit.memory.set('writes', call.call_id, decision.writes)
  const key = keyFor(call, outline, rule, chosen.key, kit)
  const below = (prompt.chain.tokens.at(-1) ?? 0) < rule.minimum_tokens
  const changes = below ? [] : changesOf(decision, outline, rule)
  const set: Change[] = key === undefined || below ? [] : [{ do: 'set', fields: { cache_key: key } }]
  const why = reasonOf(decision, prompt, rule)
  if (changes.length + set.length === 0) return { do: 'nothing', why }
  return { do: 'change', changes: [...changes, ...set], why, foreseen: decision.foreseen }
}

const learn: NonNullable<Lever<typeof settings>['learn']> = ({ call, receipt }, _, kit) => {
  const writes = kit.memory.get<Decision['writes']>('writes', call.call_id)
  kit.memory.set('writes', call.call_id, undefined)
  if (!writes) return
  if (receipt.outcome === 'cached' || (receipt.http_status ?? 500) >= 300) forget(writes)
  else makeReady(writes, receipt.first_token_at_us ?? receipt.ended_at_us)
}

/** Reads against fresh input, less what writing cost more. Where the provider would have cached anyway, what was foreseen. */
const worth = ({ pulled, mode, usage, rates }: Spent): number => {
  const foreseen = pulled.do === 'change' ? (pulled.foreseen ?? 0) : 0
  const changes = pulled.do === 'change' ? pulled.changes : []
  const marks = changes.find((change) => change.do === 'mark')
  const only = changes.some((change) => change.do === 'set' && change.fields.marks_only)
  if (mode === 'observe' || marks?.do !== 'mark' || only) return foreseen
  const { fresh, cache_read, cache_write } = rates
  const short = (cache_write['5m'] ?? fresh) - fresh
  const long = (cache_write['1h'] ?? fresh) - fresh
  return usage.cache_read * (fresh - cache_read) - usage.cache_write_5m * short - usage.cache_write_long * long
}

/** The boundary at which so many tokens end, within a hundredth; -1 where none does. */
const boundaryAt = ({ tokens }: Past['chain'], wanted: number): number => {
  if (wanted <= 0) return -1
  let best = -1
  let nearest = Math.max(2, wanted / 100)
  for (let at = 0; at < tokens.length; at++) {
    const count = tokens[at] ?? 0
    const distance = Math.abs(count - wanted)
    if (distance <= nearest) {
      nearest = distance
      best = at
    } else if (count > wanted) break
  }
  return best
}

/** Traces know prefixes by whole blocks of tokens; 64 in those of agents. */
const GRAIN_TOKENS = 64

/**
 * The last boundary, or the one before it where less than a trace's block lies between: the next prompt of such a trace has only that one
 * in common with this. On receipts of our own it moves a mark by less than that.
 */
const lastOf = ({ tokens }: Past['chain']): number => {
  const last = tokens.length - 1
  return (tokens[last] ?? 0) - (tokens[last - 1] ?? Number.NEGATIVE_INFINITY) < GRAIN_TOKENS ? last - 1 : last
}

const promptOfPast = ({ chain, tools_tokens, system_tokens }: Past): Marked => ({
  chain,
  tools_end: boundaryAt(chain, tools_tokens),
  system_end: system_tokens > 0 ? boundaryAt(chain, tools_tokens + system_tokens) : -1,
  last: lastOf(chain),
})

const wasCached = ({ usage }: Past): boolean => usage.cache_read + usage.cache_write_5m + usage.cache_write_long > 0

/** Did something else decide already: the client's own marks, or this lever when the call was live? */
const settled = (past: Past, rule: CacheRule): boolean =>
  past.traces.some(({ name, action }) => name === lever.name && action === 'acted') ||
  (rule.style === 'marks' && wasCached(past))

const inputOf = ({ usage }: Past): number =>
  usage.fresh + usage.cache_read + usage.cache_write_5m + usage.cache_write_long

const applied = (past: Past, { candidate, visit }: Decision): Past => {
  if (candidate.idle) return past
  const { read, written_short, written_long } = visit
  if (read + written_short + written_long === 0 && !wasCached(past)) return past
  const fresh = Math.max(0, inputOf(past) - read - written_short - written_long)
  const moved = { fresh, cache_read: read, cache_write_5m: written_short, cache_write_long: written_long }
  return { ...past, usage: { ...past.usage, ...moved } }
}

/** A fold over prefix chains in order of time: what each call would have read and written, decided as `pull` decides. */
const replay = (chosen: Settings, kit: ReplayKit): Replay => {
  const routes = openKinds<{ route?: Route }>(routeParts, () => ({}))
  const wanted = wantedBy(chosen)
  return (past) => {
    if (past.answered || past.chain.hashes.length === 0 || inputOf(past) === 0) return past
    const rule = kit.cache_rule(past.provider, past.model, past.at_us)
    if (!rule || settled(past, rule)) return past
    const known = routes.of(past)
    if (known.route?.rule !== rule) known.route = openRoute(rule, wanted)
    // Where there is only what the provider does by itself, nothing can come of it.
    if (known.route.ways.length < 2) return past
    const ready_us = past.first_token_at_us ?? past.ended_at_us
    const decision = decide(known.route, promptOfPast(past), past.rates, { at_us: past.at_us, ready_us })
    return decision ? applied(past, decision) : past
  }
}

/** Has providers keep the prefixes that come again, where and as long as that pays. */
export const lever: Lever<typeof settings> = {
  name: 'cache/provider-prefix',
  play: 'cache',
  about:
    'marks the prefixes that come again for the provider’s cache, and chooses how long they are kept by what has paid so far',
  settings,
  traits: { certainty: 'exact', risk: 'none', effort: 'switch' },
  pull,
  learn,
  worth: (spent) => worth(spent),
  replay: (chosen, kit) => replay(chosen, kit),
}
