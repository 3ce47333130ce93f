/** An answer that came whole is given to who asks for a stream and the reverse: through the gateway, as official SDKs read it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { GoogleGenAI } from '@google/genai'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import OpenAI from 'openai'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { defaultsOf } from '../../src/config/levers.ts'
import type { Chosen } from '../../src/core/lever.ts'
import { lever } from '../../src/playbook/cache/exact.ts'
import { chatBody, post, rawPost } from './ask.ts'
import { type House, type HouseOptions, startHouse } from './harness.ts'

let house: House
afterEach(() => house.close())

const open = async (more: Readonly<Record<string, unknown>> = {}, options: HouseOptions = {}) => {
  const settings = { ...defaultsOf(lever.settings), ...more } as Chosen
  const levers = { 'cache/exact': { mode: 'on' as const, settings } }
  const policies = [{ match: {}, levers, holdout: 0, experiment: 'levers' }]
  house = await startHouse({ ...options, settings: { policies } })
}
const sent = () => house.simulator.calls.length
const whys = async () => (await house.receipts()).map(({ outcome, levers = [] }) => [outcome, levers[0]?.why])

/** Without members that are null, and without what an SDK adds of its own. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (name, inner: unknown) =>
    inner === null || name === 'parsed' || name === 'output_text' || (Array.isArray(inner) && inner.length === 0)
      ? undefined
      : inner,
  )

/** An SDK that asks the same whole and streamed; what it makes of a stream is compared with what it reads of a whole answer. */
type Client = Readonly<{ whole(question: string): Promise<unknown>; streamed(question: string): Promise<unknown> }>

const openai = (path: string) =>
  new OpenAI({ apiKey: 'sk-client', baseURL: `${house.gateway.url}${path}`, maxRetries: 0 })
const user = (content: string) => [{ role: 'user' as const, content }]

const chatClient = (path = '/v1', more: object = {}): Client => {
  const ask = (question: string) => ({ model: 'gpt-4o-mini', temperature: 0, messages: user(question), ...more })
  return {
    whole: (question) => openai(path).chat.completions.create(ask(question)),
    streamed: (question) => openai(path).chat.completions.stream(ask(question)).finalChatCompletion(),
  }
}
const counted = { stream_options: { include_usage: true } }

const responsesClient = (): Client => {
  const ask = (input: string) => ({
    model: 'gpt-5-mini',
    temperature: 0,
    input,
    reasoning: { summary: 'auto' as const },
  })
  return {
    whole: (question) => openai('/v1').responses.create(ask(question)),
    streamed: (question) => openai('/v1').responses.stream(ask(question)).finalResponse(),
  }
}

const completionsClient = (): Client => {
  const ask = (prompt: string) => ({ model: 'gpt-3.5-turbo-instruct', temperature: 0, max_tokens: 400, prompt })
  return {
    async whole(question) {
      const { choices, usage, id } = await openai('/v1').completions.create(ask(question))
      return { text: choices[0]?.text, finish: choices[0]?.finish_reason, usage, id }
    },
    async streamed(question) {
      const said: { text: string; finish?: unknown; usage?: unknown; id?: unknown } = { text: '' }
      for await (const { choices, usage, id } of await openai('/v1').completions.create({
        ...ask(question),
        stream: true,
        ...counted,
      })) {
        said.text += choices[0]?.text ?? ''
        said.finish = choices[0]?.finish_reason ?? said.finish
        said.usage = usage ?? said.usage
        said.id = id
      }
      return said
    },
  }
}

const claudeClient = (): Client => {
  const client = new Anthropic({ apiKey: 'k', baseURL: house.gateway.url, maxRetries: 0 })
  const ask = (question: string) => ({
    model: 'claude-sonnet-5-5',
    max_tokens: 4000,
    temperature: 0,
    thinking: { type: 'enabled' as const, budget_tokens: 1024 },
    messages: user(`${question} sim:reasoning=60`),
  })
  return {
    whole: (question) => client.messages.create(ask(question)),
    streamed: (question) => client.messages.stream(ask(question)).finalMessage(),
  }
}

