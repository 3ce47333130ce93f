import { WeirError } from '../core/errors.ts'
import type { Shaped, Wire } from '../core/wire.ts'
import { shapeError } from '../wires/openai-failure.ts'
import type { Call } from './call.ts'
import { wireOf } from './receive.ts'

/** Whatever was thrown, as the one error class. What we did not foresee is `internal`, and its text stays inside. */
export const asWeirError = (thrown: unknown): WeirError =>
  thrown instanceof WeirError
    ? thrown
    : new WeirError('internal', 'Weir failed on this call; its log says why. The call was not sent again.', {
        cause: thrown,
      })

/** Paths that no wire knows get OpenAI's shape, which most clients can read. */
const shapeOf = (wire: Wire | undefined, error: WeirError): Shaped => (wire ? wire.shape(error) : shapeError(error))

/** An SDK is not told to wait longer than this, s. */
const RETRY_S = 60

/** Answers with an error, in the form that the API's own SDK expects. Does nothing for a client that has gone. */
export const refuseWith = (call: Call, error: WeirError): void => {
  const { response } = call
  if (call.client_gone || response.headersSent) return
  const shaped = shapeOf(wireOf(call), error)
  const head: Record<string, string | number> = {
    ...shaped.headers,
    'content-length': shaped.body.length,
    'x-weir-call-id': call.id,
    'x-weir-error': error.code,
  }
  if (error.retry_after_s !== undefined) head['retry-after'] = Math.max(1, Math.ceil(error.retry_after_s))
  // SDKs wait and try again of their own accord: that helps only where there will be room soon.
  if (error.code === 'budget-exhausted') head['x-should-retry'] = String((error.retry_after_s ?? Infinity) <= RETRY_S)
  response.writeHead(shaped.status, head)
  response.end(shaped.body)
}

/** The bytes that end an open stream with this error; empty where the wire has no such event. */
export const midstream = (call: Call, error: WeirError): Uint8Array =>
  call.wire?.shape(error, true).body ?? Buffer.alloc(0)
