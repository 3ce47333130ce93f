import type { MeterContext, Metered } from '../core/wire.ts'
import { errorIn } from './framing/failures.ts'
import { asRecord, asText, at, type JsonRecord, parseJson, recordsOf } from './framing/json.ts'
import { applyEdits, locate, removing } from './framing/json-bytes.ts'
import { type Fold, HIDDEN, keepEvents, type Own } from './framing/metering.ts'
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
const choiceText = (body: JsonRecord): string =>
  recordsOf(body['choices'])
    .map((choice) => {
      const text = asText(choice['text']) ?? ''
      return text + textIn(asRecord(choice['message']) ?? asRecord(choice['delta']))
    })
    .join('')

/** The first finish reason among a body's choices. */
const finishReason = (body: JsonRecord): string | undefined => {
  for (const choice of recordsOf(body['choices'])) {
    const reason = asText(choice['finish_reason'])
    if (reason !== undefined) return reason
  }
  return undefined
}

/** The first character of the value of a member whose name ends at `from`, past colon and whitespace. */
const valueStart = (data: string, from: number): string => {
  let i = from
  while (i < data.length && ' :\n\r\t'.includes(data.charAt(i))) i++
  return data.charAt(i)
}

const USAGE = '"usage"'

/**
 * Does an event carry usage? Told from its text: the name in unescaped quotes cannot stand in generated text. `object`
 * where any member of that name is an object (Groq has two). `found` is where the name first stands, or -1.
 */
const usageKind = (data: string, found = data.indexOf(USAGE)): 'none' | 'null' | 'object' => {
  let kind: 'none' | 'null' | 'object' = 'none'
  for (let i = found; i >= 0; i = data.indexOf(USAGE, i + USAGE.length)) {
    const value = valueStart(data, i + USAGE.length)
    if (value === '{') return 'object'
    if (value === 'n') kind = 'null'
  }
  return kind
}

const beginsWithCount = /"usage"\s*:\s*\{[^{}]*:\s*\d/

/** Does an event's usage count anything? Nearly always its first members do; else it is parsed. */
const isCounted = (data: string): boolean =>
  beginsWithCount.test(data) || usageObject(asRecord(parseJson(data)) ?? {}) !== undefined

const FINISH = '"finish_reason"'

/** Does a chunk give a finish reason that is not null? */
const finishes = (data: string): boolean => {
  for (let i = data.indexOf(FINISH); i >= 0; i = data.indexOf(FINISH, i + FINISH.length))
    if (valueStart(data, i + FINISH.length) === '"') return true
  return false
}

const OPEN_RECORD = 123
const noChoices = /"choices"\s*:\s*\[\s*\]/
const content = /"(?:content|reasoning_content|reasoning|text|refusal|arguments|name)"\s*:\s*"[^"]/
const NULLED = ',"usage":null'
/** What may follow a null usage that is a member of the outermost object: its end, or one string and its end. */
const lastMember = /^(?:,"\w+":"[ !#-[\]-~]*")?\}$/

/** Line ends that close an event. */
const closing = (bytes: Uint8Array): number => {
  let n = 0
  while (n < bytes.length && (bytes[bytes.length - 1 - n] === 10 || bytes[bytes.length - 1 - n] === 13)) n++
  return n
}

/** Nearly always the null usage is the last member, or the last but a padding string: then it needs no search. */
const withoutLast = (data: string, bytes: Uint8Array): Uint8Array | undefined => {
  const i = data.lastIndexOf(NULLED)
  const rest = i < 0 ? '' : data.slice(i + NULLED.length)
  if (!lastMember.test(rest)) return undefined
  const end = bytes.length - closing(bytes) - rest.length
  const left = Buffer.allocUnsafe(bytes.length - NULLED.length)
  left.set(bytes.subarray(0, end - NULLED.length))
  left.set(bytes.subarray(end), end - NULLED.length)
  return left
}

