import type { Part, Reading, Wire, WireRequest } from '../core/wire.ts'
import { bodyTags } from './framing/body-tags.ts'
import { asRecord, asText, given, type JsonRecord, named, recordsOf } from './framing/json.ts'
import { isEventStream, meterBody, meterSse } from './framing/metering.ts'
import { conversationParts, type Message, partsOf, textOf, turnsOf } from './framing/parts.ts'
import { temperatureOf } from './openai-editor.ts'
import { shapeResponsesError } from './openai-failure.ts'
import { describeResponse, responseFold } from './openai-output.ts'
import { definitionParts, jsonBody, maxOutput, modelAsked, tierAsked } from './openai-request.ts'
import { responsesEditor } from './responses-editor.ts'
import { responseForms } from './responses-forms.ts'

const RESPONSES = /\/responses$/
const BELOW = /\/responses\/[^/]+(\/[^/]+)?$/
const POLL = /\/responses\/[^/]+$/
const COMPACT = /\/responses\/compact$/
const INPUT_TOKENS = /\/responses\/input_tokens$/

const roles: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  developer: 'system',
  assistant: 'assistant',
}

/** An item of `input`: a message, a call that the model made, or what the call gave back. */
const itemMessage = (item: JsonRecord): Message => {
  const type = asText(item['type']) ?? 'message'
  if (type.endsWith('_call_output') || type === 'mcp_approval_response') return { role: 'tool', text: textOf(item) }
  if (type === 'message') return { role: named(roles, item['role']) ?? 'user', text: textOf(item['content']) }
  return { role: 'assistant', text: textOf(item) }
}

const inputMessages = (input: unknown): readonly Message[] =>
  typeof input === 'string' ? [{ role: 'user', text: input }] : recordsOf(input).map(itemMessage)

/** One answer of the model may be several items (reasoning, calls): together they are one turn. */
const merged = (messages: readonly Message[]): readonly Message[] =>
  messages.filter((message, i) => message.role !== 'assistant' || messages[i - 1]?.role !== 'assistant')

const partsOfBody = (body: JsonRecord, messages: readonly Message[]): readonly Part[] => [
  ...definitionParts(body, asRecord(asRecord(body['text'])?.['format'])),
  ...partsOf('system', asText(body['instructions']) ?? ''),
  ...conversationParts(messages),
]

const readPost = (request: WireRequest, endpoint: string, billable: boolean): Reading => {
  const body = jsonBody(request)
  const messages = inputMessages(body['input'])
  return {
    endpoint,
    billable,
    stream: body['stream'] === true,
    ...given({
      model: modelAsked(request.path, body),
      max_output_tokens: maxOutput(body, 'max_output_tokens'),
      temperature: temperatureOf(body),
      service_tier: tierAsked(body),
      turns: turnsOf(merged(messages)),
      tool_count: recordsOf(body['tools']).length,
      response_format: asText(asRecord(asRecord(body['text'])?.['format'])?.['type']),
    }),
    max_output_field: ['max_output_tokens'],
    parts: partsOfBody(body, messages),
    body_tags: bodyTags(body['metadata'], body['user'], body['safety_identifier']),
    edits: [],
    hide_usage: false,
  }
}

const readOther = (request: WireRequest): Reading => {
  const poll = request.method === 'GET' && POLL.test(request.path)
  return {
    endpoint: poll ? 'responses.poll' : 'responses.other',
    billable: poll,
    stream: poll && /[?&]stream=true\b/.test(request.query),
    parts: [],
    body_tags: {},
    edits: [],
    hide_usage: false,
  }
}

/**
 * OpenAI's Responses, as xAI, DeepSeek, Azure, OpenRouter, Bedrock and local servers speak it too. Streams state usage
 * unasked, so nothing is edited. A poll of a background response bills once it is over; whoever records it must keep one
 * receipt for one `response_id`, as a client may poll again.
 */
export const wire: Wire = {
  name: 'openai-responses',
  endpoints: ['responses', 'responses.compact', 'responses.input_tokens', 'responses.poll', 'responses.other'],
  recognise: (method, path) => (method === 'POST' ? RESPONSES.test(path) || BELOW.test(path) : BELOW.test(path)),
  read(request) {
    if (request.method !== 'POST') return readOther(request)
    if (COMPACT.test(request.path)) return readPost(request, 'responses.compact', true)
    if (INPUT_TOKENS.test(request.path)) return readPost(request, 'responses.input_tokens', false)
    return RESPONSES.test(request.path) ? readPost(request, 'responses', true) : readOther(request)
  },
  meter(context) {
    if (!context.reading.billable) return meterBody((body) => ({ complete: body.ended, output_text: '' }))
    if (isEventStream(context)) return meterSse(responseFold(context), false)
    return meterBody((body) => describeResponse(body.json(), context, body.ended))
  },
  shape: shapeResponsesError,
  editor: responsesEditor,
  forms: responseForms,
}
