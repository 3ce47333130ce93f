/** Every wire but those of `receipts.test.ts`, over HTTP: what a receipt says is what the provider itself charges, meter by meter. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultSettings } from '../../src/config.ts'
import { loadPrices } from '../../src/gateway/prices.ts'
import { billedMeters, meteredMeters } from './bill.ts'
import { type House, startHouse } from './harness.ts'

let house: House
/** Prices end: a test must not. */
const NOW_US = Date.UTC(2026, 10, 23, 12) * 1000
const credentials = { api_key: 'ours' }
beforeAll(async () => {
  house = await startHouse({
    providers: {
      ...Object.fromEntries(
        ['openai', 'azure-openai', 'cohere', 'voyage', 'together', 'deepseek', 'mistral', 'x-ai', 'perplexity'].map(
          (name) => [name, { credentials }],
        ),
      ),
      openrouter: { credentials },
      'vertex-ai': { region: 'us-east5', options: { project: 'p' }, credentials },
      'aws-bedrock': { region: 'us-east-1', credentials: { access_key_id: 'AKID', secret_access_key: 'secret' } },
    },
    // The book that is shipped: names that providers use must be found in it.
    overrides: {
      prices: await loadPrices(defaultSettings),
      now_us: () => NOW_US + Math.round(performance.now() * 1000),
    },
  })
})
afterAll(() => house.close())

type Sent = Readonly<{ body: unknown; headers?: Record<string, string> }>

