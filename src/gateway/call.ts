import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WeirError } from '../core/errors.ts'
import type { Picodollars, Usd } from '../core/money.ts'
import type { Outcome, Receipt } from '../core/receipt.ts'
import type { KeyRecord } from '../core/store.ts'
import type { Headers, Metered, Metering, Reading, Wire } from '../core/wire.ts'
import type { Fingerprints } from '../playbook/measure/fingerprints.ts'
import type { Hold } from './budgets/known.ts'
import type { Pulling } from './levers/pulling.ts'
import type { Upstream, World } from './world.ts'

/** Fields of who pays and what a call belongs to that a header `x-weir-…` of that name says. */
export const payerFields = ['team', 'feature', 'customer', 'user', 'session', 'environment', 'agent'] as const

/** Who pays for a call, and what it belongs to. The names are the receipt's. */
export type Payer = {
  -readonly [Field in
    | 'key_id'
    | 'team'
    | 'feature'
    | 'customer'
    | 'user'
    | 'environment'
    | 'session'
    | 'step'
    | 'agent'
    | 'tags'
    | 'trace_id'
    | 'span_id'
    | 'deadline_at_us'
    | 'deferrable']?: Receipt[Field]
}

/** Where a call may go. */
export type Stop = Readonly<{
  upstream: Upstream
  /** The model to ask for; undefined where the call names none. */
  model: string | undefined
  /** True when `model` is not the one in the request. */
  renamed: boolean
  /** The circuit breaker's name for it. */
  target: string
}>

/**
 * One request on its way through the gateway. Each step of `serve` fills in its part, so that a call that is refused on
 * the way still leaves a receipt of everything that was known by then.
 */
export type Call = {
  readonly id: string
  readonly started_at_us: number
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly method: string
  readonly headers: Headers
  /** The path without provider prefix and query; the query with its `?`, or empty. */
  path: string
  query: string
  payer: Payer
  // identify
  /** What its headers say to Weir and Weir cannot read. */
  slips?: readonly string[]
  key?: KeyRecord
  /** Who calls, as a hash; see `tenant.ts`. */
  tenant?: string
  /** The provider that the client addressed. */
  upstream?: Upstream
  // receive
  wire?: Wire
  /** As the client sent it; `plain` is the same without content encoding, which is what wires read. */
  body: Uint8Array
  plain: Uint8Array
  json: unknown
  /** Once it was asked; see `names-twice.ts`. */
  names_twice?: boolean
  /** Absent for paths that no wire recognises: they pass through unmetered. */
  reading?: Reading
  // admit
  /** Where it may go, in order. */
  stops: readonly Stop[]
  /** What it holds in budgets, until the receipt of its attempt is written. */
  hold?: Hold
  /** The target for which it holds that. */
  covers?: Stop
  /** Output tokens that its request is limited to, because a budget depends on it and the client asked for none. */
  output_cap?: number
  /** The budget that had no room for it, so that it goes to a cheaper target. */
  fell_back_from?: string
  /** The attempt's reservation, also where no budget holds it. */
  reserved?: Picodollars
  reserved_usd?: Usd
  // pull
  /** Fingerprints of the prompt as asked, once they were taken. */
  prompt?: Fingerprints
  /** What levers did; absent where none has a say. */
  pulling?: Pulling
  // on the way
  client_gone: boolean
  /** The response that passes, while there is one: told when the client goes. */
  flow?: Flow
  /** Ends a pause between two attempts. */
  wake?: (() => void) | undefined
}

/** One exchange with one provider, made for a call. */
export type Attempt = {
  readonly receipt_id: string
  /** Counts from 1 within the call. */
  readonly number: number
  readonly upstream: Upstream
  /** The model asked of this provider. */
  readonly model: string | undefined
  /** The circuit breaker's name for it. */
  readonly target: string
  readonly region: string | undefined
  /** What the wire reads of the request as this provider gets it. */
  readonly reading: Reading | undefined
  readonly started_at_us: number
  readonly request_bytes: number
  /** The request went to a provider while its client was there; absent as long as it went to none. */
  sent?: boolean
  response_bytes: number
  first_token_at_us?: number
  ended_at_us: number
  status?: number
  headers?: Headers
  metering?: Metering
  metered?: Metered
  /** The answer is whole, but encoded in a way that hides what it says. */
  unread?: boolean
  /** The provider refused our key, or wants one that we do not have. */
  key_refused?: boolean
  /** What the client is told of it beside the provider's own answer. */
  warning?: string
  /** The answer's bytes, decoded, for levers that learn from them; absent where none does or they were too many. */
  kept?: Uint8Array[] | undefined
}

/** An answer that no provider gave. */
export type Given = Readonly<{ bytes: Uint8Array; content_type: string; metered: Metered; at_us: number }>

/** How a call, or an attempt of it, ended: everything there is to say but what it cost. */
export type Answer = Readonly<{
  /** Absent when nothing was dispatched. */
  attempt?: Attempt
  outcome: Outcome
  /** Why there is no good answer. */
  error?: WeirError
  /** True where another attempt may do better, because nothing of this one has reached the client. */
  retryable: boolean
  /** Holds the answer's last bytes until the receipt is written; absent where the error is all there is to say. */
  flow?: Flow
  /** An answer that a lever gave in the model's place. */
  given?: Given
}>

/** A response on its way from a provider to the client. */
export type Flow = {
  readonly call: Call
  readonly attempt: Attempt
  readonly world: World
  readonly settled_as: (answer: Answer) => void
  /** The provider's head: name–value pairs as they came. */
  head: readonly string[]
  /** Pieces leave as they come; otherwise the answer is kept whole until its cost is known. */
  passing: boolean
  /** The last piece is always held back, because nothing tells that it is the last before the end does. */
  lagging: boolean
  /** The content encoding of the response, and a copy of its bytes for the meter. */
  encoding?: string
  copy: Uint8Array[]
  held: Uint8Array[]
  held_bytes: number
  head_sent: boolean
  /** The outcome is known and its receipt is being written. */
  settled: boolean
  /** The receipt is written: what is held, and what still comes, may leave. */
  released: boolean
  /** The provider has sent everything. */
  ended: boolean
  drained_bytes: number
  drain_timer?: NodeJS.Timeout
  /** undici's: cancels the exchange; asks for more after a pause. */
  abort?: (error?: Error) => void
  resume?: () => void
}
