import type { WeirError } from '../../core/errors.ts'
import type { Metered, Shaped } from '../../core/wire.ts'
import { eventError, jsonError, shortened } from '../framing/failures.ts'
import { asRecord, asText, type JsonRecord, recordsOf } from '../framing/json.ts'

/** Google's status names by HTTP status (https://cloud.google.com/apis/design/errors). */
const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  422: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

const details = (retry_after_s: number | undefined) =>
  retry_after_s === undefined
    ? {}
    : { details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${Math.ceil(retry_after_s)}s` }] }

/** An error as Google's APIs answer it; inside an open stream it is an event with the same body. */
export const shapeError = (error: WeirError, midstream = false): Shaped => {
  const status = statuses[error.status] ?? 'INTERNAL'
  const body = { error: { code: error.status, message: error.message, status, ...details(error.retry_after_s) } }
  return midstream ? eventError(error, body) : jsonError(error, body)
}

/** The wait that Google asks for, s: in the body, where other APIs send a header. */
const retryDelay = (error: JsonRecord): number | undefined => {
  for (const detail of recordsOf(error['details'])) {
    const delay = /^(\d+(?:\.\d+)?)s$/.exec(asText(detail['retryDelay']) ?? '')?.[1]
    if (delay !== undefined) return Number(delay)
  }
  return undefined
}

/** A key that is none is an invalid argument to Google; only the details say which. */
const keyReason = (error: JsonRecord): string | undefined =>
  recordsOf(error['details'])
    .map((detail) => asText(detail['reason']))
    .find((reason) => reason === 'API_KEY_INVALID')

/** The error in a body, an event, or the first element of a body that is a list. Undefined when there is none. */
export const errorOf = (json: unknown): Metered['error'] => {
  const error = asRecord(asRecord(Array.isArray(json) ? json[0] : json)?.['error'])
  if (!error) return undefined
  const code = keyReason(error) ?? asText(error['status']) ?? String(error['code'] ?? 'error')
  const message = shortened(asText(error['message']))
  const retry_after_s = retryDelay(error)
  return retry_after_s === undefined ? { code, message } : { code, message, retry_after_s }
}
