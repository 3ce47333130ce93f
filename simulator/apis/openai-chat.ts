import { compose } from '../compose.ts'
import { type Json, number, record, text, truthy } from '../json.ts'
import { promptTokens } from '../prompt.ts'
import type { Cached } from '../prompt-cache.ts'
import { timeline } from '../timeline.ts'
import { type Answer, type Api, type Ask, type Bill, type Chunk, type Exchange, Refusal, type Reply } from '../types.ts'
import { readChat } from './openai-ask.ts'
import { promptCache } from './openai-cache.ts'
import { type Counts, type Dialect, dialectOf } from './openai-dialects.ts'
import { errorBody, refuseAsOpenai } from './openai-errors.ts'
import { data, EVENT_STREAM, JSON_BODY } from './sse.ts'

/** Tokens that start the assistant's answer. */
const PRIMER = 3

/** One completion with everything that its bytes are made of. */
type Done = Readonly<{
  exchange: Exchange
  dialect: Dialect
  ask: Ask
  replies: readonly Reply[]
  counts: Counts
  id: string
  call_ids: readonly (readonly string[])[]
  /** `created`, model and so on: what every object of the answer carries. */
  common: Json
}>

const FINISH = { stop: 'stop', length: 'length', tools: 'tool_calls', 'stop-sequence': 'stop' } as const

const TIERS: Readonly<Record<string, string>> = { flex: 'flex', priority: 'priority', fast: 'priority', scale: 'scale' }

const tierOf = (exchange: Exchange): string | undefined => {
  if (exchange.provider === 'groq') return 'on_demand'
  if (!exchange.provider.includes('openai')) return undefined
  return TIERS[text(exchange.json['service_tier']) ?? ''] ?? 'default'
}

const countsOf = (exchange: Exchange, ask: Ask, replies: readonly Reply[], cached: Cached): Counts => ({
  model: ask.model.served,
  prompt: promptTokens(ask.blocks, ask.model.ratio) + PRIMER,
  cached: cached.read,
  written: cached.written,
  audio: promptTokens(ask.blocks, 1, 'audio'),
  visible: replies.reduce((n, reply) => n + reply.visible_tokens, 0),
  reasoning: replies.reduce((n, reply) => n + reply.reasoning_tokens, 0),
  counts_writes: ask.model.counts_writes,
  body: exchange.json,
  api_key: exchange.api_key,
})

const billOf = (done: Done): Bill => {
  const { counts, dialect, exchange } = done
  const service_tier = tierOf(exchange)
  const stated_usd = dialect.stated_usd?.(counts)
  return {
    model: counts.model,
    buckets: {
      in: counts.prompt - counts.cached - counts.written - counts.audio,
      ...(counts.audio > 0 && { in_audio: counts.audio }),
      cr: counts.cached,
      cw: counts.written,
      out: counts.visible,
      out_reasoning: counts.reasoning,
      ...(exchange.provider === 'perplexity' && { requests: 1 }),
    },
    ...(service_tier && { service_tier }),
    ...(stated_usd !== undefined && { stated_usd }),
  }
}

const shownThought = (dialect: Dialect, reply: Reply): Json =>
  dialect.reasoning_field && reply.thought.length > 0 ? { [dialect.reasoning_field]: reply.thought.join('') } : {}

const message = (done: Done, reply: Reply, choice: number): Json => ({
  role: 'assistant',
  content: reply.calls.length > 0 && reply.said.length === 0 ? null : reply.said.join(''),
  ...shownThought(done.dialect, reply),
  refusal: null,
  ...(done.dialect === dialectOf('openai') && { annotations: [] }),
  ...(reply.calls.length > 0 && {
    tool_calls: reply.calls.map((call, i) => ({
      id: done.call_ids[choice]?.[i],
      type: 'function',
      function: { name: call.name, arguments: call.json },
    })),
  }),
})

const whole = (done: Done): string =>
  JSON.stringify({
    id: done.id,
    object: 'chat.completion',
    ...done.common,
    choices: done.replies.map((reply, index) => ({
      index,
      message: message(done, reply, index),
      logprobs: null,
      finish_reason: FINISH[reply.finish],
    })),
    ...(!done.exchange.omit_usage && { usage: done.dialect.usage(done.counts) }),
  })

type ChunkMore = Readonly<{ usage?: Json | null; progress?: { visible: number; reasoning: number } }>
type Emit = (choices: readonly unknown[], more?: ChunkMore, extra?: Json) => Chunk

/** Chunks as this provider writes them: what they carry of usage differs from one to the next. */
const emitter = (done: Done): Emit => {
  const { dialect, exchange } = done
  const asked = truthy(record(exchange.json['stream_options'])['include_usage'])
  const base = { id: done.id, object: 'chat.completion.chunk', ...done.common }
  const running = (progress: ChunkMore['progress']): Json | undefined => {
    if (exchange.omit_usage || dialect.stream_usage !== 'every-chunk' || !progress) return undefined
    return dialect.usage({ ...done.counts, ...progress })
  }
  return (choices, more = {}, extra = {}) => {
    const nulled = dialect.only_when_asked && asked ? null : undefined
    const usage = more.usage ?? running(more.progress) ?? nulled
    return data({ ...base, choices, ...(usage !== undefined && { usage }), ...extra }, more.progress)
  }
}

const delta = (index: number, content: Json, finish: string | null = null): Json => ({
  index,
  delta: content,
  logprobs: null,
  finish_reason: finish,
})

