/** The official SDKs, once against the provider and once through Weir: what they see must be the same to the byte. */

import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { generateText, jsonSchema, Output, streamText, type ToolSet, tool } from 'ai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, startHouse } from './harness.ts'

const MOMENT_US = 1_795_000_000_000_000

let house: House
beforeAll(async () => {
  house = await startHouse({ simulator: { now_us: () => MOMENT_US } })
})
afterAll(() => house.close())

/** A fetch that keeps the raw bytes of every answer beside what the SDK makes of them. */
const recording = () => {
  const seen: string[] = []
  const record: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    const [kept, given] = response.body ? response.body.tee() : [null, null]
    seen.push(`${response.status} ${response.headers.get('content-type')}`)
    if (kept) seen.push(await new Response(kept).text())
    return new Response(given, { status: response.status, headers: response.headers })
  }
  return { seen, record }
}

type Speak = (base: string, record: typeof fetch) => Promise<unknown>

/** Runs a client directly and through Weir, each against a simulator that starts anew, and compares everything. */
const same = async (direct_base: string, weir_base: string, speak: Speak): Promise<unknown> => {
  const run = async (base: string) => {
    house.simulator.reset()
    const { seen, record } = recording()
    const result = await speak(base, record).catch((error: unknown) => ({
      thrown: (error as Error).name,
      status: (error as { status?: number }).status,
      message: (error as Error).message,
    }))
    return { result: JSON.parse(JSON.stringify(result ?? null)) as unknown, seen }
  }
  const direct = await run(direct_base)
  const through = await run(weir_base)
  expect(direct.seen.length).toBeGreaterThan(0)
  expect(through.seen).toEqual(direct.seen)
  expect(through.result).toEqual(direct.result)
  return through.result
}

const collect = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

const weatherSchema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
  additionalProperties: false,
} as const

describe('openai', () => {
  const via = (speak: (client: OpenAI) => Promise<unknown>) =>
    same(
      `${house.simulator.base_urls.openai}/v1`.replace('/v1/v1', '/v1'),
      `${house.gateway.url}/v1`,
      (baseURL, record) => speak(new OpenAI({ apiKey: 'sk-test', baseURL, fetch: record, maxRetries: 0 })),
    )
  const messages = [{ role: 'user' as const, content: 'What is the weather in Bern?' }]
  const tools = [
    {
      type: 'function' as const,
      function: { name: 'weather', description: 'Tells it', parameters: { ...weatherSchema } },
    },
  ]

  test('a chat completion is the same through Weir', () =>
    via((c) => c.chat.completions.create({ model: 'gpt-4o-mini', messages })))

  test('a chat stream that asks for no usage is the same through Weir, though Weir asks for it', () =>
    via(async (c) => collect(await c.chat.completions.create({ model: 'gpt-4o-mini', messages, stream: true }))))

  test('a chat stream that asks for usage is the same through Weir', () =>
    via(async (c) =>
      collect(
        await c.chat.completions.create({
          model: 'gpt-4o-mini',
          messages,
          stream: true,
          stream_options: { include_usage: true },
        }),
      ),
    ))

  test('tool calls are the same through Weir, whole and streamed', async () => {
    await via((c) => c.chat.completions.create({ model: 'gpt-4o-mini', messages, tools, tool_choice: 'required' }))
    await via(async (c) =>
      collect(
        await c.chat.completions.create({
          model: 'gpt-4o-mini',
          messages,
          tools,
          tool_choice: 'required',
          stream: true,
        }),
      ),
    )
  })

  test('structured output and reasoning are the same through Weir', () =>
    via((c) =>
      c.chat.completions.create({
        model: 'gpt-5-mini',
        messages,
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'weather', schema: { ...weatherSchema }, strict: true },
        },
      }),
    ))

  test('responses are the same through Weir, whole and streamed', async () => {
    await via((c) => c.responses.create({ model: 'gpt-5-mini', input: 'Say hello' }))
    await via(async (c) => collect(await c.responses.create({ model: 'gpt-5-mini', input: 'Say hello', stream: true })))
  })

  test('embeddings, models and moderations are the same through Weir', async () => {
    await via((c) => c.embeddings.create({ model: 'text-embedding-3-small', input: ['one', 'two'] }))
    await via(async (c) => (await c.models.list()).data)
    const judged = await via((c) => c.moderations.create({ input: ['one', 'two'] }))
    expect(judged).toMatchObject({ results: [{ flagged: false }, { flagged: false }] })
  })

  test('an unknown model is the same error through Weir', async () => {
    const result = await via((c) => c.chat.completions.create({ model: 'no-such-model', messages }))
    expect(result).toMatchObject({ thrown: 'Error', status: 404 })
  })
})

