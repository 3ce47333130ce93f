import type { WeirError } from '../../core/errors.ts'
import type { Metered, Shaped } from '../../core/wire.ts'
import { eventError, jsonError, shortened } from '../framing/failures.ts'
import { asRecord, asText } from '../framing/json.ts'

/** Anthropic's error types by HTTP status (https://docs.anthropic.com/en/api/errors). */
const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  422: 'invalid_request_error',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
}

/** An error as the Messages API answers it; inside an open stream it is an `error` event. */
export const shapeError = (error: WeirError, midstream = false): Shaped => {
  const body = { type: 'error', error: { type: types[error.status] ?? 'api_error', message: error.message } }
  return midstream ? eventError(error, body, 'error') : jsonError(error, body)
}

/** The error in a body or an event: `{type: 'error', error: {type, message}}`. Undefined when there is none. */
export const errorOf = (json: unknown): Metered['error'] => {
  const error = asRecord(asRecord(json)?.['error'])
  if (!error) return undefined
  return { code: asText(error['type']) ?? 'error', message: shortened(asText(error['message'])) }
}
