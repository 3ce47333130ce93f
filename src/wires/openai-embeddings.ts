import type { MeterContext, Metered, Wire } from '../core/wire.ts'
import { bodyTags } from './framing/body-tags.ts'
import { countOf, usageIn } from './framing/counts.ts'
import { errorIn } from './framing/failures.ts'
import { asList, asRecord, asText, type JsonRecord } from './framing/json.ts'
import { pick } from './framing/json-bytes.ts'
import { type Body, meterBody } from './framing/metering.ts'
import { partsOf, textOf } from './framing/parts.ts'
import { shapeError } from './openai-failure.ts'
import { jsonBody, known, modelAsked } from './openai-request.ts'
import { usageFromBody } from './openai-usage.ts'

const EMBEDDINGS = /\/embeddings$/

/** Larger answers are not parsed for their vectors: only the few members that matter are looked up. */
const PARSE_BYTES = 64 * 1024

const facts = (body: Body): JsonRecord | undefined => {
  if (body.bytes.length <= PARSE_BYTES) return asRecord(body.json())
  const names = ['id', 'model', 'usage', 'error']
  return Object.fromEntries(names.map((name) => [name, pick(body.bytes, [name])]))
}

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
  recognise: (method, path) => method === 'POST' && EMBEDDINGS.test(path),
  read(request) {
    const body = jsonBody(request)
    return {
      endpoint: 'embeddings',
      billable: true,
      stream: false,
      ...known({
        model: modelAsked(request.path, body),
        max_output_tokens: undefined,
        service_tier: undefined,
        turns: undefined,
        tool_count: undefined,
        response_format: asText(body['encoding_format']),
      }),
      parts: partsOf('user', inputText(body['input'] ?? body['inputs'])),
      body_tags: bodyTags(body['metadata'], body['user']),
      edits: [],
      hide_usage: false,
    }
  },
  meter: (context) => meterBody((body) => describeEmbeddings(facts(body), context, body.ended)),
  shape: shapeError,
}
