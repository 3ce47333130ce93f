import type { Metered } from '../../core/wire.ts'
import { usageIn } from '../framing/counts.ts'
import { asRecord, asText, at, type JsonRecord, named, over, parseJson } from '../framing/json.ts'
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
  /** All that it wrote is counted: by a delta, or by a start that already says why it ended. */
  counted: boolean
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
      counted: false,
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
      const finish_reason = asText(given['stop_reason'])
      const counted = finish_reason !== undefined && usageIn(usage) !== undefined
      if (same) same.start = over(same.start, usage)
      else push({ id, model: asText(given['model']), start: usage, finish_reason, counted })
    },
    /** True where the delta counts what was written. */
    delta(event: JsonRecord): boolean {
      const last = all.at(-1) ?? push({})
      const usage = usageIn(event['usage'])
      if (usage) {
        last.delta = over(last.delta ?? {}, usage)
        last.counted = true
      }
      last.finish_reason = asText(at(event, 'delta', 'stop_reason')) ?? last.finish_reason
      return usage !== undefined
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
  const billed = messages.filter((message) => message.counted || usageIn(message.start) !== undefined)
  const settled = billed.length > 0 && billed.every((message) => message.counted)
  const usage = billed.length === 0 ? undefined : usageOfMessages(billed.map(usageOf), context)
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
 * counts once; another message adds its own lines. A stream without the counts of a `message_delta`, because it was cut or
 * does not state them, has the input's counts (`inferred`) and the text for an estimate of its output.
 */
export const foldMessages = (context: UsageContext): Fold<string> => {
  const messages = messageList()
  const kept = keepEvents()
  let error: Metered['error']
  const done = (): boolean => messages.all.length > 0 && messages.all.every((message) => message.stopped)
  const handlers: Readonly<Record<string, (event: JsonRecord) => void>> = {
    message_start: messages.start,
    message_delta(event) {
      if (messages.delta(event)) kept.forget()
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
      if (event) named(handlers, event['type'])?.(event)
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
