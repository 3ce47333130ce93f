import { list, number, text } from '../json.ts'
import { openModel } from '../models.ts'
import { seeded } from '../random.ts'
import { tokenize } from '../tokens.ts'
import { type Answer, type Api, type Exchange, Refusal } from '../types.ts'
import { vector } from './openai-simple.ts'
import { JSON_BODY } from './sse.ts'

const asked = (exchange: Exchange): string => {
  const id = text(exchange.json['model'])
  if (id === undefined || !openModel(id)) throw new Refusal(400, `Model ${id ?? ''} is not supported.`)
  return id
}

const tokensOf = (texts: readonly string[]): number => texts.reduce((n, one) => n + tokenize(one).length, 0)

const textsOf = (value: unknown): string[] =>
  (typeof value === 'string' ? [value] : list(value)).filter((one) => typeof one === 'string')

const embed = (exchange: Exchange): Answer => {
  const { json, world } = exchange
  const model = asked(exchange)
  const texts = textsOf(json['input'])
  const total_tokens = tokensOf(texts)
  const dimensions = number(json['output_dimension']) ?? 256
  const data = texts.map((one, index) => ({
    object: 'embedding',
    embedding: vector(world.seed, one, dimensions),
    index,
  }))
  const body = { object: 'list', data, model, ...(!exchange.omit_usage && { usage: { total_tokens } }) }
  return { status: 200, headers: JSON_BODY, body: JSON.stringify(body), bill: { model, buckets: { in: total_tokens } } }
}

/** Voyage counts the query once for every document; Together writes the same counts its own way. */
const rerank = (exchange: Exchange): Answer => {
  const { json, world, provider } = exchange
  const model = asked(exchange)
  const documents = textsOf(json['documents'])
  const query = text(json['query']) ?? ''
  const total_tokens = tokensOf(documents) + documents.length * tokenize(query).length
  const random = seeded(world.seed, 'rerank', query)
  const ranked = documents
    .map((_, index) => ({ index, relevance_score: Number(random.next().toFixed(6)) }))
    .sort((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, number(json['top_k']) ?? number(json['top_n']) ?? documents.length)
  const together = { prompt_tokens: total_tokens, completion_tokens: 0, total_tokens }
  const usage = exchange.omit_usage ? {} : { usage: provider === 'together' ? together : { total_tokens } }
  const rows = provider === 'together' ? { object: 'rerank', results: ranked } : { object: 'list', data: ranked }
  const body = { ...rows, model, ...usage }
  return { status: 200, headers: JSON_BODY, body: JSON.stringify(body), bill: { model, buckets: { in: total_tokens } } }
}

/** Embeddings and rerank of Voyage, and Together's rerank: usage is one total. */
export const voyage: Api = {
  name: 'voyage',
  recognise: (method, path) => method === 'POST' && (path === '/embeddings' || path === '/rerank'),
  answer: (exchange) => (exchange.path === '/rerank' ? rerank(exchange) : embed(exchange)),
  refuse: (refusal) => ({
    status: refusal.status === 529 ? 503 : refusal.status,
    headers: {
      ...JSON_BODY,
      ...(refusal.retry_after_s !== undefined && { 'retry-after': String(refusal.retry_after_s) }),
    },
    body: JSON.stringify({ detail: refusal.status === 401 ? 'Provided API key is invalid.' : refusal.message }),
  }),
}
