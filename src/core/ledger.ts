import type { OwnedRow, VirtualTag } from './allocation.ts'
import type { ChargedQuestion, ChargedRow } from './charged.ts'
import type { Dimension, Filter } from './dimension.ts'
import type { HistoryPage } from './history.ts'
import type { Practice } from './practice.ts'
import type { Receipt } from './receipt.ts'

/** A closed journal segment: NDJSON of `JournalLine`. Its name is its identity. */
export type Segment = Readonly<{
  name: string
  path: string
  /** With `receipts`, rows whose receipt id is in the ledger already are left out one by one (imports overlap). */
  deduplicate?: 'segment' | 'receipts'
}>

export type Appended = Readonly<{ segment: 'appended' | 'already'; receipts: number; skipped: number }>

/** [from, to) in µs since the epoch, UTC. */
export type TimeWindow = Readonly<{ from_us: number; to_us: number }>

/** One row of a spend answer. Money is decimal US dollars as text; `null` in `group` is "not tagged". */
export type SpendRow = Readonly<{
  group: Readonly<Record<string, string | null>>
  calls: number
  attempts: number
  errors: number
  cost_usd: string
  input_cost_usd: string
  output_cost_usd: string
  fee_cost_usd: string
  list_cost_usd: string
  counterfactual_cost_usd: string
  input_tokens: number
  output_tokens: number
  cache_read_tokens: number
  cache_write_tokens: number
  reasoning_tokens: number
  unpriced_calls: number
  unmetered_calls: number
  estimated_calls: number
  ttft_ms_p50: number | null
  duration_ms_p50: number | null
  duration_ms_p95: number | null
  previous_cost_usd?: string
  /** Cost by equal slices of the window, oldest first, for a sparkline. */
  trend_usd?: readonly string[]
}>

/** Payer fields by which charges are kept apart; `tags` are a payer's tags, all together. */
export type ChargeDimension =
  | 'team'
  | 'feature'
  | 'customer'
  | 'user'
  | 'environment'
  | 'key_id'
  | 'agent'
  | 'session'
  | 'tags'

/**
 * What makes a charge. metered: a quantity of one meter at one rate. whole: the part of the receipts' cost that no meter
 * explains (stated by the provider, or a reservation that stands for an end that was not seen). correction: money that
 * corrects earlier receipts. unpriced: a metered quantity that nobody has a price for yet; its cost is no money, '0'.
 */
export type ChargeKind = 'metered' | 'whole' | 'correction' | 'unpriced'

/** Receipts of one hour or day that are alike in all but quantity and cost, as one charge. Money is decimal US dollars. */
export type ChargeRow = Readonly<{
  kind: ChargeKind
  /** Start of the hour or day (UTC) in which it was used; of a correction, in which the corrected call was made. */
  used_us: number
  /** Start of the hour or day in which it is billed: the same, but for corrections. */
  billed_us: number
  provider: string
  model: string | null
  meter: string | null
  /** Units, decimal text, exact to the millionth. */
  quantity: string
  /** US dollars per million units, where there is one rate. */
  rate_usd: string | null
  price_row: string | null
  price_state: string
  cost_usd: string
  region: string | null
  geo: string | null
  service_tier: string | null
  speed: string | null
  outcome: string
  /** A second or later attempt of its call. */
  retried: boolean
  estimated: boolean
  /** The list price of these receipts differs from what they cost: a contract's price. */
  contracted: boolean
  /** Receipts with a part in it; one receipt has a part in the charge of each of its meters. */
  receipts: number
  /** Most input tokens of one of the receipts. */
  context_tokens: number
  /** Tokens of the receipts of a `whole` charge, which has no meter; 0 elsewhere. */
  input_tokens: number
  output_tokens: number
  payer: Readonly<Partial<Record<Exclude<ChargeDimension, 'tags'>, string | null>>>
  tags: Readonly<Record<string, string>>
}>

/**
 * Receipts of one UTC day that are alike in all but quantity and cost, for comparison with a bill. A row with a meter holds
 * its quantity and what that cost; the row without one holds the attempts, and the money that no meter explains.
 */
export type MeteredRow = Readonly<{
  provider: string
  /** UTC day on which the calls began. */
  day: string
  owner: string | null
  model: string | null
  service_tier: string | null
  meter: string | null
  /** Units, decimal text. */
  quantity: string
  /** Decimal US dollars; '0' where there is no price. */
  cost_usd: string
  /** False where nobody has a price for the quantity. */
  priced: boolean
  price_state: string
  /** The client went, the provider cut, or the end was not seen. */
  aborted: boolean
  /** The quantity is not the provider's own count. */
  estimated: boolean
  /** The calls ended on a later UTC day than they began. */
  over_midnight: boolean
  /** Attempts that a provider answered; counted on the row without a meter only. */
  attempts: number
}>

/** A group whose spend moved against the window before; `null` in `group` is "not tagged". */
export type SpendMove = Readonly<{
  group: Readonly<Record<string, string | null>>
  before_usd: string
  now_usd: string
}>

/** Rules that say anew who pays; the answer is as if the receipts had been written so. The receipts stay as they are. */
export type Tagged = Readonly<{ tags?: readonly VirtualTag[] }>

/** The closed set of questions. Every answer is JSON-safe: money as decimal text, times in µs. */
export type Question = Tagged & Plain