const stepDelta = (
  done: Done,
  reply: Reply,
  choice: number,
  step: ReturnType<typeof timeline>[number],
): Json | undefined => {
  const call = reply.calls[step.call]
  if (step.kind === 'text') return { content: step.text }
  if (step.kind === 'thought') return done.dialect.reasoning_field && { [done.dialect.reasoning_field]: step.text }
  if (step.kind === 'call-part') return { tool_calls: [{ index: step.call, function: { arguments: step.text } }] }
  if (step.kind === 'call-close') return undefined
  const id = done.call_ids[choice]?.[step.call]
  return { tool_calls: [{ index: step.call, id, type: 'function', function: { name: call?.name, arguments: '' } }] }
}

/** The chunks of one choice, its finish left out. `before` is what earlier choices made. */
const choiceChunks = (
  done: Done,
  emit: Emit,
  index: number,
  before: { visible: number; reasoning: number },
): Chunk[] => {
  const reply = done.replies[index]
  if (!reply) return []
  const first = delta(index, { role: 'assistant', content: reply.calls.length > 0 ? null : '', refusal: null })
  const chunks = [emit([first], { progress: before })]
  for (const step of timeline(reply, done.exchange.world.chunk_tokens)) {
    const content = stepDelta(done, reply, index, step)
    const progress = { visible: before.visible + step.visible, reasoning: before.reasoning + step.reasoning }
    if (content) chunks.push(emit([delta(index, content)], { progress }))
  }
  return chunks
}

const chunksOf = (done: Done): Chunk[] => {
  const { dialect, exchange, replies } = done
  const emit = emitter(done)
  const chunks: Chunk[] = dialect.preamble ? [{ bytes: dialect.preamble }] : []
  const asked = truthy(record(exchange.json['stream_options'])['include_usage'])
  const usage = exchange.omit_usage || (dialect.only_when_asked && !asked) ? undefined : dialect.usage(done.counts)
  let before = { visible: 0, reasoning: 0 }
  for (const [index, reply] of replies.entries()) {
    chunks.push(...choiceChunks(done, emit, index, before))
    before = { visible: before.visible + reply.visible_tokens, reasoning: before.reasoning + reply.reasoning_tokens }
    const last = index === replies.length - 1
    const here = last && usage && dialect.stream_usage === 'last-content-chunk'
    const finish = [delta(index, {}, FINISH[reply.finish])]
    chunks.push(emit(finish, { progress: before, ...(here && { usage }) }, here ? dialect.last_chunk?.(usage) : {}))
  }
  if (usage && dialect.stream_usage === 'own-chunk') chunks.push(emit([], { usage, progress: before }))
  if (usage && dialect.stream_usage === 'empty-delta-chunk') {
    chunks.push(emit([delta(0, { role: 'assistant', content: '' })], { usage, progress: before }))
  }
  return [...chunks, { bytes: 'data: [DONE]\n\n' }]
}

const commonOf = (exchange: Exchange, dialect: Dialect, counts: Counts): Json => {
  const service_tier = tierOf(exchange)
  return {
    created: Math.floor(exchange.world.now_us() / 1e6),
    model: counts.model,
    ...(service_tier !== undefined && { service_tier }),
    system_fingerprint: 'fp_simulated',
    ...dialect.extra?.(counts),
  }
}

const headersOf = (exchange: Exchange, id: string): Record<string, string> => ({
  'x-request-id': `req_${id.slice(-20)}`,
  'openai-processing-ms': '12',
  'openai-version': '2020-10-01',
  ...(exchange.provider === 'openai' && { 'openai-organization': 'simulated' }),
})

const answer = (exchange: Exchange): Answer => {
  const { world, json } = exchange
  const dialect = dialectOf(exchange.provider)
  if (dialect.refuses_stream_options && json['stream_options'] !== undefined) {
    throw new Refusal(400, "Unrecognized request argument supplied: 'stream_options'.", { param: 'stream_options' })
  }
  const ask = readChat(exchange)
  const replies = Array.from({ length: number(json['n']) ?? 1 }, (_, choice) => compose(ask, world, choice))
  const cached = promptCache(exchange, ask.model, ask.blocks)
  const counts = countsOf(exchange, ask, replies, cached)
  const id = world.id('chatcmpl-', 29)
  const call_ids = replies.map((reply) => reply.calls.map(() => world.id('call_', 24)))
  const common = commonOf(exchange, dialect, counts)
  const done: Done = { exchange, dialect, ask, replies, counts, id, call_ids, common }
  const shared = { status: 200, bill: billOf(done), on_start: cached.commit }
  const headers = headersOf(exchange, id)
  if (!truthy(json['stream'])) return { ...shared, headers: { ...JSON_BODY, ...headers }, body: whole(done) }
  const broken = new Refusal(500, 'The server had an error while processing your request. Sorry about that!')
  return {
    ...shared,
    headers: { ...EVENT_STREAM, ...headers },
    chunks: chunksOf(done),
    stream_error: `data: ${JSON.stringify(errorBody(broken))}\n\n`,
  }
}

/** Chat completions, in OpenAI's words and in those of the providers who copy them. */
export const openaiChat: Api = {
  name: 'openai-chat',
  recognise: (method, path) =>
    method === 'POST' && (path === '/chat/completions' || /^\/[^/]+\/invocations$/.test(path)),
  answer,
  refuse: refuseAsOpenai,
}