const send = async (path: string, { body, headers = {} }: Sent) => {
  const form = body instanceof FormData
  const response = await fetch(house.gateway.url + path, {
    method: 'POST',
    headers: { authorization: 'Bearer client', ...(form ? {} : { 'content-type': 'application/json' }), ...headers },
    body: form ? body : JSON.stringify(body),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  expect([path, response.status, response.status === 200 ? '' : bytes.toString()]).toEqual([path, 200, ''])
  return bytes
}

/** The newest receipt beside the newest bill. */
const newest = async () => {
  const receipt = (await house.receipts()).at(-1)
  const call = house.simulator.calls.at(-1)
  if (!receipt || !call) throw new Error('nothing arrived')
  return { receipt, call }
}

const expectBilled = async () => {
  const { receipt, call } = await newest()
  expect(meteredMeters(receipt)).toEqual(billedMeters(call))
  expect(Object.keys(billedMeters(call)).length).toBeGreaterThan(0)
  // Sonar was switched off in September, so the book has no price for it: what Perplexity states is the cost.
  const price_state = receipt.provider === 'perplexity' ? 'stated' : 'priced'
  expect(receipt).toMatchObject({ outcome: 'ok', usage_source: 'provider', price_state })
  const { stated_usd } = call.bill ?? {}
  if (stated_usd === undefined) return receipt
  expect(Number(receipt.stated_cost_usd)).toBeCloseTo(Number(stated_usd), 12)
  expect(Number(receipt.cost_usd)).toBeCloseTo(Number(stated_usd), 12)
  return receipt
}

const long = 'The river carries water, leaves and boats past the old mill. '.repeat(300)
const messages = [
  { role: 'system', content: long },
  { role: 'user', content: 'What is a weir? sim:output=24' },
]
/** Perplexity has no prompt cache to speak of. */
const question = messages.slice(1)
const tools = [
  {
    type: 'function',
    function: { name: 'gauge', parameters: { type: 'object', properties: { place: { type: 'string' } } } },
  },
]

describe('the receipt equals the bill', () => {
  const claude = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'
  const converse = {
    system: [{ text: long }, { cachePoint: { type: 'default' } }],
    messages: [{ role: 'user', content: [{ text: 'What is a weir?' }] }],
  }
  const invoke = {
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 200,
    system: [{ type: 'text', text: long, cache_control: { type: 'ephemeral' } }],
    messages: [{ role: 'user', content: 'What is a weir?' }],
  }
  const model = (operation: string) => `/model/${encodeURIComponent(claude)}/${operation}`
  const vertex = '/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929'
  const rawPredict = { ...invoke, anthropic_version: 'vertex-2023-10-16' }
  const azure = '/azure-openai/openai/deployments/gpt-4o/chat/completions?api-version=2026-01-01'

  const asks: readonly (readonly [string, string, Record<string, unknown>])[] = [
    ['Cohere chat', '/v2/chat', { model: 'command-a-03-2025', messages }],
    ['Cohere chat streamed', '/v2/chat', { model: 'command-a-03-2025', messages, stream: true }],
    ['Cohere chat with tools', '/v2/chat', { model: 'command-a-03-2025', messages, tools, tool_choice: 'REQUIRED' }],
    [
      'Cohere embed',
      '/v2/embed',
      { model: 'embed-v4.0', texts: ['a river', 'a weir'], input_type: 'search_query', embedding_types: ['float'] },
    ],
    [
      'Cohere rerank of more than a unit',
      '/v2/rerank',
      { model: 'rerank-v3.5', query: 'q', documents: Array.from({ length: 101 }, (_, index) => `document ${index}`) },
    ],
    ['Voyage embed', '/voyage/v1/embeddings', { model: 'voyage-3.5', input: ['a river', 'a weir'] }],
    ['Voyage rerank', '/voyage/v1/rerank', { model: 'rerank-2.5', query: 'a river', documents: ['a', 'b'] }],
    [
      'Together rerank',
      '/together/v1/rerank',
      { model: 'Salesforce/Llama-Rank-V1', query: 'a river', documents: ['a', 'b'] },
    ],
    ['Bedrock Converse, written to the cache and read', model('converse'), converse],
    ['Bedrock ConverseStream, written to the cache and read', model('converse-stream'), converse],
    ['Bedrock InvokeModel, written to the cache and read', model('invoke'), invoke],
    ['Bedrock InvokeModelWithResponseStream', model('invoke-with-response-stream'), invoke],
    ['Bedrock Titan embeddings', '/model/amazon.titan-embed-text-v2:0/invoke', { inputText: 'a river and a weir' }],
    ['OpenAI images', '/v1/images/generations', { model: 'gpt-image-1', prompt: 'a weir', n: 2, quality: 'low' }],
    ['OpenAI speech', '/v1/audio/speech', { model: 'tts-1', input: 'The river rises.', voice: 'alloy' }],
    ['OpenAI completions', '/v1/completions', { model: 'gpt-3.5-turbo-instruct', prompt: 'A weir', max_tokens: 30 }],
    [
      'OpenAI completions streamed',
      '/v1/completions',
      { model: 'gpt-3.5-turbo-instruct', prompt: 'A weir', max_tokens: 30, stream: true },
    ],
    ['OpenAI compaction', '/v1/responses/compact', { model: 'gpt-5-mini', input: messages }],
    ['OpenAI web search', '/v1/responses', { model: 'gpt-5-mini', input: 'News?', tools: [{ type: 'web_search' }] }],
    ['Azure', azure, { messages }],
    ['Azure streamed', azure, { messages, stream: true }],
    ['Vertex rawPredict', `${vertex}:rawPredict`, rawPredict],
    ['Vertex streamRawPredict', `${vertex}:streamRawPredict`, { ...rawPredict, stream: true }],
    ['DeepSeek', '/deepseek/chat/completions', { model: 'deepseek-v4-flash', messages }],
    ['DeepSeek streamed', '/deepseek/chat/completions', { model: 'deepseek-v4-flash', messages, stream: true }],
    ['Mistral', '/mistral/v1/chat/completions', { model: 'mistral-small-latest', messages }],
    ['Mistral streamed', '/mistral/v1/chat/completions', { model: 'mistral-small-latest', messages, stream: true }],
    ['xAI', '/x-ai/v1/chat/completions', { model: 'grok-4.7', messages }],
    ['xAI streamed', '/x-ai/v1/chat/completions', { model: 'grok-4.7', messages, stream: true }],
    ['Perplexity', '/perplexity/chat/completions', { model: 'sonar-pro', messages: question }],
    ['Perplexity streamed', '/perplexity/chat/completions', { model: 'sonar', messages: question, stream: true }],
    ['OpenRouter', '/openrouter/api/v1/chat/completions', { model: 'x-ai/grok-4.7', messages }],
    ['OpenRouter streamed', '/openrouter/api/v1/chat/completions', { model: 'x-ai/grok-4.7', messages, stream: true }],
  ]

  test.each(asks)('of %s', async (_, path, body) => {
    await send(path, { body })
    await expectBilled()
    // Once more: what was cached by the first is now read.
    await send(path, { body })
    await expectBilled()
  })

  const contents = [{ role: 'user', parts: [{ text: 'What is a weir?' }] }]

  test.each([
    ['/openai/v1/chat/complet%69ons', '/openai/v1/chat/completions', { model: 'gpt-4o', messages }],
    ['/v1/chat/completions/', '/openai/v1/chat/completions', { model: 'gpt-4o', messages }],
    [
      '/v1beta/models/gemini-2.5-flash%3AgenerateContent',
      '/google/v1beta/models/gemini-2.5-flash:generateContent',
      { contents },
    ],
  ])('of %s, which the provider gets as it was metered', async (path, plain, body) => {
    await send(path, { body })
    await expectBilled()
    expect(house.simulator.calls.at(-1)?.path).toBe(plain)
  })

  test.each(['gpt-4o-transcribe', 'whisper-1'])('of a transcription by %s, sent as a form', async (name) => {
    const form = new FormData()
    form.set('model', name)
    form.set('file', new Blob([new Uint8Array(150_000)], { type: 'audio/wav' }), 'river.wav')
    await send('/v1/audio/transcriptions', { body: form })
    const receipt = await expectBilled()
    expect(receipt.model_asked).toBe(name)
  })

  test('of a background response: by the poll that finds it done, and by no other', async () => {
    const made = JSON.parse(
      String(await send('/v1/responses', { body: { model: 'gpt-5-mini', input: 'Hello', background: true } })),
    ) as { id: string }
    const bill = billedMeters(house.simulator.calls.at(-1))
    for (let polls = 0; polls < 4; polls++)
      await (
        await fetch(`${house.gateway.url}/v1/responses/${made.id}`, { headers: { authorization: 'Bearer client' } })
      ).arrayBuffer()
    const receipts = (await house.receipts()).slice(-5)
    const billed = receipts.filter(({ usage_source }) => usage_source === 'provider')
    expect(billed.map(meteredMeters)).toEqual([bill])
    expect(receipts.map(({ price_state }) => price_state).sort()).toEqual(['none', 'none', 'none', 'none', 'priced'])
  })
})
