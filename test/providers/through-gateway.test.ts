/** Every provider behind the gateway, against a simulator that knows only its own paths: what is wrong there is 404. */
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { AzureOpenAI } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProviderSettings } from '../../src/core/provider.ts'
import { type House, startHouse } from '../gateway/harness.ts'

const credentials = { api_key: 'ours' }
const changed: Readonly<Record<string, Partial<ProviderSettings>>> = {
  'vertex-ai': { region: 'us-east5', options: { project: 'p' }, credentials },
  'aws-bedrock': { region: 'us-east-1', credentials: { access_key_id: 'AKID', secret_access_key: 'secret' } },
}
const keyed = [
  'openai',
  'azure-openai',
  'anthropic',
  'google',
  'cohere',
  'voyage',
  'deepseek',
  'mistral',
  'x-ai',
  'perplexity',
  'openrouter',
  'groq',
  'together',
  'fireworks',
  'databricks',
  'snowflake',
] as const

let house: House
beforeAll(async () => {
  const chats = [...keyed, 'vertex-ai'].filter((name) => !['anthropic', 'cohere', 'voyage', 'google'].includes(name))
  house = await startHouse({
    providers: { ...Object.fromEntries(keyed.map((name) => [name, { credentials }])), ...changed },
    settings: {
      routes: chats.map((provider) => ({
        match: { model: `chat-at-${provider}` },
        targets: [{ provider, model: 'gpt-4o' }],
      })),
    },
  })
})
afterAll(() => house.close())

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(house.gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer client-key', ...headers },
    body: JSON.stringify(body),
  })

const messages = [{ role: 'user', content: 'What is the weather in Bern?' }]

describe('a chat that a route sends elsewhere', () => {
  test.each([
    'azure-openai',
    'deepseek',
    'mistral',
    'x-ai',
    'perplexity',
    'openrouter',
    'groq',
    'together',
    'fireworks',
    'databricks',
    'snowflake',
    'vertex-ai',
  ])('reaches %s at its own path with our key, and is metered', async (name) => {
    const before = house.simulator.calls.length
    for (const stream of [false, true]) {
      const response = await post('/v1/chat/completions', { model: `chat-at-${name}`, messages, stream })
      await response.text()
      expect(response.status).toBe(200)
    }
    const calls = house.simulator.calls.slice(before)
    expect(calls).toHaveLength(2)
    for (const call of calls) {
      expect(call.path.startsWith(`/${name}/`)).toBe(true)
      const headers = JSON.stringify(call.headers)
      expect(headers).toContain('ours')
      expect(headers).not.toContain('client-key')
    }
    const receipts = (await house.receipts()).filter(({ provider }) => provider === name)
    expect(receipts).toHaveLength(2)
    for (const receipt of receipts)
      expect(receipt).toMatchObject({ outcome: 'ok', usage_source: 'provider', usage_quality: 'exact' })
  })
})

/** AWS's own SDK, either at the simulator or at the gateway. */
const clientAt = (endpoint: string) =>
  new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint,
    token: { token: 'bedrock-api-key-client' },
    authSchemePreference: ['httpBearerAuth'],
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  })

const collected = async (stream: AsyncIterable<unknown> | undefined): Promise<unknown[]> => {
  const events: unknown[] = []
  for await (const event of stream ?? []) events.push(event)
  return events
}

const modelId = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'
const converse = { modelId, messages: [{ role: 'user' as const, content: [{ text: 'What is the weather in Bern?' }] }] }
const invoke = { modelId, body: JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 200, messages }) }

const operations: readonly [string, (client: BedrockRuntimeClient) => Promise<unknown>][] = [
  ['Converse', async (client) => ({ ...(await client.send(new ConverseCommand(converse))), $metadata: 0, metrics: 0 })],
  ['ConverseStream', async (client) => collected((await client.send(new ConverseStreamCommand(converse))).stream)],
  ['InvokeModel', async (client) => Buffer.from((await client.send(new InvokeModelCommand(invoke))).body).toString()],
  [
    'InvokeModelWithResponseStream',
    async (client) => collected((await client.send(new InvokeModelWithResponseStreamCommand(invoke))).body),
  ],
]

