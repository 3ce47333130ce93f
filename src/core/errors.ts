/** The closed set of things that go wrong. The number is the HTTP status an API client sees. */
export const codes = {
  'bad-request': 400,
  'malformed-json': 400,
  'unknown-key': 401,
  'key-expired': 401,
  forbidden: 403,
  'unknown-model': 404,
  'unknown-path': 404,
  'body-too-large': 413,
  'rate-limited': 429,
  'budget-exhausted': 429,
  overloaded: 503,
  'provider-unreachable': 502,
  'provider-cut': 502,
  'provider-timeout': 504,
  'circuit-open': 503,
  'journal-unwritable': 503,
  'shutting-down': 503,
  'bad-config': 500,
  conflict: 409,
  'bad-input': 422,
  'not-found': 404,
  internal: 500,
} as const

export type ErrorCode = keyof typeof codes

/** The one error class. The message says what, which, and what to do; it never holds a secret or a prompt. */
export class WeirError extends Error {
  override readonly name = 'WeirError'
  readonly code: ErrorCode
  readonly status: number
  readonly retry_after_s: number | undefined
  /** The field of what was asked that is wrong, where it is one. */
  readonly field: string | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retry_after_s?: number; field?: string | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = codes[code]
    this.retry_after_s = options.retry_after_s
    this.field = options.field
  }
}
