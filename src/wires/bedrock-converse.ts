import { WeirError } from '../core/errors.ts'
import type { MeterContext, Metered, Metering, Wire } from '../core/wire.ts'
import { converseForms } from './bedrock/converse-forms.ts'
import { readConverse } from './bedrock/converse-request.ts'
import { converseUsage, routedModel } from './bedrock/converse-usage.ts'
import { converseEditor } from './bedrock/editor.ts'
import { failureIn, failureOf, shapeFailure } from './bedrock/failures.ts'
import { readModelPath } from './bedrock/model-id.ts'
import { usageIn } from './framing/counts.ts'
import { type EventMessage, splitEventStream } from './framing/event-stream.ts'
import { asRecord, asText, at, decode, type JsonRecord, jsonText, parseJson, recordsOf } from './framing/json.ts'
import { type Body, type Fold, keepEvents, meterBody, meterFrames, type Own } from './framing/metering.ts'

/** Text, reasoning and tool input of one delta. */
const deltaText = (delta: unknown): string =>
  asText(at(delta, 'text')) ??
  asText(at(delta, 'reasoningContent', 'text')) ??
  asText(at(delta, 'toolUse', 'input')) ??
  ''

const blockText = (block: JsonRecord): string => {
  const use = at(block, 'toolUse', 'input')
  return (
    asText(block['text']) ??
    asText(at(block, 'reasoningContent', 'reasoningText', 'text')) ??
    (use ? jsonText(use) : '')
  )
}

/** What one answer says besides its usage. */
const seen = (answer: JsonRecord | undefined, context: MeterContext, finish_reason: string | undefined) => {
  const usage = answer ? converseUsage(answer, context) : undefined
  const model = routedModel(answer)
  const id = context.headers['x-amzn-requestid']
  return {
    ...(usage ? { usage } : {}),
    ...(model === undefined ? {} : { model_served: model }),
    ...(id === undefined ? {} : { response_id: id }),
    ...(finish_reason === undefined ? {} : { finish_reason }),
  }
}

const readWhole = (context: MeterContext, body: Body): Metered => {
  const json = asRecord(body.json())
  const error = failureOf(context.status, context.headers, json)
  const said = seen(error ? undefined : json, context, asText(json?.['stopReason']))
  const text = said.usage
    ? ''
    : recordsOf(at(json, 'output', 'message', 'content'))
        .map(blockText)
        .join('')
  return { ...said, ...(error ? { error } : {}), complete: body.ended && json !== undefined, output_text: text }
}

/** The stream's own end is the metadata event, which carries the usage and comes after the message's stop. */
const streamFold = (context: MeterContext): Fold<EventMessage> => {
  const deltas = keepEvents()
  let metadata: JsonRecord | undefined
  let stop_reason: string | undefined
  let error: Metered['error']

  const onEvent = (type: string | undefined, payload: Uint8Array): void => {
    if (type === 'contentBlockDelta' || type === 'contentBlockStart') {
      fold.started = true
      deltas.add(decode(payload))
    } else if (type === 'messageStop') {
      stop_reason = asText(at(parseJson(decode(payload)), 'stopReason'))
    } else if (type === 'metadata') {
      metadata = asRecord(parseJson(decode(payload)))
      if (usageIn(metadata?.['usage'])) deltas.forget()
    }
  }
  const fold: Own<Fold<EventMessage>> = {
    started: false,
    done: false,
    read(message) {
      error ??= failureIn(message)
      onEvent(message.headers[':event-type'], message.payload)
      fold.done = metadata !== undefined || error !== undefined
      return undefined
    },
    finish: () => ({
      ...seen(metadata, context, stop_reason),
      ...(error ? { error } : {}),
      complete: metadata !== undefined,
      output_text: deltas
        .all()
        .map((event) => deltaText(at(parseJson(event), 'delta')))
        .join(''),
    }),
  }
  return fold
}

/** Bedrock's Converse and ConverseStream (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). */
export const wire: Wire = {
  name: 'bedrock-converse',
  endpoints: ['converse'],
  recognise: (method, path) => method === 'POST' && /^\/model\/.+\/converse(-stream)?$/.test(path),
  read: (request) => {
    const path = readModelPath(request.path)
    const body = asRecord(request.json)
    if (!path || !body) throw new WeirError('malformed-json', 'The body of a Converse request must be a JSON object.')
    return {
      endpoint: 'converse',
      billable: true,
      model: path.model,
      stream: path.operation === 'converse-stream',
      edits: [],
      hide_usage: false,
      ...readConverse(body),
    }
  },
  meter: (context): Metering => {
    const streamed = context.headers['content-type']?.includes('eventstream') ?? context.reading.stream
    return streamed && context.status < 400
      ? meterFrames(splitEventStream(), streamFold(context), false)
      : meterBody((body) => readWhole(context, body))
  },
  shape: shapeFailure,
  editor: converseEditor,
  forms: converseForms,
}
