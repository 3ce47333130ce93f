import type { CacheTtl } from './prompt.ts'
import type { LeverTrace, Receipt } from './receipt.ts'

/** Prices of one call's token classes in picodollars a token, at the moment of the call; undefined where unpriced. */
export type TokenRates = Readonly<{
  fresh: number
  cache_read: number
  /** By TTL; a TTL that the model does not offer is absent. Where writes cost nothing more, this is the fresh rate. */
  cache_write: Readonly<Partial<Record<CacheTtl, number>>>
  output: number
}>

/** How a provider caches prompts of a model: a dated, sourced row of data (`playbook/cache/rules`). */
export type CacheRule = Readonly<{
  /**
   * Who places the prefix. marks: the caller, in the body. automatic: the provider, at every step. both: the provider after
   * the system part and at the end, or the caller by marks; a prefix is matched only as a whole.
   */
  style: 'marks' | 'automatic' | 'both'
  minimum_tokens: number
  /** Cached lengths are whole multiples of this beyond the minimum; 1 where any block's end will do. */
  step_tokens: number
  ttls: readonly CacheTtl[]
  /** What the provider does when nothing is asked. */
  default_ttl: CacheTtl
  most_marks: number
  /** How many blocks before a mark a shorter prefix is looked for (Anthropic: 20). */
  lookback_blocks: number
  /** Calls of one `cache_key` go to one cache. */
  takes_key?: true
  /** Without a key nothing is kept. */
  needs_key?: true
  source: string
}>

/** Who pays and what the call belongs to: the receipt's own words. */
export type Circle = Readonly<
  Pick<Receipt, 'endpoint'> & {
    [Name in 'key_id' | 'team' | 'feature' | 'customer' | 'user' | 'environment' | 'session' | 'agent' | 'wire']?:
      | Receipt[Name]
      | undefined
  }
>

/** Hashes of a prompt, as on the receipt. */
export type Fingerprinted = Readonly<{
  exact?: string | undefined
  template?: string | undefined
  conversation?: string | undefined
}>

/** A prefix chain: the hash of everything up to each boundary, and the tokens up to it, ascending. */
export type Chain = Readonly<{ hashes: readonly string[]; tokens: readonly number[] }>

/** Usage of a past call in the classes that levers move. `other` is what no lever moves (fees, audio, images). */
export type PastUsage = {
  fresh: number
  cache_read: number
  cache_write_5m: number
  /** Writes at the longer TTL of the model (1 h, 12 h, 24 h). */
  cache_write_long: number
  output: number
}

/**
 * A call of the past, from its receipts. A replay gets them in order of time and gives back the call as it would have been:
 * the same object where nothing would have changed.
 */
export type Past = Readonly<{
  /**
   * Calls of one reader that share it are alike in payer (but for session, customer and user), tenant, account, endpoint, wire,
   * provider, model and `stream`; a replay that changes one of these leaves it out. A small whole number.
   */
  kind?: number | undefined
  at_us: number
  /** When the answer began, which is when what it wrote to a cache can be read; absent where it is not known. */
  first_token_at_us?: number | undefined
  ended_at_us: number
  circle: Circle
  tenant: string
  account: string
  provider: string
  model: string
  stream: boolean
  outcome: Receipt['outcome']
  finish_reason?: string | undefined
  temperature?: number | undefined
  max_output_tokens?: number | undefined
  fingerprints: Fingerprinted
  /** As asked; kept boundaries (at most 64), ascending; the last is the whole prompt. */
  chain: Chain
  /** As billed. Where levers had shortened the prompt it is that of the shortened one; `chain` is always as asked. */
  usage: Readonly<PastUsage>
  /** Tokens that levers before have taken out in this replay, up to each boundary of the chain; absent where none has. */
  removed?: readonly number[] | undefined
  tools_tokens: number
  system_tokens: number
  /** What levers said of it when it was live. */
  traces: readonly LeverTrace[]
  /** Answered without the provider: its usage costs nothing. */
  answered: boolean
  rates: TokenRates
}>

/** A fold over the past. It may keep state; `low` and `high` say how sure it is where it is an estimate. */
export type Replay = (past: Past) => Past
