import { WeirError } from '../core/errors.ts'
import type { Shaped, Wire } from '../core/wire.ts'
import { shapeError } from '../wires/openai-failure.ts'
import { holdsBack } from './body.ts'
import type { Call } from './call.ts'
import { wireOf } from './receive.ts'

/** Whatever was thrown, as the one error class. What we did not foresee is `internal`, and its text stays inside. */
export const asWeirError = (thrown: unknown): WeirError =>
  thrown instanceof WeirError
    ? thrown
    : new WeirError('internal', 'Weir failed on this call; its log says why. The call was not sent again.', {
        cause: thrown,
      })

/** Paths that no wire knows get the shape of their provider's first wire, or OpenAI's, which most clients can read. */
const shapeOf = (wire: Wire | undefined, error: WeirError): Shaped => (wire ? wire.shape(error) : shapeError(error))

/** An SDK is not told to wait longer than this, s. */
const RETRY_S = 60

/** SDKs wait and try again of their own accord: is that any use? Undefined where they know best. */
const shouldRetry = ({ code, retry_after_s }: WeirError): boolean | undefined => {
  if (code === 'bad-config') return false
  return code === 'budget-exhausted' ? (retry_after_s ?? Infinity) <= RETRY_S : undefined
}

/**
 * Answers with an error, in the form that the API's own SDK expects; `given_up` where Weir has tried as often as it may.
 * Does nothing for a client that has gone.
 */
export const refuseWith = (call: Call, error: WeirError, given_up = false): void => {
  const { response } = call
  if (call.client_gone || response.headersSent) return
  const shaped = shapeOf(wireOf(call) ?? call.upstream?.wires[0], error)
  const head: Record<string, string | number> = {
    ...shaped.headers,
    'content-length': shaped.body.length,
    'x-weir-call-id': call.id,
    'x-weir-error': error.code,
  }
  if (call.slips) head['x-weir-warning'] = call.slips.join('; ')
  if (error.retry_after_s !== undefined) head['retry-after'] = Math.max(1, Math.ceil(error.retry_after_s))
  // A body that the client held back may still come, and would be read as its next request.
  if (holdsBack(call)) head['connection'] = 'close'
  const retry = given_up ? false : shouldRetry(error)
  if (retry !== undefined) head['x-should-retry'] = String(retry)
  response.writeHead(shaped.status, head)
  response.end(shaped.body)
}

/** The bytes that end an open stream with this error; empty where the wire has no such event. */
export const midstream = (call: Call, error: WeirError): Uint8Array =>
  call.wire?.shape(error, true).body ?? Buffer.alloc(0)
