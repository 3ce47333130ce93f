import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../simulator/start.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ seed: 11 })
})
afterAll(() => simulator.close())
beforeEach(() => simulator.reset())

const post = (url: string, body: object, key = 'k') =>
  fetch(url, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: JSON.stringify(body) })
const messages = [{ role: 'user', content: 'Rivers? sim:output=24 sim:reasoning=128' }]
const bill = () => simulator.calls.at(-1)?.bill

type Chunk = { choices: unknown[]; usage?: Record<string, unknown> | null; x_groq?: { usage?: unknown } }
const chunksOf = (body: string) =>
  body
    .split('\n\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Chunk)

const chat = async (
  provider: 'deepseek' | 'mistral' | 'x-ai' | 'perplexity' | 'openrouter' | 'groq',
  model: string,
  key?: string,
) => {
  const url = `${simulator.base_urls[provider]}/chat/completions`
  const whole = await (await post(url, { model, messages }, key)).json()
  const body = await (await post(url, { model, messages, stream: true }, key)).text()
  return { usage: whole.usage as Record<string, unknown>, body, chunks: chunksOf(body) }
}

describe('OpenAI-compatible providers', () => {
  test('DeepSeek and Mistral put usage on the last content chunk, unasked', async () => {
    const deepseek = await chat('deepseek', 'deepseek-flash')
    expect(deepseek.chunks.at(-1)).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
      usage: { completion_tokens: 152 },
    })
    expect(deepseek.usage['prompt_cache_miss_tokens']).toBe(deepseek.usage['prompt_tokens'])
    const mistral = await chat('mistral', 'mistral-small-latest')
    expect(mistral.chunks.at(-1)).toMatchObject({ choices: [{}], usage: { completion_tokens: 24 } })
  })

  test('xAI leaves reasoning out of completion_tokens and states the bill in ticks', async () => {
    const { usage } = await chat('x-ai', 'grok-3-mini')
    const prompt = Number(usage['prompt_tokens'])
    expect(usage).toMatchObject({ completion_tokens: 24, total_tokens: prompt + 152 })
    expect(usage['cost_in_usd_ticks']).toBe(prompt * 3_000 + 152 * 5_000)
    expect(bill()).toMatchObject({ buckets: { out: 24, out_reasoning: 128 } })
    expect(Number(bill()?.stated_usd) * 1e10).toBeCloseTo(prompt * 3_000 + 152 * 5_000, 3)
  })

  test('Perplexity sends cumulative usage in every chunk, with a request fee in its cost', async () => {
    const { usage, chunks } = await chat('perplexity', 'sonar-pro')
    const counts = chunks.map((chunk) => Number(chunk.usage?.['completion_tokens']))
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(counts.at(-1)).toBe(24)
    expect(usage['cost']).toMatchObject({ request_cost: 0.006 })
    expect(bill()?.buckets['requests']).toBe(1)
  })

  test('OpenRouter comments, states its cost on the last chunk, and none for a brought key', async () => {
    const { body, chunks, usage } = await chat('openrouter', 'x-ai/grok-4')
    expect(body.startsWith(': OPENROUTER PROCESSING\n\n')).toBe(true)
    expect(chunks.at(-1)?.usage).toEqual(usage)
    expect(usage['cost']).toBeGreaterThan(0)
    expect((await chat('openrouter', 'x-ai/grok-4', 'byok-1')).usage).toMatchObject({ cost: 0, is_byok: true })
  })

  test('Groq says usage twice in its last chunk', async () => {
    const { chunks } = await chat('groq', 'openai/gpt-oss-120b')
    expect(chunks.at(-1)?.x_groq?.usage).toEqual(chunks.at(-1)?.usage)
  })

  test('Azure takes the model from the deployment, and its first chunk has no choices', async () => {
    const url = `${simulator.base_urls['azure-openai']}/openai/deployments/gpt-4o/chat/completions?api-version=2026-01-01`
    const headers = { 'api-key': 'k' }
    const body = JSON.stringify({ messages, stream: true })
    const chunks = chunksOf(await (await fetch(url, { method: 'POST', headers, body })).text())
    expect(chunks[0]).toMatchObject({ choices: [], model: '' })
    expect(chunks[1]).toMatchObject({ model: 'gpt-4o-2024-08-06' })
  })

  test('Databricks refuses stream_options and serves an endpoint by its path', async () => {
    const url = `${simulator.base_urls.databricks}/serving-endpoints/llama-4/invocations`
    expect((await post(url, { messages, stream: true, stream_options: {} })).status).toBe(400)
    expect(chunksOf(await (await post(url, { messages, stream: true })).text()).at(-1)?.usage).toBeTruthy()
  })

  test('a path that the provider does not have is 404', async () => {
    for (const path of [
      '/openai/chat/completions',
      '/groq/v1/chat/completions',
      '/v1/v1/chat/completions',
      '/v1/nothing',
    ]) {
      expect([path, (await post(simulator.url + path, { model: 'gpt-4o', messages })).status]).toEqual([path, 404])
    }
  })
})

