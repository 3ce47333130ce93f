import type { MeterContext, Metered, Wire } from '../core/wire.ts'
import { bodyTags } from './framing/body-tags.ts'
import { countOf, usageIn } from './framing/counts.ts'
import { errorIn } from './framing/failures.ts'
import { asList, asText, given, type JsonRecord } from './framing/json.ts'
import { membersOf } from './framing/members.ts'
import { meterBody } from './framing/metering.ts'
import { partsOf, textOf } from './framing/parts.ts'
import { shapeError } from './openai-failure.ts'
import { jsonBody, modelAsked } from './openai-request.ts'
import { usageFromBody } from './openai-usage.ts'

const EMBEDDINGS = /\/embeddings$/

const members = ['id', 'model', 'usage', 'error']

/** Voyage states only `total_tokens`: all of them are input. */
const filled = (usage: JsonRecord): JsonRecord =>
  countOf(usage['prompt_tokens']) === undefined && countOf(usage['input_tokens']) === undefined
    ? { ...usage, prompt_tokens: countOf(usage['total_tokens']) ?? 0 }
    : usage

/** The metered answer of an embeddings call. */
const describeEmbeddings = (answer: JsonRecord | undefined, context: MeterContext, ended: boolean): Metered => {
  if (!answer) return { complete: false, output_text: '' }
  const given = usageIn(answer['usage'])
  const options = { quirks: context.quirks, model_asked: context.reading.model }
  const usage = given && usageFromBody({ ...answer, usage: filled(given) }, options)
  const model_served = asText(answer['model'])
  const response_id = asText(answer['id'])
  const error = errorIn(answer)
  return {
    ...(usage && given ? { usage: { ...usage, raw: given } } : {}),
    ...(response_id === undefined ? {} : { response_id }),
    ...(model_served === undefined ? {} : { model_served }),
    ...(error ? { error } : {}),
    complete: ended,
    output_text: '',
  }
}

/** The text to embed. Input given as token ids has no text here. */
const inputText = (input: unknown): string => {
  if (typeof input === 'string') return input
  const texts = asList(input).map((one) => textOf(one))
  return texts.filter((text) => text !== '').join('\n')
}

/** OpenAI's embeddings, as Azure, Mistral, Voyage, Together and others answer them. */
export const wire: Wire = {
  name: 'openai-embeddings',
  endpoints: ['embeddings'],
  recognise: (method, path) => method === 'POST' && EMBEDDINGS.test(path),
  read(request) {
    const body = jsonBody(request)
    return {
      endpoint: 'embeddings',
      billable: true,
      stream: false,
      ...given({
        model: modelAsked(request.path, body),
        response_format: asText(body['encoding_format']),
      }),
      parts: partsOf('user', inputText(body['input'] ?? body['inputs'])),
      body_tags: bodyTags(body['metadata'], body['user']),
      edits: [],
      hide_usage: false,
    }
  },
  meter: (context) => meterBody((body) => describeEmbeddings(membersOf(body, members), context, body.ended)),
  shape: shapeError,
}
