import { type Json, list, record, text } from '../json.ts'
import { timeline } from '../timeline.ts'
import { tokenize } from '../tokens.ts'
import type { Answer, Api, Chunk, Exchange } from '../types.ts'
import { billMessage, type Message, makeMessage, messageEvents, wholeMessage } from './anthropic-message.ts'
import { eventFrame, exceptionFrame } from './event-stream.ts'
import { vector } from './openai-simple.ts'
import { JSON_BODY } from './sse.ts'

const BINARY = { 'content-type': 'application/vnd.amazon.eventstream' } as const

/** A `cachePoint` closes the block before it. */
const withCachePoints = (blocks: readonly unknown[], convert: (block: Json) => Json): Json[] =>
  blocks.map(record).flatMap((block, i, all) => {
    if (block['cachePoint'] !== undefined) return []
    const point = all[i + 1]?.['cachePoint']
    const ttl = record(point)['ttl'] === '1h' ? '1h' : '5m'
    return [point === undefined ? convert(block) : { ...convert(block), cache_control: { type: 'ephemeral', ttl } }]
  })

/** What a tool has answered is a text, or JSON that is read as one. */
const resultPart = (value: unknown): Json => {
  const part = record(value)
  return part['json'] === undefined ? part : { text: JSON.stringify(part['json']) }
}

const contentBlock = (block: Json): Json => {
  const use = record(block['toolUse'])
  const result = record(block['toolResult'])
  if (block['toolUse'] !== undefined)
    return { type: 'tool_use', id: use['toolUseId'], name: use['name'], input: use['input'] }
  if (block['toolResult'] !== undefined) {
    return { type: 'tool_result', tool_use_id: result['toolUseId'], content: list(result['content']).map(resultPart) }
  }
  const thought = record(record(block['reasoningContent'])['reasoningText'])
  if (block['reasoningContent'] !== undefined)
    return { type: 'thinking', thinking: thought['text'] ?? '', signature: thought['signature'] }
  if (block['image'] !== undefined) return { type: 'image', source: block['image'] }
  return { type: 'text', text: text(block['text']) ?? JSON.stringify(block) }
}

const toolBlock = (block: Json): Json => {
  const tool = record(block['toolSpec'])
  return { name: tool['name'], description: tool['description'], input_schema: record(tool['inputSchema'])['json'] }
}

const toolChoice = (choice: Json): Json | undefined => {
  if (choice['any'] !== undefined) return { type: 'any' }
  const name = record(choice['tool'])['name']
  return name === undefined ? undefined : { type: 'tool', name }
}

/** A Converse request in the words of Anthropic's API, which is what the simulator reads. */
const asMessages = (json: Json): Json => {
  const config = record(json['inferenceConfig'])
  const tools = record(json['toolConfig'])
  const choice = toolChoice(record(tools['toolChoice']))
  const more = record(json['additionalModelRequestFields'])
  return {
    max_tokens: config['maxTokens'] ?? 4_096,
    stop_sequences: config['stopSequences'],
    ...(json['system'] !== undefined && { system: withCachePoints(list(json['system']), contentBlock) }),
    ...(json['toolConfig'] !== undefined && { tools: withCachePoints(list(tools['tools']), toolBlock) }),
    ...(choice && { tool_choice: choice }),
    ...(more['thinking'] !== undefined && { thinking: more['thinking'] }),
    messages: list(json['messages'])
      .map(record)
      .map((message) => ({ role: message['role'], content: withCachePoints(list(message['content']), contentBlock) })),
  }
}

const STOP = { stop: 'end_turn', length: 'max_tokens', tools: 'tool_use', 'stop-sequence': 'stop_sequence' } as const

