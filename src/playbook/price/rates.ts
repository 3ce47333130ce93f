import type { TokenRates } from '../../core/past.ts'
import type { PriceBook } from '../../core/price.ts'
import type { Bucket } from '../../core/usage.ts'
import { usageOfMeter } from './one-meter.ts'
import { price } from './price.ts'

export type RatesOf = Readonly<{
  provider: string
  model: string
  /** The moment whose prices hold, µs since the epoch, UTC. */
  at_us: number
  region?: string
  /** Input of the call, cached or not, which chooses the context band; small where it is not given. */
  context_tokens?: number
}>

const MILLION = 1_000_000

/** Picodollars of one token of a class, or undefined where it has no price. */
const rateOf = (asked: RatesOf, book: PriceBook, bucket: Bucket): number | undefined => {
  const { provider, model, at_us, region, context_tokens = 0 } = asked
  const usage = usageOfMeter(bucket, MILLION, { context_tokens })
  const { cost } = price({ provider, model, at_us, usage, ...(region === undefined ? {} : { region }) }, book)
  return cost === null ? undefined : Number(cost) / MILLION
}

/**
 * Prices of the token classes that levers move, in picodollars a token, of standard calls at a moment; undefined where
 * input or output is unpriced. The book keeps the shorter of OpenAI's TTLs as `cache_write` and the longer as
 * `cache_write_1h`; where writes have no price of their own they are fresh input.
 */
export const ratesOf = (asked: RatesOf, book: PriceBook): TokenRates | undefined => {
  const fresh = rateOf(asked, book, 'in.text.fresh')
  const output = rateOf(asked, book, 'out.text.visible')
  if (fresh === undefined || output === undefined) return undefined
  const written = rateOf(asked, book, 'in.text.cache_write_5m')
  const kept = rateOf(asked, book, 'in.text.cache_write_1h') ?? (written === undefined ? fresh : undefined)
  const short = written ?? fresh
  return {
    fresh,
    cache_read: rateOf(asked, book, 'in.text.cache_read') ?? fresh,
    cache_write: {
      '5m': short,
      '30m': short,
      '24h': short,
      ...(kept === undefined ? {} : { '1h': kept, '12h': kept }),
    },
    output,
  }
}
