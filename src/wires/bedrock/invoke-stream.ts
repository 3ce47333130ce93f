/** InvokeModelWithResponseStream: each frame holds one event of the maker's own stream, in base64. */
import type { MeterContext, Metered } from '../../core/wire.ts'
import { foldMessages } from '../anthropic/stream.ts'
import type { EventMessage } from '../framing/event-stream.ts'
import { asRecord, asText, at, decode, type JsonRecord, parseJson, recordsOf } from '../framing/json.ts'
import { type Fold, keepEvents, type Own } from '../framing/metering.ts'
import { failureIn } from './failures.ts'
import { type Counts, metricCounts, nativeUsage, settled, withoutMakersName } from './invoke-usage.ts'

const METRICS = 'amazon-bedrock-invocationMetrics'

/** The maker's event in a chunk; undefined for other frames. */
const nativeEvent = (message: EventMessage): string | undefined => {
  if (message.headers[':event-type'] !== 'chunk') return undefined
  const bytes = asText(at(parseJson(decode(message.payload)), 'bytes'))
  return bytes === undefined ? undefined : Buffer.from(bytes, 'base64').toString('utf8')
}

/** Members that carry counts; the latest that is not null stands, because makers repeat them growing. */
const counted = [
  'usage',
  'metadata',
  'meta',
  'prompt_token_count',
  'generation_token_count',
  'inputTextTokenCount',
  'totalOutputTextTokenCount',
  'service_tier',
]

const writtenIn = (event: unknown): string =>
  asText(at(event, 'contentBlockDelta', 'delta', 'text')) ??
  asText(at(event, 'generation')) ??
  asText(at(event, 'outputText')) ??
  asText(at(event, 'text')) ??
  recordsOf(at(event, 'choices'))
    .map((choice) => asText(at(choice, 'delta', 'content')) ?? asText(at(choice, 'message', 'content')) ?? '')
    .join('') +
    recordsOf(at(event, 'outputs'))
      .map((output) => asText(output['text']) ?? '')
      .join('')

const endIn = (event: JsonRecord): string | undefined =>
  asText(at(event, 'messageStop', 'stopReason')) ??
  asText(event['stop_reason']) ??
  asText(event['completionReason']) ??
  asText(event['finish_reason']) ??
  recordsOf(event['choices'] ?? event['outputs'])
    .map((choice) => asText(choice['finish_reason']) ?? asText(choice['stop_reason']))
    .find((reason) => reason !== undefined)

/** Folds the events of makers other than Anthropic: they state totals, early or late, so the latest stand. */
const foldNative = (context: MeterContext): Fold<string> => {
  const seen: Record<string, unknown> = {}
  const events = keepEvents()
  let finish_reason: string | undefined
  const usage = () => nativeUsage({ ...seen, ...(asRecord(seen['metadata']) ?? {}) }, context)
  const fold: Own<Fold<string>> = {
    started: false,
    done: false,
    read(data) {
      const event = asRecord(parseJson(data)) ?? {}
      fold.started = true
      for (const name of counted) if (event[name] !== undefined && event[name] !== null) seen[name] = event[name]
      finish_reason = endIn(event) ?? finish_reason
      events.add(data)
      return undefined
    },
    finish() {
      const found = usage()
      return {
        ...(found ? { usage: found } : {}),
        ...(finish_reason === undefined ? {} : { finish_reason }),
        complete: finish_reason !== undefined,
        output_text: found
          ? ''
          : events
              .all()
              .map((event) => writtenIn(parseJson(event)))
              .join(''),
      }
    },
  }
  return fold
}

/** The stream's end is Bedrock's: the event that carries its metrics. */
export const foldInvoke = (context: MeterContext): Fold<EventMessage> => {
  let inner: Fold<string> | undefined
  let stated: Counts | undefined
  let error: Metered['error']

  const onEvent = (data: string): void => {
    inner ??= /"type"\s*:\s*"message_start"/.test(data)
      ? foldMessages({ cache_ttl: context.reading.cache_ttl, quirks: context.quirks })
      : foldNative(context)
    inner.read(data, new Uint8Array(0))
    if (data.includes(METRICS)) stated = metricCounts(at(parseJson(data), METRICS)) ?? stated
  }
  const fold: Own<Fold<EventMessage>> = {
    started: false,
    done: false,
    read(message) {
      error ??= failureIn(message)
      const data = nativeEvent(message)
      if (data !== undefined) onEvent(data)
      fold.started = inner?.started ?? false
      fold.done = stated !== undefined || error !== undefined
      return undefined
    },
    finish(ended) {
      const { model_served: _, usage: native, ...said } = inner?.finish(ended) ?? { complete: false, output_text: '' }
      const usage = settled(native && withoutMakersName(native), stated, context)
      const failure = error ?? said.error
      return {
        ...said,
        ...(usage ? { usage } : {}),
        ...(failure ? { error: failure } : {}),
        complete: stated !== undefined || said.complete,
        output_text: stated ? '' : said.output_text,
      }
    },
  }
  return fold
}
