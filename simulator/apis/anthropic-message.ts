import { compose, directive } from '../compose.ts'
import { type Json, list, record, text } from '../json.ts'
import { promptTokens } from '../prompt.ts'
import { type Cached, explicit } from '../prompt-cache.ts'
import { timeline } from '../timeline.ts'
import type { Ask, Bill, Chunk, Exchange, Reply } from '../types.ts'
import { readMessages } from './anthropic-ask.ts'
import { event } from './sse.ts'

/** A message with everything that its bytes are made of. */
export type Message = Readonly<{
  exchange: Exchange
  ask: Ask
  reply: Reply
  cached: Cached
  /** All input, cache reads and writes included. */
  input: number
  id: string
  call_ids: readonly string[]
  signature: string
  /** Hosted web searches: each is a fee, and what it finds is further input. */
  searches: readonly Search[]
}>

type Search = Readonly<{ id: string; query: string }>

/** Tokens that the results of one search add to the input, after the message has started. */
const FOUND = 1_500

/** Tokens around every prompt. */
const FRAME = 5

export const inputTokens = (ask: Ask): number => promptTokens(ask.blocks, ask.model.ratio) + FRAME

const STOP = { stop: 'end_turn', length: 'max_tokens', tools: 'tool_use', 'stop-sequence': 'stop_sequence' } as const

const searchesOf = ({ json }: Exchange, ask: Ask): string[] => {
  const offered = list(json['tools']).some((tool) => /^web_search_/.test(text(record(tool)['type']) ?? ''))
  const count = offered ? (directive(ask, 'searches') ?? 1) : 0
  return Array.from({ length: count }, (_, i) => `simulated query ${i + 1}`)
}

export const makeMessage = (exchange: Exchange): Message => {
  const ask = readMessages(exchange)
  const { world, api_key, provider } = exchange
  const scope = [provider, api_key, ask.model.id].join(' ')
  const place = { scope, now_us: world.now_us(), caches: world.caches }
  const cached = explicit(place, ask.blocks, ask.model.ratio, ask.model.cache_minimum)
  const reply = compose(ask, world)
  return {
    exchange,
    ask,
    reply,
    cached,
    input: inputTokens(ask),
    id: world.id('msg_01', 22),
    call_ids: reply.calls.map(() => world.id('toolu_01', 22)),
    signature: reply.reasoning_tokens > 0 ? `${world.id('', 86)}==` : '',
    searches: searchesOf(exchange, ask).map((query) => ({ id: world.id('srvtoolu_01', 22), query })),
  }
}

const tierOf = (exchange: Exchange): string =>
  text(exchange.json['service_tier']) === 'priority' ? 'priority' : 'standard'

/** The extra fields that a request can turn on. */
const circumstances = ({ json }: Exchange): Json => ({
  inference_geo: text(json['inference_geo']) ?? 'not_available',
  ...(json['speed'] !== undefined && { speed: json['speed'] }),
})

/** Input that was neither read from the cache nor written to it; `found` adds what the searches brought. */
const freshInput = ({ input, cached, searches }: Message, found: boolean): number =>
  input - cached.read - cached.written + (found ? searches.length * FOUND : 0)

const searchUsage = ({ searches }: Message): Json =>
  searches.length === 0 ? {} : { server_tool_use: { web_search_requests: searches.length, web_fetch_requests: 0 } }

const inputUsage = (message: Message, found: boolean): Json => ({
  input_tokens: freshInput(message, found),
  cache_creation_input_tokens: message.cached.written,
  cache_read_input_tokens: message.cached.read,
})

const outputUsage = ({ reply }: Message): Json => ({
  output_tokens: reply.visible_tokens + reply.reasoning_tokens,
  ...(reply.reasoning_tokens > 0 && { output_tokens_details: { thinking_tokens: reply.reasoning_tokens } }),
})

const splitUsage = ({ cached, exchange }: Message): Json => ({
  cache_creation: { ephemeral_5m_input_tokens: cached.written_5m, ephemeral_1h_input_tokens: cached.written_1h },
  service_tier: tierOf(exchange),
  ...circumstances(exchange),
})

export const billMessage = (message: Message): Bill => ({
  model: message.ask.model.served,
  buckets: {
    in: freshInput(message, true),
    cr: message.cached.read,
    cw5m: message.cached.written_5m,
    cw1h: message.cached.written_1h,
    out: message.reply.visible_tokens,
    out_reasoning: message.reply.reasoning_tokens,
    ...(message.searches.length > 0 && { web_search: message.searches.length }),
  },
  service_tier: tierOf(message.exchange),
})

const base = (message: Message): Json => ({
  id: message.id,
  type: 'message',
  role: 'assistant',
  model: message.ask.model.served,
})

