import type { Answer, Api, Refusal } from '../types.ts'
import { JSON_BODY } from './sse.ts'

const RETRY = (seconds: number): Readonly<Record<string, string>> => ({
  'retry-after': String(seconds),
  'x-ratelimit-limit-requests': '500',
  'x-ratelimit-remaining-requests': '0',
  'x-ratelimit-reset-requests': `${seconds}s`,
})

type Said = Readonly<{ message: string; type: string; code: string | null }>

const byKind: Readonly<Record<string, Said>> = {
  'missing-key': {
    message:
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    type: 'invalid_request_error',
    code: null,
  },
  'bad-key': {
    message: 'Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.',
    type: 'invalid_request_error',
    code: 'invalid_api_key',
  },
  'malformed-json': {
    message:
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
    type: 'invalid_request_error',
    code: null,
  },
}

const typeOf = (refusal: Refusal): string => {
  if (refusal.status === 429) return 'requests'
  return refusal.status >= 500 ? 'server_error' : 'invalid_request_error'
}

/** `{ error: { message, type, param, code } }` */
export const errorBody = (refusal: Refusal): object => {
  const known = byKind[refusal.kind ?? '']
  const { param } = refusal
  if (known) return { error: { ...known, param } }
  return { error: { message: refusal.message, type: typeOf(refusal), param, code: refusal.code } }
}

export const refuseAsOpenai: Api['refuse'] = (refusal): Answer => ({
  // OpenAI has no 529: it says 503 when it is overloaded.
  status: refusal.status === 529 ? 503 : refusal.status,
  headers: { ...JSON_BODY, ...(refusal.retry_after_s === undefined ? {} : RETRY(refusal.retry_after_s)) },
  body: JSON.stringify(errorBody(refusal), null, 2),
})
