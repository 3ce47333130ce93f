import { compose } from '../compose.ts'
import { type Json, list, number, record, truthy } from '../json.ts'
import { modelIds } from '../models.ts'
import { promptTokens } from '../prompt.ts'
import { automatic, type Cached } from '../prompt-cache.ts'
import { type Step, timeline } from '../timeline.ts'
import type { Answer, Api, Ask, Bill, Block, Chunk, Exchange, Reply } from '../types.ts'
import { askedModel, contentBlocks, contentsOf, pathOf, readGenerate } from './gemini-ask.ts'
import { vector } from './openai-simple.ts'
import { data, EVENT_STREAM, JSON_BODY } from './sse.ts'

type Made = Readonly<{
  exchange: Exchange
  ask: Ask
  reply: Reply
  cached: Cached
  id: string
  call_ids: readonly string[]
}>

const STEP = 32
const TTL_MINUTES = 5

const modalities = (blocks: readonly Block[]): Json[] => {
  const counts = (['text', 'image', 'audio'] as const).map((modality) => ({
    modality: modality.toUpperCase(),
    tokenCount: promptTokens(blocks, 1, modality),
  }))
  return counts.filter((count) => count.tokenCount > 0)
}

type Progress = Readonly<{ visible: number; reasoning: number }>

/** Thoughts are not among the candidates' tokens; cached tokens are among the prompt's. */
const usageOf = ({ ask, cached, exchange }: Made, progress: Progress): Json => {
  const prompt = promptTokens(ask.blocks, ask.model.ratio)
  return {
    promptTokenCount: prompt,
    ...(progress.visible > 0 && { candidatesTokenCount: progress.visible }),
    totalTokenCount: prompt + progress.visible + progress.reasoning,
    ...(cached.read > 0 && {
      cachedContentTokenCount: cached.read,
      cacheTokensDetails: [{ modality: 'TEXT', tokenCount: cached.read }],
    }),
    promptTokensDetails: modalities(ask.blocks),
    ...(progress.reasoning > 0 && { thoughtsTokenCount: progress.reasoning }),
    ...(exchange.provider === 'vertex-ai' && { trafficType: 'ON_DEMAND' }),
  }
}

const billOf = ({ ask, reply, cached }: Made): Bill => {
  const image = promptTokens(ask.blocks, 1, 'image')
  const audio = promptTokens(ask.blocks, 1, 'audio')
  return {
    model: ask.model.served,
    buckets: {
      in: promptTokens(ask.blocks, ask.model.ratio) - cached.read - image - audio,
      ...(image > 0 && { in_image: image }),
      ...(audio > 0 && { in_audio: audio }),
      cr: cached.read,
      out: reply.visible_tokens,
      out_reasoning: reply.reasoning_tokens,
    },
  }
}

const FINISH = { stop: 'STOP', length: 'MAX_TOKENS', tools: 'STOP', 'stop-sequence': 'STOP' } as const

const wantsThoughts = (exchange: Exchange): boolean =>
  truthy(record(record(exchange.json['generationConfig'])['thinkingConfig'])['includeThoughts'])

const callPart = (made: Made, at: number): Json => {
  const call = made.reply.calls[at]
  return { functionCall: { id: made.call_ids[at], name: call?.name, args: call ? JSON.parse(call.json) : {} } }
}

const wholeParts = (made: Made): Json[] => {
  const { reply, exchange } = made
  const thought =
    wantsThoughts(exchange) && reply.reasoning_tokens > 0 ? [{ text: reply.thought.join(''), thought: true }] : []
  const said = reply.said.length > 0 ? [{ text: reply.said.join('') }] : []
  return [...thought, ...said, ...reply.calls.map((_, at) => callPart(made, at))]
}

const responseOf = (made: Made, parts: readonly Json[], finish: string | undefined, progress: Progress): Json => ({
  candidates: [
    {
      content: { ...(parts.length > 0 && { parts }), role: 'model' },
      ...(finish !== undefined && { finishReason: finish }),
      index: 0,
    },
  ],
  ...(!made.exchange.omit_usage && { usageMetadata: usageOf(made, progress) }),
  modelVersion: made.ask.model.served,
  responseId: made.id,
})

const stepParts = (made: Made, step: Step): Json[] | undefined => {
  if (step.kind === 'text') return [{ text: step.text }]
  if (step.kind === 'thought') return wantsThoughts(made.exchange) ? [{ text: step.text, thought: true }] : undefined
  // Gemini sends a function call whole.
  return step.kind === 'call-close' ? [callPart(made, step.call)] : undefined
}

const streamOf = (made: Made): { value: Json; progress: Progress }[] => {
  const { reply, exchange } = made
  const steps = timeline(reply, exchange.world.chunk_tokens * 4)
  const values = steps.flatMap((step) => {
    const parts = stepParts(made, step)
    return parts ? [{ value: responseOf(made, parts, undefined, step), progress: step }] : []
  })
  const all = { visible: reply.visible_tokens, reasoning: reply.reasoning_tokens }
  return [...values, { value: responseOf(made, [{ text: '' }], FINISH[reply.finish], all), progress: all }]
}

