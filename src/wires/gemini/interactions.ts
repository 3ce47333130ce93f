import type { MeterContext, Metered, Part, Reading } from '../../core/wire.ts'
import { unmarkedJson } from '../anthropic/parts.ts'
import { bodyTags } from '../framing/body-tags.ts'
import { countOf, normalise, usageIn } from '../framing/counts.ts'
import { asList, asRecord, asText, at, given, type JsonRecord, parseJson, recordsOf } from '../framing/json.ts'
import { type Fold, keepEvents, type Own } from '../framing/metering.ts'
import { textOf } from '../framing/parts.ts'
import { errorOf } from './failure.ts'
import { type Grounding, interactionUsage, tierOf, usageOf } from './usage.ts'

const results = new Set(['function_result', 'code_execution_result', 'url_context_result', 'google_search_result'])

/** Input is a text, contents, or steps that hold contents. */
const inputParts = (input: unknown): Part[] => {
  if (typeof input === 'string') return [{ kind: 'user', text: input }]
  const steps = Array.isArray(input) ? recordsOf(input) : recordsOf([input])
  const last = steps.findLastIndex((step) => step['type'] === 'model_output' || step['role'] === 'model')
  return steps.map((step, index): Part => {
    const text = textOf(step['content'] ?? step) || unmarkedJson(step)
    if (index <= last) return { kind: 'history', text }
    return { kind: results.has(asText(step['type']) ?? '') ? 'context' : 'user', text }
  })
}

/** Reads the creation of an interaction. */
export const readInteraction = (body: JsonRecord): Reading => {
  const tools = asList(body['tools'])
  const system = asText(body['system_instruction'])
  const format = body['response_format']
  const parts: Part[] = [
    ...(tools.length === 0 ? [] : [{ kind: 'tools' as const, text: unmarkedJson(tools) }]),
    ...(system === undefined ? [] : [{ kind: 'system' as const, text: system }]),
    ...inputParts(body['input']),
  ]
  return {
    endpoint: 'interactions',
    billable: true,
    stream: body['stream'] === true,
    ...given({
      model: asText(body['model']) ?? asText(body['agent']),
      max_output_tokens: countOf(at(body, 'generation_config', 'max_output_tokens')),
      service_tier: tierOf(body['service_tier']),
      response_format: format === undefined || format === null ? undefined : 'json_schema',
    }),
    max_output_field: ['generation_config', 'max_output_tokens'],
    parts: parts.filter((part) => part.text !== ''),
    tool_count: tools.length,
    body_tags: bodyTags(body['labels']),
    edits: [],
    hide_usage: false,
  }
}

/** Queries as the usage counts them by tool; where it does not, as the search steps list them. */
const groundingOf = (interaction: JsonRecord, usage: JsonRecord): Grounding => {
  const counts = recordsOf(usage['grounding_tool_count'])
  const counted = (type: string) =>
    counts.filter((tool) => tool['type'] === type).reduce((sum, tool) => sum + (countOf(tool['count']) ?? 0), 0)
  const listed = recordsOf(interaction['steps'])
    .filter((step) => step['type'] === 'google_search_call')
    .reduce((sum, step) => sum + asList(at(step, 'arguments', 'queries')).length, 0)
  return { queries: counts.length > 0 ? counted('google_search') : listed, maps: counted('google_maps') }
}

/** States in which an interaction goes on in the background; in any other it has ended. */
const running = new Set(['in_progress', 'queued'])

const textIn = (interaction: unknown): string =>
  recordsOf(at(interaction, 'steps'))
    .filter((step) => step['type'] === 'model_output')
    .map((step) => textOf(step['content']))
    .join('')

const billOf = (interaction: JsonRecord, usage: JsonRecord, model: string | undefined) =>
  usageOf({
    usage,
    stated: interactionUsage(usage),
    model,
    grounding: groundingOf(interaction, usage),
    service_tier: tierOf(interaction['service_tier']),
  })

/** An interaction that still runs has billed nothing yet: no lines, which is not the same as no usage. */
const pending = (status: string) =>
  normalise({
    lines: [],
    quality: 'missing',
    warnings: [`the interaction is ${status}: its usage comes later`],
    raw: null,
  })

/** What a whole interaction says. One that still runs in the background has no lines yet. */
export const describeInteraction = (json: unknown, context: MeterContext, ended: boolean): Metered => {
  const interaction = asRecord(json)
  if (!interaction) return { complete: false, output_text: '' }
  const status = asText(interaction['status'])
  const usage = usageIn(interaction['usage'])
  const model = asText(interaction['model']) ?? asText(interaction['agent'])
  const runs = status !== undefined && running.has(status) && !context.reading.stream
  const bill = usage && !runs ? billOf(interaction, usage, model ?? context.reading.model) : undefined
  return {
    ...given({
      usage: runs ? pending(status) : bill,
      response_id: asText(interaction['id']),
      model_served: model,
      finish_reason: status,
      error: errorOf(interaction),
    }),
    complete: ended,
    output_text: usage ? '' : textIn(interaction),
  }
}

/** The event that ends a stream holds the interaction with its usage; deltas may carry the usage so far. */
const completed = /"event_type"\s*:\s*"interaction\.completed"/
const deltaText = (data: string): string => textOf(at(parseJson(data), 'delta'))

/** Folds the events of an interaction. A stream that is cut has the usage that its deltas told, where they told any. */
export const foldInteraction = (context: MeterContext): Fold<string> => {
  const kept = keepEvents()
  let first: string | undefined
  let last: string | undefined
  let so_far: string | undefined
  let error: Metered['error']
  const interaction = (): unknown => {
    const known = asRecord(at(parseJson(last ?? first ?? ''), 'interaction'))
    const usage = known?.['usage'] ?? at(parseJson(so_far ?? ''), 'metadata', 'total_usage')
    return usage === undefined ? known : { ...known, usage }
  }
  const fold: Own<Fold<string>> = {
    started: false,
    done: false,
    read(data) {
      if (data.includes('"step.delta"')) {
        fold.started = true
        kept.add(data)
        if (data.includes('"total_usage"')) so_far = data
      } else if (data.includes('"interaction.created"')) first = data
      else if (completed.test(data)) {
        last = data
        fold.done = true
      } else if (data.includes('"error"')) error = errorOf(parseJson(data)) ?? error
      return undefined
    },
    finish(ended) {
      const described = describeInteraction(interaction(), context, ended)
      const output_text = described.usage ? '' : kept.all().map(deltaText).join('')
      return { ...described, ...(error ? { error } : {}), complete: fold.done, output_text }
    },
  }
  return fold
}
