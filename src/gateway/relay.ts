import type { Dispatcher } from 'undici'
import type { Outcome } from '../core/receipt.ts'
import type { Metering } from '../core/wire.ts'
import { decodeBody, isEncoded } from './body.ts'
import type { Answer, Attempt, Call, Flow } from './call.ts'
import { clientGone } from './client-gone.ts'
import { transportError } from './failure.ts'
import { hold, lag, openFlow, settle } from './flow.ts'
import { decodeHead, readHeaders } from './headers.ts'
import type { Outbound } from './outgoing.ts'
import { quirksOf } from './receive.ts'
import { finish, write } from './release.ts'
import { isRetryable } from './retry.ts'
import type { World } from './world.ts'

/** Up to here an answer is kept whole, so that its cost stands in a header; what is longer passes as it comes. */
const WHOLE_BYTES = 512 * 1024
/** An encoded answer is copied for the meter up to here, and decoded up to the second bound. */
const COPY_BYTES = 16 * 1024 * 1024
const DECODED_BYTES = 64 * 1024 * 1024

const meterOf = ({ call, attempt }: Flow): Metering | undefined => {
  const { wire, path, json } = call
  const { reading, headers, status, upstream } = attempt
  if (!(wire && reading && headers && status !== undefined)) return undefined
  const quirks = quirksOf(upstream, wire)
  return wire.meter({ reading, request: { path, json }, provider: upstream.price_as, quirks, status, headers })
}

const isStream = (attempt: Attempt): boolean => {
  const type = attempt.headers?.['content-type']
  return (
    attempt.reading?.stream === true || /^text\/event-stream|^application\/vnd\.amazon\.eventstream/.test(type ?? '')
  )
}

const onHead = (flow: Flow, status: number, raw: readonly Uint8Array[], resume: () => void): boolean => {
  if (status < 200) return true
  const { attempt } = flow
  flow.resume = resume
  flow.head = decodeHead(raw)
  attempt.status = status
  attempt.headers = readHeaders(flow.head)
  const metering = meterOf(flow)
  if (metering) attempt.metering = metering
  const encoding = attempt.headers['content-encoding']
  if (isEncoded(encoding)) flow.encoding = encoding
  flow.passing = status < 300 && isStream(attempt)
  flow.lagging = flow.encoding !== undefined
  return true
}

/** Keeps the answer's bytes for levers that learn from them, up to what they want. */
const keep = ({ call, attempt }: Flow, bytes: Uint8Array): void => {
  if (attempt.response_bytes > (call.pulling?.wants_answer ?? 0)) attempt.kept = undefined
  else attempt.kept?.push(bytes)
}

/** Shows bytes to the meter; returns those for the client. An encoded body is copied, and read at its end. */
const meter = (flow: Flow, chunk: Uint8Array): Uint8Array => {
  const { attempt } = flow
  const { metering } = attempt
  if (flow.encoding !== undefined && attempt.response_bytes <= COPY_BYTES) flow.copy.push(chunk)
  if (attempt.kept && flow.encoding === undefined) keep(flow, chunk)
  const bytes = metering && flow.encoding === undefined ? metering.push(chunk) : chunk
  if (attempt.first_token_at_us === undefined && (flow.encoding !== undefined || (metering?.started ?? true)))
    attempt.first_token_at_us = flow.world.now_us()
  return bytes
}

const pass = (flow: Flow, bytes: Uint8Array): boolean => {
  if (flow.lagging) {
    hold(flow, bytes)
    return lag(flow)
  }
  if (!flow.attempt.metering?.done) return write(flow, bytes)
  // The event that ends the stream: nothing that bills can follow, and it leaves when its receipt is written.
  hold(flow, bytes)
  settle(flow, { outcome: outcomeOf(flow) })
  return true
}

const onChunk = (flow: Flow, chunk: Uint8Array): boolean => {
  flow.attempt.response_bytes += chunk.length
  if (flow.released) return write(flow, flow.settled && flow.encoding === undefined ? meter(flow, chunk) : chunk)
  const bytes = meter(flow, chunk)
  if (!flow.settled && flow.passing) return pass(flow, bytes)
  hold(flow, bytes)
  if (flow.settled || flow.held_bytes <= WHOLE_BYTES) return true
  flow.passing = true
  flow.lagging = true
  return lag(flow)
}

/** Redirects are not followed: where a model was asked, one is no answer. */
const isRefusal = ({ status = 0, reading }: Attempt): boolean => status >= 400 || (status >= 300 && !!reading?.billable)

