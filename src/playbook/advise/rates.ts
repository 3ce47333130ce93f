import { MINUTE_US } from '../../core/date.ts'
import type { TokenRates } from '../../core/past.ts'
import type { PriceBook } from '../../core/price.ts'
import type { ServiceTier } from '../../core/usage.ts'
import { indexOf } from '../price/book.ts'
import { ratesOf } from '../price/rates.ts'

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
  const { tier, ...further } = service
  const served = tier === undefined ? further : { ...further, service_tier: tier }
  return (at_us, context_tokens) => {
    const period = place(moments, at_us) * (lengths.length + 1) + place(lengths, context_tokens)
    const cell = windowed ? Math.floor(at_us / MINUTE_US) * periods + period : period
    const known = cells.get(cell)
    if (known !== undefined) return known ?? undefined
    const rates = ratesOf({ provider, model, at_us, served: { ...served, context_tokens } }, book)
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