describe('Bedrock', () => {
  type Frame = { headers: string; payload: Record<string, unknown> }
  const framesOf = (bytes: Buffer): Frame[] => {
    const frames: Frame[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt32BE(at)
      const head = bytes.readUInt32BE(at + 4)
      expect(bytes.readUInt32BE(at + 8)).toBe(crc32(bytes.subarray(at, at + 8)))
      expect(bytes.readUInt32BE(at + length - 4)).toBe(crc32(bytes.subarray(at, at + length - 4)))
      const headers = bytes.subarray(at + 12, at + 12 + head).toString('latin1')
      frames.push({ headers, payload: JSON.parse(bytes.subarray(at + 12 + head, at + length - 4).toString()) })
      at += length
    }
    return frames
  }
  const model = encodeURIComponent('us.anthropic.claude-sonnet-4-5-20250929-v1:0')
  const url = (operation: string) => `${simulator.base_urls['aws-bedrock']}/model/${model}/${operation}`
  const ask = {
    system: [{ text: 'river '.repeat(1_500) }, { cachePoint: { type: 'default' } }],
    messages: [{ role: 'user', content: [{ text: 'Hi sim:output=20' }] }],
  }

  test('Converse counts input without the cache, and its cache points write and read', async () => {
    const first = (await (await post(url('converse'), ask)).json()).usage
    const second = (await (await post(url('converse'), ask)).json()).usage
    expect(first.cacheWriteInputTokens).toBeGreaterThan(1_024)
    expect(first.cacheDetails).toEqual([{ ttl: '5m', inputTokens: first.cacheWriteInputTokens }])
    expect(second).toMatchObject({ cacheReadInputTokens: first.cacheWriteInputTokens, inputTokens: first.inputTokens })
    expect(bill()).toMatchObject({ model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' })
  })

  test('the streams are frames with right checksums that end in their usage', async () => {
    const converse = Buffer.from(await (await post(url('converse-stream'), ask)).arrayBuffer())
    const frames = framesOf(converse)
    expect(frames.at(-1)?.headers).toContain('metadata')
    expect(frames.at(-1)?.payload['usage']).toMatchObject({ outputTokens: 21 })
    const native = {
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 90,
      messages: [{ role: 'user', content: 'Hi' }],
    }
    const invoke = framesOf(Buffer.from(await (await post(url('invoke-with-response-stream'), native)).arrayBuffer()))
    const ended = JSON.parse(Buffer.from(String(invoke.at(-1)?.payload['bytes']), 'base64').toString())
    expect(ended['amazon-bedrock-invocationMetrics'].outputTokenCount).toBe(bill()?.buckets['out'])
    const whole = await post(url('invoke'), native)
    expect(whole.headers.get('x-amzn-bedrock-input-token-count')).toBe(String(bill()?.buckets['in']))
  })
})

test('Cohere bills what stands in billed_units, not in tokens', async () => {
  const done = await (await post(`${simulator.base_urls.cohere}/v2/chat`, { model: 'command-a', messages })).json()
  expect(done.usage.tokens.input_tokens).toBeGreaterThan(1_000)
  expect(done.usage.billed_units).toEqual({ input_tokens: bill()?.buckets['in'], output_tokens: 24 })
  const body = await (
    await post(`${simulator.base_urls.cohere}/v2/chat`, { model: 'command-a', messages, stream: true })
  ).text()
  expect(body).toMatch(/event: message-end\n.*billed_units/)
  const documents = Array.from({ length: 101 }, (_, i) => `document ${i}`)
  await post(`${simulator.base_urls.cohere}/v2/rerank`, { model: 'rerank-4', query: 'q', documents })
  expect(bill()?.buckets).toEqual({ rerank_units: 2 })
})

test('Voyage and Together rerank and count one total', async () => {
  const body = { model: 'rerank-2.5', query: 'rivers', documents: ['a', 'b'] }
  const voyage = await (await post(`${simulator.base_urls.voyage}/rerank`, body)).json()
  const together = await (await post(`${simulator.base_urls.together}/rerank`, body)).json()
  expect(voyage.usage).toEqual({ total_tokens: bill()?.buckets['in'] })
  expect(together.usage.total_tokens).toBe(voyage.usage.total_tokens)
})
