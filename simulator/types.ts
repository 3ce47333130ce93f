import type { Json } from './json.ts'
import type { Model } from './models.ts'

/**
 * What the provider will charge for, in counts that never overlap: the truth to compare a receipt with. The names are
 * those of `in` (uncached text), `in_audio`, `in_image`, `cr` (cache read), `cw` (cache write), `cw5m`, `cw1h`,
 * `tool_in`, `out` (without reasoning), `out_reasoning`, `rerank_units`, `requests`.
 */
type Buckets = Readonly<Record<string, number>>

export type Bill = Readonly<{
  /** The model whose rates apply, as the response names it. */
  model: string
  buckets: Buckets
  service_tier?: string
  /** The cost the response itself states, decimal US dollars. */
  stated_usd?: string
}>

/** How a call ended, seen from the provider. */
export type Ending = 'complete' | 'refused' | 'cut' | 'client-gone' | 'open'

/** One request as it arrived, and what was charged for it. */
export type SimulatedCall = Readonly<{
  /** Counts from 1 in order of arrival. */
  sequence: number
  api: string
  method: string
  /** As it arrived, with provider prefix and without query. */
  path: string
  query: string
  headers: Readonly<Record<string, string>>
  body: Uint8Array
  status: number
  stream: boolean
  fault: string | null
  /** Null when nothing is charged: refused, failed before any work, or not a billed endpoint. */
  bill: Bill | null
  ending: Ending
  received_at_us: number
}>

/** A part of a stream; `visible` and `reasoning` are the output tokens made up to and including it. */
export type Chunk = Readonly<{ bytes: string | Uint8Array; visible?: number; reasoning?: number }>

/** What is sent back. A stream has `chunks`, a whole answer `body`. */
export type Answer = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  body?: string | Uint8Array
  chunks?: readonly Chunk[]
  bill?: Bill
  /** How this API says an error inside a stream that is already open. */
  stream_error?: string | Uint8Array
  /** Run when the response's head leaves: what was cached can be read from now on. */
  on_start?: () => void
}>

/** Prefixes that were cached, by scope (provider, key, model) and hash of everything up to their end. */
export type Caches = Readonly<{
  /** Is the prefix readable now? Reading refreshes its life. */
  read(scope: string, key: number, now_us: number): boolean
  write(scope: string, key: number, now_us: number, ttl_us: number): void
  clear(): void
}>

/** What the whole simulator shares. */
export type World = Readonly<{
  seed: number
  /** Knows the right answer to a question. */
  says?: (latest: string) => string | undefined
  now_us(): number
  /** A fresh id: prefix and `length` letters and digits, determined by seed and order. */
  id(prefix: string, length: number): string
  caches: Caches
  /** Stored responses of the Responses API and what they cost, by id. Bounded. */
  responses: Map<string, StoredResponse>
  chunk_tokens: number
}>

type StoredResponse = { readonly response: Json; readonly conversation: readonly unknown[]; polls: number }

export type Exchange = Readonly<{
  method: string
  /** Without provider prefix and query. */
  path: string
  /** What stood before it, e.g. `/v1` or `/openai/deployments/gpt-4o`. */
  base: string
  query: URLSearchParams
  headers: Readonly<Record<string, string>>
  body: Uint8Array
  json: Json
  api_key: string
  /** Name of the provider that is played, e.g. `openai`, `groq`. */
  provider: string
  /** The fault `no-usage` is on: leave the usage out, charge all the same. */
  omit_usage: boolean
  world: World
}>

/** One API, played. */
export type Api = Readonly<{
  name: string
  recognise(method: string, path: string): boolean
  /** Throws Refusal. */
  answer(exchange: Exchange): Answer
  /** An error in this API's own shape. */
  refuse(refusal: Refusal, exchange: Pick<Exchange, 'path'>): Answer
}>

/** A request that the provider turns down. `kind` is the API's own error type where it is given. */
export class Refusal extends Error {
  readonly status: number
  readonly kind: string | undefined
  readonly code: string | null
  readonly param: string | null
  readonly retry_after_s: number | undefined

  constructor(
    status: number,
    message: string,
    more: { kind?: string; code?: string; param?: string; retry_after_s?: number } = {},
  ) {
    super(message)
    this.status = status
    this.kind = more.kind
    this.code = more.code ?? null
    this.param = more.param ?? null
    this.retry_after_s = more.retry_after_s
  }
}

export type Tool = Readonly<{ name: string; schema: Json }>

/** A block of a prompt in the order in which the provider reads, and caches, it. */
export type Block = Readonly<{
  part: 'tools' | 'system' | 'messages'
  ids: Uint32Array
  modality: 'text' | 'image' | 'audio'
  /** An explicit cache breakpoint at the end of the block. */
  breakpoint?: '5m' | '1h'
  /** Not counted, but matched: a circumstance that makes prompts differ for the cache. */
  mark?: number
}>

/** A request for a completion, whichever API it came by. */
export type Ask = Readonly<{
  model: Model
  blocks: readonly Block[]
  tools: readonly Tool[]
  tool_choice: 'auto' | 'none' | 'required' | Readonly<{ name: string }>
  parallel: boolean
  /** Structured output: the answer must be an instance of it. */
  schema?: Json
  max_output?: number
  /** Reasoning tokens at most; 0 turns it off; absent leaves it to effort. */
  reasoning_budget?: number
  effort?: string
  stop: readonly string[]
  /** Text of the first and of the latest user message. */
  opening: string
  latest: string
  /** Tool results since the latest user message. */
  rounds: number
}>

export type ToolCall = Readonly<{ name: string; json: string; pieces: readonly string[]; tokens: number }>

/** What the model said. Reasoning can be billed without being shown in full. */
export type Reply = Readonly<{
  thought: readonly string[]
  said: readonly string[]
  calls: readonly ToolCall[]
  finish: 'stop' | 'length' | 'tools' | 'stop-sequence'
  stop_sequence?: string
  visible_tokens: number
  reasoning_tokens: number
}>