/** Cached tokens are not among the input's; each count of them is there twice under two names. */
const usageOf = ({ input, cached, reply }: Message): Json => {
  const inputTokens = input - cached.read - cached.written
  const outputTokens = reply.visible_tokens + reply.reasoning_tokens
  return {
    inputTokens,
    outputTokens,
    totalTokens: input + outputTokens,
    cacheReadInputTokens: cached.read,
    cacheReadInputTokenCount: cached.read,
    cacheWriteInputTokens: cached.written,
    cacheWriteInputTokenCount: cached.written,
    ...(cached.written > 0 && {
      cacheDetails: [
        { ttl: '1h', inputTokens: cached.written_1h },
        { ttl: '5m', inputTokens: cached.written_5m },
      ].filter((detail) => detail.inputTokens > 0),
    }),
  }
}

const tail = (message: Message): Json => {
  const tier = record(message.exchange.json['serviceTier'])['type']
  return {
    ...(!message.exchange.omit_usage && { usage: usageOf(message) }),
    metrics: { latencyMs: 120 },
    ...(tier !== undefined && { serviceTier: { type: tier } }),
  }
}

const wholeConverse = (message: Message): Json => {
  const { reply, call_ids, signature } = message
  const content = [
    ...(reply.reasoning_tokens > 0
      ? [{ reasoningContent: { reasoningText: { text: reply.thought.join(''), signature } } }]
      : []),
    ...(reply.said.length > 0 ? [{ text: reply.said.join('') }] : []),
    ...reply.calls.map((call, i) => ({
      toolUse: { toolUseId: call_ids[i], name: call.name, input: JSON.parse(call.json) },
    })),
  ]
  return { output: { message: { role: 'assistant', content } }, stopReason: STOP[reply.finish], ...tail(message) }
}

const converseFrames = (message: Message): Chunk[] => {
  const { reply, exchange, call_ids, signature } = message
  const chunks: Chunk[] = []
  let index = -1
  let open = ''
  const say = (type: string, payload: Json, progress?: { visible: number; reasoning: number }): void => {
    chunks.push({
      bytes: eventFrame(type, { ...payload, p: 'abcdefghij' }),
      ...(progress && { visible: progress.visible, reasoning: progress.reasoning }),
    })
  }
  const close = (): void => {
    // A thought ends with its signature, without which it cannot be sent back.
    if (open === 'thought')
      say('contentBlockDelta', { contentBlockIndex: index, delta: { reasoningContent: { signature } } })
    if (open !== '') say('contentBlockStop', { contentBlockIndex: index })
    open = ''
  }
  say('messageStart', { role: 'assistant' })
  for (const step of timeline(reply, exchange.world.chunk_tokens)) {
    const block = step.kind.startsWith('call') ? `call ${step.call}` : step.kind
    if (block !== open) {
      close()
      index++
      open = block
    }
    const at = { contentBlockIndex: index }
    const name = reply.calls[step.call]?.name
    if (step.kind === 'call-open') {
      say('contentBlockStart', { ...at, start: { toolUse: { toolUseId: call_ids[step.call], name } } })
    } else if (step.kind === 'call-part')
      say('contentBlockDelta', { ...at, delta: { toolUse: { input: step.text } } }, step)
    else if (step.kind === 'text') say('contentBlockDelta', { ...at, delta: { text: step.text } }, step)
    else if (step.kind === 'thought')
      say('contentBlockDelta', { ...at, delta: { reasoningContent: { text: step.text } } }, step)
  }
  close()
  say('messageStop', { stopReason: STOP[reply.finish] })
  say('metadata', tail(message), { visible: reply.visible_tokens, reasoning: reply.reasoning_tokens })
  return chunks
}

const countHeaders = ({ input, cached, reply, exchange }: Message): Record<string, string> => {
  if (exchange.omit_usage) return {}
  return {
    'x-amzn-bedrock-input-token-count': String(input - cached.read - cached.written),
    'x-amzn-bedrock-output-token-count': String(reply.visible_tokens + reply.reasoning_tokens),
    'x-amzn-bedrock-cache-read-input-token-count': String(cached.read),
    'x-amzn-bedrock-cache-write-input-token-count': String(cached.written),
  }
}

