/** Plays the billing APIs of three providers on loopback, page by page, with faults on demand. Written for these tests. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const adminKey = 'admin-key-for-tests'
export const days = ['2026-11-01', '2026-11-02', '2026-11-03'] as const

type Fault = (request: IncomingMessage, response: ServerResponse) => void
type Results = (day: string) => readonly unknown[] | string

/** The next requests, whatever they ask, get these in place of an answer. */
export type BillingServer = Readonly<{
  url: string
  asked: string[]
  faults: Fault[]
  close(): Promise<void>
}>

const status = (code: number, body: unknown, headers: Record<string, string> = {}): Fault => {
  return (_, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

export const faults = {
  busy: (after: string) => status(429, { error: { message: 'slow down' } }, { 'retry-after': after }),
  broken: status(500, 'upstream sad', { 'retry-after': '0' }),
  refused: status(401, { error: { message: 'Incorrect API key provided' } }),
  elsewhere: status(302, '', { location: 'http://127.0.0.1:1/' }),
  half: status(200, '{"data":[{"start_ti'),
  other: status(200, { hello: 'world' }),
  endless: status(200, { data: [], has_more: true, next_page: null }),
  circular: status(200, { data: [], has_more: true, next_page: 'again' }),
  hangUp: ((request) => request.socket.destroy()) as Fault,
}

const openaiUsage: Results = (day) => [
  {
    object: 'organization.usage.completions.result',
    input_tokens: 1_000_000,
    input_cached_tokens: 300_000,
    input_cache_write_tokens: 100_000,
    output_tokens: 50_000,
    num_model_requests: 10,
    project_id: 'proj_search',
    api_key_id: 'key_1',
    model: 'gpt-5.5-2026-04-23',
    batch: day === '2026-11-03',
    service_tier: 'default',
  },
]

/** Amounts as floats are written: their text has to survive. */
const openaiCosts: Results = () => `[
  {"object":"organization.costs.result","amount":{"value":1.5000000000000002,"currency":"usd"},"line_item":"gpt-5.5-2026-04-23, input","project_id":"proj_search"},
  {"object":"organization.costs.result","amount":{"value":7.5e-2,"currency":"usd"},"line_item":"gpt-5.5-2026-04-23, cached input","project_id":"proj_search"},
  {"object":"organization.costs.result","amount":{"value":0.06,"currency":"usd"},"line_item":"whisper-1","quantity_unit":"duration_seconds","project_id":"proj_search"},
  {"object":"organization.costs.result","amount":{"value":0.03,"currency":"usd"},"line_item":"tts-1, characters","quantity_unit":"characters","project_id":"proj_search"},
  {"object":"organization.costs.result","amount":{"value":0.09,"currency":"usd"},"line_item":"gpt-image-2 image, output","quantity_unit":"tokens","project_id":"proj_search"},
  {"object":"organization.costs.result","amount":{"value":0.02,"currency":"usd"},"line_item":"somebodys-voice","quantity_unit":"duration_seconds","project_id":"proj_search"}
]`

/** What is reported by the piece: `num_model_requests` beside a count of its own. */
const openaiPieces: Readonly<Record<string, readonly [model: string, counts: Readonly<Record<string, number>>]>> = {
  moderations: ['omni-moderation-latest', { input_tokens: 400, num_model_requests: 4 }],
  images: ['gpt-image-2', { images: 3, num_model_requests: 2 }],
  audio_speeches: ['tts-1', { characters: 2000, num_model_requests: 2 }],
  audio_transcriptions: ['whisper-1', { seconds: 600, num_model_requests: 5 }],
}

const openaiPiecesOf =
  (report: string): Results =>
  () =>
    Object.entries(openaiPieces).flatMap(([name, [model, counts]]) =>
      name === report
        ? [{ object: `organization.usage.${name}.result`, ...counts, project_id: 'proj_search', model }]
        : [],
    )

const anthropicUsage: Results = () => [
  {
    uncached_input_tokens: 1500,
    cache_creation: { ephemeral_1h_input_tokens: 1000, ephemeral_5m_input_tokens: 500 },
    cache_read_input_tokens: 200,
    output_tokens: 500,
    server_tool_use: { web_search_requests: 10 },
    api_key_id: 'apikey_1',
    workspace_id: null,
    model: 'claude-opus-5-5',
    service_tier: 'standard',
  },
]

const anthropicCosts: Results = () => [
  {
    amount: '123.78912',
    currency: 'USD',
    cost_type: 'tokens',
    description: 'Claude Opus 5.5 Usage - Input Tokens',
    model: 'claude-opus-5-5',
    service_tier: 'standard',
    token_type: 'uncached_input_tokens',
    workspace_id: null,
  },
  {
    amount: '10',
    currency: 'USD',
    cost_type: 'web_search',
    description: 'Web Search Usage',
    model: null,
    workspace_id: null,
  },
]

/** One bucket a page. */
const buckets = (from: string, results: Results, field: 'start_time' | 'starting_at', page: string | null): string => {
  const left = days.filter((day) => day >= from)
  const at = page === null ? 0 : Number(page.replace('page_', ''))
  const day = left[at]
  const found = day === undefined ? [] : results(day)
  const start = field === 'start_time' ? Date.parse(day ?? from) / 1000 : `"${day}T00:00:00Z"`
  const data =
    day === undefined
      ? ''
      : `{"${field}":${start},"results":${typeof found === 'string' ? found : JSON.stringify(found)}}`
  const more = at + 1 < left.length
  return `{"object":"page","data":[${data}],"has_more":${more},"next_page":${more ? `"page_${at + 1}"` : 'null'}}`
}

const activity = days.map((date) => ({
  date,
  model: 'openai/gpt-5.5',
  model_permaslug: 'openai/gpt-5.5-2026-04-23',
  endpoint_id: 'e',
  provider_name: 'OpenAI',
  usage: 0.015,
  byok_usage_inference: 0.012,
  requests: 5,
  prompt_tokens: 50,
  completion_tokens: 125,
  reasoning_tokens: 25,
}))

const answer = (url: URL): string | undefined => {
  const query = url.searchParams
  const unix = new Date(Number(query.get('start_time') ?? 0) * 1000).toISOString().slice(0, 10)
  const iso = (query.get('starting_at') ?? '').slice(0, 10)
  const page = query.get('page')
  const report = /^\/v1\/organization\/usage\/(embeddings|moderations|images|audio_\w+)$/.exec(url.pathname)?.[1]
  if (report !== undefined) return buckets(unix, openaiPiecesOf(report), 'start_time', page)
  switch (url.pathname) {
    case '/v1/organization/usage/completions':
      return buckets(unix, openaiUsage, 'start_time', page)
    case '/v1/organization/costs':
      return buckets(unix, openaiCosts, 'start_time', page)
    case '/v1/organizations/usage_report/messages':
      return buckets(iso, anthropicUsage, 'starting_at', page)
    case '/v1/organizations/cost_report':
      return buckets(iso, anthropicCosts, 'starting_at', page)
    case '/api/v1/activity':
      return JSON.stringify({ data: activity })
    default:
      return undefined
  }
}

export const startBilling = async (): Promise<BillingServer> => {
  const asked: string[] = []
  const waiting: Fault[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    asked.push(`${url.pathname}?${url.searchParams}`)
    const fault = waiting.shift()
    if (fault) return fault(request, response)
    const { authorization, 'x-api-key': key } = request.headers
    const permitted = authorization === `Bearer ${adminKey}` || key === adminKey
    const body = answer(url)
    response.writeHead(permitted ? (body === undefined ? 404 : 200) : 401, { 'content-type': 'application/json' })
    response.end(permitted ? (body ?? '{}') : '{"error":{"message":"no"}}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    faults: waiting,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
