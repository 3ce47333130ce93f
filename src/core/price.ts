import type { Picodollars, UsdPerMillion } from './money.ts'
import type { Meter, NormalisedUsage, ServiceTier, UsageLine } from './usage.ts'

/** Where a row comes from; an earlier layer wins over a later one: contract, then Weir's own dated rows, then the catalogue. */
export type PriceLayer = 'contract' | 'weir' | 'catalog'

/** Local times of the day, e.g. DeepSeek's peak hours; ANDed with every other condition of the row. */
export type PriceWindow = Readonly<{
  /** IANA zone in which `from`, `to`, `weekdays` and `holidays` are read. */
  zone: string
  /** 1 = Monday … 7 = Sunday; absent means every day. */
  weekdays?: readonly number[]
  /** [from, to) pairs in minutes from local midnight. */
  minutes: readonly (readonly [from: number, to: number])[]
  /** Local dates (`YYYY-MM-DD`) on which the window never holds. */
  except_dates?: readonly string[]
}>

/** A long-context threshold: the rates hold when `context_tokens` stands in this relation to `tokens`. */
export type ContextBand = Readonly<{ operator: '>' | '>=' | '<' | '<='; tokens: number }>

/** One dated price. Conditions are ANDed; the most specific row that matches wins; a tie is an error. */
export type PriceRow = Readonly<{
  /** Unique and stable within the book, e.g. `anthropic/claude-opus-5-5@2026-09-22#fast`. */
  id: string
  layer: PriceLayer
  provider: string
  /** Exact model ids and dated aliases. A prefix guess is never a price. */
  models: readonly string[]
  region?: string
  geo?: string
  tier?: ServiceTier
  speed?: 'standard' | 'fast'
  batch?: boolean
  context?: ContextBand
  window?: PriceWindow
  /** Attributes of a unit that must be equal, e.g. `{ size: '1024x1024', quality: 'high' }`. */
  attrs?: Readonly<Record<string, string>>
  /** UTC instants; `from` inclusive, `to` exclusive; absent means since ever and for ever. */
  effective_from?: string
  effective_to?: string
  rates: Readonly<Partial<Record<Meter, UsdPerMillion>>>
  /** The model is known to cost nothing; only then may a rate be zero. */
  free?: boolean
  source: string
  checked_at: string
}>

/** A set of rows with a version, compiled for lookup. */
export type PriceBook = Readonly<{
  /** Changes whenever a row changes; stored on every receipt. */
  version: string
  /** Rows of (provider, model), most specific first. Empty when the model is not in the book. */
  rows(provider: string, model: string): readonly PriceRow[]
  all(): Iterable<PriceRow>
}>

/** What a price is asked for: the usage of one call and the circumstances that choose its row. */
export type Billable = Readonly<{
  provider: string
  model: string
  region?: string
  batch?: boolean
  /** The moment whose prices hold, µs since the epoch, UTC. */
  at_us: number
  usage: NormalisedUsage
}>

/** One meter of one line, priced. `cost` is null when no row prices it: unpriced is a state, never zero. */
export type PricedLine = Readonly<{
  kind: UsageLine['kind']
  model: string
  meter: Meter | 'provider.other'
  quantity: number
  rate?: UsdPerMillion
  cost: Picodollars | null
  row?: string
}>

export type Priced = Readonly<{
  /** Null when any line is unpriced. */
  cost: Picodollars | null
  input: Picodollars
  output: Picodollars
  fees: Picodollars
  lines: readonly PricedLine[]
  book: string
  warnings: readonly string[]
}>
