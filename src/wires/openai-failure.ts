import type { ErrorCode, WeirError } from '../core/errors.ts'
import type { Shaped } from '../core/wire.ts'
import { eventError, jsonError } from './framing/failures.ts'

/** What OpenAI's API calls these errors: `type`, and `code` where it has one of its own. */
const names: Readonly<Partial<Record<ErrorCode, Readonly<{ type: string; code?: string }>>>> = {
  'unknown-key': { type: 'invalid_request_error', code: 'invalid_api_key' },
  'key-expired': { type: 'invalid_request_error', code: 'invalid_api_key' },
  forbidden: { type: 'permission_error' },
  'unknown-model': { type: 'invalid_request_error', code: 'model_not_found' },
  'rate-limited': { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  'budget-exhausted': { type: 'insufficient_quota' },
}

const bodyOf = (error: WeirError) => {
  const name = names[error.code] ?? { type: error.status >= 500 ? 'server_error' : 'invalid_request_error' }
  const code = name.code ?? error.code.replaceAll('-', '_')
  return { message: error.message, type: name.type, param: null, code }
}

/** An error as OpenAI's chat, completion, embedding, image and audio endpoints answer it. */
export const shapeError = (error: WeirError, midstream = false): Shaped => {
  const body = { error: bodyOf(error) }
  return midstream ? eventError(error, body) : jsonError(error, body)
}

/** An error of the Responses API: inside a stream it is an `error` event, flat as documented and nested as SDKs look for it. */
export const shapeResponsesError = (error: WeirError, midstream = false): Shaped => {
  const body = bodyOf(error)
  if (!midstream) return jsonError(error, { error: body })
  const event = { type: 'error', code: body.code, message: body.message, param: null, sequence_number: 0, error: body }
  return eventError(error, event, 'error')
}
