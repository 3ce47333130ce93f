import type { MeterContext, Metered } from '../../core/wire.ts'
import { usageIn } from '../framing/counts.ts'
import { asRecord, asText, at, type JsonRecord, jsonText, parseJson, recordsOf } from '../framing/json.ts'
import { type Fold, keepEvents, type Own } from '../framing/metering.ts'
import { errorOf } from './failure.ts'
import { tierOf, usageMetadata, usageOf } from './usage.ts'

/** What is gathered of a response, whole or over the events of its stream. */
type Answer = {
  usage: JsonRecord | undefined
  model: string | undefined
  response_id: string | undefined
  finish_reason: string | undefined
  error: Metered['error']
  /** Distinct queries, because the events of a stream repeat them. */
  readonly queries: Set<string>
  maps: boolean
}

const begin = (): Answer => ({
  usage: undefined,
  model: undefined,
  response_id: undefined,
  finish_reason: undefined,
  error: undefined,
  queries: new Set(),
  maps: false,
})

const addGrounding = (answer: Answer, candidate: JsonRecord): void => {
  const grounding = asRecord(candidate['groundingMetadata'])
  if (!grounding) return
  for (const name of ['webSearchQueries', 'imageSearchQueries'])
    for (const query of Array.isArray(grounding[name]) ? grounding[name] : [])
      if (typeof query === 'string' && query.trim() !== '') answer.queries.add(`${name} ${query}`)
  if (recordsOf(grounding['groundingChunks']).some((chunk) => chunk['maps'] !== undefined)) answer.maps = true
}

/** Adds one event, or the whole body. Usage is repeated, growing; the last one counts. */
const add = (answer: Answer, event: JsonRecord): void => {
  answer.usage = usageIn(event['usageMetadata']) ?? answer.usage
  answer.model = asText(event['modelVersion']) ?? answer.model
  answer.response_id = asText(event['responseId']) ?? answer.response_id
  answer.error = errorOf(event) ?? answer.error
  const blocked = asText(at(event, 'promptFeedback', 'blockReason'))
  for (const candidate of recordsOf(event['candidates'])) {
    answer.finish_reason = asText(candidate['finishReason']) ?? answer.finish_reason
    addGrounding(answer, candidate)
  }
  answer.finish_reason ??= blocked
}

const textIn = (event: unknown): string =>
  recordsOf(at(event, 'candidates'))
    .flatMap((candidate) => recordsOf(at(candidate, 'content', 'parts')))
    .map((part) => asText(part['text']) ?? (part['functionCall'] ? jsonText(part['functionCall']) : ''))
    .join('')

const describe = (answer: Answer, context: MeterContext): Omit<Metered, 'complete' | 'output_text'> => {
  const model = answer.model?.replace(/^models\//, '')
  const usage =
    answer.usage &&
    usageOf({
      usage: answer.usage,
      stated: usageMetadata(answer.usage),
      model: model ?? context.reading.model,
      grounding: { queries: answer.queries.size, maps: answer.maps ? 1 : 0 },
      service_tier: tierOf(context.headers['x-gemini-service-tier']),
    })
  return {
    ...(usage === undefined ? {} : { usage }),
    ...(answer.response_id === undefined ? {} : { response_id: answer.response_id }),
    ...(model === undefined ? {} : { model_served: model }),
    ...(answer.finish_reason === undefined ? {} : { finish_reason: answer.finish_reason }),
    ...(answer.error === undefined ? {} : { error: answer.error }),
  }
}

/** What a whole answer says. A body that is a list (a stream that failed at once) is read as its events. */
export const describeAnswer = (json: unknown, context: MeterContext, ended: boolean): Metered => {
  const events = recordsOf(Array.isArray(json) ? json : [json])
  if (events.length === 0) return { complete: false, output_text: '' }
  const answer = begin()
  for (const event of events) add(answer, event)
  return { ...describe(answer, context), complete: ended, output_text: answer.usage ? '' : events.map(textIn).join('') }
}

/** Words that mark an event as worth parsing before the end: everything else only the last event has to say. */
const tells = ['webSearchQueries', 'imageSearchQueries', '"maps"', '"finishReason"', '"error"', '"blockReason"']

/**
 * Folds the events of a stream, which carry `usageMetadata` each. Only events with something of their own to say are
 * parsed, and the latest one; a stream is complete when it said why it ended.
 */
export const foldAnswer = (context: MeterContext): Fold<string> => {
  const answer = begin()
  const kept = keepEvents()
  let latest: string | undefined
  const take = (data: string): void => {
    const event = asRecord(parseJson(data))
    if (event) add(answer, event)
  }
  const fold: Own<Fold<string>> = {
    started: false,
    done: false,
    read(data) {
      if (data.includes('"parts"')) fold.started = true
      // One that ends in the middle would take the place of the last that can be read.
      if (data.includes('TokenCount"') && /\}\s*$/.test(data.slice(-8))) {
        latest = data
        kept.forget()
      } else kept.add(data)
      if (tells.some((word) => data.includes(word))) take(data)
      return undefined
    },
    finish(ended) {
      if (latest !== undefined) take(latest)
      const finished = answer.finish_reason !== undefined || answer.error !== undefined
      const text = answer.usage ? [] : kept.all().map((data) => textIn(parseJson(data)))
      return { ...describe(answer, context), complete: ended && finished, output_text: text.join('') }
    },
  }
  return fold
}
