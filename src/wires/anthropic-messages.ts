import type { MeterContext, Reading, Wire, WireRequest } from '../core/wire.ts'
import { foldBatchResults } from './anthropic/batch-results.ts'
import { messagesEditor } from './anthropic/editor.ts'
import { shapeError } from './anthropic/failure.ts'
import { messageForms } from './anthropic/forms.ts'
import { cacheTtl, promptParts } from './anthropic/parts.ts'
import { foldMessages } from './anthropic/stream.ts'
import { messageTags } from './anthropic/tags.ts'
import { speedOf, tierOf } from './anthropic/usage.ts'
import { describeMessage } from './anthropic/whole.ts'
import { bare } from './framing/bare.ts'
import { readResults, splitLines } from './framing/batch.ts'
import { countOf } from './framing/counts.ts'
import { asList, asText, at, given, type JsonRecord, recordsOf, unescaped } from './framing/json.ts'
import { isEventStream, meterBody, meterFrames, meterSse } from './framing/metering.ts'
import { jsonBody } from './openai-request.ts'

const MESSAGES = /\/v1\/messages$/
const COUNT = /\/v1\/messages\/count_tokens$/
const RESULTS = /\/v1\/messages\/batches\/([^/]+)\/results$/
const MODELS = /\/v1\/models(\/[^/]+)?$/
/** Vertex AI names the model in the path: `…/publishers/anthropic/models/{model}:rawPredict`. */
const VERTEX = /\/publishers\/anthropic\/models\/([^/:]+):(rawPredict|streamRawPredict)$/

const modelOf = (path: string, body: JsonRecord): string | undefined => {
  const named = VERTEX.exec(path)?.[1]
  return named === undefined || named.startsWith('count-tokens') ? asText(body['model']) : unescaped(named)
}

const isCount = (path: string) => COUNT.test(path) || (VERTEX.exec(path)?.[1]?.startsWith('count-tokens') ?? false)

const readMessages = (request: WireRequest): Reading => {
  const body = jsonBody(request)
  const counting = isCount(request.path)
  const messages = recordsOf(body['messages'])
  const format = at(body, 'output_format', 'type') ?? at(body, 'output_config', 'format', 'type')
  return {
    endpoint: counting ? 'count_tokens' : 'messages',
    billable: !counting,
    stream: !counting && (body['stream'] === true || request.path.endsWith(':streamRawPredict')),
    ...given({
      model: modelOf(request.path, body),
      max_output_tokens: countOf(body['max_tokens']),
      temperature: countOf(body['temperature']),
      service_tier: tierOf(body['service_tier']),
      speed: speedOf(body['speed']),
      geo: asText(body['inference_geo']),
      response_format: asText(format),
      cache_ttl: cacheTtl(body),
    }),
    max_output_field: ['max_tokens'],
    parts: promptParts(body),
    turns: messages.filter((message) => message['role'] === 'assistant').length + 1,
    tool_count: asList(body['tools']).length,
    body_tags: messageTags(body['metadata']),
    edits: [],
    hide_usage: false,
  }
}

const meterContext = ({ reading, quirks }: MeterContext) => ({ cache_ttl: reading.cache_ttl, quirks })

/**
 * Anthropic's Messages API, whole and streamed, at Anthropic and on Vertex AI; counting of tokens and listing of models,
 * which bill nothing; and the results file of a batch. Batches are created and polled unmetered: what they cost is in the results. Usage is always
 * in the stream, so nothing is edited. Rules of usage: `docs/usage.md`.
 */
export const wire: Wire = {
  name: 'anthropic-messages',
  endpoints: ['messages', 'count_tokens', 'batch_results', 'models'],
  recognise: (method, path) =>
    method === 'POST'
      ? MESSAGES.test(path) || COUNT.test(path) || VERTEX.test(path)
      : method === 'GET' && (RESULTS.test(path) || MODELS.test(path)),
  read(request) {
    if (request.method === 'POST') return readMessages(request)
    return RESULTS.test(request.path) ? readResults('batch_results') : bare('models')
  },
  meter(context) {
    const { reading, request, status } = context
    const usage = meterContext(context)
    if (reading.endpoint === 'batch_results' && status < 400)
      return meterFrames(splitLines(), foldBatchResults(RESULTS.exec(request.path)?.[1], usage), false)
    if (isEventStream(context)) return meterSse(foldMessages(usage), false)
    return meterBody((body) => {
      const metered = describeMessage(body, usage)
      return reading.billable ? metered : { ...metered, output_text: '' }
    })
  },
  shape: shapeError,
  editor: messagesEditor,
  forms: messageForms,
}
