import { WeirError } from '../core/errors.ts'
import type { NormalisedUsage } from '../core/usage.ts'
import type { MeterContext, Metered, Reading, Wire } from '../core/wire.ts'
import { shapeCohere } from './cohere-units.ts'
import { countOf, normalise, present } from './framing/counts.ts'
import { errorIn } from './framing/failures.ts'
import { asList, asRecord, asText, type JsonRecord } from './framing/json.ts'
import { membersOf } from './framing/members.ts'
import { type Body, meterBody } from './framing/metering.ts'
import { partsOf, textOf } from './framing/parts.ts'

const read: Wire['read'] = (request): Reading => {
  const body = asRecord(request.json)
  if (!body) throw new WeirError('malformed-json', 'The body of an embedding request must be a JSON object.')
  const model = asText(body['model'])
  return {
    endpoint: 'embeddings',
    billable: true,
    stream: false,
    parts: partsOf(
      'user',
      asList(body['inputs'])
        .map((input) => textOf(input))
        .join('\n'),
    ),
    body_tags: {},
    edits: [],
    hide_usage: false,
    ...(model === undefined ? {} : { model }),
  }
}

/** `total_tokens` holds the text and, at 560 pixels a token, images and video. What is not text is counted as image. */
const usageOf = (usage: JsonRecord | undefined): NormalisedUsage | undefined => {
  const total = countOf(usage?.['total_tokens'])
  if (total === undefined) return undefined
  const text = Math.min(countOf(usage?.['text_tokens']) ?? total, total)
  const tokens = present({ 'in.text.fresh': text, 'in.image.fresh': total - text })
  return normalise({
    lines: [{ kind: 'message', funding: 'platform', context_tokens: total, tokens, units: {} }],
    provider_total: total,
    quality: total > text ? 'inferred' : 'exact',
    warnings: [],
    raw: usage,
  })
}

const readWhole = (context: MeterContext, body: Body): Metered => {
  const json = membersOf(body, ['model', 'usage', 'detail'])
  const usage = usageOf(asRecord(json?.['usage']))
  const error = context.status >= 400 ? errorIn(json, true) : undefined
  const model = asText(json?.['model'])
  return {
    ...(usage ? { usage } : {}),
    ...(model === undefined ? {} : { model_served: model }),
    ...(error ? { error } : {}),
    complete: body.ended && json !== undefined,
    output_text: '',
  }
}

/** Voyage's embeddings that OpenAI's format does not cover: of images and text together, and of chunks in their context. */
export const wire: Wire = {
  name: 'voyage-embeddings',
  endpoints: ['embeddings'],
  recognise: (method, path) =>
    method === 'POST' && (path === '/v1/multimodalembeddings' || path === '/v1/contextualizedembeddings'),
  read,
  meter: (context) => meterBody((body) => readWhole(context, body)),
  shape: shapeCohere,
}
