import type { WeirError } from '../core/errors.ts'
import { budgetHeaders } from './budgets/headers.ts'
import type { Answer, Call, Flow, Given } from './call.ts'
import { answerHeaders } from './headers.ts'
import { gaveUp } from './retry.ts'
import { midstream, refuseWith } from './shape.ts'

const bodiless = (flow: Flow): boolean =>
  flow.call.method === 'HEAD' || flow.attempt.status === 204 || flow.attempt.status === 304

const callHeaders = ({ id, slips = [] }: Call, warning?: string): string[] => {
  const warnings = warning === undefined ? slips : [warning, ...slips]
  return warnings.length > 0 ? ['x-weir-call-id', id, 'x-weir-warning', warnings.join('; ')] : ['x-weir-call-id', id]
}

/** Sends the provider's head to the client, with Weir's own headers. A whole body's length is known. */
const sendHead = (flow: Flow, headers: readonly string[], whole: boolean): void => {
  flow.head_sent = true
  const own = bodiless(flow) || !(whole || flow.attempt.reading?.hide_usage)
  const head = answerHeaders(flow.head, own)
  if (whole && !own) head.push('content-length', String(flow.held_bytes))
  head.push(...callHeaders(flow.call, flow.attempt.warning), ...budgetHeaders(flow.call, flow.world), ...headers)
  flow.call.response.writeHead(flow.attempt.status ?? 502, head)
}

/** After the client has gone: counts what is still read, and stops when it is too much. */
const drain = (flow: Flow, bytes: Uint8Array): boolean => {
  flow.drained_bytes += bytes.length
  if (flow.drained_bytes > flow.world.settings.limits.drain_bytes) flow.abort?.()
  return true
}

/** Sends bytes to the client. False when it cannot take more for now; then `flow.resume` is called when it can. */
export const write = (flow: Flow, bytes: Uint8Array): boolean => {
  const { response } = flow.call
  if (flow.call.client_gone) return drain(flow, bytes)
  if (!flow.head_sent) sendHead(flow, [], false)
  if (bytes.length === 0 || response.write(bytes)) return true
  response.once('drain', () => flow.resume?.())
  return false
}

/** Ends an answer that has begun: with the wire's own error event, or, where it has none, by dropping the connection. */
const breakOff = (flow: Flow, error: WeirError): void => {
  const event = midstream(flow.call, error)
  if (event.length > 0 && flow.attempt.reading?.stream) flow.call.response.end(event)
  else flow.call.response.destroy()
}

const join = (flow: Flow): Uint8Array => {
  const [first] = flow.held
  return flow.held.length === 1 && first ? first : Buffer.concat(flow.held)
}

/** Answers up to this length go out in one piece with their head. */
const ONE_PIECE_BYTES = 64 * 1024

/**
 * The whole answer. Bytes beside a head are two pieces to Node, which costs it a tenth of what it takes to answer; text is
 * joined with the head. Each of its characters is one byte.
 */
const endWith = ({ response }: Call, bytes: Uint8Array): void => {
  if (bytes.length > ONE_PIECE_BYTES) response.end(bytes)
  else response.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'), 'latin1')
}

const sendHeld = (flow: Flow, headers: readonly string[]): void => {
  const { response } = flow.call
  const begun = flow.head_sent
  if (!begun) sendHead(flow, headers, flow.ended)
  const bytes = join(flow)
  if (flow.ended && !begun) endWith(flow.call, bytes)
  else if (flow.ended) response.end(bytes)
  else if (!response.write(bytes)) response.once('drain', () => flow.resume?.())
}

/** Says to SDKs that it is no use to try again, whatever the provider says. */
const noRetry = (flow: Flow, headers: readonly string[]): readonly string[] => {
  const others = flow.head.flatMap((name, at) => (at % 2 === 0 ? [[name, flow.head[at + 1] ?? '']] : []))
  flow.head = others.filter(([name]) => name?.toLowerCase() !== 'x-should-retry').flat()
  return [...headers, 'x-should-retry', 'false']
}

/** Sends an answer that no provider gave, and says so. */
const sendGiven = (call: Call, { bytes, content_type }: Given, headers: readonly string[]): void => {
  if (call.client_gone) return
  const own = ['content-type', content_type, 'content-length', String(bytes.length), 'x-weir-cache', 'hit']
  call.response.writeHead(200, [...own, ...callHeaders(call), ...headers])
  endWith(call, bytes)
}

/**
 * The receipt is written: lets the last bytes go to the client, or an error in their place. `headers` are added to the
 * head where it has not been sent yet.
 */
export const release = (call: Call, answer: Answer, headers: readonly string[], error?: WeirError): void => {
  const { flow, given } = answer
  if (!flow) {
    if (error) refuseWith(call, error)
    else if (given) sendGiven(call, given, headers)
    return
  }
  flow.released = true
  const given_up = gaveUp(answer, flow.world.settings.limits)
  if (flow.call.client_gone) {
    if (!flow.ended) flow.abort?.()
  } else if (!error) sendHeld(flow, given_up ? noRetry(flow, headers) : headers)
  else if (flow.head_sent) breakOff(flow, error)
  else refuseWith(flow.call, error, given_up)
  flow.held = []
}

/** The provider has ended after the receipt was written. */
export const finish = (flow: Flow): void => {
  flow.call.response.end()
}
