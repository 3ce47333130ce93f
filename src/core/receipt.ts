import type { Usd } from './money.ts'
import type { LineKind, Meter, ServiceTier, UsageQuality } from './usage.ts'

/** How an attempt ended. `unknown`: its end was not seen (the gateway died), and its reservation stands as its cost. */
export const outcomes = ['ok', 'refused', 'error', 'cut', 'client-gone', 'cached', 'deferred', 'unknown'] as const

export type Outcome = (typeof outcomes)[number]

/**
 * priced: computed from the book. stated: the book has no price and the provider stated one. unpriced: nobody knows yet.
 * unmetered: the endpoint has no meter, so usage is not known. none: nothing was billed (refused, failed before dispatch).
 */
export type PriceState = 'priced' | 'stated' | 'unpriced' | 'unmetered' | 'none'

/** One meter of one billed line, as the ledger keeps it. `quantity` is in units; `rate_usd` per million units. */
export type ReceiptLine = Readonly<{
  kind: LineKind
  model: string
  meter: Meter | 'provider.other'
  quantity: number
  rate_usd?: string
  cost_usd?: Usd
  price_row?: string
}>

/**
 * What a lever did on a call. The receipt's fingerprints, prefix chain and parts describe the prompt as the client asked
 * it, whatever levers took out of it; what they took out is here.
 */
export type LeverTrace = Readonly<{
  name: string
  /** observed: worked out, and not done. skipped: it would have had its turn, and did nothing. */
  action: 'acted' | 'observed' | 'skipped'
  /** What it saved of this call, or would have; below zero where it cost more. */
  saving_usd?: Usd
  why: string
  /** Input tokens taken out. */
  tokens?: number
  /** Tokens taken out up to each boundary of the receipt's prefix chain; as long as `prefix_hashes`, ascending. */
  removed?: readonly number[]
}>

/** Tokens of a prompt by what they are for; where the provider states a total they sum to it. */
export type AnatomyTokens = {
  system_tokens?: number
  tools_tokens?: number
  examples_tokens?: number
  history_tokens?: number
  context_tokens?: number
  user_tokens?: number
}

/**
 * The ledger's line for one attempt, or for an answer that needed none. It is also the line in the journal and the row in
 * the ledger: the field names are the column names. Absent means null. Money is an exact decimal of US dollars; times
 * are whole microseconds since the epoch, UTC. A receipt is never changed; a correction is a further receipt that names
 * the one it corrects and carries the difference.
 */
export type Receipt = Readonly<
  {
    // identity
    receipt_id: string
    call_id: string
    attempt: number
    provider_response_id?: string
    trace_id?: string
    span_id?: string
    /** The receipt whose money this one corrects. */
    corrects?: string
    /** `live`, or the importer that brought it, e.g. `agent-trace`. */
    origin: string

    // time
    started_at_us: number
    first_token_at_us?: number
    ended_at_us: number

    // payer
    key_id?: string
    /** Who called, for caches that must not be shared: hash of the Weir key's id, or of the client's own credential. */
    tenant?: string
    team?: string
    feature?: string
    customer?: string
    user?: string
    environment?: string
    tags?: Readonly<Record<string, string>>
    session?: string
    step?: number
    agent?: string

    // what
    wire?: string
    /** The operation, e.g. `chat`, `messages`, `embeddings`; for unmetered paths the path itself, bounded. */
    endpoint: string
    stream: boolean
    model_asked?: string
    provider: string
    model_served?: string
    region?: string
    service_tier?: ServiceTier
    speed?: 'standard' | 'fast'
    geo?: string

    // outcome
    outcome: Outcome
    http_status?: number
    error_code?: string
    finish_reason?: string
    quality_score?: number
    failed_checks?: readonly string[]

    // usage: totals of the token classes of all billed lines
    input_tokens?: number
    input_fresh_tokens?: number
    cache_read_tokens?: number
    cache_write_tokens?: number
    cache_write_1h_tokens?: number
    input_tool_tokens?: number
    input_audio_tokens?: number
    input_image_tokens?: number
    input_video_tokens?: number
    output_tokens?: number
    reasoning_tokens?: number
    output_audio_tokens?: number
    output_image_tokens?: number
    provider_total_tokens?: number
    lines?: readonly ReceiptLine[]
    /** The provider's usage object, JSON text, bounded to 16 KiB. */
    usage_raw?: string
    usage_source: 'provider' | 'estimated' | 'none'
    usage_quality?: UsageQuality
    warnings?: readonly string[]

    // money
    price_state: PriceState
    cost_usd?: Usd
    input_cost_usd?: Usd
    output_cost_usd?: Usd
    fee_cost_usd?: Usd
    /** The same usage at list price, without contract rows. */
    list_cost_usd?: Usd
    /** What the call would have cost at the asked model, with no lever, at the standard tier, without cache. */
    counterfactual_cost_usd?: Usd
    stated_cost_usd?: Usd
    /** The worst case that was reserved before dispatch. */
    reserved_usd?: Usd
    price_book?: string

    // levers
    levers?: readonly LeverTrace[]
    experiment?: string
    arm?: string

    // anatomy (tokens by part in AnatomyTokens)
    turns?: number
    tool_count?: number
    max_output_asked?: number
    temperature?: number
    response_format?: string
    request_bytes?: number
    response_bytes?: number

    // fingerprints: 64-bit hashes as 16 hexadecimal digits
    fingerprint_exact?: string
    fingerprint_template?: string
    fingerprint_conversation?: string
    /** Prefix chain: hash of everything up to a block boundary … */
    prefix_hashes?: readonly string[]
    /** … and the tokens up to it; same length, ascending. */
    prefix_tokens?: readonly number[]

    // deferral, as the caller stated it
    deadline_at_us?: number
    deferrable?: boolean
  } & AnatomyTokens
>

/**
 * A line of a journal segment. `open` is written before an attempt is dispatched and carries what an `unknown` receipt
 * would say; `receipt` closes it under the same `receipt_id`.
 */
export type JournalLine = Readonly<{ k: 'open'; r: Receipt }> | Readonly<{ k: 'receipt'; r: Receipt }>
