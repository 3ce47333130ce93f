import { formatUsd } from '../../core/money.ts'
import type { PriceBook } from '../../core/price.ts'
import type { Meter } from '../../core/usage.ts'
import { indexOf } from './book.ts'
import { compareDecimal } from './decimal.ts'
import { usageOfMeter } from './one-meter.ts'
import { price } from './price.ts'

/** What one book says and another says otherwise; null where it says nothing. Rates in USD per million. */
export type Difference = Readonly<{
  provider: string
  model: string
  what: string
  a: string | null
  b: string | null
}>

const MILLION = 1_000_000

export type RateQuestion = Readonly<{
  provider: string
  model: string
  meter: Meter
  at_us: number
  context_tokens: number
}>

/** The rate in force for a standard call, USD per million as plain decimal text; null where the book states none. */
export const rateAt = (
  book: PriceBook,
  { provider, model, meter, at_us, context_tokens }: RateQuestion,
): string | null => {
  const usage = usageOfMeter(meter, MILLION, { context_tokens })
  const { cost, warnings } = price({ provider, model, at_us, usage }, book)
  const stated = !warnings.some((warning) => warning.startsWith('rate-inherited'))
  return cost === null || !stated ? null : formatUsd(cost)
}

/** Token counts from which on a standard call is dearer (or cheaper), smallest first. */
export const thresholds = (book: PriceBook, provider: string, model: string, at_us: number): number[] => {
  const entry = indexOf(book).find(provider, model)?.entry
  const groups = entry ? Object.values(entry.layers).map((modes) => modes.get('standard standard') ?? []) : []
  const lows = groups.flatMap((rows) =>
    rows.filter((row) => row.banded && row.low > 0 && at_us >= row.from_us && at_us < row.to_us).map(({ low }) => low),
  )
  // Of two rows with a band, the higher layer's holds: only where the price changes is a threshold.
  const changes = (low: number): boolean =>
    meters.some((meter) => {
      const at = (context_tokens: number) => rateAt(book, { provider, model, meter, at_us, context_tokens })
      return at(low - 1) !== at(low)
    })
  return [...new Set(lows)].filter(changes).sort((x, y) => x - y)
}

/** By which a band is told: what every model has a price for, and what most have. */
const meters: readonly Meter[] = ['in.text.fresh', 'out.text.visible', 'in.text.cache_read']

const compared: readonly Meter[] = [
  'in.text.fresh',
  'out.text.visible',
  'in.text.cache_read',
  'in.text.cache_write',
  'in.text.cache_write_1h',
  'in.audio.fresh',
  'web_search.query',
  'request',
]

/** Token classes of which a missing price is a difference. */
const disputed: ReadonlySet<Meter> = new Set<Meter>(['in.text.fresh', 'out.text.visible', 'in.text.cache_read'])

/** Larger than every threshold that a model has today. */
const LONG_CONTEXT = 5_000_000

const same = (a: string | null, b: string | null) => (a === null || b === null ? a === b : compareDecimal(a, b) === 0)

const ofModel = (a: PriceBook, b: PriceBook, provider: string, model: string, at_us: number): Difference[] => {
  const differences: Difference[] = []
  const add = (what: string, x: string | null, y: string | null) => {
    if (!same(x, y)) differences.push({ provider, model, what, a: x, b: y })
  }
  const ask = (book: PriceBook, meter: Meter, context_tokens: number) =>
    rateAt(book, { provider, model, meter, at_us, context_tokens })
  for (const meter of compared) {
    const [x, y] = [ask(a, meter, 1), ask(b, meter, 1)]
    // Few catalogues state fees or one-hour writes, so that one says nothing is no disagreement.
    if (disputed.has(meter) || (x !== null && y !== null)) add(meter, x, y)
  }
  const [theirs, ours] = [thresholds(a, provider, model, at_us), thresholds(b, provider, model, at_us)]
  add('long context from', theirs[0]?.toString() ?? null, ours[0]?.toString() ?? null)
  if (theirs.length > 0 && ours.length > 0)
    for (const meter of compared.slice(0, 3))
      add(`${meter}, long context`, ask(a, meter, LONG_CONTEXT), ask(b, meter, LONG_CONTEXT))
  return differences
}

const namesOf = (book: PriceBook): Set<string> => {
  const names = new Set<string>()
  for (const row of book.all()) for (const model of row.models) names.add(`${row.provider}\n${model}`)
  return names
}

/** Where two catalogues differ in the standard price of a model that both have, at a moment; and how many only one has. */
export const compare = (
  a: PriceBook,
  b: PriceBook,
  at_us: number,
  provider?: string,
): Readonly<{ differences: readonly Difference[]; shared: number; only_a: number; only_b: number }> => {
  const wanted = (name: string) => provider === undefined || name.startsWith(`${provider}\n`)
  const [inA, inB] = [[...namesOf(a)].filter(wanted), new Set([...namesOf(b)].filter(wanted))]
  const both = inA.filter((name) => inB.has(name)).sort()
  const differences = both.flatMap((name) => {
    const [who = '', model = ''] = name.split('\n')
    return ofModel(a, b, who, model, at_us)
  })
  return { differences, shared: both.length, only_a: inA.length - both.length, only_b: inB.size - both.length }
}