const searchBlocks = ({ searches }: Pick<Message, 'searches'>): Json[] =>
  searches.flatMap(({ id, query }) => [
    { type: 'server_tool_use', id, name: 'web_search', input: { query } },
    { type: 'web_search_tool_result', tool_use_id: id, content: [foundPage(query)] },
  ])

const foundPage = (query: string): Json => ({
  type: 'web_search_result',
  url: 'https://example.com/found',
  title: query,
  encrypted_content: 'EqgfCioIARgBIiQ3YTAwMjY1Mi1mZjM5LTQ1NGUtODgxNC1kNjNjNTk1ZWI3Y',
  page_age: null,
})

const content = ({ reply, call_ids, signature, searches }: Message): Json[] => [
  ...(reply.reasoning_tokens > 0 ? [{ type: 'thinking', thinking: reply.thought.join(''), signature }] : []),
  ...searchBlocks({ searches }),
  ...(reply.said.length > 0 ? [{ type: 'text', text: reply.said.join('') }] : []),
  ...reply.calls.map((call, i) => ({
    type: 'tool_use',
    id: call_ids[i],
    name: call.name,
    input: JSON.parse(call.json),
  })),
]

export const wholeMessage = (message: Message): Json => ({
  ...base(message),
  content: content(message),
  stop_reason: STOP[message.reply.finish],
  stop_sequence: message.reply.stop_sequence ?? null,
  ...(!message.exchange.omit_usage && {
    usage: { ...inputUsage(message, true), ...splitUsage(message), ...outputUsage(message), ...searchUsage(message) },
  }),
})

type Steps = ReturnType<typeof timeline>
type Say = (type: string, fields: Json, progress?: Steps[number]) => void

const sayText = (say: Say, index: number, steps: Steps): void => {
  say('content_block_start', { index, content_block: { type: 'text', text: '' } })
  for (const step of steps) say('content_block_delta', { index, delta: { type: 'text_delta', text: step.text } }, step)
  say('content_block_stop', { index })
}

const sayThought = (say: Say, index: number, steps: Steps, signature: string): void => {
  say('content_block_start', { index, content_block: { type: 'thinking', thinking: '', signature: '' } })
  for (const step of steps)
    say('content_block_delta', { index, delta: { type: 'thinking_delta', thinking: step.text } }, step)
  say('content_block_delta', { index, delta: { type: 'signature_delta', signature } })
  say('content_block_stop', { index })
}

const sayCall = (say: Say, index: number, steps: Steps, call: Json): void => {
  say('content_block_start', { index, content_block: { type: 'tool_use', ...call, input: {} } })
  say('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: '' } })
  for (const step of steps) {
    if (step.kind !== 'call-part') continue
    say('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: step.text } }, step)
  }
  say('content_block_stop', { index })
}

const saySearch = (say: Say, index: number, block: Json): void => {
  const { input, ...opened } = block
  const partial_json = JSON.stringify(input)
  say('content_block_start', { index, content_block: input === undefined ? block : { ...opened, input: {} } })
  if (input !== undefined) say('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json } })
  say('content_block_stop', { index })
}

/** The message as a stream of events: usage of the input at the start, the whole usage again in `message_delta`. */
export const messageEvents = (message: Message): Chunk[] => {
  const { exchange, reply } = message
  const chunks: Chunk[] = []
  const say: Say = (type, fields, progress) => void chunks.push(event(type, { type, ...fields }, progress))
  const counted = !exchange.omit_usage
  const start = { ...inputUsage(message, false), ...splitUsage(message), output_tokens: 1 }
  const opened = {
    ...base(message),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...(counted && { usage: start }),
  }
  say('message_start', { message: opened })
  say('ping', {})
  const steps = timeline(reply, exchange.world.chunk_tokens)
  let index = 0
  const thought = steps.filter((step) => step.kind === 'thought')
  if (reply.reasoning_tokens > 0) sayThought(say, index++, thought, message.signature)
  for (const block of searchBlocks(message)) saySearch(say, index++, block)
  const said = steps.filter((step) => step.kind === 'text')
  if (said.length > 0) sayText(say, index++, said)
  for (const [i, call] of reply.calls.entries()) {
    const own = steps.filter((step) => step.call === i)
    sayCall(say, index++, own, { id: message.call_ids[i], name: call.name })
  }
  const delta = { stop_reason: STOP[reply.finish], stop_sequence: reply.stop_sequence ?? null }
  const usage = { ...inputUsage(message, true), ...outputUsage(message), ...searchUsage(message) }
  const all = { visible: reply.visible_tokens, reasoning: reply.reasoning_tokens }
  chunks.push(event('message_delta', { type: 'message_delta', delta, ...(counted && { usage }) }, all))
  say('message_stop', {})
  return chunks
}
