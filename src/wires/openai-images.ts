import type { Wire, WireRequest } from '../core/wire.ts'
import { answersAsked } from './framing/answers-asked.ts'
import { bodyTags } from './framing/body-tags.ts'
import { countOf } from './framing/counts.ts'
import { asText, given, type JsonRecord } from './framing/json.ts'
import { locate } from './framing/json-bytes.ts'
import { membersOf } from './framing/members.ts'
import { type Body, isEventStream, meterBody, meterSse } from './framing/metering.ts'
import { formFields } from './framing/multipart.ts'
import { partsOf } from './framing/parts.ts'
import { shapeError } from './openai-failure.ts'
import { describeImages, pictureFold } from './openai-pictures.ts'
import { deploymentOf, jsonBody } from './openai-request.ts'

const IMAGES = /\/images\/(generations|edits|variations)$/

/** Fields of the request, from JSON or from a form (edits). */
const fieldsOf = (request: WireRequest): JsonRecord =>
  formFields(request.body, request.headers['content-type']) ?? jsonBody(request)

const countPictures = (bytes: Uint8Array): number => {
  let n = 0
  while (n < 64 && locate(bytes, ['data', n])) n++
  return n
}

const facts = (body: Body): JsonRecord | undefined => {
  const answer = membersOf(body, ['model', 'usage', 'size', 'quality', 'error'])
  if (!answer || answer['data'] !== undefined) return answer
  return { ...answer, data: Array.from({ length: countPictures(body.bytes) }) }
}

const sizeOf = (fields: JsonRecord): string | undefined => {
  const { size, width, height } = fields as Readonly<{ size?: unknown; width?: unknown; height?: unknown }>
  return asText(size) ?? (countOf(width) && countOf(height) ? `${width}x${height}` : undefined)
}

/** Size and quality as they were asked for: without token usage the price of a picture depends on them. */
const attributes = (fields: JsonRecord): Readonly<Record<string, string>> => {
  const size = sizeOf(fields)
  const quality = asText(fields['quality'])
  return { ...(size === undefined ? {} : { size }), ...(quality === undefined ? {} : { quality }) }
}

/** OpenAI's images, as Azure, xAI, Together and others answer them. */
export const wire: Wire = {
  name: 'openai-images',
  endpoints: ['images.generations', 'images.edits', 'images.variations'],
  recognise: (method, path) => method === 'POST' && IMAGES.test(path),
  read(request) {
    const fields = fieldsOf(request)
    return {
      endpoint: `images.${IMAGES.exec(request.path)?.[1] ?? 'generations'}`,
      billable: true,
      stream: fields['stream'] === true || fields['stream'] === 'true',
      ...given({
        model: deploymentOf(request.path) ?? asText(fields['model']),
        response_format: asText(fields['response_format']) ?? asText(fields['output_format']),
      }),
      parts: partsOf('user', asText(fields['prompt']) ?? ''),
      body_tags: bodyTags(fields['metadata'], fields['user']),
      edits: [],
      hide_usage: false,
      answers: answersAsked(fields),
      unit_attrs: attributes(fields),
    }
  },
  meter(context) {
    if (isEventStream(context)) return meterSse(pictureFold(context), false)
    return meterBody((body) => describeImages(facts(body), context, body.ended))
  },
  shape: shapeError,
}