/** Anthropic's own events, each as base64 in a frame; the last one carries the invocation's metrics. */
const invokeFrames = (message: Message): Chunk[] => {
  const { input, cached, reply } = message
  const metrics = {
    inputTokenCount: input - cached.read - cached.written,
    outputTokenCount: reply.visible_tokens + reply.reasoning_tokens,
    invocationLatency: 120,
    firstByteLatency: 40,
    cacheReadInputTokenCount: cached.read,
    cacheWriteInputTokenCount: cached.written,
  }
  return messageEvents(message).map((chunk) => {
    const said = JSON.parse(String(chunk.bytes).split('\ndata: ')[1] ?? '{}') as Json
    const counted = said['type'] === 'message_stop' && !message.exchange.omit_usage
    const native = counted ? { ...said, 'amazon-bedrock-invocationMetrics': metrics } : said
    const bytes = Buffer.from(JSON.stringify(native)).toString('base64')
    return { ...chunk, bytes: eventFrame('chunk', { bytes, p: 'abcdef' }) }
  })
}

const titanEmbedding = (exchange: Exchange, model: string): Answer => {
  const said = text(exchange.json['inputText']) ?? ''
  const tokens = tokenize(said).length
  const headers = exchange.omit_usage ? {} : { 'x-amzn-bedrock-input-token-count': String(tokens) }
  const body = { embedding: vector(exchange.world.seed, said, 256), inputTextTokenCount: tokens }
  return {
    status: 200,
    headers: { ...JSON_BODY, ...headers },
    body: JSON.stringify(body),
    bill: { model, buckets: { in: tokens } },
  }
}

const PATH = /^\/model\/([^/]+)\/(converse|converse-stream|invoke|invoke-with-response-stream)$/

const answer = (exchange: Exchange): Answer => {
  const [, encoded = '', operation = ''] = PATH.exec(exchange.path) ?? []
  const model = decodeURIComponent(encoded)
  if (/embed/.test(model)) return titanEmbedding(exchange, model)
  const converse = operation.startsWith('converse')
  const message = makeMessage(
    converse ? { ...exchange, json: { ...exchange.json, ...asMessages(exchange.json) } } : exchange,
  )
  const bill = { ...billMessage(message), model }
  const shared = { status: 200, bill, on_start: message.cached.commit }
  const headers = { 'x-amzn-requestid': message.id }
  if (operation === 'converse') {
    return { ...shared, headers: { ...JSON_BODY, ...headers }, body: JSON.stringify(wholeConverse(message)) }
  }
  if (operation === 'invoke') {
    const all = { ...JSON_BODY, ...headers, ...countHeaders(message) }
    return { ...shared, headers: all, body: JSON.stringify(wholeMessage(message)) }
  }
  return {
    ...shared,
    headers: { ...BINARY, ...headers },
    chunks: converse ? converseFrames(message) : invokeFrames(message),
    stream_error: exceptionFrame('modelStreamErrorException', 'The model stopped in the middle of its answer.'),
  }
}

const TYPES: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  401: 'UnrecognizedClientException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  429: 'ThrottlingException',
  503: 'ServiceUnavailableException',
}

/** Converse and InvokeModel of Claude, whole and as binary event streams; Titan's embeddings. */
export const bedrock: Api = {
  name: 'bedrock',
  recognise: (method, path) => method === 'POST' && PATH.test(path),
  answer,
  refuse: (refusal) => {
    const keyless = refusal.status === 401
    const status = keyless ? 403 : refusal.status === 529 ? 503 : refusal.status
    const type = keyless ? 'UnrecognizedClientException' : (TYPES[status] ?? 'InternalServerException')
    const message = keyless ? 'The security token included in the request is invalid.' : refusal.message
    return { status, headers: { ...JSON_BODY, 'x-amzn-errortype': type }, body: JSON.stringify({ message }) }
  },
}
