import { compose } from '../compose.ts'
import { type Json, list, number, record, text, truthy } from '../json.ts'
import { modelIds } from '../models.ts'
import { promptTokens, textBlock } from '../prompt.ts'
import { seeded } from '../random.ts'
import { timeline } from '../timeline.ts'
import { tokenize } from '../tokens.ts'
import { type Answer, type Api, type Ask, type Chunk, type Exchange, Refusal } from '../types.ts'
import { askedModel } from './openai-ask.ts'
import { refuseAsOpenai } from './openai-errors.ts'
import { data, EVENT_STREAM, JSON_BODY } from './sse.ts'

const DIMENSIONS: Readonly<Record<string, number>> = {
  'text-embedding-3-small': 1_536,
  'text-embedding-3-large': 3_072,
}
const EMBEDDING_OWNED = 1_700_000_000

/** A unit vector that the text and the seed determine. */
export const vector = (seed: number, content: string, dimensions: number): number[] => {
  const random = seeded(seed, 'vector', content)
  const raw = Array.from({ length: dimensions }, () => random.next() - 0.5)
  const length = Math.hypot(...raw)
  return raw.map((value) => Number((value / length).toFixed(8)))
}

const base64 = (values: readonly number[]): string => Buffer.from(new Float32Array(values).buffer).toString('base64')

/** Texts of an `input`: one text, several, or texts as token ids. */
const inputs = (input: unknown): readonly (string | readonly number[])[] => {
  if (typeof input === 'string') return [input]
  const given = list(input)
  if (given.length > 0 && typeof given[0] === 'number') return [given as number[]]
  return given.filter((item): item is string | number[] => typeof item === 'string' || Array.isArray(item))
}

const embeddings = (exchange: Exchange): Answer => {
  const { json, world } = exchange
  const model = askedModel(exchange, ['embedding'])
  const texts = inputs(json['input'])
  if (texts.length === 0) throw new Refusal(400, "Missing required parameter: 'input'.", { param: 'input' })
  const dimensions = number(json['dimensions']) ?? DIMENSIONS[model.id] ?? 256
  const tokens = texts.reduce((n, item) => n + (typeof item === 'string' ? tokenize(item).length : item.length), 0)
  const rows = texts.map((item, index) => {
    const values = vector(world.seed, typeof item === 'string' ? item : item.join(' '), dimensions)
    return { object: 'embedding', index, embedding: json['encoding_format'] === 'base64' ? base64(values) : values }
  })
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  const body = { object: 'list', data: rows, model: model.served, ...(!exchange.omit_usage && { usage }) }
  return {
    status: 200,
    headers: JSON_BODY,
    body: JSON.stringify(body),
    bill: { model: model.served, buckets: { in: tokens } },
  }
}

const readCompletion = (exchange: Exchange): Ask => {
  const { json } = exchange
  const prompt = text(json['prompt']) ?? list(json['prompt']).join('\n')
  return {
    model: askedModel(exchange, ['completion']),
    blocks: [textBlock('messages', 'user', prompt, { framing: 0 })],
    tools: [],
    tool_choice: 'none',
    parallel: false,
    stop: [],
    opening: prompt,
    latest: prompt,
    rounds: 0,
    max_output: number(json['max_tokens']) ?? 16,
  }
}

const completions = (exchange: Exchange): Answer => {
  const { json, world } = exchange
  const ask = readCompletion(exchange)
  const reply = compose({ ...ask, model: { ...ask.model, reasons: 'never' } }, world)
  const prompt_tokens = promptTokens(ask.blocks, 1)
  const usage = {
    prompt_tokens,
    completion_tokens: reply.visible_tokens,
    total_tokens: prompt_tokens + reply.visible_tokens,
  }
  const base = {
    id: world.id('cmpl-', 29),
    object: 'text_completion',
    created: Math.floor(world.now_us() / 1e6),
    model: ask.model.served,
  }
  const finish = reply.finish === 'length' ? 'length' : 'stop'
  const bill = { model: ask.model.served, buckets: { in: prompt_tokens, out: reply.visible_tokens } }
  const choice = (said: string, finish_reason: string | null): Json => ({
    text: said,
    index: 0,
    logprobs: null,
    finish_reason,
  })
  const counted = !exchange.omit_usage
  if (!truthy(json['stream'])) {
    const body = { ...base, choices: [choice(reply.said.join(''), finish)], ...(counted && { usage }) }
    return { status: 200, headers: JSON_BODY, body: JSON.stringify(body), bill }
  }
  const asked = truthy(record(json['stream_options'])['include_usage'])
  const nulled = asked ? { usage: null } : {}
  const chunks: Chunk[] = timeline(reply, world.chunk_tokens).map((step) =>
    data({ ...base, choices: [choice(step.text, null)], ...nulled }, step),
  )
  chunks.push(data({ ...base, choices: [choice('', finish)], ...nulled }))
  if (asked && counted) chunks.push(data({ ...base, choices: [], usage }))
  return { status: 200, headers: EVENT_STREAM, chunks: [...chunks, { bytes: 'data: [DONE]\n\n' }], bill }
}

/** Nothing is ever flagged, and nothing is billed. */
const moderations = ({ json, world }: Exchange): Answer => {
  const texts = inputs(json['input'])
  if (texts.length === 0) throw new Refusal(400, "Missing required parameter: 'input'.", { param: 'input' })
  const results = texts.map(() => ({
    flagged: false,
    categories: { harassment: false, violence: false },
    category_scores: { harassment: 0.0001, violence: 0.0001 },
  }))
  const model = text(json['model']) ?? 'omni-moderation-latest'
  const body = { id: world.id('modr-', 24), model, results }
  return { status: 200, headers: JSON_BODY, body: JSON.stringify(body) }
}

const modelObject = (id: string): Json => ({ id, object: 'model', created: EMBEDDING_OWNED, owned_by: 'system' })

const models = (exchange: Exchange): Answer => {
  const one = /^\/models\/(.+)$/.exec(exchange.path)?.[1]
  if (one !== undefined) {
    const model = askedModel({ ...exchange, json: { model: decodeURIComponent(one) } }, [
      'chat',
      'embedding',
      'completion',
      'image',
      'other',
    ])
    return { status: 200, headers: JSON_BODY, body: JSON.stringify(modelObject(model.id)) }
  }
  const body = { object: 'list', data: modelIds('openai').map(modelObject) }
  return { status: 200, headers: JSON_BODY, body: JSON.stringify(body) }
}

const posted: Readonly<Record<string, (exchange: Exchange) => Answer>> = {
  '/embeddings': embeddings,
  '/completions': completions,
  '/moderations': moderations,
}

/** Embeddings, legacy completions, moderations and the models list. */
export const openaiSimple: Api = {
  name: 'openai-simple',
  recognise: (method, path) =>
    method === 'POST' ? Object.hasOwn(posted, path) : method === 'GET' && /^\/models(\/.+)?$/.test(path),
  answer: (exchange) => (posted[exchange.path] ?? models)(exchange),
  refuse: refuseAsOpenai,
}
