import type { TokenRates } from '../../core/past.ts'
import type { PriceBook } from '../../core/price.ts'
import type { Bucket } from '../../core/usage.ts'
import { type Served, usageOfEach } from './one-meter.ts'
import { price } from './price.ts'

export type RatesAsked = Readonly<{
  provider: string
  model: string
  /** The moment whose prices hold, µs since the epoch, UTC. */
  at_us: number
  /** `context_tokens`: input of the call, cached or not, which chooses the context band. */
  served: Served
}>

const MILLION = 1_000_000

const classes = [
  'in.text.fresh',
  'in.text.cache_read',
  'in.text.cache_write_5m',
  'in.text.cache_write_1h',
  'out.text.visible',
] as const satisfies readonly Bucket[]

/**
 * Prices of the token classes that levers move, in picodollars a token; undefined where fresh input is unpriced. What has no
 * price of its own costs what fresh input costs, but for the longer TTL where only the shorter one is priced, which is
 * not to be had, and output, which some models do not have. The book keeps the shorter of OpenAI's TTLs as `cache_write` and the
 * longer as `cache_write_1h`.
 */
export const ratesOf = ({ provider, model, at_us, served }: RatesAsked, book: PriceBook): TokenRates | undefined => {
  const usage = usageOfEach(classes, MILLION, served)
  const { lines } = price({ provider, model, at_us, usage }, book)
  const rate = (bucket: (typeof classes)[number]): number | undefined => {
    const cost = lines.find(({ meter }) => meter === bucket)?.cost
    return cost === null || cost === undefined ? undefined : Number(cost) / MILLION
  }
  const fresh = rate('in.text.fresh')
  if (fresh === undefined) return undefined
  const cached = rate('in.text.cache_read')
  const written = rate('in.text.cache_write_5m')
  const short = written ?? fresh
  const long = rate('in.text.cache_write_1h') ?? (written === undefined && cached !== undefined ? fresh : undefined)
  return {
    fresh,
    cache_read: cached ?? fresh,
    cache_write: {
      '5m': short,
      '30m': short,
      '24h': short,
      ...(long === undefined ? {} : { '1h': long, '12h': long }),
    },
    output: rate('out.text.visible') ?? 0,
  }
}
