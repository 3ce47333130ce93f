import { MINUTE_US } from '../../core/date.ts'
import type { TokenRates } from '../../core/past.ts'
import type { PriceBook } from '../../core/price.ts'
import type { Bucket, ServiceTier, UsageLine } from '../../core/usage.ts'
import { indexOf } from '../price/book.ts'
import { price } from '../price/price.ts'

/** How a call was served, as far as a price row asks for it. */
export type Service = Readonly<{
  tier?: ServiceTier
  speed?: 'standard' | 'fast'
  region?: string
  geo?: string
}>

/** Rates of one model served in one way, in picodollars a token, at a moment and a length of input; undefined where unpriced. */
export type RatesOf = (at_us: number, context_tokens: number) => TokenRates | undefined

export type RateSheet = Readonly<{ of(provider: string, model: string, service: Service): RatesOf }>

const PROBE = 1_000_000

const probes = [
  'in.text.fresh',
  'in.text.cache_read',
  'in.text.cache_write_5m',
  'in.text.cache_write_1h',
  'out.text.visible',
] as const satisfies readonly Bucket[]

const tokensOf = (): Readonly<Record<(typeof probes)[number], number>> =>
  Object.fromEntries(probes.map((bucket) => [bucket, PROBE])) as Readonly<Record<(typeof probes)[number], number>>

type Asked = Readonly<{ provider: string; model: string; service: Service; at_us: number; context_tokens: number }>

/** Prices a million tokens of each class: the same function that prices receipts, so that the same rows hold. */
const probe = (book: PriceBook, { provider, model, service, at_us, context_tokens }: Asked): TokenRates | undefined => {
  const { tier, speed, region, geo } = service
  const line: UsageLine = {
    kind: 'message',
    funding: 'platform',
    context_tokens,
    tokens: tokensOf(),
    units: {},
    ...(tier !== undefined && { service_tier: tier }),
    ...(speed !== undefined && { speed }),
    ...(region !== undefined && { region }),
    ...(geo !== undefined && { geo }),
  }
  const usage = {
    lines: [line],
    totals: { input: 0, output: 0 },
    quality: 'exact',
    warnings: [],
    raw: undefined,
  } as const
  const { lines } = price({ provider, model, at_us, usage }, book)
  const rate = (bucket: Bucket): number | undefined => {
    const cost = lines.find(({ meter }) => meter === bucket)?.cost
    return cost === null || cost === undefined ? undefined : Number(cost) / PROBE
  }
  const fresh = rate('in.text.fresh')
  if (fresh === undefined) return undefined
  const cached = rate('in.text.cache_read')
  // Where no row prices a write, writing costs what fresh input costs; where only the short one is priced, there is no long one.
  const short = rate('in.text.cache_write_5m')
  const long = rate('in.text.cache_write_1h') ?? (short === undefined && cached !== undefined ? fresh : undefined)
  return {
    fresh,
    cache_read: cached ?? fresh,
    cache_write: {
      '5m': short ?? fresh,
      '30m': short ?? fresh,
      '24h': short ?? fresh,
      ...(long !== undefined && { '1h': long, '12h': long }),
    },
    output: rate('out.text.visible') ?? 0,
  }
}

/** All that changes the price of one model served in one way: the moments and the lengths at which another row may hold. */
type Bounds = Readonly<{ moments: readonly number[]; lengths: readonly number[]; windowed: boolean }>

const ascending = (values: Iterable<number>): number[] =>
  [...new Set(values)].filter(Number.isFinite).sort((one, other) => one - other)

const boundsOf = (book: PriceBook, provider: string, model: string): Bounds => {
  const layers = indexOf(book).find(provider, model)?.entry.layers
  const rows = Object.values(layers ?? {}).flatMap((modes) => [...modes.values()].flat())
  return {
    moments: ascending(rows.flatMap(({ from_us, to_us }) => [from_us, to_us])),
    lengths: ascending(rows.flatMap(({ low, high }) => [low, high + 1])),
    windowed: rows.some(({ window }) => window !== undefined),
  }
}

/** How many of the ascending bounds lie at or below a value. */
const place = (bounds: readonly number[], value: number): number => {
  let at = 0
  while (at < bounds.length && (bounds[at] as number) <= value) at += 1
  return at
}

const MOST_CELLS = 200_000

const compile = (book: PriceBook, provider: string, model: string, service: Service): RatesOf => {
  const { moments, lengths, windowed } = boundsOf(book, provider, model)
  const cells = new Map<number, TokenRates | null>()
  const periods = (moments.length + 1) * (lengths.length + 1)
  return (at_us, context_tokens) => {
    const period = place(moments, at_us) * (lengths.length + 1) + place(lengths, context_tokens)
    const cell = windowed ? Math.floor(at_us / MINUTE_US) * periods + period : period
    const known = cells.get(cell)
    if (known !== undefined) return known ?? undefined
    const rates = probe(book, { provider, model, service, at_us, context_tokens })
    if (cells.size < MOST_CELLS) cells.set(cell, rates ?? null)
    return rates
  }
}

/** Rates of a book, worked out once for each model, way of serving, period, length and, where prices have hours, minute. */
export const rateSheet = (book: PriceBook): RateSheet => {
  const compiled = new Map<string, RatesOf>()
  return {
    of(provider, model, service) {
      const { tier = '', speed = '', region = '', geo = '' } = service
      const key = `${provider}\n${model}\n${tier}\n${speed}\n${region}\n${geo}`
      const known = compiled.get(key)
      if (known !== undefined) return known
      const rates = compile(book, provider, model, service)
      compiled.set(key, rates)
      return rates
    },
  }
}
