import { WeirError } from '../core/errors.ts'
import type { MeterContext, Metered, Reading, Wire } from '../core/wire.ts'
import { cohereUsage, shapeCohere } from './cohere-units.ts'
import { errorIn } from './framing/failures.ts'
import { asList, asRecord, asText, recordsOf } from './framing/json.ts'
import { membersOf } from './framing/members.ts'
import { type Body, meterBody } from './framing/metering.ts'
import { partsOf, textOf } from './framing/parts.ts'

const read: Wire['read'] = (request): Reading => {
  const body = asRecord(request.json)
  if (!body) throw new WeirError('malformed-json', 'The body of an embedding request must be a JSON object.')
  const model = asText(body['model'])
  const texts = [...asList(body['texts']), ...recordsOf(body['inputs']).map((input) => input['content'])]
  return {
    endpoint: 'embeddings',
    billable: true,
    stream: false,
    parts: partsOf('user', texts.map((text) => textOf(text)).join('\n')),
    body_tags: {},
    edits: [],
    hide_usage: false,
    ...(model === undefined ? {} : { model }),
  }
}

const readWhole = (context: MeterContext, body: Body): Metered => {
  const json = membersOf(body, ['id', 'meta', 'usage', 'message'])
  const usage = cohereUsage(json?.['meta'] ?? json?.['usage'])
  const error = context.status >= 400 ? errorIn(json, true) : undefined
  const id = asText(json?.['id'])
  return {
    ...(usage ? { usage } : {}),
    ...(id === undefined ? {} : { response_id: id }),
    ...(error ? { error } : {}),
    complete: body.ended && json !== undefined,
    output_text: '',
  }
}

/** Cohere's embeddings, versions 2 and 1 (https://docs.cohere.com/reference/embed): text tokens and images. */
export const wire: Wire = {
  name: 'cohere-embed',
  endpoints: ['embeddings'],
  recognise: (method, path) => method === 'POST' && (path === '/v2/embed' || path === '/v1/embed'),
  read,
  meter: (context) => meterBody((body) => readWhole(context, body)),
  shape: shapeCohere,
}