const outcomeOf = ({ attempt }: Flow): Outcome => {
  if (isRefusal(attempt)) return 'error'
  if (attempt.metering) attempt.metered ??= attempt.metering.finish()
  if (attempt.metered?.error) return 'error'
  return attempt.metered?.complete === false ? 'cut' : 'ok'
}

const settleEnd = (flow: Flow): void => {
  const { metering, status, headers } = flow.attempt
  if (metering) hold(flow, metering.end())
  settle(flow, { outcome: outcomeOf(flow), retryable: isRetryable(status ?? 0, headers) })
}

/** The answer is whole, and its bytes say nothing here: that is no fault of the provider, and nothing is known of its usage. */
const unread = (attempt: Attempt): void => {
  attempt.kept = undefined
  attempt.unread = true
  attempt.metered = { complete: true, output_text: '' }
  attempt.warning =
    'the answer could not be decoded (too large, broken, or of an unknown encoding): its usage is not known'
}

/** Reads the copy of an encoded body, then settles. */
const settleEncoded = async (flow: Flow, encoding: string): Promise<void> => {
  const copied = flow.attempt.response_bytes <= COPY_BYTES
  const plain = copied ? await decodeBody(Buffer.concat(flow.copy), encoding, DECODED_BYTES) : undefined
  flow.copy = []
  if (plain) {
    if (flow.attempt.kept) keep(flow, plain)
    flow.attempt.metering?.push(plain)
    flow.attempt.metering?.end()
  } else if (flow.attempt.metering) unread(flow.attempt)
  settle(flow, { outcome: outcomeOf(flow), retryable: isRetryable(flow.attempt.status ?? 0, flow.attempt.headers) })
}

/** Answers that end in one turn of the event loop are settled side by side. */
const endTogether = async (flow: Flow): Promise<void> => {
  await flow.world.turn()
  if (flow.settled) return
  if (flow.encoding === undefined) settleEnd(flow)
  else await settleEncoded(flow, flow.encoding)
}

const onEnd = (flow: Flow): void => {
  flow.ended = true
  if (flow.released) finish(flow)
  else if (flow.settled) return
  else endTogether(flow).catch((error) => onFailure(flow, error))
}

const onFailure = (flow: Flow, cause: Error): void => {
  flow.ended = true
  if (flow.released) finish(flow)
  if (flow.settled) return
  const { attempt, call } = flow
  const error = transportError(cause, attempt)
  const seen = attempt.status !== undefined
  settle(flow, { outcome: call.client_gone ? 'client-gone' : seen ? 'cut' : 'error', error, retryable: true })
}

/** undici's handler. Its functions are shared by all exchanges: closures of each call's own would outlive it in the heap. */
type Handler = Readonly<{ flow: Flow }> & Dispatcher.DispatchHandler
type Shared = Readonly<{ [Name in keyof Dispatcher.DispatchHandler]: Dispatcher.DispatchHandler[Name] }> &
  ThisType<Handler>

const handler: Shared = {
  onConnect(abort) {
    this.flow.abort = abort
    this.flow.attempt.sent = !this.flow.call.client_gone
    if (this.flow.call.client_gone) clientGone(this.flow)
  },
  onHeaders(status, raw, resume) {
    return onHead(this.flow, status, raw, resume)
  },
  onData(chunk) {
    return onChunk(this.flow, chunk)
  },
  onComplete() {
    onEnd(this.flow)
  },
  onError(error) {
    onFailure(this.flow, error)
  },
}
const { onConnect, onHeaders, onData, onComplete, onError } = handler

/**
 * One exchange with a provider: bytes pass in both directions no faster than the slower side, the meter reads beside
 * them. Resolves when the outcome is known and the last bytes are held back until `release`. Never rejects.
 */
export const exchange = (call: Call, attempt: Attempt, request: Outbound, world: World): Promise<Answer> =>
  new Promise((resolve) => dispatch(openFlow(call, attempt, world, resolve), request))

const dispatch = (flow: Flow, { origin, path, headers, body }: Outbound): void => {
  const { call, world } = flow
  const { head_ms: headersTimeout, idle_ms: bodyTimeout } = world.settings.limits
  call.flow = flow
  const own = { flow, onConnect, onHeaders, onData, onComplete, onError } as Handler
  world.dispatcher.dispatch({ origin, path, method: call.method, headers, body, headersTimeout, bodyTimeout }, own)
}
