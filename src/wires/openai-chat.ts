import type { MeterContext, Reading, Wire, WireRequest } from '../core/wire.ts'
import { bare } from './framing/bare.ts'
import { bodyTags } from './framing/body-tags.ts'
import { asRecord, asText, given, type JsonRecord, recordsOf } from './framing/json.ts'
import { isEventStream, meterBody, meterSse } from './framing/metering.ts'
import { conversationParts, turnsOf } from './framing/parts.ts'
import { chatForms } from './openai-chat-forms.ts'
import { chunkFold, describeWhole } from './openai-chunks.ts'
import { chatEditor, temperatureOf } from './openai-editor.ts'
import { shapeError } from './openai-failure.ts'
import {
  askForUsage,
  chatMessages,
  definitionParts,
  jsonBody,
  maxOutput,
  modelAsked,
  tierAsked,
} from './openai-request.ts'

const CHAT = /\/(chat|agents)\/completions$/
const STORED = /\/chat\/completions(\/[^/]+(\/messages)?)?$/
/** Listings of models in OpenAI's form. Gemini's own (`/v1beta/models`) are not; its OpenAI-like ones are. */
const MODELS = /^(?!\/v1(alpha|beta)\d*\/(?!openai\/)).*\/models(\/[^:]+)?$/

/** Newer models of OpenAI know the one only, most other servers the other. */
const NEWER = ['max_completion_tokens']
const OLDER = ['max_tokens']

const formatOf = (body: JsonRecord): JsonRecord | undefined => asRecord(body['response_format'])

const readChat = (request: WireRequest, body: JsonRecord, quirks: MeterContext['quirks']): Reading => {
  const messages = chatMessages(body['messages'])
  const format = formatOf(body)
  const tools = recordsOf(body['tools'] ?? body['functions'])
  return {
    endpoint: 'chat',
    billable: true,
    stream: body['stream'] === true,
    ...given({
      model: modelAsked(request.path, body),
      max_output_tokens: maxOutput(body, 'max_completion_tokens', 'max_tokens'),
      temperature: temperatureOf(body),
      service_tier: tierAsked(body),
      turns: turnsOf(messages),
      tool_count: tools.length,
      response_format: asText(format?.['type']),
    }),
    max_output_field: quirks.max_completion_tokens ? NEWER : OLDER,
    parts: [...definitionParts(body, format), ...conversationParts(messages)],
    body_tags: bodyTags(body['metadata'], body['user'], body['safety_identifier']),
    ...askForUsage(request, body, quirks),
  }
}

/**
 * OpenAI's chat completions, as OpenAI, Azure and the many servers that speak it do; also the listing of models, which
 * bills nothing. Rules of usage: `docs/usage.md`.
 */
export const wire: Wire = {
  name: 'openai-chat',
  endpoints: ['chat', 'chat.stored', 'models'],
  recognise: (method, path) => (method === 'POST' ? CHAT.test(path) : STORED.test(path) || MODELS.test(path)),
  read(request, quirks) {
    if (request.method === 'POST') return readChat(request, jsonBody(request), quirks)
    return bare(STORED.test(request.path) ? 'chat.stored' : 'models')
  },
  meter(context) {
    if (isEventStream(context)) return meterSse(chunkFold(context), context.reading.hide_usage)
    return meterBody((body) =>
      context.reading.billable
        ? describeWhole(body.json(), context, body.ended)
        : { complete: body.ended, output_text: '' },
    )
  },
  shape: shapeError,
  editor: chatEditor,
  forms: chatForms,
}
