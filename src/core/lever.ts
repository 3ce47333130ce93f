import type { Picodollars } from './money.ts'
import type { CacheTtl, Change, Outline } from './prompt.ts'
import type { LeverTrace, Receipt } from './receipt.ts'

/** A family of levers, in the order of the playbook. */
export type Play = 'route' | 'cache' | 'batch' | 'compact' | 'own'

/** A setting of a lever: the configuration's reference, its checks, the command line's help and the console's form come from it. */
export type Setting =
  | Readonly<{ type: 'number'; default: number; least?: number; most?: number; unit?: string; about: string }>
  | Readonly<{ type: 'text'; default: string; one_of?: readonly string[]; about: string }>
  | Readonly<{ type: 'flag'; default: boolean; about: string }>
  | Readonly<{ type: 'texts'; default: readonly string[]; about: string }>

export type Schema = Readonly<Record<string, Setting>>

/** The values of a schema's settings. */
export type Chosen<S extends Schema = Schema> = Readonly<{
  [name in keyof S]: S[name] extends { type: 'number' }
    ? number
    : S[name] extends { type: 'flag' }
      ? boolean
      : S[name] extends { type: 'texts' }
        ? readonly string[]
        : string
}>

/** off: does nothing. observe: computed on live calls and recorded, not applied. on: applied. */
export type LeverMode = 'off' | 'observe' | 'on'

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
  /** Who places the prefix: marks in the body, the provider by itself, or both. */
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
  source: string
}>

/** Who pays and what the call belongs to: the receipt's own words. */
export type Circle = Readonly<
  Pick<
    Receipt,
    'key_id' | 'team' | 'feature' | 'customer' | 'user' | 'environment' | 'session' | 'agent' | 'wire' | 'endpoint'
  >
>

/** A live call as a lever sees it. Nothing of it is ever changed: a lever says what it wants different. */
export type LiveCall = Readonly<{
  call_id: string
  at_us: number
  circle: Circle
  /** Whoever may share a cache: the permission scope of the key, or the hash of the client's own credential. */
  tenant: string
  provider: string
  model: string
  stream: boolean
  max_output_tokens?: number
  fingerprints: Readonly<{ exact?: string; template?: string; conversation?: string }>
  /** The prefix chain with estimated tokens; one boundary a block, not thinned. */
  chain: Readonly<{ hashes: readonly string[]; tokens: readonly number[] }>
  /** The prompt as earlier levers left it; absent where the wire has no editor. Read on first use. */
  outline(): Outline | undefined
}>

/** An answer that a lever gives in the model's place, in the wire's own form. */
export type StoredAnswer = Readonly<{
  /** The whole body, never a stream: the gateway streams it where the client asked for one. */
  body: Uint8Array
  content_type: string
  /** What the stored answer had cost, and its usage, for the receipt. */
  receipt_id: string
}>

/** What `pull` decides. `why` is one plain clause for the receipt, without content of the prompt. */
export type Pulled =
  | Readonly<{ do: 'nothing'; why: string }>
  | Readonly<{
      do: 'change'
      changes: readonly Change[]
      why: string
      /** Tokens taken out, cumulative at each boundary of the chain; absent where the prompt is not shortened. */
      removed?: readonly number[]
    }>
  | Readonly<{ do: 'answer'; answer: StoredAnswer; why: string }>

/** What came of a call in the end, told to the levers that want to learn from it (to store the answer, to learn a length). */
export type Ended = Readonly<{
  call: LiveCall
  receipt: Receipt
  /** The whole answer's bytes, where a lever asked for them by `wants_answer` and they were not longer than its bound. */
  body?: Uint8Array
  content_type?: string
}>

/** Bounded memory of one lever in one thread, by partition; what is least used goes first. Lost at a restart. */
export type Memory = Readonly<{
  get<T>(partition: string, key: string): T | undefined
  set(partition: string, key: string, value: unknown): void
}>

/** Answers that outlive a call, shared by the threads; partitioned, bounded in bytes, with TTL. Failing reads as absent. */
export type Answers = Readonly<{
  get(partition: string, key: string): StoredAnswer | undefined
  put(
    partition: string,
    key: string,
    answer: StoredAnswer,
    keep: Readonly<{ ttl_s: number; tags: readonly string[] }>,
  ): void
}>

