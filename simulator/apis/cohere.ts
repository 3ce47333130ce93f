import { compose } from '../compose.ts'
import { type Json, list, number, record, text, truthy } from '../json.ts'
import { openModel } from '../models.ts'
import { promptTokens } from '../prompt.ts'
import { seeded } from '../random.ts'
import { timeline } from '../timeline.ts'
import { tokenize } from '../tokens.ts'
import { type Answer, type Api, type Ask, type Chunk, type Exchange, Refusal, type Reply } from '../types.ts'
import { contentBlocks, contentText } from './openai-ask.ts'
import { vector } from './openai-simple.ts'
import { EVENT_STREAM, event, JSON_BODY } from './sse.ts'

/** Cohere's own preamble: counted in `usage.tokens`, not billed. */
const PREAMBLE = 1_360

const asked = (exchange: Exchange): string => {
  const id = text(exchange.json['model'])
  if (id === undefined) throw new Refusal(400, 'invalid request: model is required')
  if (!openModel(id))
    throw new Refusal(
      404,
      `model '${id}' not found, make sure the correct model ID was used and that you have access to the model.`,
    )
  return id
}

const read = (exchange: Exchange): Ask => {
  const id = asked(exchange)
  const messages = list(exchange.json['messages']).map(record)
  if (messages.length === 0) throw new Refusal(400, 'invalid request: at least one message is required')
  const users = messages
    .filter((message) => message['role'] === 'user')
    .map((message) => contentText(message['content']))
  const max_output = number(exchange.json['max_tokens'])
  const model = openModel(id)
  if (!model) throw new Refusal(404, `model '${id}' not found`)
  return {
    model: { ...model, reasons: /reason/.test(id) ? 'by-default' : 'never' },
    blocks: messages.flatMap((message) =>
      contentBlocks('messages', text(message['role']) ?? 'user', message['content']),
    ),
    tools: list(exchange.json['tools']).map((tool) => {
      const { name, parameters } = record(record(tool)['function'])
      return { name: text(name) ?? 'tool', schema: record(parameters) }
    }),
    tool_choice: exchange.json['tool_choice'] === 'REQUIRED' ? 'required' : 'auto',
    parallel: true,
    stop: [],
    opening: users[0] ?? '',
    latest: users.at(-1) ?? '',
    rounds: messages
      .slice(messages.findLastIndex((m) => m['role'] === 'user') + 1)
      .filter((m) => list(m['tool_calls']).length > 0).length,
    ...(max_output !== undefined && { max_output }),
  }
}

const FINISH = { stop: 'COMPLETE', length: 'MAX_TOKENS', tools: 'TOOL_CALL', 'stop-sequence': 'STOP_SEQUENCE' } as const

type Made = Readonly<{ exchange: Exchange; ask: Ask; reply: Reply; id: string; call_ids: readonly string[] }>

const usageOf = ({ ask, reply }: Made): Json => {
  const input_tokens = promptTokens(ask.blocks, 1)
  const output_tokens = reply.visible_tokens + reply.reasoning_tokens
  return {
    billed_units: { input_tokens, output_tokens },
    tokens: { input_tokens: input_tokens + PREAMBLE, output_tokens: output_tokens + 4 },
    cached_tokens: PREAMBLE - (PREAMBLE % 16),
  }
}

const callsOf = ({ reply, call_ids }: Made): Json[] =>
  reply.calls.map((call, i) => ({
    id: call_ids[i],
    type: 'function',
    function: { name: call.name, arguments: call.json },
  }))

const whole = (made: Made): Json => {
  const { reply } = made
  const thought = reply.reasoning_tokens > 0 ? [{ type: 'thinking', thinking: reply.thought.join('') }] : []
  return {
    id: made.id,
    message: {
      role: 'assistant',
      content: [...thought, ...(reply.said.length > 0 ? [{ type: 'text', text: reply.said.join('') }] : [])],
      ...(reply.calls.length > 0 && { tool_calls: callsOf(made) }),
    },
    finish_reason: FINISH[reply.finish],
    ...(!made.exchange.omit_usage && { usage: usageOf(made) }),
  }
}

