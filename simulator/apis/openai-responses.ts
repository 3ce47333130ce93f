import { compose } from '../compose.ts'
import { type Json, list, record, text, truthy } from '../json.ts'
import { promptTokens } from '../prompt.ts'
import type { Cached } from '../prompt-cache.ts'
import { type Answer, type Api, type Ask, type Bill, type Exchange, Refusal, type Reply } from '../types.ts'
import { promptCache } from './openai-cache.ts'
import { refuseAsOpenai } from './openai-errors.ts'
import { readResponses, type Searches, searchesOf } from './responses-ask.ts'
import { responseEvents } from './responses-events.ts'
import { EVENT_STREAM, JSON_BODY } from './sse.ts'

const MOST_STORED = 2_000
/** A background response is done when it is asked for the second time. */
const POLLS_UNTIL_DONE = 2

type Made = Readonly<{ exchange: Exchange; ask: Ask; reply: Reply; cached: Cached; searches: Searches; id: string }>

const TIERS: Readonly<Record<string, string>> = { flex: 'flex', priority: 'priority', fast: 'priority', scale: 'scale' }
const tierOf = (json: Json): string => TIERS[text(json['service_tier']) ?? ''] ?? 'default'

const usageOf = ({ ask, reply, cached }: Made): Json => {
  const input_tokens = promptTokens(ask.blocks, ask.model.ratio) + 3
  const output_tokens = reply.visible_tokens + reply.reasoning_tokens
  return {
    input_tokens,
    input_tokens_details: {
      cached_tokens: cached.read,
      ...(ask.model.counts_writes && { cache_write_tokens: cached.written }),
    },
    output_tokens,
    output_tokens_details: { reasoning_tokens: reply.reasoning_tokens },
    total_tokens: input_tokens + output_tokens,
  }
}

const billOf = (made: Made): Bill => {
  const { ask, reply, cached, searches, exchange } = made
  const prompt = promptTokens(ask.blocks, ask.model.ratio) + 3
  return {
    model: ask.model.served,
    buckets: {
      in: prompt - cached.read - cached.written,
      cr: cached.read,
      cw: cached.written,
      out: reply.visible_tokens,
      out_reasoning: reply.reasoning_tokens,
      ...(searches.searches > 0 && { web_search: searches.searches }),
    },
    service_tier: tierOf(exchange.json),
  }
}

const searchItems = ({ exchange, searches }: Made): Json[] => {
  const item = (action: Json): Json => ({
    id: exchange.world.id('ws_', 48),
    type: 'web_search_call',
    status: 'completed',
    action,
  })
  return [
    ...Array.from({ length: searches.searches }, (_, i) => item({ type: 'search', query: `simulated query ${i + 1}` })),
    ...Array.from({ length: searches.opened }, () => item({ type: 'open_page', url: 'https://example.com/' })),
  ]
}

const outputOf = (made: Made): Json[] => {
  const { exchange, reply } = made
  const { world, json } = exchange
  const status = reply.finish === 'length' ? 'incomplete' : 'completed'
  const summary = record(json['reasoning'])['summary']
  const shown =
    summary === undefined || summary === null ? [] : [{ type: 'summary_text', text: reply.thought.join('') }]
  const reasoning = reply.reasoning_tokens > 0 ? [{ id: world.id('rs_', 48), type: 'reasoning', summary: shown }] : []
  const said = {
    id: world.id('msg_', 48),
    type: 'message',
    status,
    content: [{ type: 'output_text', annotations: [], logprobs: [], text: reply.said.join('') }],
    role: 'assistant',
  }
  const calls = reply.calls.map((call) => ({
    id: world.id('fc_', 48),
    type: 'function_call',
    status: 'completed',
    arguments: call.json,
    call_id: world.id('call_', 24),
    name: call.name,
  }))
  return [...reasoning, ...searchItems(made), ...(reply.said.length > 0 || calls.length === 0 ? [said] : []), ...calls]
}

/** What a response repeats of its request, with the API's defaults. */
const ECHOED: Json = {
  instructions: null,
  max_output_tokens: null,
  parallel_tool_calls: true,
  previous_response_id: null,
  prompt_cache_key: null,
  safety_identifier: null,
  service_tier: 'auto',
  store: true,
  temperature: 1,
  text: { format: { type: 'text' }, verbosity: 'medium' },
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
  user: null,
  metadata: {},
}

/** Everything of a response object that does not change while it is made. */
const frame = ({ exchange, ask, id }: Made): Json => {
  const { json, world } = exchange
  const echoed = Object.entries(ECHOED).map(([name, otherwise]) => [name, json[name] ?? otherwise])
  return {
    id,
    object: 'response',
    created_at: Math.floor(world.now_us() / 1e6),
    background: truthy(json['background']),
    error: null,
    incomplete_details: null,
    max_tool_calls: null,
    model: ask.model.served,
    reasoning: { effort: ask.effort ?? null, summary: record(json['reasoning'])['summary'] ?? null },
    top_logprobs: 0,
    ...Object.fromEntries(echoed),
  }
}

const finishedOf = (made: Made, begun: Json): Json => ({
  ...begun,
  status: made.reply.finish === 'length' ? 'incomplete' : 'completed',
  incomplete_details: made.reply.finish === 'length' ? { reason: 'max_output_tokens' } : null,
  service_tier: tierOf(made.exchange.json),
  output: outputOf(made),
  usage: made.exchange.omit_usage ? null : usageOf(made),
})

