import { WeirError } from '../core/errors.ts'
import type { MeterContext, Metered, Metering, Reading, Wire } from '../core/wire.ts'
import { cohereForms } from './cohere-forms.ts'
import { cohereUsage, shapeCohere } from './cohere-units.ts'
import { bodyTags } from './framing/body-tags.ts'
import { countOf } from './framing/counts.ts'
import { errorIn } from './framing/failures.ts'
import { asList, asRecord, asText, at, type JsonRecord, jsonText, named, parseJson, recordsOf } from './framing/json.ts'
import { type Body, type Fold, keepEvents, meterBody, meterJsonArray, meterSse, type Own } from './framing/metering.ts'
import { conversationParts, type Message, partsOf, textOf, toolParts, turnsOf } from './framing/parts.ts'

const roles: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
  SYSTEM: 'system',
  USER: 'user',
  CHATBOT: 'assistant',
  TOOL: 'tool',
}

const roleOf = (message: JsonRecord): Message['role'] => named(roles, message['role']) ?? 'user'

const callsText = (message: JsonRecord): string =>
  recordsOf(message['tool_calls'])
    .map((call) => asText(at(call, 'function', 'arguments')) ?? '')
    .join('\n')

/** Version 2 has `messages`; version 1 has `chat_history`, the newest `message` apart, and `preamble` as system. */
const messagesOf = (body: JsonRecord): readonly Message[] => {
  if (!('message' in body))
    return recordsOf(body['messages']).map((message) => ({
      role: roleOf(message),
      text: [textOf(message['content']), asText(message['tool_plan']) ?? '', callsText(message)]
        .filter(Boolean)
        .join('\n'),
    }))
  return [
    { role: 'system', text: textOf(body['preamble']) },
    ...recordsOf(body['chat_history']).map((turn): Message => ({ role: roleOf(turn), text: textOf(turn['message']) })),
    { role: 'user', text: textOf(body['message']) },
  ]
}

const read: Wire['read'] = (request): Reading => {
  const body = asRecord(request.json)
  if (!body) throw new WeirError('malformed-json', 'The body of a chat request must be a JSON object.')
  const messages = messagesOf(body)
  const model = asText(body['model'])
  const maximum = countOf(body['max_tokens'])
  const temperature = countOf(body['temperature'])
  const format = asText(at(body, 'response_format', 'type'))
  const documents = asList(body['documents'])
  return {
    endpoint: 'chat',
    billable: true,
    stream: body['stream'] === true,
    parts: [
      ...toolParts(body['tools']),
      ...partsOf('context', documents.length === 0 ? '' : jsonText(documents)),
      ...conversationParts(messages),
    ],
    max_output_field: ['max_tokens'],
    turns: turnsOf(messages),
    tool_count: asList(body['tools']).length,
    body_tags: bodyTags(body['metadata'], body['user']),
    edits: [],
    hide_usage: false,
    ...(model === undefined ? {} : { model }),
    ...(maximum === undefined ? {} : { max_output_tokens: maximum }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(format === undefined ? {} : { response_format: format }),
  }
}

/** What an answer says: version 2 has `usage`, version 1 `meta`. */
const seen = (answer: JsonRecord | undefined): Partial<Metered> => {
  const usage = cohereUsage(answer?.['usage'] ?? answer?.['meta'])
  const finish_reason = asText(answer?.['finish_reason'])
  const id = asText(answer?.['id']) ?? asText(answer?.['generation_id'])
  return {
    ...(usage ? { usage } : {}),
    ...(finish_reason === undefined ? {} : { finish_reason }),
    ...(id === undefined ? {} : { response_id: id }),
  }
}

const readWhole = (context: MeterContext, body: Body): Metered => {
  const json = asRecord(body.json())
  const error = context.status >= 400 ? errorIn(json, true) : undefined
  const said = seen(json)
  const text = `${textOf(at(json, 'message', 'content'))}${asText(json?.['text']) ?? ''}`
  return {
    ...said,
    ...(error ? { error } : {}),
    complete: body.ended && json !== undefined,
    output_text: said.usage ? '' : text,
  }
}

/** Text of a delta: content, reasoning, plan and tool arguments in version 2; `text` in version 1. */
const deltaText = (event: unknown): string => {
  const message = at(event, 'delta', 'message')
  const content = at(message, 'content')
  return (
    asText(at(content, 'text')) ??
    asText(at(content, 'thinking')) ??
    asText(at(message, 'tool_plan')) ??
    asText(at(message, 'tool_calls', 'function', 'arguments')) ??
    asText(at(event, 'text')) ??
    ''
  )
}

/** Most events are deltas and say so at their beginning; they are kept for an estimate and not parsed. */
const isDelta = (data: string): boolean => data.slice(0, 64).includes('-delta"')

const streamFold = (): Fold<string> => {
  const events = keepEvents()
  let last: JsonRecord | undefined
  let response_id: string | undefined
  let error: Metered['error']

  const onEnd = (event: JsonRecord): void => {
    last = asRecord(event['delta']) ?? asRecord(event['response']) ?? {}
    error ??= errorIn(last)
    if (seen(last).usage) events.forget()
  }
  const onEvent = (event: JsonRecord, data: string): void => {
    const type = event['type'] ?? event['event_type']
    if (type === 'message-end' || type === 'stream-end') onEnd(event)
    else if (type === 'message-start' || type === 'stream-start')
      response_id = asText(event['id']) ?? asText(event['generation_id'])
    else if (type === undefined) error ??= errorIn(event, true)
    else {
      fold.started ||= /^(content|tool|text)/.test(String(type))
      events.add(data)
    }
  }
  const fold: Own<Fold<string>> = {
    started: false,
    done: false,
    read(data) {
      if (isDelta(data)) {
        fold.started = true
        events.add(data)
        return undefined
      }
      const event = asRecord(parseJson(data))
      if (event) onEvent(event, data)
      fold.done = last !== undefined
      return undefined
    },
    finish: () => ({
      ...(response_id === undefined ? {} : { response_id }),
      ...seen(last),
      ...(error ? { error } : {}),
      complete: last !== undefined,
      output_text: events
        .all()
        .map((event) => deltaText(parseJson(event)))
        .join(''),
    }),
  }
  return fold
}

/** Version 1 streams a JSON object a line rather than events. */
const meterStream = (context: MeterContext): Metering =>
  context.headers['content-type']?.includes('event-stream') === false
    ? meterJsonArray(streamFold())
    : meterSse(streamFold(), false)

/** Cohere's chat, version 2 (https://docs.cohere.com/reference/chat) and 1. */
export const wire: Wire = {
  name: 'cohere-chat',
  endpoints: ['chat'],
  recognise: (method, path) => method === 'POST' && (path === '/v2/chat' || path === '/v1/chat'),
  read,
  meter: (context) =>
    context.reading.stream && context.status < 400
      ? meterStream(context)
      : meterBody((body) => readWhole(context, body)),
  shape: shapeCohere,
  forms: cohereForms,
}