/** Without `alt=sse` a stream is one JSON array. */
const asArray = (values: ReturnType<typeof streamOf>): Chunk[] => [
  ...values.map(({ value, progress }, i) => ({
    bytes: `${i === 0 ? '[' : ',\r\n'}${JSON.stringify(value, null, 2)}`,
    visible: progress.visible,
    reasoning: progress.reasoning,
  })),
  { bytes: ']\n' },
]

const errorBody = (code: number, message: string, status: string, details?: readonly Json[]): Json => ({
  error: { code, message, status, ...(details && { details }) },
})

const generate = (exchange: Exchange, streams: boolean): Answer => {
  const { world, api_key, provider, query } = exchange
  const ask = readGenerate(exchange)
  const reply = compose(ask, world)
  const scope = [provider, api_key, ask.model.id].join(' ')
  const place = { scope, now_us: world.now_us(), caches: world.caches }
  const cached = automatic(place, ask.blocks, {
    minimum: ask.model.cache_minimum,
    step: STEP,
    ttl_minutes: TTL_MINUTES,
  })
  const call_ids = reply.calls.map(() => world.id('call_', 12))
  const made: Made = { exchange, ask, reply, cached, id: world.id('', 23), call_ids }
  const shared = { status: 200, bill: billOf(made), on_start: cached.commit }
  if (!streams) {
    const all = { visible: reply.visible_tokens, reasoning: reply.reasoning_tokens }
    const body = responseOf(made, wholeParts(made), FINISH[reply.finish], all)
    return { ...shared, headers: JSON_BODY, body: JSON.stringify(body, null, 2) }
  }
  const values = streamOf(made)
  const broken = errorBody(503, 'The model is overloaded. Please try again later.', 'UNAVAILABLE')
  const sse = query.get('alt') === 'sse'
  return {
    ...shared,
    headers: sse ? EVENT_STREAM : JSON_BODY,
    chunks: sse ? values.map(({ value, progress }) => data(value, progress)) : asArray(values),
    stream_error: sse ? `data: ${JSON.stringify(broken)}\n\n` : `,\r\n${JSON.stringify(broken)}]`,
  }
}

const okJson = (body: unknown, bill?: Bill): Answer => ({
  status: 200,
  headers: JSON_BODY,
  body: JSON.stringify(body),
  ...(bill && { bill }),
})

const count = (exchange: Exchange): Answer => {
  const asked = record(exchange.json['generateContentRequest'])
  const ask = readGenerate(Object.keys(asked).length > 0 ? { ...exchange, json: asked } : exchange)
  const totalTokens = promptTokens(ask.blocks, ask.model.ratio)
  return okJson({ totalTokens, promptTokensDetails: modalities(ask.blocks) })
}

/** Gemini's embeddings say nothing of usage. */
const embed = (exchange: Exchange, many: boolean): Answer => {
  const model = askedModel(exchange)
  const requests = many ? list(exchange.json['requests']).map(record) : [exchange.json]
  const tokens = requests.map((request) =>
    contentsOf(request['content']).flatMap((content) => contentBlocks('messages', content)),
  )
  const embeddings = requests.map((request) => {
    const dimensions = number(request['outputDimensionality']) ?? 768
    return { values: vector(exchange.world.seed, JSON.stringify(request['content']), dimensions) }
  })
  const bill = { model: model.served, buckets: { in: tokens.reduce((n, blocks) => n + promptTokens(blocks, 1), 0) } }
  return okJson(many ? { embeddings } : { embedding: embeddings[0] }, bill)
}

const models = (): Answer =>
  okJson({ models: modelIds('google').map((id) => ({ name: `models/${id}`, displayName: id, version: '001' })) })

const STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

const MALFORMED = 'Invalid JSON payload received. Unexpected end of string.'
const KEYS = {
  'missing-key': [
    403,
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
  ],
  'bad-key': [400, 'API key not valid. Please pass a valid API key.'],
} as const

const reasonOf = (kind: string | undefined, retry_after_s: number | undefined): Json[] | undefined => {
  if (kind === 'bad-key') {
    return [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
    ]
  }
  if (retry_after_s === undefined) return undefined
  return [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${retry_after_s}s` }]
}

/** Gemini's API: whole, as server-sent events or as a JSON array; token counts and embeddings. */
export const gemini: Api = {
  name: 'gemini',
  recognise: (method, path) =>
    method === 'GET'
      ? path === '/models'
      : method === 'POST' &&
        /:(generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)$/.test(path),
  answer: (exchange) => {
    if (exchange.method === 'GET') return models()
    const { method } = pathOf(exchange.path)
    if (method === 'countTokens') return count(exchange)
    if (method === 'embedContent' || method === 'batchEmbedContents') return embed(exchange, method !== 'embedContent')
    return generate(exchange, method === 'streamGenerateContent')
  },
  refuse: (refusal) => {
    const known = refusal.kind === 'missing-key' || refusal.kind === 'bad-key' ? KEYS[refusal.kind] : undefined
    const status = known?.[0] ?? (refusal.status === 529 ? 503 : refusal.status)
    const message = known?.[1] ?? (refusal.kind === 'malformed-json' ? MALFORMED : refusal.message)
    const details = reasonOf(refusal.kind, refusal.retry_after_s)
    const body = errorBody(status, message, STATUS[status] ?? 'UNKNOWN', details)
    return { status, headers: JSON_BODY, body: JSON.stringify(body, null, 2) }
  },
}
