import type { NormalisedUsage, UsageLine } from '../core/usage.ts'
import type { MeterContext, Metered } from '../core/wire.ts'
import { countOf, normalise, usageIn } from './framing/counts.ts'
import { errorIn } from './framing/failures.ts'
import { asRecord, asText, decode, type JsonRecord, parseJson } from './framing/json.ts'
import { type Body, type Fold, keepEvents, type Own } from './framing/metering.ts'
import { usageFromBody } from './openai-usage.ts'

const line = (units: UsageLine['units'], answer: JsonRecord): UsageLine => {
  const model_served = asText(answer['model'])
  return {
    kind: 'message',
    ...(model_served === undefined ? {} : { model_served }),
    funding: 'platform',
    context_tokens: 0,
    tokens: {},
    units,
  }
}

/**
 * The usage of a transcription or translation: tokens, or seconds of audio (`type: duration`). A body without usage that
 * states the length of the audio (`verbose_json`) is billed by that length. Undefined when neither is there.
 */
const usageFromTranscript = (answer: JsonRecord, context: MeterContext): NormalisedUsage | undefined => {
  const usage = usageIn(answer['usage'])
  const seconds = countOf(usage?.['seconds'])
  if (seconds !== undefined && usage?.['input_tokens'] === undefined)
    return normalise({ lines: [line({ 'audio_in.second': { n: seconds } }, answer)], warnings: [], raw: usage })
  const counted = usage && usageFromBody(answer, { quirks: context.quirks, model_asked: context.reading.model })
  if (counted) return counted
  const duration = countOf(answer['duration'])
  if (duration === undefined) return undefined
  const units = { 'audio_in.second': { n: duration } }
  return normalise({ lines: [line(units, answer)], quality: 'inferred', warnings: [], raw: { duration } })
}

/** Characters of the text that was spoken: what classic speech models are billed by. */
const spoken = (context: MeterContext): NormalisedUsage | undefined => {
  const input = asText(asRecord(context.request.json)?.['input'])
  if (input === undefined) return undefined
  const n = Array.from(input).length
  return normalise({ lines: [line({ 'tts.char': { n } }, {})], warnings: [], raw: { characters: n } })
}

/** The metered answer of a speech call: sound, which says nothing of usage; or JSON when it failed. */
export const describeSpeech = (body: Body, context: MeterContext): Metered => {
  const failed = context.status >= 400
  const error = failed ? errorIn(body.json()) : undefined
  const usage = failed || body.bytes.length === 0 ? undefined : spoken(context)
  return { ...(usage ? { usage } : {}), ...(error ? { error } : {}), complete: body.ended, output_text: '' }
}

/** The metered answer of a transcription that came whole: JSON, or text in one of several formats without usage. */
export const describeTranscript = (body: Body, context: MeterContext): Metered => {
  const answer = asRecord(body.json())
  if (!answer) return { complete: body.ended, output_text: decode(body.bytes) }
  const usage = usageFromTranscript(answer, context)
  const error = errorIn(answer)
  const model_served = asText(answer['model'])
  return {
    ...(usage ? { usage } : {}),
    ...(error ? { error } : {}),
    ...(model_served === undefined ? {} : { model_served }),
    complete: body.ended,
    output_text: usage ? '' : (asText(answer['text']) ?? ''),
  }
}

const over = /"type"\s*:\s*"(?:transcript\.text\.done|speech\.audio\.done|transcription\.done)"/

/** Usage of a speech stream is of two kinds of tokens: text in, sound out. */
const speechUsage = (event: JsonRecord, context: MeterContext): NormalisedUsage | undefined => {
  const usage = usageIn(event['usage'])
  if (!usage) return undefined
  const output = countOf(usage['output_tokens']) ?? 0
  const body = { usage: { ...usage, output_tokens_details: { audio_tokens: output } } }
  const counted = usageFromBody(body, { quirks: context.quirks, model_asked: context.reading.model })
  return counted && { ...counted, raw: usage }
}

/** The fold of transcription and speech streams: usage stands in the last event. */
export const soundFold = (context: MeterContext): Fold<string> => {
  const kept = keepEvents()
  const speech = context.reading.endpoint === 'audio.speech'
  let last: JsonRecord | undefined
  let failure: Metered['error']
  const fold: Own<Fold<string>> = {
    started: false,
    done: false,
    read(data) {
      if (data.includes('.delta"')) {
        fold.started = true
        if (!speech) kept.add(data)
      } else if (over.test(data)) {
        last = asRecord(parseJson(data))
        fold.done = last !== undefined
      } else if (data.includes('"error"')) failure = errorIn(parseJson(data)) ?? failure
      return undefined
    },
    finish() {
      const usage = last && (speech ? speechUsage(last, context) : usageFromTranscript(last, context))
      const text = () => kept.all().map((data) => asText(asRecord(parseJson(data))?.['delta']) ?? '')
      return {
        ...(usage ? { usage } : {}),
        ...(failure ? { error: failure } : {}),
        complete: last !== undefined,
        output_text: usage ? '' : (asText(last?.['text']) ?? text().join('')),
      }
    },
  }
  return fold
}