const make = (exchange: Exchange): { made: Made; conversation: readonly unknown[] } => {
  const { ask, conversation } = readResponses(exchange)
  const { world } = exchange
  const reply = compose(ask, world)
  const cached = promptCache(exchange, ask.model, ask.blocks)
  const searches = searchesOf(exchange, ask)
  return { made: { exchange, ask, reply, cached, searches, id: world.id('resp_', 48) }, conversation }
}

const store = (exchange: Exchange, response: Json, conversation: readonly unknown[], polls: number): void => {
  const { responses } = exchange.world
  if (exchange.json['store'] === false && polls === 0) return
  const oldest = responses.keys().next().value
  if (responses.size >= MOST_STORED && oldest !== undefined) responses.delete(oldest)
  const items = [...conversation, ...list(response['output'])]
  responses.set(text(response['id']) ?? '', { response, conversation: items, polls })
}

const create = (exchange: Exchange): Answer => {
  const { made, conversation } = make(exchange)
  const { json, world } = exchange
  const begun = { ...frame(made), status: 'in_progress', output: [], usage: null }
  const finished = finishedOf(made, begun)
  const shared = { status: 200, bill: billOf(made), on_start: made.cached.commit }
  const headers = { 'x-request-id': `req_${made.id.slice(-20)}`, 'openai-version': '2020-10-01' }
  if (truthy(json['stream'])) {
    store(exchange, finished, conversation, 0)
    const failed = { ...begun, status: 'failed', error: { code: 'server_error', message: 'The server had an error.' } }
    const said = { type: 'response.failed', sequence_number: 9_999, response: failed }
    return {
      ...shared,
      headers: { ...EVENT_STREAM, ...headers },
      chunks: responseEvents(finished, begun, made.reply, world.chunk_tokens),
      stream_error: `event: response.failed\ndata: ${JSON.stringify(said)}\n\n`,
    }
  }
  const background = truthy(json['background'])
  store(exchange, finished, conversation, background ? POLLS_UNTIL_DONE : 0)
  const shown = background ? { ...begun, status: 'queued' } : finished
  return { ...shared, headers: { ...JSON_BODY, ...headers }, body: JSON.stringify(shown) }
}

const okJson = (body: unknown): Answer => ({ status: 200, headers: JSON_BODY, body: JSON.stringify(body) })

/** Polling, cancelling and deleting a stored response. None of it is charged: the call that created it was. */
const stored = (exchange: Exchange, id: string, action: string | undefined): Answer => {
  const found = exchange.world.responses.get(id)
  if (!found) throw new Refusal(404, `Response with id '${id}' not found.`)
  if (exchange.method === 'DELETE') {
    exchange.world.responses.delete(id)
    return okJson({ id, object: 'response', deleted: true })
  }
  if (action === 'input_items') return okJson({ object: 'list', data: found.conversation, has_more: false })
  if (action === 'cancel' && found.polls > 0) {
    const cancelled = { ...found.response, status: 'cancelled', output: [], usage: null }
    exchange.world.responses.set(id, { ...found, response: cancelled, polls: 0 })
    return okJson(cancelled)
  }
  if (found.polls > 0) found.polls--
  const pending = { ...found.response, status: 'in_progress', output: [], usage: null }
  return okJson(found.polls > 0 ? pending : found.response)
}

/** `/responses/compact`: the user's messages, then one sealed item that stands for the rest. */
const compact = (exchange: Exchange): Answer => {
  const { made, conversation } = make(exchange)
  const sealed = {
    id: exchange.world.id('cmp_', 48),
    type: 'compaction',
    encrypted_content: `gAAAAAB${exchange.world.id('', 120)}`,
  }
  const users = conversation.filter((item) => record(item)['role'] === 'user')
  const output = users.map((item) => {
    const { content } = record(item)
    const parts = typeof content === 'string' ? [{ type: 'input_text', text: content }] : content
    return { id: exchange.world.id('msg_', 48), type: 'message', status: 'completed', role: 'user', content: parts }
  })
  const body = {
    id: made.id,
    object: 'response.compaction',
    created_at: Math.floor(exchange.world.now_us() / 1e6),
    output: [...output, sealed],
    ...(!exchange.omit_usage && { usage: usageOf(made) }),
  }
  return { ...okJson(body), bill: billOf(made), on_start: made.cached.commit }
}

const countInput = (exchange: Exchange): Answer => {
  const { ask } = readResponses(exchange)
  return okJson({ object: 'response.input_tokens', input_tokens: promptTokens(ask.blocks, ask.model.ratio) + 3 })
}

const PATH = /^\/responses(?:\/([^/]+)(?:\/(cancel|input_items))?)?$/

/** The Responses API: whole, streamed, in the background and polled, chained, compacted. */
export const openaiResponses: Api = {
  name: 'openai-responses',
  recognise: (method, path) => ['POST', 'GET', 'DELETE'].includes(method) && PATH.test(path),
  answer: (exchange) => {
    const [, id, action] = PATH.exec(exchange.path) ?? []
    if (exchange.method === 'POST' && id === undefined) return create(exchange)
    if (exchange.method === 'POST' && id === 'compact') return compact(exchange)
    if (exchange.method === 'POST' && id === 'input_tokens') return countInput(exchange)
    return stored(exchange, id ?? '', action)
  },
  refuse: refuseAsOpenai,
}
