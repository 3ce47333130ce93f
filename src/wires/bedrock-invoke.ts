import { WeirError } from '../core/errors.ts'
import type { Headers, MeterContext, Metered, Metering, Reading, Wire } from '../core/wire.ts'
import { tierOf } from './bedrock/converse-request.ts'
import { failureOf, shapeFailure } from './bedrock/failures.ts'
import { readNative } from './bedrock/invoke-request.ts'
import { foldInvoke } from './bedrock/invoke-stream.ts'
import { headerCounts, nativeUsage, settled } from './bedrock/invoke-usage.ts'
import { readModelPath } from './bedrock/model-id.ts'
import { splitEventStream } from './framing/event-stream.ts'
import { asRecord, asText, type JsonRecord, recordsOf } from './framing/json.ts'
import { membersOf } from './framing/members.ts'
import { type Body, meterBody, meterFrames } from './framing/metering.ts'
import { textOf } from './framing/parts.ts'

/** Answers of text are read whole up to here, as every maker has members of its own. */
const PARSE_BYTES = 1024 * 1024
/** What is looked up in longer ones, of vectors and images. */
const members = [
  'id',
  'usage',
  'meta',
  'inputTextTokenCount',
  'prompt_token_count',
  'generation_token_count',
  'stop_reason',
]

/** What the model wrote, in any maker's form. */
const writtenIn = (json: JsonRecord): string =>
  [json['content'], json['generation'], json['text'], json['output'], json['completion']]
    .map((part) => textOf(part))
    .join('') +
  recordsOf(json['results'] ?? json['outputs'] ?? json['generations'])
    .map((result) => asText(result['outputText']) ?? asText(result['text']) ?? '')
    .join('') +
  recordsOf(json['choices'])
    .map((choice) => textOf(choice['message']))
    .join('')

const endOf = (json: JsonRecord | undefined): string | undefined =>
  asText(json?.['stop_reason']) ??
  asText(json?.['stopReason']) ??
  asText(json?.['finish_reason']) ??
  recordsOf(json?.['results'] ?? json?.['choices'] ?? json?.['outputs'])
    .map((one) => asText(one['completionReason']) ?? asText(one['finish_reason']) ?? asText(one['stop_reason']))
    .find((reason) => reason !== undefined)

const readWhole = (context: MeterContext, body: Body): Metered => {
  const json = membersOf(body, members, PARSE_BYTES)
  const error = failureOf(context.status, context.headers, json)
  const native = json && !error ? nativeUsage(json, context) : undefined
  const usage = error ? undefined : settled(native, headerCounts(context.headers), context)
  const finish_reason = endOf(json)
  const id = asText(json?.['id']) ?? context.headers['x-amzn-requestid']
  return {
    ...(usage ? { usage } : {}),
    ...(id === undefined ? {} : { response_id: id }),
    ...(finish_reason === undefined ? {} : { finish_reason }),
    ...(error ? { error } : {}),
    complete: body.ended && json !== undefined,
    output_text: usage || !json || error ? '' : writtenIn(json),
  }
}

/** Tier and latency are asked for in headers here, because the body is the maker's. */
const asked = (headers: Headers): Pick<Reading, 'service_tier' | 'speed'> => {
  const service_tier = tierOf(headers['x-amzn-bedrock-service-tier'])
  const fast = headers['x-amzn-bedrock-performanceconfig-latency'] === 'optimized'
  return { ...(service_tier === undefined ? {} : { service_tier }), ...(fast ? { speed: 'fast' } : {}) }
}

const endpointOf = (model: string): string => {
  if (/embed/.test(model)) return 'embeddings'
  return /rerank/.test(model) ? 'rerank' : 'invoke'
}

/**
 * Bedrock's InvokeModel and InvokeModelWithResponseStream: the model maker's own body, the model in the path, and Bedrock's
 * counts in headers or in the stream's last event (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html).
 */
export const wire: Wire = {
  name: 'bedrock-invoke',
  endpoints: ['invoke', 'embeddings', 'rerank'],
  recognise: (method, path) => method === 'POST' && /^\/model\/.+\/invoke(-with-response-stream)?$/.test(path),
  read: (request) => {
    const path = readModelPath(request.path)
    const body = asRecord(request.json)
    if (!path || !body)
      throw new WeirError('malformed-json', 'The body of an InvokeModel request must be a JSON object.')
    return {
      endpoint: endpointOf(path.model),
      billable: true,
      model: path.model,
      stream: path.operation === 'invoke-with-response-stream',
      edits: [],
      hide_usage: false,
      ...readNative(body, path.model),
      ...asked(request.headers),
    }
  },
  meter: (context): Metering => {
    const streamed = context.headers['content-type']?.includes('eventstream') ?? context.reading.stream
    return streamed && context.status < 400
      ? meterFrames(splitEventStream(), foldInvoke(context), false)
      : meterBody((body) => readWhole(context, body))
  },
  shape: shapeFailure,
}
