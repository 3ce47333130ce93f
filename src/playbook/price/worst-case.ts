import { multiply, type Picodollars, parseUsd, picodollars, type UsdPerMillion } from '../../core/money.ts'
import type { PriceBook } from '../../core/price.ts'
import type { ServiceTier } from '../../core/usage.ts'
import { type Entry, indexOf, layerOrder, modeOf } from './book.ts'
import { type Compiled, windowHolds } from './conditions.ts'

export type Reservation = Readonly<{
  provider: string
  model: string
  /** An upper bound of the prompt, cached or not. */
  input_tokens: number
  output_tokens: number
  at_us: number
  region?: string | undefined
  geo?: string | undefined
  /** As the call asks for it; standard is reckoned with besides, because a provider may serve that instead. */
  tier?: ServiceTier | undefined
  speed?: 'standard' | 'fast' | undefined
  batch?: boolean | undefined
  /** With `5m` (or `none`) the dearer one-hour writes are left out. */
  cache_ttl?: '5m' | '1h' | 'none' | undefined
}>

/** Could the row hold for such a call? A geography that is not known may be any; a band must be reachable by the input. */
const reachable = (row: Compiled, { at_us, input_tokens, region, geo }: Reservation): boolean =>
  at_us >= row.from_us &&
  at_us < row.to_us &&
  (row.region === undefined || region === undefined || row.region === region) &&
  (row.geo === undefined || geo === undefined || row.geo === geo) &&
  row.low <= input_tokens &&
  windowHolds(row, at_us)

type Peak = Readonly<{ rate: UsdPerMillion; value: Picodollars }>

/** The dearest rates of a row by what they are for; `short` is input without one-hour cache writes. */
type Peaks = Readonly<{
  input: Peak | undefined
  short: Peak | undefined
  output: Peak | undefined
  fee: Peak | undefined
}>

const higher = (a: Peak | undefined, b: Peak | undefined): Peak | undefined =>
  a === undefined || (b !== undefined && b.value > a.value) ? b : a

const peakOf = ({ row }: Compiled, counts: (meter: string) => boolean): Peak | undefined => {
  let highest: Peak | undefined
  for (const [meter, rate] of Object.entries(row.rates))
    if (rate !== undefined && counts(meter)) highest = higher(highest, { rate, value: parseUsd(rate) })
  return highest
}

const isInput = (meter: string) => meter.startsWith('in.')

/** Worked out once a row: a reservation is made for every call. */
const known = new WeakMap<Compiled, Peaks>()

const peaksOf = (row: Compiled): Peaks => {
  const found = known.get(row)
  if (found) return found
  const peaks: Peaks = {
    input: peakOf(row, isInput),
    short: peakOf(row, (meter) => isInput(meter) && !meter.endsWith('cache_write_1h')),
    output: peakOf(row, (meter) => meter.startsWith('out.')),
    fee: peakOf(row, (meter) => meter === 'request' || meter === 'web_search.request'),
  }
  known.set(row, peaks)
  return peaks
}

type Dearest = { -readonly [Kind in keyof Peaks]: Peaks[Kind] }

const raise = (found: Dearest, rows: readonly Compiled[] | undefined, asked: Reservation): void => {
  if (!rows) return
  for (const row of rows) {
    if (!reachable(row, asked)) continue
    const peaks = peaksOf(row)
    found.input = higher(found.input, peaks.input)
    found.short = higher(found.short, peaks.short)
    found.output = higher(found.output, peaks.output)
    found.fee = higher(found.fee, peaks.fee)
  }
}

/** The dearest rates of all rows that could hold: of the mode that was asked for, and of the standard one. */
const dearest = (entry: Entry | undefined, asked: Reservation): Peaks => {
  const found: Dearest = { input: undefined, short: undefined, output: undefined, fee: undefined }
  if (!entry) return found
  const mode = modeOf(asked.tier, asked.speed, asked.batch === true)
  const standard = modeOf('standard', asked.speed, asked.batch === true)
  const own = asked.at_us >= entry.own_from_us
  for (const layer of layerOrder) {
    if (layer === 'catalog' && own) continue
    const modes = entry.layers[layer]
    raise(found, modes.get(mode), asked)
    if (mode !== standard) raise(found, modes.get(standard), asked)
  }
  return found
}

/** Embedding and rerank models price no output, so what is not produced costs nothing. */
const NONE: UsdPerMillion = '0'

/**
 * The most that a call may cost by its tokens, for a reservation: every input token at the dearest input class that could
 * apply (long context and cache writes included), every output token at the dearest output class, and the dearest fee a
 * request, also for a search that each makes. Other tool fees are not foreseeable and not in it. A model without a price is reckoned at `ceiling`.
 */
export const worstCase = (
  asked: Reservation,
  book: PriceBook,
  ceiling: Readonly<{ input: UsdPerMillion; output: UsdPerMillion }>,
): Picodollars => {
  const found = indexOf(book).find(asked.provider, asked.model)
  const peaks = dearest(found?.entry, asked)
  const shortWrites = asked.cache_ttl === '5m' || asked.cache_ttl === 'none'
  const highest = shortWrites ? peaks.short : peaks.input
  const priced = highest !== undefined || peaks.output !== undefined
  const input = priced ? (highest?.rate ?? NONE) : ceiling.input
  const output = priced ? (peaks.output?.rate ?? NONE) : ceiling.output
  const tokens = multiply(asked.input_tokens, input) + multiply(asked.output_tokens, output)
  return picodollars(peaks.fee ? tokens + multiply(1, peaks.fee.rate) : tokens)
}