/** The doors of a lever to the world. What is absent is not available, and a lever then says so and does nothing. */
export type Kit = Readonly<{
  now_us(): number
  random(): number
  /** 64 bits of a text as 16 hexadecimal digits. */
  hash(text: string): string
  /** Tokens of a text for a model, by learnt ratio; no tokenizer runs. */
  tokens(text: string, provider: string, model: string): number
  rates(provider: string, model: string, at_us: number): TokenRates | undefined
  cache_rule(provider: string, model: string, at_us: number): CacheRule | undefined
  memory: Memory
  answers?: Answers
  /** Unit vectors of texts. Rejects when the embedder is down or slower than its deadline. */
  embed?(texts: readonly string[]): Promise<readonly Float32Array[]>
  /** A shorter text with the same meaning, at about this share of its tokens. */
  compress?(text: string, share: number): Promise<string>
  /** Asks a cheap model; the cost is booked as a receipt of its own. */
  ask?(request: Readonly<{ model: string; system: string; text: string; max_output_tokens: number }>): Promise<string>
}>

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
  receipt_id: string
  at_us: number
  ended_at_us: number
  circle: Circle
  tenant: string
  provider: string
  model: string
  stream: boolean
  outcome: Receipt['outcome']
  finish_reason?: string
  temperature?: number
  max_output_tokens?: number
  fingerprints: LiveCall['fingerprints']
  /** Kept boundaries (at most 64), ascending; the last is the whole prompt. */
  chain: LiveCall['chain']
  usage: Readonly<PastUsage>
  /** Did the client place cache marks, or the provider cache by itself? */
  tools_tokens: number
  system_tokens: number
  /** What levers said of it when it was live. */
  traces: readonly LeverTrace[]
  /** Answered without the provider: its usage costs nothing. */
  answered: boolean
  rates: TokenRates
}>

export type ReplayKit = Pick<Kit, 'hash' | 'cache_rule'> & Readonly<{ random(): number }>

/** A fold over the past. It may keep state; `low` and `high` say how sure it is where it is an estimate. */
export type Replay = (past: Past) => Past

/** How a promise comes about. exact: from hashes, counts and times alone. estimated: rests on assumptions, so it has a range. */
export type Certainty = 'exact' | 'estimated'

/** What an answer's quality stands to lose. */
export type Risk = 'none' | 'bounded' | 'needs-eval'

/** Fields of the range within which an estimated saving lies, as shares of the middle one. */
export type Spread = Readonly<{ low: number; high: number; why: string }>

/**
 * One way to spend less. `pull` works on the live call, `replay` on the same call in the ledger, and what replay promises is
 * what pull then saves: the contract suite holds every lever in the catalogue to it.
 */
export type Lever<S extends Schema = Schema> = Readonly<{
  /** `play/name`, e.g. `cache/exact`. */
  name: string
  play: Play
  about: string
  settings: S
  traits: Readonly<{
    certainty: Certainty
    risk: Risk
    /** What it takes to turn it on. */
    effort: 'switch' | 'configure' | 'project'
    spread?: Spread
    /** Needs the answer's bytes in `learn`, up to so many. */
    wants_answer?: number
    /** The cheapest way to know more where evidence is short, e.g. `observe it for a day`. */
    next_test: string
  }>
  pull(call: LiveCall, settings: Chosen<S>, kit: Kit): Pulled | Promise<Pulled>
  /** Told of every call that it saw, when it ended. Must not throw; what it throws is logged. */
  learn?(ended: Ended, settings: Chosen<S>, kit: Kit): void
  replay(settings: Chosen<S>, kit: ReplayKit): Replay
}>

/** A policy: which lever works where, and how. The first that matches a call decides for the levers that it names. */
export type LeverPolicy = Readonly<{
  match: Readonly<
    Partial<
      Record<
        'team' | 'feature' | 'customer' | 'key' | 'environment' | 'wire' | 'endpoint' | 'provider' | 'model',
        string
      >
    >
  >
  levers: Readonly<Record<string, Readonly<{ mode: LeverMode; settings: Chosen }>>>
  /** Share of sessions (0 … 1) that is left alone, by hash of the session, so that the saving can be proved. */
  holdout: number
}>

/** What a call's levers came to: money in picodollars. */
export type Saving = Readonly<{ name: string; saving: Picodollars }>
