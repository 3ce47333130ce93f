import type { CacheRule, Chain, Circle, Fingerprinted, PastUsage, Replay, TokenRates } from './past.ts'
import type { Change, Outline } from './prompt.ts'
import type { Receipt } from './receipt.ts'

/** A family of levers, in the order of the playbook. */
export type Play = 'route' | 'cache' | 'batch' | 'compact' | 'own'

/** A setting of a lever: the configuration's reference, its checks, the command line's help and the console's form come from it. */
export type Setting =
  | Readonly<{ type: 'number'; default: number; least?: number; most?: number; unit?: string; about: string }>
  | Readonly<{ type: 'text'; default: string; one_of?: readonly string[]; about: string }>
  | Readonly<{ type: 'flag'; default: boolean; about: string }>
  | Readonly<{ type: 'texts'; default: readonly string[]; about: string }>

export type Schema = Readonly<Record<string, Setting>>

/** The value that a setting takes. */
type Value<T extends Setting> = T extends { type: 'number' }
  ? number
  : T extends { type: 'flag' }
    ? boolean
    : T extends { type: 'texts' }
      ? readonly string[]
      : string

/** The values of a schema's settings. */
export type Chosen<S extends Schema = Schema> = Readonly<{ [name in keyof S]: Value<S[name]> }>

/** off: does nothing. observe: computed on live calls and recorded, not applied. on: applied. */
export type LeverMode = 'off' | 'observe' | 'on'

/** A live call as a lever sees it. Nothing of it is ever changed: a lever says what it wants different. */
export type LiveCall = Readonly<{
  call_id: string
  at_us: number
  circle: Circle
  /** Who the caller is, as the receipt's `tenant` says it: hash of the Weir key's id, or of the client's own credential. */
  tenant: string
  /** The team that the Weir key fixes. What a client says of its team opens nothing. */
  key_team?: string | undefined
  /** Hash of what the Weir key may use (providers, models, endpoints); empty where it may use all. */
  scope: string
  /** Whose cache at the provider it is: one for all callers where the provider's key is ours, one a tenant where it is theirs. */
  account: string
  provider: string
  /** The model asked, until a lever of the play `route` changes it. */
  model: string
  stream: boolean
  /**
   * Hash of what else may change an answer: path, query, headers of version, beta and guardrails, numbers too long to be parsed whole,
   * the targets to which routes and budgets send the call, and where they are. No two that differ share an answer.
   */
  variant: string
  /** Does the body name a key twice in one object? Fingerprints know the last, the provider may read the first. */
  names_twice: boolean
  /** Does it go on in a conversation that the provider keeps? The same words are another question there each time. */
  in_conversation: boolean
  temperature?: number | undefined
  max_output_tokens?: number | undefined
  turns?: number | undefined
  tool_count?: number | undefined
  response_format?: string | undefined
  fingerprints: Fingerprinted
  /**
   * Hash of everything in the body that can change an answer, but for this text (where it stands last): bodies that differ in it alone
   * have the same. Undefined where the text stands nowhere in the body.
   */
  beside(text: string): string | undefined
  /**
   * A stored answer of this call's wire as this call asks for it, whole or streamed; itself where it is that. Where the other form would
   * lose or guess something, why, as a plain clause.
   */
  asAsked(answer: StoredAnswer): StoredAnswer | string
  /** The prefix chain of the prompt as asked, with estimated tokens; one boundary a part of the reading, not thinned. */
  chain: Chain
  /** The prompt as earlier levers left it; absent where the wire has no editor. Read on first use. */
  outline(): Outline | undefined
}>

/**
 * An answer that a lever gives in the model's place: the bytes as the provider sent them, decoded. To a call that asks for the other
 * form, whole or streamed, it is given as `LiveCall.asAsked` makes it; a usage event that the client did not ask for is hidden again.
 */
export type StoredAnswer = Readonly<{
  body: Uint8Array
  content_type: string
  /** Whose answer it was. */
  receipt_id: string
  stored_at_us: number
}>

/** What `pull` decides. `why` is one plain clause for the receipt, without content of the prompt. */
export type Pulled =
  | Readonly<{ do: 'nothing'; why: string }>
  | Readonly<{
      do: 'change'
      changes: readonly Change[]
      why: string
      /**
       * Tokens taken out, cumulative at each boundary of `LiveCall.chain`; absent where the prompt is not shortened. A lever may
       * reckon by characters: the gateway counts each edited text before the receipt is written.
       */
      removed?: readonly number[]
      /** What it should save of this call, in picodollars: recorded where it is only observed and `worth` is absent. */
      foreseen?: number
    }>
  | Readonly<{ do: 'answer'; answer: StoredAnswer; why: string }>

/**
 * What came of a call in the end, told to the levers that want to learn from it (to store the answer, to learn a length).
 * Every call that a lever saw ends, whatever becomes of it.
 */
export type Ended = Readonly<{
  call: LiveCall
  /** What this lever had decided; absent where it threw, was too slow or never came to its turn. */
  pulled?: Pulled
  receipt: Receipt
  /** Another model gave the answer than the one to which the call was to go: it fell back. */
  fell_back?: true
  /** The answer as `StoredAnswer` has it, where a lever asked for it by `wants_answer`, the outcome is ok and it was not longer than that. */
  body?: Uint8Array
  content_type?: string
  /** What the answer says, where it is kept and the wire can tell. */
  text?(): string | undefined
  /** Does the answer ask for tools or come of such; does the model refuse to answer; has every choice ended by itself? Known where `body` is. */
  has_tool_calls?: boolean
  is_refusal?: boolean
  is_whole?: boolean
  /** Names of the tools that the answer calls, where it is kept. */
  called?(): ReadonlySet<string>
}>

