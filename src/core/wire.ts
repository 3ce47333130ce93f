import type { WeirError } from './errors.ts'
import type { Change, Outline, PartKind } from './prompt.ts'
import type { Recent } from './recent.ts'
import type { NormalisedUsage, ServiceTier } from './usage.ts'

/** Header names are lower case. Repeated headers are joined by `, ` as Node does. */
export type Headers = Readonly<Record<string, string | undefined>>

/** A request as the gateway received it, provider prefix already removed from the path. */
export type WireRequest = Readonly<{
  method: string
  /** Path without query, e.g. `/v1/chat/completions`. */
  path: string
  /** Query with its `?`, or empty. */
  query: string
  headers: Headers
  body: Uint8Array
  /** The body parsed once; undefined when it is empty or not JSON. Never mutate it. */
  json: unknown
}>

/** A piece of a prompt. Order of the parts is the order in which the provider reads (and caches) them. */
export type Part = Readonly<{ kind: PartKind; text: string }>

/** Who pays, as far as the body's own fields say it (`metadata`, `user`, `safety_identifier`, `metadata.user_id`). */
export type BodyTags = Readonly<{
  team?: string
  feature?: string
  customer?: string
  user?: string
  session?: string
  environment?: string
  agent?: string
  tags?: Readonly<Record<string, string>>
}>

/** A replacement of the body's bytes [start, end). Everything outside stays as the client sent it. */
export type Edit = Readonly<{ start: number; end: number; bytes: Uint8Array }>

/** What a wire reads from a request. */
export type Reading = Readonly<{
  /** The operation: `chat`, `completions`, `responses`, `messages`, `embeddings`, `count_tokens`, `models` … */
  endpoint: string
  /** False for operations that bill nothing by themselves (`models`, `count_tokens`): no usage is expected. */
  billable: boolean
  model?: string
  stream: boolean
  max_output_tokens?: number
  /** How many answers are asked for at once, where the body is no JSON. */
  answers?: number
  temperature?: number
  /** Where the request would say so: the way to the member in its JSON body. Absent where the API has none. */
  max_output_field?: readonly string[]
  service_tier?: ServiceTier
  speed?: 'standard' | 'fast'
  geo?: string
  batch?: boolean
  parts: readonly Part[]
  turns?: number
  tool_count?: number
  response_format?: string
  body_tags: BodyTags
  /** Set when the call must be edited to be metered (usage asked for in a stream); the meter then hides what was added. */
  edits: readonly Edit[]
  hide_usage: boolean
  /** What the price of a unit depends on, as the request asks for it, e.g. `{ size: '1024x1024', quality: 'high' }`. */
  unit_attrs?: Readonly<Record<string, string>>
  /** The cache TTL that the request asks for, used where a response does not split its cache writes. */
  cache_ttl?: '5m' | '1h'
}>

/** Ways in which a provider departs from the wire it speaks (`docs/usage.md`). Absent means: as the wire's owner does. */
export type Quirks = Readonly<{
  /**
   * Where reasoning is counted, if not in the output. beside-output: in the total, stated apart (xAI chat). beside-total: stated at
   * the top of the usage and in no other count (Perplexity). total-only: what the total has beyond both sides (Google's OpenAI format).
   */
  reasoning?: 'beside-output' | 'beside-total' | 'total-only'
  /** OpenRouter with Gemini: cached and cache-write tokens count the same tokens. */
  cache_write_overlaps_read?: boolean
  /** Where the response states its own cost. */
  stated_cost?: 'usage.cost' | 'usage.cost_in_usd_ticks' | 'usage.cost.total_cost' | 'gateway'
  /** The server refuses `stream_options`, so usage cannot be asked for in a stream. */
  no_stream_options?: boolean
  /** Streams end with the usage: neither a finish reason nor `[DONE]` need come. */
  ends_with_usage?: boolean
  /** The server knows OpenAI's newer name for the maximum of output, and some of its models no other. */
  max_completion_tokens?: boolean
  /** A request fee by search context size (Perplexity Sonar). */
  request_fee?: 'search_context_size'
}>