/** The event without its null usage; undefined when it cannot be found at the top of the object. */
const withoutNull = (data: string, bytes: Uint8Array): Uint8Array | undefined => {
  const quick = withoutLast(data, bytes)
  if (quick) return quick
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
  let first: string | undefined
  let last: string | undefined
  let finish: string | undefined
  let failure: Metered['error']

  const onUsage = (data: string, bytes: Uint8Array, found: number): Uint8Array | undefined => {
    const kind = usageKind(data, found)
    if (kind === 'none') return undefined
    if (kind === 'null') return context.reading.hide_usage ? withoutNull(data, bytes) : undefined
    if (isCounted(data)) {
      last = data
      kept.forget()
    }
    return context.reading.hide_usage && noChoices.test(data) ? HIDDEN : undefined
  }
  const note = (data: string): void => {
    if (first === undefined && !data.includes('"model":""')) first = data
    if (!fold.started) fold.started = content.test(data)
    if (finishes(data)) finish = data
    if (data.includes('"error"')) failure = errorIn(parseJson(data)) ?? failure
    if (last === undefined) kept.add(data)
  }
  const fold: Own<Fold<string>> = {
    started: false,
    done: false,
    read(data, bytes) {
      if (data.startsWith('[DONE]')) {
        fold.done = true
        return undefined
      }
      note(data)
      const found = data.indexOf(USAGE)
      return found < 0 ? undefined : onUsage(data, bytes, found)
    },
    finish(ended) {
      const events = [first, finish, last].map((data) => (data === undefined ? {} : (asRecord(parseJson(data)) ?? {})))
      const [opening = {}, last_choice = {}, counted = {}] = events
      const body = merged(opening, counted)
      const metered = describe(body, context, failure, usageObject(counted) !== undefined)
      const finish_reason = finishReason(last_choice)
      return {
        ...metered,
        ...(finish_reason === undefined ? {} : { finish_reason }),
        complete:
          fold.done ||
          (ended && (finish !== undefined || (context.quirks.ends_with_usage === true && !!metered.usage))),
        output_text: metered.usage ? '' : textOfEvents(kept.all()),
      }
    },
  }
  return fold
}

const textOfEvents = (events: readonly string[]): string =>
  events.map((data) => choiceText(asRecord(parseJson(data)) ?? {})).join('')

/** The chunk with the usage, with the id, model and tier of the first chunk where it lacks them. */
const merged = (opening: JsonRecord, counted: JsonRecord): JsonRecord => {
  const names = ['id', 'model', 'service_tier']
  const filled = names.map((name) => [name, asText(counted[name]) ?? asText(opening[name])])
  return { ...counted, ...Object.fromEntries(filled) }
}

type Described = { -readonly [Name in keyof Metered]: Metered[Name] }

/** What a body says of itself, usage included. */
const describe = (body: JsonRecord, context: MeterContext, failure: Metered['error'], counted: boolean): Described => {
  const model_asked = context.reading.model ?? modelAsked(context.request.path, context.request.json)
  const options = { quirks: context.quirks, request: context.request.json, model_asked }
  const usage = counted ? usageFromBody(body, options) : undefined
  const response_id = asText(body['id'])
  const model_served = asText(body['model'])
  const described: Described = { complete: true, output_text: '' }
  if (usage) described.usage = usage
  if (response_id !== undefined) described.response_id = response_id
  if (model_served !== undefined) described.model_served = model_served
  if (failure) described.error = failure
  return described
}

/** The metered answer of a chat completion or completion that came whole. */
export const describeWhole = (json: unknown, context: MeterContext, ended: boolean): Metered => {
  const body = asRecord(json)
  if (!body) return { complete: false, output_text: '' }
  const metered = describe(body, context, errorIn(body), usageObject(body) !== undefined)
  const finish_reason = finishReason(body)
  if (finish_reason !== undefined) metered.finish_reason = finish_reason
  metered.complete = ended
  if (!metered.usage) metered.output_text = choiceText(body)
  return metered
}
