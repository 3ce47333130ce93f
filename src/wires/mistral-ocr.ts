import type { UsageLine } from '../core/usage.ts'
import type { MeterContext, Metered, Wire } from '../core/wire.ts'
import { bodyTags } from './framing/body-tags.ts'
import { countOf, normalise, presentUnits } from './framing/counts.ts'
import { errorIn } from './framing/failures.ts'
import { asRecord, asText } from './framing/json.ts'
import { membersOf } from './framing/members.ts'
import { type Body, meterBody } from './framing/metering.ts'
import { partsOf } from './framing/parts.ts'
import { shapeError } from './openai-failure.ts'
import { jsonBody } from './openai-request.ts'

/** Pages are the bill, whatever stood on them. */
const lineOf = (pages: number, model_served: string | undefined): UsageLine => ({
  kind: 'message',
  funding: 'platform',
  context_tokens: 0,
  tokens: {},
  units: presentUnits({ 'ocr.page': { n: pages } }),
  ...(model_served === undefined ? {} : { model_served }),
})

const readWhole = (body: Body, { status }: MeterContext): Metered => {
  const answer = membersOf(body, ['model', 'usage_info', 'error'])
  const usage = asRecord(answer?.['usage_info'])
  const pages = countOf(usage?.['pages_processed'])
  const model = asText(answer?.['model'])
  const error = errorIn(answer, status >= 400)
  return {
    ...(pages === undefined ? {} : { usage: normalise({ lines: [lineOf(pages, model)], warnings: [], raw: usage }) }),
    ...(model === undefined ? {} : { model_served: model }),
    ...(error ? { error } : {}),
    complete: body.ended && answer !== undefined,
    output_text: '',
  }
}

/** Mistral's reading of documents, billed by the page (https://docs.mistral.ai/api/endpoint/ocr). */
export const wire: Wire = {
  name: 'mistral-ocr',
  endpoints: ['ocr'],
  recognise: (method, path) => method === 'POST' && path.endsWith('/ocr'),
  read(request) {
    const body = jsonBody(request)
    const model = asText(body['model'])
    return {
      endpoint: 'ocr',
      billable: true,
      stream: false,
      ...(model === undefined ? {} : { model }),
      parts: partsOf('user', asText(body['document_annotation_prompt']) ?? ''),
      body_tags: bodyTags(body['metadata']),
      edits: [],
      hide_usage: false,
    }
  },
  meter: (context) => meterBody((body) => readWhole(body, context)),
  shape: shapeError,
}
