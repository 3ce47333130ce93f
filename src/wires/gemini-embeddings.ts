import type { UsageLine } from '../core/usage.ts'
import type { MeterContext, Metered, Part, Reading, Wire, WireRequest } from '../core/wire.ts'
import { bodyTags } from './framing/body-tags.ts'
import { countOf, normalise, usageIn } from './framing/counts.ts'
import { asRecord, asText, at, type JsonRecord, recordsOf } from './framing/json.ts'
import { meterBody } from './framing/metering.ts'
import { mediaText, textOf } from './framing/parts.ts'
import { errorOf, shapeError } from './gemini/failure.ts'
import { pathModel } from './gemini/request.ts'
import { usageMetadata, usageOf } from './gemini/usage.ts'
import { jsonBody } from './openai-request.ts'

const EMBED = /\/models\/[^/:]+:(embedContent|batchEmbedContents)$/
/** Vertex AI's older form; other models' `:predict` (images, video) are not embeddings. */
const PREDICT = /\/publishers\/google\/models\/[^/:]*embedding[^/:]*:predict$/

/** What is embedded: contents of parts, or instances with `content`, `text` or an image. */
const textsOf = (body: JsonRecord): string[] => {
  const contents = [body['content'], ...recordsOf(body['requests']).map((request) => request['content'])]
  const parts = contents.flatMap((content) => recordsOf(at(content, 'parts')).map((part) => textOf(part)))
  const instances = recordsOf(body['instances']).map((instance) => {
    const image = asText(at(instance, 'image', 'bytesBase64Encoded'))
    return image === undefined ? textOf(instance) : mediaText('image', image)
  })
  return [...parts, ...instances].filter((text) => text !== '')
}

const read = (request: WireRequest): Reading => {
  const body = jsonBody(request)
  const model = pathModel(request.path)
  return {
    endpoint: 'embeddings',
    billable: true,
    stream: false,
    ...(model === undefined ? {} : { model }),
    parts: textsOf(body).map((text): Part => ({ kind: 'user', text })),
    body_tags: bodyTags(body['labels']),
    edits: [],
    hide_usage: false,
  }
}

/** Vertex AI counts the tokens of every prediction apart. */
const predictionTokens = (json: unknown): number | undefined => {
  const counts = recordsOf(at(json, 'predictions')).map((prediction) =>
    countOf(at(prediction, 'embeddings', 'statistics', 'token_count')),
  )
  if (!counts.some((count) => count !== undefined)) return undefined
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)
}

const predictionUsage = (json: unknown, tokens: number) => {
  const line: UsageLine = {
    kind: 'message',
    funding: 'platform',
    context_tokens: tokens,
    tokens: tokens > 0 ? { 'in.text.fresh': tokens } : {},
    units: {},
  }
  const raw = { token_count: tokens, metadata: at(json, 'metadata') ?? null }
  return normalise({ lines: [line], warnings: [], raw })
}

/** The Gemini API states no usage for older embedding models: then there is none here, and the gateway estimates. */
const describe = (json: unknown, context: MeterContext, ended: boolean): Metered => {
  const error = errorOf(json)
  if (error) return { error, complete: ended, output_text: '' }
  const complete = ended && asRecord(json) !== undefined
  const usage = usageIn(at(json, 'usageMetadata'))
  const tokens = predictionTokens(json)
  const none = { queries: 0, maps: 0 }
  const { model } = context.reading
  if (usage) {
    const bill = usageOf({ usage, stated: usageMetadata(usage), model, grounding: none })
    return { usage: bill, complete, output_text: '' }
  }
  return { ...(tokens === undefined ? {} : { usage: predictionUsage(json, tokens) }), complete, output_text: '' }
}

/** Google's embeddings: embedContent and batchEmbedContents of the Gemini API and Vertex AI, and Vertex's predict. */
export const wire: Wire = {
  name: 'gemini-embeddings',
  endpoints: ['embeddings'],
  recognise: (method, path) => method === 'POST' && (EMBED.test(path) || PREDICT.test(path)),
  read,
  meter: (context) => meterBody((body) => describe(body.json(), context, body.ended)),
  shape: shapeError,
}