const googleClient = (): Client => {
  const client = new GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl: house.gateway.url } })
  const ask = (contents: string) => ({
    model: 'gemini-2.5-flash',
    contents: `${contents} sim:reasoning=40`,
    config: { temperature: 0, thinkingConfig: { includeThoughts: true } },
  })
  const told = (all: readonly Awaited<ReturnType<typeof client.models.generateContent>>[]) => {
    const parts = all.flatMap(({ candidates = [] }) => candidates[0]?.content?.parts ?? [])
    const text = (thought: boolean) =>
      parts.flatMap((part) => ((part.thought ?? false) === thought ? (part.text ?? '') : '')).join('')
    const { usageMetadata, responseId, modelVersion, candidates = [] } = all.at(-1) ?? {}
    const finish = candidates[0]?.finishReason
    return { said: text(false), thought: text(true), usageMetadata, responseId, modelVersion, finish }
  }
  return {
    whole: async (question) => told([await client.models.generateContent(ask(question))]),
    async streamed(question) {
      const pieces = []
      for await (const piece of await client.models.generateContentStream(ask(question))) pieces.push(piece)
      return told(pieces)
    },
  }
}

const cohereClient = (): Client => {
  const send = async (question: string, stream: boolean) => {
    const body = { model: 'command-a-reasoning-08-2025', temperature: 0, messages: user(question), stream }
    return (await post(house, { path: '/v2/chat', body })).text()
  }
  return {
    async whole(question) {
      const { id, message, finish_reason, usage } = JSON.parse(await send(question, false))
      const said = (message.content as { text?: string; thinking?: string }[]).map(
        ({ text, thinking }) => text ?? thinking,
      )
      return { id, finish_reason, usage, said }
    },
    async streamed(question) {
      const said: string[] = []
      const told: Record<string, unknown> = {}
      for (const [, data = ''] of (await send(question, true)).matchAll(/^data: (.*)$/gm)) {
        const { type, id, delta } = JSON.parse(data)
        if (type === 'message-start') told['id'] = id
        if (type === 'message-end') Object.assign(told, delta)
        if (type === 'content-start') said.push('')
        if (type === 'content-delta') {
          const { text, thinking } = delta.message.content
          said.push(`${said.pop()}${text ?? thinking}`)
        }
      }
      return { ...told, said }
    },
  }
}

/** AWS's SDK; the answer's id is in a header there, which an answer that is given again has not. */
const bedrockClient = (): Client => {
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: house.gateway.url,
    token: { token: 'client' },
    authSchemePreference: ['httpBearerAuth'],
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  })
  const ask = (text: string) => ({
    modelId: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    inferenceConfig: { temperature: 0, maxTokens: 4000 },
    additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1024 } },
    messages: [{ role: 'user' as const, content: [{ text: `${text} sim:reasoning=60` }] }],
  })
  return {
    async whole(question) {
      const { output, stopReason, usage } = await client.send(new ConverseCommand(ask(question)))
      const content = output?.message?.content ?? []
      const said = content.map(({ text }) => text ?? '').join('')
      const thought = content.map(({ reasoningContent: one }) => one?.reasoningText?.text ?? '').join('')
      const signature = content.find(({ reasoningContent: one }) => one)?.reasoningContent?.reasoningText?.signature
      return { said, thought, signature, stopReason, usage }
    },
    async streamed(question) {
      const told: Record<string, unknown> & { said: string; thought: string } = { said: '', thought: '' }
      const { stream } = await client.send(new ConverseStreamCommand(ask(question)))
      for await (const { contentBlockDelta, messageStop, metadata } of stream ?? []) {
        const { text, reasoningContent } = contentBlockDelta?.delta ?? {}
        told.said += text ?? ''
        told.thought += reasoningContent?.text ?? ''
        if (reasoningContent?.signature) told['signature'] = reasoningContent.signature
        if (messageStop) told['stopReason'] = messageStop.stopReason
        if (metadata) told['usage'] = metadata.usage
      }
      return told
    },
  }
}

const clients: readonly (readonly [name: string, client: () => Client])[] = [
  ['OpenAI’s chat', () => chatClient('/v1', counted)],
  ['OpenAI’s chat with two choices', () => chatClient('/v1', { ...counted, n: 2 })],
  [
    'OpenAI’s chat with a schema',
    () => {
      const schema = { type: 'object', properties: { name: { type: 'string' }, size: { type: 'number' } } }
      const response_format = { type: 'json_schema', json_schema: { name: 'thing', schema } }
      return chatClient('/v1', { ...counted, response_format })
    },
  ],
  ['OpenAI’s responses', responsesClient],
  ['OpenAI’s completions', completionsClient],
  ['Anthropic’s messages', claudeClient],
  ['Google’s generateContent', googleClient],
  ['Cohere’s chat', cohereClient],
  ['Bedrock’s Converse', bedrockClient],
]

const aws = { region: 'us-east-1', credentials: { access_key_id: 'AKID', secret_access_key: 'secret' } }