export type MeterContext = Readonly<{
  reading: Reading
  request: Pick<WireRequest, 'path' | 'json'>
  provider: string
  quirks: Quirks
  status: number
  headers: Headers
}>

/** What the meter learnt of a response. */
export type Metered = Readonly<{
  /** Undefined when the response carried none; the gateway then estimates from `output_text`. */
  usage?: NormalisedUsage
  response_id?: string
  model_served?: string
  finish_reason?: string
  /** An error that came inside the body or stream, e.g. mid-stream with status 200; `retry_after_s` where the body asks for a wait. */
  error?: Readonly<{ code: string; message: string; retry_after_s?: number }>
  /** False when the stream or body ended before the wire's own end. */
  complete: boolean
  /** Text that the model produced as far as it was seen; filled only where `usage` is missing or lacks the output. Bounded. */
  output_text: string
}>

/**
 * Reads one response beside the bytes that pass. `push` takes bytes in order and returns those the client gets (the same
 * array unless an event is hidden); `end` returns what was held back. `finish` may be called at any time, also after a cut.
 */
export type Metering = {
  push(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
  /** True once content was seen: the first token. */
  readonly started: boolean
  /** True once the wire's terminal event was seen: nothing that bills can follow. */
  readonly done: boolean
  finish(): Metered
}

/** An error as the wire's SDK expects it. */
export type Shaped = Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: Uint8Array }>

/** A body, with the memory that editors have of others, and the name of its conversation in it. */
export type KnownBody = Readonly<{ body: Uint8Array; name: string; memory: Recent<Readonly<{ body: Uint8Array }>> }>

/**
 * The part of a wire that levers stand on: where a prompt's blocks lie in the bytes, and the edits that make a change.
 * Everything outside of the edits stays byte for byte.
 */
export type Editor = Readonly<{
  /**
   * The prompt of a parsed body; `parts` are those of its reading. With the bytes as they are `known`, what was found in the
   * conversation's last body and still lies in the same bytes is not looked for again; what comes of it is the same.
   */
  outline(json: unknown, parts: readonly Part[], known?: KnownBody): Outline
  /**
   * Leaves out what the wire cannot say; edits do not overlap. With the outline that was made of this body (`of`), what was found for
   * that is not looked for again.
   */
  edits(body: Uint8Array, json: unknown, changes: readonly Change[], of?: Outline): readonly Edit[]
  /** What an answer's bytes say to the user, whole or streamed; undefined where they cannot be read. */
  said(body: Uint8Array, content_type: string): string | undefined
}>

/** An answer's bytes, decoded, and what they are. */
export type Formed = Readonly<{ body: Uint8Array; content_type: string }>

/** What of a request decides in which form its answer is. */
export type FormAsked = Readonly<{ reading: Reading; query: string; json: unknown }>

/** Both forms of a wire's answers, whole and streamed, so that one that came in either can be given in the other. */
export type Forms = Readonly<{
  /** Path and query without what only says how the answer travels: equal for two calls that differ in nothing else. */
  address(path: string, query: string): string
  /**
   * A good answer in the form that a request asks for; itself where it has that. Where the other form would lose or guess something,
   * why, as a plain clause without anything that the model said.
   */
  as(answer: Formed, asked: FormAsked): Formed | string
}>

/** A format spoken over HTTP. It knows no provider, and no network. */
export type Wire = Readonly<{
  name: string
  /** What its readings call an endpoint. */
  endpoints: readonly string[]
  /** Does this path belong to the wire? `path` is without provider prefix and query. */
  recognise(method: string, path: string, headers: Headers): boolean
  /** Reads a request. Throws WeirError `bad-request` or `malformed-json` when it cannot be one. */
  read(request: WireRequest, quirks: Quirks): Reading
  meter(context: MeterContext): Metering
  /** The error as this API would say it; with `midstream` the bytes of an error event to append to an open stream. */
  shape(error: WeirError, midstream?: boolean): Shaped
  /** Where a prompt's blocks lie in the body, for levers; absent where levers cannot edit the wire's bodies. */
  editor?: Editor
  /** How its answers change their form; absent where they have one only, or cannot. */
  forms?: Forms
}>