type Plain =
  | Readonly<{
      ask: 'spend'
      window: TimeWindow
      group_by: readonly Dimension[]
      filters?: readonly Filter[]
      /** Adds `previous_cost_usd` from the window of the same length before. */
      compare?: boolean
      /** With `compare`: adds so many `movers`, of all groups, also where `limit` shows fewer. */
      movers?: number
      /** Adds `trend_usd` in this many slices. */
      slices?: number
      limit?: number
      /** IANA zone in which days, hours and months are cut; UTC by default. */
      zone?: string
    }>
  | Readonly<{
      ask: 'calls'
      window: TimeWindow
      /** Only what has ended since this moment. */
      ended_from_us?: number
      filters?: readonly Filter[]
      limit: number
      after?: string
      order?: 'newest' | 'dearest'
    }>
  | Readonly<{ ask: 'call'; id: string; filters?: readonly Filter[] }>
  | Readonly<{ ask: 'leaks'; window: TimeWindow; filters?: readonly Filter[]; examples?: number }>
  | Readonly<{
      /** What each group cost, with its corrections apart, for statements, splits and unit costs. */
      ask: 'owned'
      window: TimeWindow
      group_by: readonly Dimension[]
      filters?: readonly Filter[]
      zone?: string
    }>
  | Readonly<{ ask: 'extent'; filters?: readonly Filter[] }>
  | Readonly<{ ask: 'ratios' }>
  | Readonly<{ ask: 'practice'; window: TimeWindow; filters?: readonly Filter[] }>
  | Readonly<{
      /** Charges for a FOCUS file: receipts by hour or day (UTC), meter, price and payer. */
      ask: 'focus'
      window: TimeWindow
      grain: 'hour' | 'day'
      by: readonly ChargeDimension[]
      filters?: readonly Filter[]
    }>
  | Readonly<{
      /** What was metered, by UTC day, model and meter, to be compared with a provider's bill. */
      ask: 'metered'
      window: TimeWindow
      providers: readonly string[]
      /** What tells the owners apart; without it all are one. */
      owner?: Dimension
      filters?: readonly Filter[]
    }>
  | ChargedQuestion
  | Readonly<{
      ask: 'history'
      window: TimeWindow
      filters?: readonly Filter[]
      /** Go on from `next_us` of the page before, which was so long, µs: this one will be about as long. Absent on the first page. */
      from_us?: number
      look_us?: number
      /** About so many receipts: a page ends where a moment ends. */
      limit: number
    }>

/** One way in which money leaks, in dollars, with the calls that show it. */
export type Leak = Readonly<{
  kind:
    | 'system-and-tools'
    | 'context-accumulation'
    | 'retry-loops'
    | 'verbose-output'
    | 'reasoning'
    | 'error-spend'
    | 'uncached-prefix'
  cost_usd: string
  /** Share of the window's spend, 0 to 1. */
  share: number
  calls: number
  /** One sentence that says what was found, with its numbers. */
  finding: string
  /** Rows of detail, e.g. cost by turn; keys are column names. */
  detail: readonly Readonly<Record<string, string | number | null>>[]
  examples: readonly string[]
}>

export type Extent = Readonly<{
  receipts: number
  calls: number
  first_us: number | null
  last_us: number | null
  cost_usd: string
  input_tokens: number
  output_tokens: number
  unpriced: number
  /** Of the journal, taken in; 0 where filters leave only some of the receipts. */
  segments: number
}>

/** How many tokens a model counts for one that the local tokenizer counts, learnt from receipts. */
export type TokenRatio = Readonly<{ provider: string; model: string; bytes_per_token: number; samples: number }>

export type Answers = {
  /** A line a receipt, in order of time and receipt id, without corrections. `repeated` is told with the first page only. */
  history: HistoryPage
  spend: Readonly<{
    rows: readonly SpendRow[]
    total: SpendRow
    more: number
    /** The groups that moved most, up or down. */
    movers?: readonly SpendMove[]
  }>
  calls: Readonly<{ receipts: readonly Receipt[] }>
  call: Readonly<{ receipts: readonly Receipt[] }>
  leaks: Readonly<{
    leaks: readonly Leak[]
    total_usd: string
    input_tokens: number
    cacheable_tokens: number
    cached_tokens: number
  }>
  /** Groups by name; their cost sums to `total_usd`, the sum of the receipts. */
  owned: Readonly<{ rows: readonly OwnedRow[]; total_usd: string }>
  /** A group may come in several rows. */
  charged: Readonly<{ rows: readonly ChargedRow[] }>
  extent: Extent
  practice: Practice
  ratios: Readonly<{ ratios: readonly TokenRatio[] }>
  /** `cost_usd` is the sum of the receipts, and so of the rows. */
  metered: Readonly<{ rows: readonly MeteredRow[]; cost_usd: string }>
  /** `cost_usd` is the sum of the receipts, and so of the rows; `unpriced` counts receipts without a price. */
  focus: Readonly<{ rows: readonly ChargeRow[]; cost_usd: string; unpriced: number }>
}

export type Answer<Q extends Question> = Answers[Q['ask']]

/** Receipts, appended exactly once and queried. */
export type Ledger = Readonly<{
  append(segment: Segment): Promise<Appended>
  /** Of a ledger that large loads cost less: several in one go, all or none of those that it does not have yet. */
  appendAll?(segments: readonly Segment[]): Promise<Appended>
  query<Q extends Question>(question: Q): Promise<Answer<Q>>
  close(): Promise<void>
}>
