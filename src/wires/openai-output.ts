import type { NormalisedUsage, UsageLine } from '../core/usage.ts'
import type { MeterContext, Metered } from '../core/wire.ts'
import { normalise, present } from './framing/counts.ts'
import { errorIn } from './framing/failures.ts'
import { asRecord, asText, at, type JsonRecord, parseJson, recordsOf } from './framing/json.ts'
import { type Fold, keepEvents, type Own } from './framing/metering.ts'
import { textOf } from './framing/parts.ts'
import { countsTools, unitsOfOutput } from './openai-units.ts'
import { usageFromBody, usageObject } from './openai-usage.ts'

/** Image tokens that OpenAI's image tool used inside a response: billed at the image model's rates, beside `usage`. */
const imageLine = (response: JsonRecord): UsageLine | undefined => {
  const used = asRecord(at(response, 'tool_usage', 'image_gen'))
  const part = (side: string, name: string): number => {
    const value = at(used, `${side}_tokens_details`, name)
    return typeof value === 'number' && value > 0 ? value : 0
  }
  const tokens = present({
    'in.text.fresh': part('input', 'text_tokens'),
    'in.image.fresh': part('input', 'image_tokens'),
    'out.text.visible': part('output', 'text_tokens'),
    'out.image.visible': part('output', 'image_tokens'),
  })
  if (Object.keys(tokens).length === 0) return undefined
  const tool = recordsOf(response['tools']).find((one) => one['type'] === 'image_generation')
  const context_tokens = (tokens['in.text.fresh'] ?? 0) + (tokens['in.image.fresh'] ?? 0)
  const model_served = asText(tool?.['model']) ?? 'gpt-image-1'
  return { kind: 'tool', model_served, funding: 'platform', context_tokens, tokens, units: {} }
}

const unbilled = (warning: string, raw: unknown): NormalisedUsage =>
  normalise({ lines: [], quality: 'missing', warnings: [warning], raw })

const isPending = (response: JsonRecord): boolean =>
  response['background'] === true && ['queued', 'in_progress'].includes(String(response['status']))

/**
 * The usage of a response object. A response in the background has none until it is over: then the poll that finds it
 * states it, and only a poll of a response that ran in the background bills, because any other was billed when it was made.
 */
const usageFromResponse = (response: JsonRecord, context: MeterContext): NormalisedUsage | undefined => {
  const polled = context.reading.endpoint === 'responses.poll'
  if (polled && response['background'] !== true)
    return unbilled('billed when the response was created', response['usage'])
  const image = imageLine(response)
  const { 'image.generated': pictures, ...units } = unitsOfOutput(response)
  const compacted = context.reading.endpoint === 'responses.compact' || response['object'] === 'response.compaction'
  const usage = usageFromBody(response, {
    quirks: context.quirks,
    request: context.request.json,
    model_asked: context.reading.model,
    units: countsTools(usageObject(response) ?? {}) ? {} : withPictures(units, image, pictures),
    kind: compacted ? 'compaction' : 'message',
  })
  if (!usage)
    return isPending(response) ? unbilled('in the background: a later poll states the usage', null) : undefined
  if (!image) return usage
  const lines = [...usage.lines, image]
  const extra = Object.values(image.tokens).reduce((sum, count) => sum + count, 0)
  const total = usage.totals.provider_total
  const provider_total = total === undefined ? undefined : total + extra
  return normalise({ ...usage, lines, provider_total })
}

type Units = ReturnType<typeof unitsOfOutput>

/** Pictures are billed by the piece only where their tokens are not stated. */
const withPictures = (units: Units, image: UsageLine | undefined, pictures: Units['image.generated']): Units =>
  image || !pictures ? units : { ...units, 'image.generated': pictures }

/** Text in the output items of a response: messages, reasoning, calls of tools. */
const outputText = (response: JsonRecord): string =>
  recordsOf(response['output'])
    .map((item) => textOf(item))
    .filter((text) => text !== '')
    .join('\n')

/** What a response object says of itself, usage included. */
export const describeResponse = (json: unknown, context: MeterContext, ended: boolean): Metered => {
  const response = asRecord(json)
  if (!response) return { complete: false, output_text: '' }
  const failure = errorIn(response)
  const usage = failure && !usageObject(response) ? undefined : usageFromResponse(response, context)
  const response_id = asText(response['id'])
  const model_served = asText(response['model'])
  const reason = asText(at(response, 'incomplete_details', 'reason')) ?? asText(response['status'])
  return {
    ...(usage ? { usage } : {}),
    ...(response_id === undefined ? {} : { response_id }),
    ...(model_served === undefined ? {} : { model_served }),
    ...(reason === undefined ? {} : { finish_reason: reason }),
    ...(failure ? { error: failure } : {}),
    complete: ended,
    output_text: usage ? '' : outputText(response),
  }
}

const terminal = /"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed|cancelled)|error)"/
const deltas = new Set([
  'response.output_text.delta',
  'response.reasoning_text.delta',
  'response.reasoning_summary_text.delta',
  'response.refusal.delta',
  'response.function_call_arguments.delta',
  'response.custom_tool_call_input.delta',
])

const deltaText = (data: string): string => {
  const event = asRecord(parseJson(data))
  return event && deltas.has(String(event['type'])) ? (asText(event['delta']) ?? '') : ''
}

/**
 * The fold of Responses streams: usage, output items and tier stand in the terminal event, which holds the whole response.
 * Until it comes only the first event is kept for its id and model, and deltas for an estimate.
 */
export const responseFold = (context: MeterContext): Fold<string> => {
  const kept = keepEvents()
  let first: string | undefined
  let last: JsonRecord | undefined
  let failure: Metered['error']

  const onTerminal = (data: string): void => {
    const event = asRecord(parseJson(data))
    const type = asText(event?.['type'])
    if (!event || !type || !(type === 'error' || /^response\.[a-z]+$/.test(type))) return
    if (type === 'error') failure = errorIn(event) ?? errorIn(event, true)
    last = asRecord(event['response']) ?? {}
    fold.done = true
    if (usageObject(last)) kept.forget()
  }
  const fold: Own<Fold<string>> = {
    started: false,
    done: false,
    read(data) {
      if (last === undefined && terminal.test(data)) onTerminal(data)
      if (last !== undefined) return undefined
      if (first === undefined) first = data
      else if (data.includes('.delta"')) {
        fold.started = true
        kept.add(data)
      }
      return undefined
    },
    finish(ended) {
      const opening = first === undefined ? {} : (asRecord(at(parseJson(first), 'response')) ?? {})
      const over = last !== undefined
      const { output: _, ...start } = opening
      const metered = describeResponse({ ...start, ...last }, context, ended)
      const usage = over ? metered.usage : undefined
      const { usage: __, finish_reason, ...rest } = metered
      const error = failure ?? metered.error
      return {
        ...rest,
        ...(usage ? { usage } : {}),
        ...(over && finish_reason !== undefined ? { finish_reason } : {}),
        ...(error ? { error } : {}),
        complete: over,
        output_text: usage ? '' : kept.all().map(deltaText).join(''),
      }
    },
  }
  return fold
}