describe("AWS's own SDK", () => {
  test.each(operations)(
    'sees the same of %s through Weir as at Bedrock, signed by us and billed as Bedrock bills',
    async (_, run) => {
      house.simulator.reset()
      const direct = await run(clientAt(house.simulator.base_urls['aws-bedrock']))
      house.simulator.reset()
      const through = await run(clientAt(house.gateway.url))
      expect(through).toEqual(direct)
      const [call] = house.simulator.calls
      expect(house.simulator.calls).toHaveLength(1)
      expect(call?.headers['authorization']).toMatch(
        /^AWS4-HMAC-SHA256 Credential=AKID\/.*\/us-east-1\/bedrock\/aws4_request/,
      )
      expect(JSON.stringify(call?.headers)).not.toContain('bedrock-api-key-client')
      const receipt = (await house.receipts()).at(-1)
      const billed = Object.entries(call?.bill?.buckets ?? {}).reduce((sum, [, count]) => sum + Number(count), 0)
      expect(billed).toBeGreaterThan(0)
      expect((receipt?.input_tokens ?? 0) + (receipt?.output_tokens ?? 0)).toBe(billed)
      expect(receipt).toMatchObject({
        provider: 'aws-bedrock',
        model_asked: modelId,
        outcome: 'ok',
        usage_source: 'provider',
        usage_quality: 'exact',
        region: 'us-east-1',
      })
    },
  )
})

describe('bare paths of Cohere', () => {
  test.each([
    ['/v2/chat', { model: 'command-a-03-2025', messages }],
    ['/v2/chat', { model: 'command-a-03-2025', messages, stream: true }],
    ['/v2/embed', { model: 'embed-v4.0', texts: ['a'], input_type: 'search_query', embedding_types: ['float'] }],
    ['/v2/rerank', { model: 'rerank-v3.5', query: 'q', documents: ['a', 'b'] }],
  ])('%s reach it and are metered', async (path, body) => {
    const response = await post(path, body)
    await response.text()
    expect(response.status).toBe(200)
    expect(house.simulator.calls.at(-1)?.path).toBe(`/cohere${path}`)
    expect((await house.receipts()).at(-1)).toMatchObject({
      provider: 'cohere',
      outcome: 'ok',
      usage_source: 'provider',
      usage_quality: 'exact',
    })
  })
})

describe('a path whose first word is also the name of another provider', () => {
  test('reaches Azure from its own SDK, whose paths all begin with /openai', async () => {
    const options = { apiKey: 'client-key', apiVersion: '2026-01-01', maxRetries: 0 }
    const client = new AzureOpenAI({ ...options, endpoint: house.gateway.url, deployment: 'gpt-4o' })
    const content = 'What is the weather in Bern?'
    const answer = await client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content }] })
    expect(answer.choices[0]?.message.content).toBeTruthy()
    expect(house.simulator.calls.at(-1)?.path).toBe('/azure-openai/openai/deployments/gpt-4o/chat/completions')
    expect((await house.receipts()).at(-1)).toMatchObject({ provider: 'azure-openai', outcome: 'ok' })
  })

  test.each([
    ['groq', '/openai/v1/chat/completions', { authorization: 'Bearer gsk_abc' }],
    ['azure-openai', '/openai/v1/chat/completions', { 'api-key': 'client-key' }],
    ['openai', '/openai/v1/chat/completions', {}],
  ])('goes to %s where path and key are its own', async (name, path, headers) => {
    const response = await post(path, { model: 'gpt-4o', messages }, headers)
    await response.text()
    expect(response.status).toBe(200)
    expect((await house.receipts()).at(-1)).toMatchObject({ provider: name, outcome: 'ok' })
  })

  test('reaches the provider that it names, when its key would be known without the name', async () => {
    const path = '/aws-bedrock/model/anthropic.claude-sonnet-4-5/converse'
    const body = { messages: [{ role: 'user', content: [{ text: 'What is the weather in Bern?' }] }] }
    const response = await post(path, body, { authorization: 'Bearer ABSKclient' })
    await response.text()
    expect(response.status).toBe(200)
    expect(house.simulator.calls.at(-1)?.path).toBe(path)
    expect((await house.receipts()).at(-1)).toMatchObject({
      provider: 'aws-bedrock',
      wire: 'bedrock-converse',
      outcome: 'ok',
    })
  })
})
