import type { MeterContext, Metered } from '../core/wire.ts'
import { errorIn } from './framing/failures.ts'
import { asRecord, asText, at, type JsonRecord, parseJson, recordsOf } from './framing/json.ts'
import { applyEdits, locate, removing } from './framing/json-bytes.ts'
import { type Fold, HIDDEN, keepEvents } from './framing/metering.ts'
import { modelAsked } from './openai-request.ts'
import { usageFromBody, usageObject } from './openai-usage.ts'

/** Text of a message or of a delta, whatever it is called: answer, reasoning, refusal, calls of tools. */
const textIn = (message: JsonRecord | undefined): string => {
  if (!message) return ''
  const calls = [...recordsOf(message['tool_calls']).map((call) => call['function']), message['function_call']]
  const texts = ['reasoning_content', 'reasoning', 'content', 'refusal'].map((name) => asText(message[name]))
  const names = calls.flatMap((call) => [asText(at(call, 'name')), asText(at(call, 'arguments'))])
  return [...texts, ...names].filter((text) => text !== undefined).join('')
}

/** Text that a chunk or a whole body adds, all choices together. */
export const choiceText = (body: JsonRecord): string =>
  recordsOf(body['choices'])
    .map((choice) => {
      const text = asText(choice['text']) ?? ''
      return text + textIn(asRecord(choice['message']) ?? asRecord(choice['delta']))
    })
    .join('')

/** The first finish reason among a body's choices. */
export const finishReason = (body: JsonRecord): string | undefined =>
  recordsOf(body['choices'])
    .map((choice) => asText(choice['finish_reason']))
    .find((reason) => reason !== undefined)

const usageKinds = { n: 'null', '{': 'object' } as const

/**
 * Does an event carry usage? Told from its text: the name in unescaped quotes cannot stand in generated text. `object`
 * where any member of that name is an object (Groq has two).
 */
export const usageKind = (data: string): 'none' | 'null' | 'object' => {
  let kind: 'none' | 'null' | 'object' = 'none'
  for (let i = data.indexOf('"usage"'); i >= 0; i = data.indexOf('"usage"', i + 7)) {
    const next = /\s*:\s*(.)/y
    next.lastIndex = i + 7
    const found = usageKinds[next.exec(data)?.[1] as keyof typeof usageKinds] ?? 'none'
    if (found === 'object') return found
    if (found === 'null') kind = found
  }
  return kind
}

const OPEN_RECORD = 123
const noChoices = /"choices"\s*:\s*\[\s*\]/
const content = /"(?:content|reasoning_content|reasoning|text|refusal|arguments|name)"\s*:\s*"[^"]/

/** The event without its null usage; undefined when it cannot be found at the top of the object. */
const withoutNull = (bytes: Uint8Array): Uint8Array | undefined => {
  const place = locate(bytes, ['usage'], bytes.indexOf(OPEN_RECORD))
  return place && bytes[place.value] === 110 ? applyEdits(bytes, [removing(place)]) : undefined
}

/**
 * The fold of OpenAI's chat and completion streams. Usage stands in the last chunk that has any (an extra one without
 * choices, the last one with content, or every one, growing): the last counts, and nothing is ever added up. Chunks are
 * parsed at the end only; a null usage and an extra chunk that were not asked for are taken out.
 */
export const chunkFold = (context: MeterContext): Fold<string> => {
  const kept = keepEvents()
  let started = false
  let done = false
  let first: string | undefined
  let last: string | undefined
  let finish: string | undefined
  let failure: Metered['error']

  const onUsage = (data: string, bytes: Uint8Array): Uint8Array | undefined => {
    const kind = usageKind(data)
    if (kind === 'none') return undefined
    if (kind === 'null') return context.reading.hide_usage ? withoutNull(bytes) : undefined
    last = data
    kept.forget()
    return context.reading.hide_usage && noChoices.test(data) ? HIDDEN : undefined
  }
  const note = (data: string): void => {
    if (first === undefined && !data.includes('"model":""')) first = data
    if (!started) started = content.test(data)
    if (data.includes('"finish_reason":"') || data.includes('"finish_reason": "')) finish = data
    if (data.includes('"error"')) failure = errorIn(parseJson(data)) ?? failure
    if (last === undefined) kept.add(data)
  }
  return {
    get started() {
      return started
    },
    get done() {
      return done
    },
    read(data, bytes) {
      if (data.startsWith('[DONE]')) {
        done = true
        return undefined
      }
      note(data)
      return data.includes('"usage"') ? onUsage(data, bytes) : undefined
    },
    finish(ended) {
      const events = [first, finish, last].map((data) => (data === undefined ? {} : (asRecord(parseJson(data)) ?? {})))
      const [opening = {}, closing = {}, counted = {}] = events
      const body = merged(opening, counted)
      const metered = describe(body, context, failure, usageObject(counted) !== undefined)
      const finish_reason = finishReason(closing)
      return {
        ...metered,
        ...(finish_reason === undefined ? {} : { finish_reason }),
        complete: done || (ended && finish !== undefined),
        output_text: metered.usage ? '' : textOfEvents(kept.all()),
      }
    },
  }
}

const textOfEvents = (events: readonly string[]): string =>
  events.map((data) => choiceText(asRecord(parseJson(data)) ?? {})).join('')

/** The chunk with the usage, with the id, model and tier of the first chunk where it lacks them. */
const merged = (opening: JsonRecord, counted: JsonRecord): JsonRecord => {
  const names = ['id', 'model', 'service_tier']
  const filled = names.map((name) => [name, asText(counted[name]) ?? asText(opening[name])])
  return { ...counted, ...Object.fromEntries(filled) }
}

/** What a body says of itself, usage included. */
export const describe = (
  body: JsonRecord,
  context: MeterContext,
  failure: Metered['error'],
  counted: boolean,
): Metered => {
  const model_asked = context.reading.model ?? modelAsked(context.request.path, context.request.json)
  const options = { quirks: context.quirks, request: context.request.json, model_asked }
  const usage = counted ? usageFromBody(body, options) : undefined
  const response_id = asText(body['id'])
  const model_served = asText(body['model'])
  return {
    ...(usage ? { usage } : {}),
    ...(response_id === undefined ? {} : { response_id }),
    ...(model_served === undefined ? {} : { model_served }),
    ...(failure ? { error: failure } : {}),
    complete: true,
    output_text: '',
  }
}

/** The metered answer of a chat completion or completion that came whole. */
export const describeWhole = (json: unknown, context: MeterContext, ended: boolean): Metered => {
  const body = asRecord(json)
  if (!body) return { complete: false, output_text: '' }
  const metered = describe(body, context, errorIn(body), usageObject(body) !== undefined)
  const finish_reason = finishReason(body)
  return {
    ...metered,
    ...(finish_reason === undefined ? {} : { finish_reason }),
    complete: ended,
    output_text: metered.usage ? '' : choiceText(body),
  }
}
