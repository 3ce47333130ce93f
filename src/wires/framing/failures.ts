import type { WeirError } from '../../core/errors.ts'
import type { Shaped } from '../../core/wire.ts'
import { asRecord, asText, encode } from './json.ts'

const LONGEST_MESSAGE = 300

/** So much is kept of a provider's error message: it may quote the prompt. */
export const shortened = (message: string | undefined): string => (message ?? '').slice(0, LONGEST_MESSAGE)

const scalar = (value: unknown): string | undefined => (typeof value === 'number' ? String(value) : asText(value))

/**
 * The error in a body or event, in any of the shapes that APIs use: `{error: {code, type, message}}`, `{error: "text"}`,
 * or bare `{code, message}` where `bare` allows it. Undefined when there is none.
 */
export const errorIn = (json: unknown, bare = false): Readonly<{ code: string; message: string }> | undefined => {
  const body = asRecord(json)
  const given = body?.['error'] ?? (bare ? body : undefined)
  if (typeof given === 'string') return { code: 'error', message: shortened(given) }
  const error = asRecord(given)
  if (!error) return undefined
  const message = scalar(error['message']) ?? scalar(error['detail'])
  const code = scalar(error['code']) ?? scalar(error['status']) ?? scalar(error['type'])
  if (message === undefined && code === undefined) return undefined
  return { code: code ?? 'error', message: shortened(message) }
}

/** A JSON error answer, with `retry-after` where the error says how long to wait. */
export const jsonError = (error: WeirError, body: unknown): Shaped => ({
  status: error.status,
  headers: {
    'content-type': 'application/json',
    ...(error.retry_after_s === undefined ? {} : { 'retry-after': String(Math.ceil(error.retry_after_s)) }),
  },
  body: encode(JSON.stringify(body)),
})

/** An error inside an open event stream: one event, with its name where the API names its events. */
export const eventError = (error: WeirError, body: unknown, name?: string): Shaped => ({
  status: error.status,
  headers: { 'content-type': 'text/event-stream' },
  body: encode(`${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(body)}\n\n`),
})
