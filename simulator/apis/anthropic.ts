import type { Json } from '../json.ts'
import { truthy } from '../json.ts'
import { modelIds } from '../models.ts'
import type { Answer, Api, Exchange, Refusal } from '../types.ts'
import { readMessages } from './anthropic-ask.ts'
import { billMessage, inputTokens, makeMessage, messageEvents, wholeMessage } from './anthropic-message.ts'
import { EVENT_STREAM, JSON_BODY } from './sse.ts'

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

const MESSAGES: Readonly<Record<string, string>> = {
  'missing-key': 'x-api-key header is required',
  'bad-key': 'invalid x-api-key',
  'malformed-json': 'The request body is not valid JSON.',
  'unknown-path': 'Not Found',
}

const errorOf = (refusal: Pick<Refusal, 'status' | 'message' | 'kind'>): Json => ({
  type: 'error',
  error: {
    type: TYPES[refusal.status] ?? 'api_error',
    message: MESSAGES[refusal.kind ?? ''] ?? refusal.message,
  },
  request_id: 'req_011CSimulated',
})

/** `{ type: 'error', error: { type, message } }` */
const refuseAsAnthropic: Api['refuse'] = (refusal) => ({
  status: refusal.status,
  headers: {
    ...JSON_BODY,
    'request-id': 'req_011CSimulated',
    'x-should-retry': refusal.status === 429 || refusal.status >= 500 ? 'true' : 'false',
    ...(refusal.retry_after_s !== undefined && { 'retry-after': String(refusal.retry_after_s) }),
  },
  body: JSON.stringify(errorOf(refusal)),
})

const streamError = (): string => {
  const error = errorOf({ status: 529, message: 'Overloaded', kind: undefined })
  return `event: error\ndata: ${JSON.stringify(error)}\n\n`
}

const okJson = (body: unknown): Answer => ({ status: 200, headers: JSON_BODY, body: JSON.stringify(body) })

const messages = (exchange: Exchange): Answer => {
  const message = makeMessage(exchange)
  const headers = { 'request-id': `req_011C${message.id.slice(-18)}`, 'anthropic-organization-id': 'simulated' }
  const shared = { status: 200, bill: billMessage(message), on_start: message.cached.commit }
  const streams = truthy(exchange.json['stream']) || exchange.path.endsWith(':streamRawPredict')
  if (!streams) return { ...shared, headers: { ...JSON_BODY, ...headers }, body: JSON.stringify(wholeMessage(message)) }
  return {
    ...shared,
    headers: { ...EVENT_STREAM, ...headers },
    chunks: messageEvents(message),
    stream_error: streamError(),
  }
}

const models = (): Answer => {
  const rows = modelIds('anthropic').map((id) => ({
    type: 'model',
    id,
    display_name: id.replace(/^claude-/, 'Claude ').replaceAll('-', ' '),
    created_at: '2026-01-01T00:00:00Z',
  }))
  return okJson({ data: rows, has_more: false, first_id: rows[0]?.id ?? null, last_id: rows.at(-1)?.id ?? null })
}

/** The Messages API, also behind Vertex's `:rawPredict`. */
export const anthropic: Api = {
  name: 'anthropic-messages',
  recognise: (method, path) =>
    method === 'GET'
      ? path === '/models'
      : method === 'POST' && /^\/messages(\/count_tokens)?$|^\/models\/[^/]+:(rawPredict|streamRawPredict)$/.test(path),
  answer: (exchange) => {
    if (exchange.method === 'GET') return models()
    if (!exchange.path.endsWith('/count_tokens')) return messages(exchange)
    return okJson({ input_tokens: inputTokens(readMessages(exchange, true)) })
  },
  refuse: refuseAsAnthropic,
}
