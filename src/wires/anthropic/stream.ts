import type { Metered } from '../../core/wire.ts'
import { asRecord, asText, at, type JsonRecord, parseJson } from '../framing/json.ts'
import { type Fold, keepEvents, type Own } from '../framing/metering.ts'
import { errorOf } from './failure.ts'
import { type MessageUsage, type UsageContext, usageOfMessages } from './usage.ts'

/** One message of a stream: what its start said, what its deltas replaced, and how it ended. */
type Message = {
  id: string | undefined
  model: string | undefined
  start: JsonRecord
  delta: JsonRecord | undefined
  finish_reason: string | undefined
  stopped: boolean
}

/** Nearly every event is a content delta: these are told by their beginning and not parsed. */
const isContentDelta = (data: string) => /^\s*\{\s*"type"\s*:\s*"content_block_delta"/.test(data.slice(0, 60))

/** Fields of a delta that hold what the model wrote. */
const writtenFields = ['text', 'thinking', 'partial_json', 'content'] as const

/** The text of a content delta; empty for signatures, citations and what is not JSON. */
const writtenIn = (data: string): string => {
  const delta = asRecord(at(parseJson(data), 'delta'))
  if (!delta) return ''
  for (const name of writtenFields) if (typeof delta[name] === 'string') return delta[name]
  return ''
}

/** `later` over `earlier`, field by field; null says nothing. */
const over = (earlier: JsonRecord, later: JsonRecord | undefined): JsonRecord => {
  const given = Object.entries(later ?? {}).filter(([, value]) => value !== null && value !== undefined)
  return { ...earlier, ...Object.fromEntries(given) }
}

const usageOf = (message: Message): MessageUsage => ({
  usage: over(message.start, message.delta),
  model: message.model,
})

/** Keeps the messages of a stream apart. There is one, but for streams that were joined or begun twice. */
const messageList = () => {
  const all: Message[] = []
  const push = (message: Partial<Message>): Message => {
    const made = {
      id: undefined,
      model: undefined,
      start: {},
      delta: undefined,
      finish_reason: undefined,
      stopped: false,
    }
    all.push({ ...made, ...message })
    return all.at(-1) ?? made
  }
  return {
    all,
    start(event: JsonRecord): void {
      const given = asRecord(event['message']) ?? {}
      const id = asText(given['id'])
      const usage = asRecord(given['usage']) ?? {}
      const last = all.at(-1)
      const open = id === undefined && last && !last.stopped ? last : undefined
      const same = open ?? all.find((message) => id !== undefined && message.id === id)
      if (same) same.start = over(same.start, usage)
      else push({ id, model: asText(given['model']), start: usage, finish_reason: asText(given['stop_reason']) })
    },
    delta(event: JsonRecord): void {
      const last = all.at(-1) ?? push({})
      const usage = asRecord(event['usage'])
      if (usage) last.delta = over(last.delta ?? {}, usage)
      last.finish_reason = asText(at(event, 'delta', 'stop_reason')) ?? last.finish_reason
    },
    stop(): void {
      const last = all.at(-1)
      if (last) last.stopped = true
    },
  }
}

/** What the end of a stream leaves to say. Text is needed only where the output's count did not come. */
const describe = (
  messages: readonly Message[],
  context: UsageContext,
  written: () => string,
): Omit<Metered, 'complete'> => {
  const counted = messages.filter((message) => message.delta !== undefined || Object.keys(message.start).length > 0)
  const settled = counted.length > 0 && counted.every((message) => message.stopped || message.delta !== undefined)
  const usage = counted.length === 0 ? undefined : usageOfMessages(counted.map(usageOf), context)
  const last = messages.at(-1)
  const model_served = usage?.lines.findLast((line) => line.kind === 'fallback')?.model_served ?? last?.model
  return {
    ...(usage === undefined ? {} : { usage: settled ? usage : { ...usage, quality: 'inferred' } }),
    ...(last?.id === undefined ? {} : { response_id: last.id }),
    ...(model_served === undefined ? {} : { model_served }),
    ...(last?.finish_reason === undefined ? {} : { finish_reason: last.finish_reason }),
    output_text: settled ? '' : written(),
  }
}

/**
 * Folds the events of a Messages stream. Counts of `message_delta` replace those of `message_start` field by field; what a
 * delta does not carry (the TTL split, tier, geography) stays from the start. A repeated `message_start` of the same message
 * counts once; another message adds its own lines. A stream that is cut before its `message_delta` has the input's counts
 * (`inferred`) and the text for an estimate of its output.
 */
export const foldMessages = (context: UsageContext): Fold<string> => {
  const messages = messageList()
  const kept = keepEvents()
  let error: Metered['error']
  const done = (): boolean => messages.all.length > 0 && messages.all.every((message) => message.stopped)
  const handlers: Readonly<Record<string, (event: JsonRecord) => void>> = {
    message_start: messages.start,
    message_delta(event) {
      if (asRecord(event['usage'])) kept.forget()
      messages.delta(event)
    },
    message_stop: messages.stop,
    content_block_start() {
      fold.started = true
    },
    error(event) {
      error = errorOf(event)
    },
  }
  const fold: Own<Fold<string>> = {
    started: false,
    done: false,
    read(data) {
      if (isContentDelta(data)) {
        fold.started = true
        kept.add(data)
        return undefined
      }
      const event = asRecord(parseJson(data))
      if (event) handlers[asText(event['type']) ?? '']?.(event)
      fold.done = done()
      return undefined
    },
    finish: () => ({
      ...describe(messages.all, context, () => kept.all().map(writtenIn).join('')),
      ...(error === undefined ? {} : { error }),
      complete: fold.done,
    }),
  }
  return fold
}