/** What is known of a call when its saving is reckoned: after its usage, before its receipt is written. */
export type Spent = Readonly<{
  call: LiveCall
  /** The prefix chain of the prompt as asked, by what the provider counted and levers took out. Worked out when it is first asked for. */
  chain(): Chain
  pulled: Exclude<Pulled, Readonly<{ do: 'nothing' }>>
  mode: 'observe' | 'on'
  /** As it was billed; of an answer given in the model's place, as it would have been. */
  usage: Readonly<PastUsage>
  rates: TokenRates
}>

/** Bounded memory of one lever in one thread, by partition; what is least used goes first. Lost at a restart. */
export type Memory = Readonly<{
  get<T>(partition: string, key: string): T | undefined
  set(partition: string, key: string, value: unknown): void
}>

/**
 * Answers that outlive a call, shared by the threads; partitioned, bounded in bytes, with TTL. A failing file reads as
 * empty, and the receipt says so.
 */
export type Answers = Readonly<{
  /** What is wrong with the file, if something is, without its path. */
  trouble(): string | undefined
  /** The answer of a key; where it has none, that of the other one. */
  get(partition: string, key: string, other?: string): StoredAnswer | undefined
  put(
    partition: string,
    key: string,
    answer: StoredAnswer,
    keep: Readonly<{ ttl_s: number; tags: readonly string[]; most_bytes: number; lever: string }>,
  ): void
  /**
   * Joins an identical call in flight. Undefined: there is none, and this call leads until `done`. Otherwise the leader's
   * answer, or undefined when it has none to give.
   */
  join(partition: string, key: string, call_id: string): Promise<StoredAnswer | undefined> | undefined
  /** The leader has ended: those that joined get its answer. Says nothing where `call_id` does not lead. */
  done(partition: string, key: string, call_id: string, answer?: StoredAnswer): void
}>

/**
 * What a lever has learnt, note by note, shared by the threads and kept over restarts: what it knows is a fold over them.
 * Bounded a partition, the oldest go first. A failing file reads as empty.
 */
export type Notes = Readonly<{
  /** What is wrong with the file, if something is, without its path. */
  trouble(): string | undefined
  /** Adds a note; beyond `most` the partition's oldest go. False where it could not be written. */
  add(partition: string, note: string, most: number): boolean
  /** Notes after a position (0 for all that are kept), oldest first, and the position of the last. */
  after(partition: string, position: number): Readonly<{ notes: readonly string[]; position: number }>
}>

/** Makes unit vectors of texts. `name` says which model: vectors of two models are never compared. */
export type Embedder = Readonly<{
  name: string
  /** How long it may take, ms. */
  deadline_ms: number
  /** Rejects when it is down or slower than its deadline. */
  embed(texts: readonly string[]): Promise<readonly Float32Array[]>
}>

/** The doors of a lever to the world. What is absent is not available, and a lever then says so and does nothing. */
export type Kit = Readonly<{
  /** How the lever works on this call; `on` where absent. What is only observed is never sent, and a lever may remember that. */
  mode?: Exclude<LeverMode, 'off'>
  /** When the lever was last turned on or set otherwise, as far as that is remembered: caches may hold what was sent before. */
  on_since_us?: number
  /** Calls that went on without the lever, because it took too long: what it decides of one in the end was never sent. */
  passed?: WeakSet<LiveCall>
  now_us(): number
  random(): number
  /** 64 bits of a text as 16 hexadecimal digits. */
  hash(text: string): string
  /** Tokens of a text for a model, by learnt ratio; no tokenizer runs. */
  tokens(text: string, provider: string, model: string): number
  rates(provider: string, model: string, at_us: number): TokenRates | undefined
  cache_rule(provider: string, model: string, at_us: number): CacheRule | undefined
  /** Can this wire's answers be given whole where they came as streams, and the reverse? What a single one would lose, `asAsked` says. */
  converts(wire: string | undefined): boolean
  memory: Memory
  answers?: Answers
  notes?: Notes
  embedder?: Embedder
  /** A shorter text with the same meaning, at about this share of its tokens. */
  compress?(text: string, share: number): Promise<string>
  /** Asks a cheap model; the cost is booked as a receipt of its own. */
  ask?(request: Readonly<{ model: string; system: string; text: string; max_output_tokens: number }>): Promise<string>
}>

export type ReplayKit = Pick<Kit, 'hash' | 'cache_rule' | 'converts'> & Readonly<{ random(): number }>

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
    /** How long `pull` may take before the call goes on without it, ms (100 by default). */
    patience_ms?: number
    /** `pull` may wait for the embedder, where there is one: its deadline comes on top of `patience_ms`. */
    embeds?: true
    /** What it would do depends on what prompts say, which receipts do not hold: of a past in which it was not observed nothing is known. */
    needs_observing?: true
    /** The cheapest test that is left once it was observed, e.g. `compare answers on 50 questions`; absent where a holdout is. */
    next_test?: string
  }>
  pull(call: LiveCall, settings: Chosen<S>, kit: Kit): Pulled | Promise<Pulled>
  /** Told of every call that it saw, when it ended. Must not throw; what it throws is logged. */
  learn?(ended: Ended, settings: Chosen<S>, kit: Kit): void
  /**
   * What it saved of this call, in picodollars; below zero where it cost more. Absent: the tokens that it took out, at the
   * mean price of the call's input, or for an answer its whole price.
   */
  worth?(spent: Spent, settings: Chosen<S>): number
  replay(settings: Chosen<S>, kit: ReplayKit): Replay
}>

/** Fields of a call by which policies choose, with `*` globs. */
export type LeverMatch = LeverPolicy['match']

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
  /** Name of the experiment that the arms belong to; `levers` by default. */
  experiment: string
}>
