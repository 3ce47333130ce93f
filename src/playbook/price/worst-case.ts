import { multiply, type Picodollars, picodollars, type UsdPerMillion } from '../../core/money.ts'
import type { PriceBook } from '../../core/price.ts'
import type { ServiceTier } from '../../core/usage.ts'
import { type Entry, indexOf, layerOrder, modeOf } from './book.ts'
import { type Compiled, windowHolds } from './conditions.ts'
import { compareDecimal } from './decimal.ts'

export type Reservation = Readonly<{
  provider: string
  model: string
  /** An upper bound of the prompt, cached or not. */
  input_tokens: number
  output_tokens: number
  at_us: number
  region?: string
  geo?: string
  /** As the call asks for it; standard is reckoned with besides, because a provider may serve that instead. */
  tier?: ServiceTier
  speed?: 'standard' | 'fast'
  batch?: boolean
  /** With `5m` (or `none`) the dearer one-hour writes are left out. */
  cache_ttl?: '5m' | '1h' | 'none'
}>

/** Could the row hold for such a call? A geography that is not known may be any; a band must be reachable by the input. */
const reachable = (row: Compiled, { at_us, input_tokens, region, geo }: Reservation): boolean =>
  at_us >= row.from_us &&
  at_us < row.to_us &&
  (row.region === undefined || region === undefined || row.region === region) &&
  (row.geo === undefined || geo === undefined || row.geo === geo) &&
  row.low <= input_tokens &&
  windowHolds(row, at_us)

const rowsOf = (entry: Entry, asked: Reservation): Compiled[] => {
  const modes = new Set([
    modeOf(asked.tier, asked.speed, asked.batch === true),
    modeOf('standard', asked.speed, asked.batch === true),
  ])
  const own = asked.at_us >= entry.own_from_us
  const layers = layerOrder.filter((layer) => layer !== 'catalog' || !own)
  return layers.flatMap((layer) =>
    [...modes].flatMap((mode) => (entry.layers[layer].get(mode) ?? []).filter((row) => reachable(row, asked))),
  )
}

const dearest = (rows: readonly Compiled[], counts: (meter: string) => boolean): UsdPerMillion | undefined => {
  let highest: UsdPerMillion | undefined
  for (const { row } of rows)
    for (const [meter, rate] of Object.entries(row.rates))
      if (rate !== undefined && counts(meter) && (highest === undefined || compareDecimal(rate, highest) > 0))
        highest = rate
  return highest
}

/** Embedding and rerank models price no output, so what is not produced costs nothing. */
const NONE: UsdPerMillion = '0'

/**
 * The most that a call may cost by its tokens, for a reservation: every input token at the dearest input class that could
 * apply (long context and cache writes included), every output token at the dearest output class, and the dearest fee a
 * request. Tool fees are not foreseeable and not in it. A model without a price is reckoned at `ceiling`.
 */
export const worstCase = (
  asked: Reservation,
  book: PriceBook,
  ceiling: Readonly<{ input: UsdPerMillion; output: UsdPerMillion }>,
): Picodollars => {
  const found = indexOf(book).find(asked.provider, asked.model)
  const rows = found === undefined ? [] : rowsOf(found.entry, asked)
  const shortWrites = asked.cache_ttl === '5m' || asked.cache_ttl === 'none'
  const isInput = (meter: string) => meter.startsWith('in.') && !(shortWrites && meter.endsWith('cache_write_1h'))
  const isOutput = (meter: string) => meter.startsWith('out.')
  const priced = dearest(rows, (meter) => isInput(meter) || isOutput(meter)) !== undefined
  const input = priced ? (dearest(rows, isInput) ?? NONE) : ceiling.input
  const output = priced ? (dearest(rows, isOutput) ?? NONE) : ceiling.output
  const fee = dearest(rows, (meter) => meter === 'request') ?? NONE
  return picodollars(multiply(asked.input_tokens, input) + multiply(asked.output_tokens, output) + multiply(1, fee))
}
