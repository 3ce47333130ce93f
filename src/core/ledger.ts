import type { Receipt } from './receipt.ts'

/** A closed journal segment: NDJSON of `JournalLine`. Its name is its identity. */
export type Segment = Readonly<{
  name: string
  path: string
  /** With `receipts`, rows whose receipt id is in the ledger already are left out one by one (imports overlap). */
  deduplicate?: 'segment' | 'receipts'
}>

export type Appended = Readonly<{ segment: 'appended' | 'already'; receipts: number; skipped: number }>

/** What receipts can be grouped and filtered by. `tag:NAME` is a tag of the payer. */
export type Dimension =
  | 'team'
  | 'feature'
  | 'customer'
  | 'user'
  | 'environment'
  | 'key_id'
  | 'session'
  | 'agent'
  | 'model_asked'
  | 'model'
  | 'provider'
  | 'endpoint'
  | 'wire'
  | 'service_tier'
  | 'outcome'
  | 'origin'
  | 'day'
  | 'hour'
  | 'month'
  | `tag:${string}`

export type Filter = Readonly<{ dimension: Dimension; values: readonly (string | null)[]; negate?: boolean }>

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

/** The closed set of questions. Every answer is JSON-safe: money as decimal text, times in µs. */
export type Question =
  | Readonly<{
      ask: 'spend'
      window: TimeWindow
      group_by: readonly Dimension[]
      filters?: readonly Filter[]
      /** Adds `previous_cost_usd` from the window of the same length before. */
      compare?: boolean
      /** Adds `trend_usd` in this many slices. */
      slices?: number
      limit?: number
      /** IANA zone in which days, hours and months are cut; UTC by default. */
      zone?: string
    }>
  | Readonly<{
      ask: 'calls'
      window: TimeWindow
      filters?: readonly Filter[]
      limit: number
      after?: string
      order?: 'newest' | 'dearest'
    }>
  | Readonly<{ ask: 'call'; id: string }>
  | Readonly<{ ask: 'leaks'; window: TimeWindow; filters?: readonly Filter[]; examples?: number }>
  | Readonly<{ ask: 'extent' }>
  | Readonly<{ ask: 'ratios' }>

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
  segments: number
}>

/** How many tokens a model counts for one that the local tokenizer counts, learnt from receipts. */
export type TokenRatio = Readonly<{ provider: string; model: string; bytes_per_token: number; samples: number }>

export type Answers = {
  spend: Readonly<{ rows: readonly SpendRow[]; total: SpendRow; more: number }>
  calls: Readonly<{ receipts: readonly Receipt[] }>
  call: Readonly<{ receipts: readonly Receipt[] }>
  leaks: Readonly<{
    leaks: readonly Leak[]
    total_usd: string
    input_tokens: number
    cacheable_tokens: number
    cached_tokens: number
  }>
  extent: Extent
  ratios: Readonly<{ ratios: readonly TokenRatio[] }>
}

export type Answer<Q extends Question> = Answers[Q['ask']]

/** Receipts, appended exactly once and queried. */
export type Ledger = Readonly<{
  append(segment: Segment): Promise<Appended>
  query<Q extends Question>(question: Q): Promise<Answer<Q>>
  close(): Promise<void>
}>
