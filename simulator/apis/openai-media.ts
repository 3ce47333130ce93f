import { number, text } from '../json.ts'
import { tokenize } from '../tokens.ts'
import type { Answer, Api, Exchange } from '../types.ts'
import { askedModel } from './openai-ask.ts'
import { refuseAsOpenai } from './openai-errors.ts'
import { JSON_BODY } from './sse.ts'

/** A PNG of one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** Output tokens of a square picture by quality (https://platform.openai.com/docs/guides/image-generation). */
const IMAGE_TOKENS: Readonly<Record<string, number>> = { low: 272, medium: 1_056, high: 4_160 }

const images = (exchange: Exchange): Answer => {
  const { json, world } = exchange
  const model = askedModel(exchange, ['image'])
  const count = number(json['n']) ?? 1
  const input_tokens = tokenize(text(json['prompt']) ?? '').length
  const output_tokens = count * (IMAGE_TOKENS[text(json['quality']) ?? 'medium'] ?? 1_056)
  const usage = {
    total_tokens: input_tokens + output_tokens,
    input_tokens,
    output_tokens,
    input_tokens_details: { text_tokens: input_tokens, image_tokens: 0 },
  }
  const body = {
    created: Math.floor(world.now_us() / 1e6),
    data: Array.from({ length: count }, () => ({ b64_json: PIXEL })),
    ...(!exchange.omit_usage && { usage }),
  }
  const bill = { model: model.served, buckets: { in: input_tokens, out_image: output_tokens } }
  return { status: 200, headers: JSON_BODY, body: JSON.stringify(body), bill }
}

/** A field of a multipart form, found without reading its files. */
const formField = (body: Uint8Array, name: string): string | undefined =>
  new RegExp(`name="${name}"\\r\\n\\r\\n([^\\r]*)`).exec(
    Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'),
  )?.[1]

const transcription = (exchange: Exchange): Answer => {
  const id = formField(exchange.body, 'model') ?? ''
  const model = askedModel({ ...exchange, json: { model: id } }, ['other'])
  const said = 'The river rose in the night and fell again by morning.'
  const seconds = Math.max(1, Math.round(exchange.body.length / 32_000))
  const audio = seconds * 10
  const out = tokenize(said).length
  if (model.id === 'whisper-1') {
    const body = { text: said, usage: { type: 'duration', seconds } }
    return {
      status: 200,
      headers: JSON_BODY,
      body: JSON.stringify(body),
      bill: { model: model.served, buckets: { audio_seconds: seconds } },
    }
  }
  const usage = {
    type: 'tokens',
    input_tokens: audio,
    input_token_details: { text_tokens: 0, audio_tokens: audio },
    output_tokens: out,
    total_tokens: audio + out,
  }
  const body = { text: said, ...(!exchange.omit_usage && { usage }) }
  return {
    status: 200,
    headers: JSON_BODY,
    body: JSON.stringify(body),
    bill: { model: model.served, buckets: { in_audio: audio, out } },
  }
}

const speech = (exchange: Exchange): Answer => {
  const model = askedModel(exchange, ['other'])
  const characters = [...(text(exchange.json['input']) ?? '')].length
  return {
    status: 200,
    headers: { 'content-type': 'audio/mpeg' },
    body: new Uint8Array(2_048),
    bill: { model: model.served, buckets: { tts_chars: characters } },
  }
}

const operations: Readonly<Record<string, (exchange: Exchange) => Answer>> = {
  '/images/generations': images,
  '/audio/transcriptions': transcription,
  '/audio/speech': speech,
}

/** Images, transcription and speech. */
export const openaiMedia: Api = {
  name: 'openai-media',
  recognise: (method, path) => method === 'POST' && Object.hasOwn(operations, path),
  answer: (exchange) => operations[exchange.path]?.(exchange) ?? { status: 404, headers: {}, body: '' },
  refuse: refuseAsOpenai,
}