describe('anthropic', () => {
  const via = (speak: (client: Anthropic) => Promise<unknown>) =>
    same(house.simulator.base_urls.anthropic, house.gateway.url, (baseURL, record) =>
      speak(new Anthropic({ apiKey: 'sk-ant-test', baseURL, fetch: record, maxRetries: 0 })),
    )
  const messages = [{ role: 'user' as const, content: 'What is the weather in Bern?' }]
  const ask = { model: 'claude-sonnet-5-5', max_tokens: 200, messages }

  test('a message is the same through Weir, whole and streamed', async () => {
    await via((c) => c.messages.create(ask))
    await via(async (c) => collect(await c.messages.create({ ...ask, stream: true })))
  })

  test('tool use is the same through Weir, whole and streamed', async () => {
    const tools = [
      { name: 'weather', description: 'Tells it', input_schema: { ...weatherSchema, required: ['city', 'days'] } },
    ]
    await via((c) => c.messages.create({ ...ask, tools, tool_choice: { type: 'any' } }))
    await via(async (c) =>
      collect(await c.messages.create({ ...ask, tools, tool_choice: { type: 'any' }, stream: true })),
    )
  })

  test('counting tokens is the same through Weir', () =>
    via((c) => c.messages.countTokens({ model: ask.model, messages })))

  test('an unknown model is the same error through Weir', async () => {
    const result = await via((c) => c.messages.create({ ...ask, model: 'claude-no-such' }))
    expect(result).toMatchObject({ status: 404 })
  })
})

describe('google', () => {
  /** Its SDK takes no fetch of one's own, so the global one is recorded for the time of the call. */
  const via = (speak: (client: GoogleGenAI) => Promise<unknown>) =>
    same(house.simulator.base_urls.google, house.gateway.url, async (baseUrl, record) => {
      const own = globalThis.fetch
      let recordedOnce = false
      globalThis.fetch = async (input, init) => {
        if (recordedOnce) return own(input, init)
        recordedOnce = true
        globalThis.fetch = own
        return record(input, init)
      }
      try {
        return await speak(new GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl } }))
      } finally {
        globalThis.fetch = own
      }
    })
  const ask = { model: 'gemini-2.5-flash', contents: 'What is the weather in Bern?' }
  const plain = (response: { candidates?: unknown; usageMetadata?: unknown }) => ({
    candidates: response.candidates,
    usage: response.usageMetadata,
  })

  test('generated content is the same through Weir, whole and streamed', async () => {
    await via(async (c) => plain(await c.models.generateContent(ask)))
    await via(async (c) => (await collect(await c.models.generateContentStream(ask))).map(plain))
  })

  test('an unknown model is the same error through Weir', async () => {
    const result = await via((c) => c.models.generateContent({ ...ask, model: 'gemini-no-such' }))
    expect(result).toMatchObject({ status: 404 })
  })
})

describe('the AI SDK', () => {
  const kinds = {
    openai: (base: string, record: typeof fetch) =>
      createOpenAI({ apiKey: 'sk-test', baseURL: `${base}/v1`.replace('/v1/v1', '/v1'), fetch: record }).chat(
        'gpt-4o-mini',
      ),
    anthropic: (base: string, record: typeof fetch) =>
      createAnthropic({ apiKey: 'sk-ant-test', baseURL: `${base}/v1`, fetch: record })('claude-sonnet-5-5'),
    google: (base: string, record: typeof fetch) =>
      createGoogleGenerativeAI({ apiKey: 'test', baseURL: `${base}/v1beta`, fetch: record })('gemini-2.5-flash'),
  }
  const tools: ToolSet = {
    weather: tool({
      description: 'Tells it',
      inputSchema: jsonSchema<{ city: string; days: number }>({ ...weatherSchema }),
    }),
  }

  test.each(Object.keys(kinds) as (keyof typeof kinds)[])(
    '%s generates, streams, calls tools and makes objects alike',
    async (kind) => {
      const via = (speak: (model: ReturnType<(typeof kinds)[typeof kind]>) => Promise<unknown>) =>
        same(house.simulator.base_urls[kind], house.gateway.url, (base, record) => speak(kinds[kind](base, record)))
      const prompt = 'What is the weather in Bern?'
      await via(async (model) => (await generateText({ model, prompt, maxRetries: 0 })).text)
      await via(async (model) => collect(streamText({ model, prompt, maxRetries: 0 }).textStream))
      await via(async (model) =>
        (await generateText({ model, prompt, tools, toolChoice: 'required', maxRetries: 0 })).toolCalls.map(
          (call) => call.input,
        ),
      )
      await via(
        async (model) =>
          (
            await generateText({
              model,
              prompt,
              output: Output.object({ schema: jsonSchema({ ...weatherSchema }) }),
              maxRetries: 0,
            })
          ).text,
      )
    },
  )
})