describe.each(clients)('%s', (_, client) => {
  test.each(['whole', 'streamed'] as const)('gets what came %s in its other form, at no cost', async (came) => {
    await open({}, { providers: { 'aws-bedrock': aws } })
    const { whole, streamed } = client()
    const [first, other, again] = came === 'whole' ? [whole, streamed, whole] : [streamed, whole, streamed]
    const question = 'Why is the sky blue? sim:output=300'
    const read = await first(question)
    expect(JSON.stringify(read).length).toBeGreaterThan(200)
    expect(plain(await other(question))).toEqual(plain(read))
    expect(plain(await again(question))).toEqual(plain(read))
    expect(sent()).toBe(1)
    const [paid, given, same] = await house.receipts()
    expect(paid?.outcome).toBe('ok')
    expect(given).toMatchObject({ outcome: 'cached', cost_usd: '0', input_tokens: paid?.input_tokens })
    expect(given?.output_tokens).toBe(paid?.output_tokens)
    expect(given?.counterfactual_cost_usd).toBe(paid?.counterfactual_cost_usd)
    expect(given?.levers?.[0]?.why).toMatch(new RegExp(`^the same call was answered \\d+ s ago, ${came}$`))
    expect(same?.levers?.[0]?.why).toMatch(/^the same call was answered \d+ s ago$/)
    expect([given?.stream, same?.stream]).toEqual([came === 'whole', came === 'streamed'])
  })
})

test.each(['openai', 'groq', 'openrouter', 'mistral', 'deepseek', 'x-ai', 'perplexity', 'together', 'fireworks'])(
  'chat as %s speaks it is given in its other form too, with the usage that it states',
  async (provider) => {
    await open()
    const paths: Readonly<Record<string, string>> = { groq: '/openai/v1', openrouter: '/api/v1', perplexity: '' }
    const { whole, streamed } = chatClient(
      `/${provider}${paths[provider] ?? '/v1'}`,
      provider === 'openai' ? counted : {},
    )
    const usage = async (read: Promise<unknown>) => {
      const { choices, usage: stated } = (await read) as OpenAI.ChatCompletion
      return { text: choices[0]?.message.content, finish: choices[0]?.finish_reason, stated }
    }
    const first = await usage(whole('Why is the sea salt? sim:output=200'))
    expect(await usage(streamed('Why is the sea salt? sim:output=200'))).toMatchObject({
      text: first.text,
      finish: 'stop',
    })
    const second = await usage(streamed('Why is the sea blue? sim:output=200'))
    expect(await usage(whole('Why is the sea blue? sim:output=200'))).toMatchObject({
      text: second.text,
      finish: 'stop',
    })
    expect(sent()).toBe(2)
    const [paid, given, other, same] = await house.receipts()
    const money = (receipt: typeof paid) => [
      receipt?.input_tokens,
      receipt?.output_tokens,
      receipt?.counterfactual_cost_usd,
    ]
    expect(money(given)).toEqual(money(paid))
    expect(money(same)).toEqual(money(other))
  },
)

const key = { authorization: 'Bearer sk-client' }
const cold = (more: object = {}) => chatBody({ temperature: 0, ...more })
const ask = async (body: unknown, path?: string) => {
  const response = await post(house, { body, ...(path === undefined ? {} : { path }) })
  return { text: await response.text(), type: response.headers.get('content-type') ?? '' }
}

test('usage stands in a stream made of a whole answer for who asks for it, and for nobody else', async () => {
  await open()
  const whole = JSON.parse((await ask(cold())).text) as OpenAI.ChatCompletion
  const bare = await ask(cold({ stream: true }))
  const full = await ask(cold({ stream: true, ...counted }))
  expect(sent()).toBe(1)
  expect([bare.type, full.type]).toEqual(Array(2).fill('text/event-stream; charset=utf-8'))
  expect(bare.text).not.toContain('usage')
  expect(bare.text).toMatch(/data: \[DONE\]\n\n$/)
  expect(full.text).toContain(`"choices":[],"usage":${JSON.stringify(whole.usage)}`)
})

