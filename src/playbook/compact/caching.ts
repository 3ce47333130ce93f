import type { Kit, LiveCall } from '../../core/lever.ts'
import { type Block, type CacheTtl, type Outline, ttl_s } from '../../core/prompt.ts'

/** How the provider would cache this prompt. Prices are of one token, in picodollars or, unpriced, in shares of a fresh one. */
export type Caching = Readonly<{
  read: number
  write: number
  fresh: number
  /** How long a prefix is kept after its last use, µs. */
  ttl_us: number
  minimum: number
  /** The longest prefix, at most `at` tokens long, that can be read again if what follows it changes. */
  readable: (at: number) => number
}>

/** Shares that stand in where the price book knows no price: those of the large providers (facts of November 2026). */
const UNPRICED = { fresh: 1, cache_read: 0.1, cache_write: { '5m': 1.25, '1h': 2 } }

const longest = (marked: readonly Block[]): CacheTtl | undefined => {
  let found: CacheTtl | undefined
  for (const { mark } of marked)
    if (mark !== undefined && (found === undefined || ttl_s[mark] > ttl_s[found])) found = mark
  return found
}

const markedBlocks = ({ blocks, marked }: Outline): Block[] => marked.flatMap((index) => blocks[index] ?? [])

/** Ends of marked blocks, in tokens, ascending: with marks, what can be read again ends at one of them. */
const endsOf = (call: LiveCall, marked: readonly Block[]): number[] =>
  marked.filter(({ part }) => part >= 0).map(({ part }) => call.chain.tokens[part] ?? 0)

const lastUpTo = (ends: readonly number[], at: number): number =>
  ends.reduce((best, end) => (end <= at ? end : best), 0)

/** How this prompt is cached; undefined where it is not: no rule for the model, or marks that nobody placed. */
export const cachingOf = (call: LiveCall, outline: Outline, kit: Kit): Caching | undefined => {
  const { provider, model, at_us } = call
  const rule = kit.cache_rule(provider, model, at_us)
  if (!rule) return undefined
  const marked = markedBlocks(outline)
  const mark = longest(marked)
  if (rule.style === 'marks' && mark === undefined) return undefined
  const ttl = mark ?? outline.fields.cache_ttl ?? rule.default_ttl
  const rates = kit.rates(provider, model, at_us) ?? UNPRICED
  const write: Readonly<Partial<Record<CacheTtl, number>>> = rates.cache_write
  const common = {
    read: rates.cache_read,
    write: write[ttl] ?? rates.fresh,
    fresh: rates.fresh,
    ttl_us: ttl_s[ttl] * 1_000_000,
    minimum: rule.minimum_tokens,
  }
  const floor = (tokens: number) => (tokens < rule.minimum_tokens ? 0 : tokens)
  if (rule.style === 'automatic')
    return { ...common, readable: (at) => floor(at - (at % Math.max(1, rule.step_tokens))) }
  const ends = endsOf(call, marked)
  return { ...common, readable: (at) => floor(lastUpTo(ends, at)) }
}
