import { WeirError } from '../core/errors.ts'
import type { NormalisedUsage, StatedCost, UsageLine } from '../core/usage.ts'
import type { MeterContext, Metered, Part, Reading, Wire } from '../core/wire.ts'
import { cohereUsage, shapeCohere } from './cohere-units.ts'
import { countOf, firstCount, normalise, present, presentUnits, usdOf } from './framing/counts.ts'
import { errorIn } from './framing/failures.ts'
import { asList, asRecord, asText, type JsonRecord, jsonText } from './framing/json.ts'
import { type Body, meterBody } from './framing/metering.ts'
import { partsOf, textOf } from './framing/parts.ts'

const documentText = (document: unknown): string => {
  const record = asRecord(document)
  return record && !('text' in record) ? jsonText(record) : textOf(document)
}

const read: Wire['read'] = (request): Reading => {
  const body = asRecord(request.json)
  if (!body) throw new WeirError('malformed-json', 'The body of a rerank request must be a JSON object.')
  const model = asText(body['model'])
  const documents = asList(body['documents'] ?? body['texts'])
  const parts: readonly Part[] = [
    ...partsOf('context', documents.map(documentText).join('\n')),
    ...partsOf('user', textOf(body['query'])),
  ]
  return {
    endpoint: 'rerank',
    billable: true,
    stream: false,
    parts,
    body_tags: {},
    edits: [],
    hide_usage: false,
    ...(model === undefined ? {} : { model }),
  }
}

const statedCost = (usage: JsonRecord, context: MeterContext): StatedCost | undefined => {
  const amount_usd = context.quirks.stated_cost === 'usage.cost' ? usdOf(usage['cost']) : undefined
  return amount_usd === undefined ? undefined : { amount_usd, field: 'usage.cost', includes_tools: true }
}

/**
 * Tokens as Voyage, Together, Jina and vLLM count them, or OpenRouter's search units. A model is billed by one of the two,
 * so where both are stated the units count: they are there only for models that are billed so.
 */
const usageOf = (usage: JsonRecord, context: MeterContext): NormalisedUsage | undefined => {
  const searches = firstCount(usage['search_units'])
  const input = countOf(usage['prompt_tokens']) ?? countOf(usage['input_tokens']) ?? countOf(usage['total_tokens'])
  const output = firstCount(usage['completion_tokens'], usage['output_tokens'])
  if (input === undefined && searches === 0) return undefined
  const line: UsageLine = {
    kind: 'message',
    funding: 'platform',
    context_tokens: input ?? 0,
    tokens: searches > 0 ? {} : present({ 'in.text.fresh': input ?? 0, 'out.text.visible': output }),
    units: presentUnits({ 'rerank.search_unit': { n: searches } }),
  }
  const provider_total = searches > 0 ? undefined : countOf(usage['total_tokens'])
  return normalise({ lines: [line], provider_total, stated: statedCost(usage, context), warnings: [], raw: usage })
}

const readWhole = (context: MeterContext, body: Body): Metered => {
  const json = asRecord(body.json())
  const usage = cohereUsage(json?.['meta']) ?? usageOf(asRecord(json?.['usage']) ?? {}, context)
  const error = context.status >= 400 ? errorIn(json, true) : undefined
  const id = asText(json?.['id'])
  const model = asText(json?.['model'])
  return {
    ...(usage ? { usage } : {}),
    ...(id === undefined ? {} : { response_id: id }),
    ...(model === undefined ? {} : { model_served: model }),
    ...(error ? { error } : {}),
    complete: body.ended && json !== undefined,
    output_text: '',
  }
}

/** Reranking as Cohere began it and Voyage, Together, Jina, OpenRouter and vLLM copied it: a query and documents. */
export const wire: Wire = {
  name: 'rerank',
  endpoints: ['rerank'],
  recognise: (method, path) => method === 'POST' && /^(\/[a-z0-9]+)*\/rerank$/.test(path),
  read,
  meter: (context) => meterBody((body) => readWhole(context, body)),
  shape: shapeCohere,
}