test('Google’s stream without alt=sse is a list, and all three forms answer one another', async () => {
  await open()
  const body = { contents: [{ parts: [{ text: 'Why? sim:output=300' }] }], generationConfig: { temperature: 0 } }
  const path = (verb: string) => `/v1beta/models/gemini-2.5-flash:${verb}`
  const list = await ask(body, path('streamGenerateContent'))
  const events = await ask(body, path('streamGenerateContent?alt=sse'))
  const whole = await ask(body, path('generateContent'))
  expect(sent()).toBe(1)
  expect([list.type, events.type, whole.type].map((type) => type.split(';')[0])).toEqual([
    'application/json',
    'text/event-stream',
    'application/json',
  ])
  const said = (...all: readonly unknown[]) =>
    (JSON.stringify(all).match(/"text":"[^"]*"/g) ?? []).map((text) => text.slice(8, -1)).join('')
  expect(said(JSON.parse(list.text)).length).toBeGreaterThan(300)
  expect(said(JSON.parse(whole.text))).toBe(said(JSON.parse(list.text)))
  expect(events.text.split('\n\n').filter((event) => event.startsWith('data: {'))).toHaveLength(
    (JSON.parse(list.text) as unknown[]).length,
  )
})

describe('identical calls in flight', () => {
  test('go to the provider once, whichever form they ask for', async () => {
    await open()
    house.simulator.faults.next(1, { kind: 'slow-head', ms: 700 })
    const all = await Promise.all(
      [false, true, true, false, true].map((stream) => ask(cold({ stream, ...(stream ? counted : {}) }))),
    )
    expect(sent()).toBe(1)
    expect(all.map(({ type }) => type.includes('event-stream'))).toEqual([false, true, true, false, true])
    const said = (await whys()).flatMap(([outcome, why]) => (outcome === 'cached' ? [why] : []))
    expect(said.toSorted()).toEqual([
      'the same call was in flight',
      ...Array<string>(3).fill('the same call was in flight; its answer came in another form'),
    ])
  })

  test('of several threads go to the provider once, too, whichever form they ask for', async () => {
    const settings = { ...defaultsOf(lever.settings) } as Chosen
    const levers = { 'cache/exact': { mode: 'on' as const, settings } }
    const policies = [{ match: {}, levers, holdout: 0, experiment: 'levers' }]
    house = await startHouse({ settings: { policies, threads: 2, log_level: 'silent' } })
    for (const first of [true, false]) {
      const before = sent()
      house.simulator.faults.next(1, { kind: 'slow-head', ms: 700 })
      const body = (stream: boolean) => JSON.stringify(cold({ seed: Number(first), stream }))
      const leading = rawPost(house.gateway.port, '/v1/chat/completions', body(first), key)
      await vi.waitFor(() => expect(sent()).toBe(before + 1))
      const others = Array.from({ length: 16 }, (_, nth) =>
        rawPost(house.gateway.port, '/v1/chat/completions', body(nth % 2 === 0), key),
      )
      const answers = await Promise.all([leading, ...others])
      expect(answers.map(({ status }) => status)).toEqual(Array(17).fill(200))
      expect(sent() - before).toBe(1)
    }
  }, 60_000)
})

/** A provider whose answers have a member that nobody knows. */
const startStranger = async () => {
  const asked: boolean[] = []
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const { stream } = JSON.parse(Buffer.concat(pieces).toString()) as { stream?: boolean }
      asked.push(stream === true)
      const base = { id: 'c1', object: 'chat.completion', created: 1, model: 'gpt-4o-mini', invented: asked.length }
      const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 }
      const message = { role: 'assistant', content: 'A dam.' }
      const choice = { index: 0, finish_reason: 'stop', ...(stream ? { delta: message } : { message }) }
      const body = JSON.stringify({ ...base, choices: [choice], usage })
      response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' })
      setTimeout(() => response.end(stream ? `data: ${body}\n\ndata: [DONE]\n\n` : body), 50)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { asked, base_url: `http://127.0.0.1:${port}/v1`, close: () => server.close() }
}

describe('an answer that its other form would lose something of', () => {
  test('is given to who asks for the form in which it came, others get their own, and the receipt says why', async () => {
    const stranger = await startStranger()
    await open({}, { providers: { openai: { base_url: stranger.base_url } } })
    try {
      for (const stream of [false, true, false, true, true])
        expect((await ask(cold({ stream }))).text).toContain('invented')
      expect(stranger.asked).toEqual([false, true])
      const why = 'it has a member that is not known, invented'
      expect((await whys()).slice(0, 2)).toEqual([
        ['ok', 'not asked before, or too long ago'],
        ['ok', `the same call was answered before, whole, and is not given as a stream: ${why}`],
      ])
      expect((await whys()).slice(2).map(([outcome]) => outcome)).toEqual(['cached', 'cached', 'cached'])
    } finally {
      stranger.close()
    }
  })

  test('in flight is sent once for each form that is asked', async () => {
    const stranger = await startStranger()
    await open({}, { providers: { openai: { base_url: stranger.base_url } } })
    try {
      const all = await Promise.all([false, true, true, false, true].map((stream) => ask(cold({ stream }))))
      expect(all.map(({ text }) => text.startsWith('data: '))).toEqual([false, true, true, false, true])
      expect(stranger.asked.toSorted()).toEqual([false, true])
    } finally {
      stranger.close()
    }
  })
})