const streamed = (made: Made): Chunk[] => {
  const { reply, exchange } = made
  const chunks: Chunk[] = []
  const say = (type: string, fields: Json, progress?: { visible: number; reasoning: number }): void => {
    chunks.push(event(type, { type, ...fields }, progress))
  }
  say('message-start', {
    id: made.id,
    delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
  })
  const steps = timeline(reply, exchange.world.chunk_tokens)
  let index = 0
  for (const [kind, field] of [
    ['thought', 'thinking'],
    ['text', 'text'],
  ] as const) {
    const own = steps.filter((step) => step.kind === kind)
    if (own.length === 0) continue
    say('content-start', { index, delta: { message: { content: { type: field, [field]: '' } } } })
    for (const step of own)
      say('content-delta', { index, delta: { message: { content: { [field]: step.text } } } }, step)
    say('content-end', { index })
    index++
  }
  for (const [i, call] of callsOf(made).entries()) {
    const fields = record(call['function'])
    say('tool-call-start', {
      index: i,
      delta: { message: { tool_calls: { ...call, function: { ...fields, arguments: '' } } } },
    })
    for (const step of steps.filter((one) => one.kind === 'call-part' && one.call === i)) {
      say(
        'tool-call-delta',
        { index: i, delta: { message: { tool_calls: { function: { arguments: step.text } } } } },
        step,
      )
    }
    say('tool-call-end', { index: i })
  }
  const usage = exchange.omit_usage ? {} : { usage: usageOf(made) }
  const all = { visible: reply.visible_tokens, reasoning: reply.reasoning_tokens }
  say('message-end', { delta: { finish_reason: FINISH[reply.finish], ...usage } }, all)
  return chunks
}

const chat = (exchange: Exchange): Answer => {
  const ask = read(exchange)
  const { world } = exchange
  const reply = compose(ask, world)
  const made: Made = { exchange, ask, reply, id: world.id('', 36), call_ids: reply.calls.map(() => world.id('', 12)) }
  const bill = {
    model: ask.model.served,
    buckets: { in: promptTokens(ask.blocks, 1), out: reply.visible_tokens, out_reasoning: reply.reasoning_tokens },
  }
  if (!truthy(exchange.json['stream']))
    return { status: 200, headers: JSON_BODY, body: JSON.stringify(whole(made)), bill }
  const broken = { type: 'message-end', delta: { error: 'internal server error', finish_reason: 'ERROR' } }
  return {
    status: 200,
    headers: EVENT_STREAM,
    chunks: streamed(made),
    bill,
    stream_error: `event: message-end\ndata: ${JSON.stringify(broken)}\n\n`,
  }
}

/** One search unit is a query with up to 100 documents. */
const rerank = (exchange: Exchange): Answer => {
  const { json, world } = exchange
  const model = asked(exchange)
  const documents = list(json['documents'])
  const random = seeded(world.seed, 'rerank', text(json['query']) ?? '')
  const results = documents
    .map((_, index) => ({ index, relevance_score: Number(random.next().toFixed(6)) }))
    .sort((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, number(json['top_n']) ?? documents.length)
  const search_units = Math.max(1, Math.ceil(documents.length / 100))
  const meta = { api_version: { version: '2' }, ...(!exchange.omit_usage && { billed_units: { search_units } }) }
  const body = { id: world.id('', 36), results, meta }
  return {
    status: 200,
    headers: JSON_BODY,
    body: JSON.stringify(body),
    bill: { model, buckets: { rerank_units: search_units } },
  }
}

const embed = (exchange: Exchange): Answer => {
  const { json, world } = exchange
  const model = asked(exchange)
  const texts = list(json['texts']).filter((one) => typeof one === 'string')
  const input_tokens = texts.reduce((n, one) => n + tokenize(one).length, 0)
  const float = texts.map((one) => vector(world.seed, one, number(json['output_dimension']) ?? 256))
  const meta = { api_version: { version: '2' }, ...(!exchange.omit_usage && { billed_units: { input_tokens } }) }
  const body = { id: world.id('', 36), embeddings: { float }, texts, meta, response_type: 'embeddings_by_type' }
  return { status: 200, headers: JSON_BODY, body: JSON.stringify(body), bill: { model, buckets: { in: input_tokens } } }
}

const operations: Readonly<Record<string, (exchange: Exchange) => Answer>> = {
  '/chat': chat,
  '/rerank': rerank,
  '/embed': embed,
}

/** Cohere v2: chat, rerank, embed. What is billed stands in `billed_units`. */
export const cohere: Api = {
  name: 'cohere',
  recognise: (method, path) => method === 'POST' && Object.hasOwn(operations, path),
  answer: (exchange) => operations[exchange.path]?.(exchange) ?? { status: 404, headers: {}, body: '' },
  refuse: (refusal) => ({
    status: refusal.status === 529 ? 503 : refusal.status,
    headers: {
      ...JSON_BODY,
      ...(refusal.retry_after_s !== undefined && { 'retry-after': String(refusal.retry_after_s) }),
    },
    body: JSON.stringify({ message: refusal.status === 401 ? 'invalid api token' : refusal.message }),
  }),
}
