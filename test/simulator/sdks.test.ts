import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { embedMany, generateText, jsonSchema, Output, streamText, tool } from 'ai'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../simulator/start.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ seed: 7 })
})
afterAll(() => simulator.close())
beforeEach(() => simulator.reset())

const weather = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1, maximum: 7 } },
  required: ['city', 'days'],
  additionalProperties: false,
}
const verdict = {
  type: 'object',
  properties: { label: { type: 'string', enum: ['refund', 'delivery'] }, sure: { type: 'boolean' } },
  required: ['label', 'sure'],
  additionalProperties: false,
}
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
const bill = () => simulator.calls.at(-1)?.bill?.buckets ?? {}
const inputOf = (buckets: Readonly<Record<string, number>>) =>
  ['in', 'cr', 'cw', 'cw5m', 'cw1h'].reduce((n, name) => n + (buckets[name] ?? 0), 0)
const outputOf = (buckets: Readonly<Record<string, number>>) => (buckets['out'] ?? 0) + (buckets['out_reasoning'] ?? 0)

describe('openai', () => {
  const client = () => new OpenAI({ apiKey: 'sk-test', baseURL: simulator.base_urls.openai, maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'Tell me of rivers. sim:output=30' }]

  test('a chat completion says what was billed', async () => {
    const done = await client().chat.completions.create({ model: 'gpt-5-mini', messages, reasoning_effort: 'low' })
    expect(done.model).toBe('gpt-5-mini-2025-08-07')
    expect(done.choices[0]?.message.content?.split(' ')).toHaveLength(30)
    expect(done.usage?.prompt_tokens).toBe(inputOf(bill()))
    expect(done.usage?.completion_tokens).toBe(outputOf(bill()))
    expect(done.usage?.completion_tokens_details?.reasoning_tokens).toBe(bill()['out_reasoning'])
  })

  test('a stream has usage in one further chunk without choices, null before, and only when asked for', async () => {
    const asked = await client().chat.completions.create({
      model: 'gpt-4o',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await all(asked)
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null && chunk.choices.length === 1)).toBe(true)
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 30 } })
    const plain = await all(await client().chat.completions.create({ model: 'gpt-4o', messages, stream: true }))
    expect(plain.some((chunk) => 'usage' in chunk)).toBe(false)
    expect(bill()['out']).toBe(30)
  })

  test('parallel tool calls come whole and as deltas, with arguments that fit their schema', async () => {
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: weather } }]
    const ask = [{ role: 'user' as const, content: 'Weather? sim:steps=1 sim:calls=2' }]
    const whole = await client().chat.completions.create({ model: 'gpt-4o', messages: ask, tools })
    expect(whole.choices[0]?.finish_reason).toBe('tool_calls')
    expect(whole.choices[0]?.message.tool_calls).toHaveLength(2)
    const stream = client().chat.completions.stream({ model: 'gpt-4o', messages: ask, tools })
    const final = await stream.finalChatCompletion()
    const calls = final.choices[0]?.message.tool_calls ?? []
    expect(calls).toHaveLength(2)
    for (const call of calls) {
      const made = JSON.parse(call.type === 'function' ? call.function.arguments : '{}')
      expect(made).toEqual({ city: expect.any(String), days: expect.any(Number) })
    }
    const results = calls.map((call) => ({ role: 'tool' as const, tool_call_id: call.id, content: 'sunny' }))
    const assistant = { role: 'assistant' as const, content: null, tool_calls: calls }
    const after = await client().chat.completions.create({
      model: 'gpt-4o',
      messages: [...ask, assistant, ...results],
      tools,
    })
    expect(after.choices[0]?.finish_reason).toBe('stop')
  })

  test('structured output is an instance of the schema', async () => {
    const done = await client().chat.completions.create({
      model: 'gpt-4o',
      messages,
      response_format: { type: 'json_schema', json_schema: { name: 'verdict', schema: verdict, strict: true } },
    })
    expect(JSON.parse(done.choices[0]?.message.content ?? '')).toEqual({
      label: expect.stringMatching(/^(refund|delivery)$/),
      sure: expect.any(Boolean),
    })
  })

  test('a maximum is kept, and reasoning counts against it', async () => {
    const cut = await client().chat.completions.create({ model: 'gpt-4o', messages, max_completion_tokens: 10 })
    expect(cut.choices[0]?.finish_reason).toBe('length')
    expect(cut.usage?.completion_tokens).toBe(10)
    const thought = await client().chat.completions.create({
      model: 'gpt-5',
      messages: [{ role: 'user', content: 'sim:reasoning=500 sim:output=50' }],
      max_completion_tokens: 200,
    })
    expect(thought.choices[0]?.message.content).toBe('')
    expect(thought.usage?.completion_tokens_details?.reasoning_tokens).toBe(200)
  })

  test('errors have the shapes that the SDK turns into its classes', async () => {
    const create = (model: string, apiKey = 'sk-test') =>
      new OpenAI({ apiKey, baseURL: simulator.base_urls.openai, maxRetries: 0 }).chat.completions.create({
        model,
        messages,
      })
    await expect(create('gpt-99')).rejects.toThrow(OpenAI.NotFoundError)
    await expect(create('gpt-4o', 'sk-invalid')).rejects.toThrow(OpenAI.AuthenticationError)
    simulator.faults.next(1, { kind: 'rate-limit', retry_after_s: 3 })
    await expect(create('gpt-4o')).rejects.toThrow(OpenAI.RateLimitError)
    simulator.faults.next(1, 'server-error')
    await expect(create('gpt-4o')).rejects.toThrow(OpenAI.InternalServerError)
    const malformed = await fetch(`${simulator.base_urls.openai}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: '{"model"',
    })
    expect([malformed.status, await malformed.json()]).toMatchObject([
      400,
      { error: { type: 'invalid_request_error' } },
    ])
    expect(simulator.calls.every((call) => call.bill === null)).toBe(true)
  })

  test('responses: whole, streamed, chained, in the background, compacted', async () => {
    const done = await client().responses.create({
      model: 'gpt-5.2',
      input: 'Rivers? sim:output=20',
      reasoning: { effort: 'low' },
    })
    expect(done.output_text.split(' ')).toHaveLength(20)
    expect(done.usage).toMatchObject({ input_tokens: inputOf(bill()), output_tokens: outputOf(bill()) })
    const stream = await client().responses.create({ model: 'gpt-5.2', input: 'Rivers? sim:output=20', stream: true })
    const events = await all(stream)
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i))
    expect(events.at(-1)).toMatchObject({
      type: 'response.completed',
      response: { usage: { output_tokens: outputOf(bill()) } },
    })
    const next = await client().responses.create({
      model: 'gpt-5.2',
      input: 'And lakes?',
      previous_response_id: done.id,
    })
    expect(next.usage?.input_tokens).toBeGreaterThan((done.usage?.input_tokens ?? 0) + 20)
    const queued = await client().responses.create({ model: 'gpt-5.2', input: 'Slow', background: true })
    expect([queued.status, queued.usage]).toEqual(['queued', null])
    const polls = [await client().responses.retrieve(queued.id), await client().responses.retrieve(queued.id)]
    expect(polls.map((poll) => poll.status)).toEqual(['in_progress', 'completed'])
    expect(simulator.calls.slice(-2).map((call) => call.bill)).toEqual([null, null])
    const compacted = await client().responses.compact({ model: 'gpt-5.2', previous_response_id: next.id })
    expect(compacted.output.at(-1)?.type).toBe('compaction')
    const counted = await client().responses.inputTokens.count({ model: 'gpt-5.2', input: 'Rivers? sim:output=20' })
    expect(counted.input_tokens).toBe(done.usage?.input_tokens)
  })

  test('responses: a hosted search is an item of the output and a fee, opened pages are not', async () => {
    const tools = [{ type: 'web_search' as const }]
    const input = 'Rivers? sim:searches=3'
    const whole = await client().responses.create({ model: 'gpt-5.2', input, tools })
    const actions = whole.output.flatMap((item) => (item.type === 'web_search_call' ? [item.action] : []))
    expect(actions.filter((action) => action?.type === 'search')).toHaveLength(3)
    expect(bill()['web_search']).toBe(3)
  })

  test('responses: tool calls are streamed as argument deltas', async () => {
    const tools = [{ type: 'function' as const, name: 'weather', parameters: weather, strict: true }]
    const stream = await client().responses.create({
      model: 'gpt-4.1',
      input: 'Go sim:steps=1 sim:calls=2',
      tools,
      stream: true,
    })
    const events = await all(stream)
    const done = events.filter((event) => event.type === 'response.function_call_arguments.done')
    const deltas = events.filter((event) => event.type === 'response.function_call_arguments.delta')
    expect(done).toHaveLength(2)
    expect(deltas.map((event) => event.delta).join('')).toBe(done.map((event) => event.arguments).join(''))
  })

  test('embeddings, completions, images, models', async () => {
    const vectors = await client().embeddings.create({ model: 'text-embedding-3-small', input: ['a b', 'c'] })
    expect(vectors.data[0]?.embedding).toHaveLength(1_536)
    expect(vectors.usage.prompt_tokens).toBe(3)
    const old = await client().completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'Once', max_tokens: 5 })
    expect(old).toMatchObject({
      usage: { prompt_tokens: 1, completion_tokens: 5 },
      choices: [{ finish_reason: 'length' }],
    })
    const picture = await client().images.generate({ model: 'gpt-image-1', prompt: 'a weir', quality: 'low' })
    expect(picture.usage).toMatchObject({ output_tokens: 272 })
    const ids = (await all(client().models.list())).map((model) => model.id)
    expect(ids).toContain('gpt-6.1-terra')
  })
})

describe('anthropic', () => {
  const client = () => new Anthropic({ apiKey: 'sk-ant', baseURL: simulator.base_urls.anthropic, maxRetries: 0 })
  const ask = { model: 'claude-sonnet-5-5', max_tokens: 3_000 }
  const messages = [{ role: 'user' as const, content: 'Rivers? sim:output=40 sim:reasoning=300' }]

  test('whole and streamed messages agree but for their ids', async () => {
    const thinking = { type: 'enabled' as const, budget_tokens: 1_024 }
    const whole = await client().messages.create({ ...ask, messages, thinking })
    const streamed = await client()
      .messages.stream({ ...ask, messages, thinking })
      .finalMessage()
    expect(streamed.content.map((block) => block.type)).toEqual(['thinking', 'text'])
    expect(streamed.content[1]).toMatchObject(whole.content[1] ?? {})
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens)
    expect(whole.usage.output_tokens_details?.thinking_tokens).toBe(300)
    expect(whole.usage.output_tokens).toBe(300 + 56)
    expect(outputOf(bill())).toBe(356)
  })

  test('tools are used, in parallel, and their input is streamed', async () => {
    const tools = [{ name: 'weather', input_schema: weather as Anthropic.Tool.InputSchema }]
    const asked = [{ role: 'user' as const, content: 'Weather? sim:steps=1 sim:calls=2' }]
    const message = await client()
      .messages.stream({ ...ask, messages: asked, tools })
      .finalMessage()
    expect(message.stop_reason).toBe('tool_use')
    const uses = message.content.filter((block) => block.type === 'tool_use')
    expect(uses.map((use) => use.input)).toEqual([
      { city: expect.any(String), days: expect.any(Number) },
      { city: expect.any(String), days: expect.any(Number) },
    ])
    const results = uses.map((use) => ({ type: 'tool_result' as const, tool_use_id: use.id, content: 'sunny' }))
    const after = await client().messages.create({
      ...ask,
      tools,
      messages: [...asked, { role: 'assistant', content: message.content }, { role: 'user', content: results }],
    })
    expect(after.stop_reason).toBe('end_turn')
  })

  test('a hosted search adds a fee, and input that only the last usage of a stream has', async () => {
    const tools = [{ type: 'web_search_20250305' as const, name: 'web_search' as const }]
    const asked = [{ role: 'user' as const, content: 'Rivers? sim:searches=2 sim:output=20' }]
    const events = await all(await client().messages.create({ ...ask, messages: asked, tools, stream: true }))
    const [start] = events
    const delta = events.find((event) => event.type === 'message_delta')
    const before = start?.type === 'message_start' ? start.message.usage.input_tokens : 0
    expect(delta?.usage).toMatchObject({ input_tokens: before + 3_000, server_tool_use: { web_search_requests: 2 } })
    expect(bill()).toMatchObject({ in: before + 3_000, web_search: 2 })
    const whole = await client().messages.create({ ...ask, messages: asked, tools })
    expect(whole.content.map((block) => block.type).slice(0, 2)).toEqual(['server_tool_use', 'web_search_tool_result'])
  })

  test('count_tokens counts what is then billed', async () => {
    const counted = await client().messages.countTokens({ model: ask.model, messages })
    const done = await client().messages.create({ ...ask, messages })
    expect(done.usage.input_tokens).toBe(counted.input_tokens)
  })

  test('structured output, stop sequences and errors', async () => {
    const shaped = await client().messages.create({
      ...ask,
      messages,
      output_config: { format: { type: 'json_schema', schema: verdict } },
    })
    const [block] = shaped.content
    expect(JSON.parse(block?.type === 'text' ? block.text : '')).toMatchObject({ sure: expect.any(Boolean) })
    await expect(client().messages.create({ ...ask, model: 'claude-99', messages })).rejects.toThrow(
      Anthropic.NotFoundError,
    )
    simulator.faults.next(1, 'overloaded')
    await expect(client().messages.create({ ...ask, messages })).rejects.toMatchObject({
      status: 529,
      error: { error: { type: 'overloaded_error' } },
    })
    await expect(
      client().messages.create({ ...ask, messages, thinking: { type: 'enabled', budget_tokens: 100 } }),
    ).rejects.toThrow(/greater than or equal to 1024/)
  })
})

describe('google', () => {
  const client = () => new GoogleGenAI({ apiKey: 'g-key', httpOptions: { baseUrl: simulator.base_urls.google } })
  const contents = 'Rivers? sim:output=40 sim:reasoning=128'

  test('thoughts stand beside the candidates, and every streamed chunk repeats the usage', async () => {
    const done = await client().models.generateContent({ model: 'gemini-3.8-flash', contents })
    expect(done.usageMetadata).toMatchObject({ candidatesTokenCount: 40, thoughtsTokenCount: 128 })
    const { promptTokenCount = 0, totalTokenCount } = done.usageMetadata ?? {}
    expect(totalTokenCount).toBe(promptTokenCount + 168)
    const stream = await client().models.generateContentStream({ model: 'gemini-3.8-flash', contents })
    const chunks = await all(stream)
    expect(chunks.every((chunk) => chunk.usageMetadata !== undefined)).toBe(true)
    expect(chunks.at(-1)?.usageMetadata?.totalTokenCount).toBe(totalTokenCount)
    expect(chunks.map((chunk) => chunk.text ?? '').join('')).toBe(done.text)
  })

  test('function calls, schemas, counts and embeddings', async () => {
    const done = await client().models.generateContent({
      model: 'gemini-2.5-flash',
      contents: 'Weather? sim:steps=1',
      config: { tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: weather }] }] },
    })
    expect(done.functionCalls?.[0]).toMatchObject({ name: 'weather', args: { city: expect.any(String) } })
    const shaped = await client().models.generateContent({
      model: 'gemini-2.5-flash',
      contents,
      config: { responseMimeType: 'application/json', responseJsonSchema: verdict },
    })
    expect(JSON.parse(shaped.text ?? '')).toMatchObject({ sure: expect.any(Boolean) })
    const counted = await client().models.countTokens({ model: 'gemini-2.5-flash', contents })
    expect(counted.totalTokens).toBe(shaped.usageMetadata?.promptTokenCount)
    const vectors = await client().models.embedContent({ model: 'gemini-embedding-001', contents: ['a', 'b'] })
    expect(vectors.embeddings).toHaveLength(2)
  })

  test('an unknown model is a 404 in the API’s shape', async () => {
    await expect(client().models.generateContent({ model: 'gemini-99', contents })).rejects.toMatchObject({
      status: 404,
    })
  })
})

describe('ai sdk', () => {
  const prompt = 'Rivers? sim:output=25'
  const models = () => ({
    chat: createOpenAI({ apiKey: 'k', baseURL: simulator.base_urls.openai }).chat('gpt-4o'),
    responses: createOpenAI({ apiKey: 'k', baseURL: simulator.base_urls.openai }).responses('gpt-5-mini'),
    anthropic: createAnthropic({ apiKey: 'k', baseURL: `${simulator.base_urls.anthropic}/v1` })('claude-sonnet-4-5'),
    google: createGoogleGenerativeAI({ apiKey: 'k', baseURL: `${simulator.base_urls.google}/v1beta` })(
      'gemini-2.5-flash',
    ),
    groq: createOpenAICompatible({ name: 'groq', apiKey: 'k', baseURL: simulator.base_urls.groq })('llama-4-70b'),
    deepseek: createOpenAICompatible({ name: 'deepseek', apiKey: 'k', baseURL: simulator.base_urls.deepseek })(
      'deepseek-flash',
    ),
  })

  test.each(['chat', 'responses', 'anthropic', 'google', 'groq', 'deepseek'] as const)(
    '%s: text, stream and tools',
    async (name) => {
      const model = models()[name]
      const done = await generateText({ model, prompt, maxRetries: 0 })
      expect(done.text.split(' ')).toHaveLength(25)
      expect(done.usage.inputTokens).toBe(inputOf(bill()))
      expect(done.usage.outputTokens).toBe(outputOf(bill()))
      const streamed = streamText({ model, prompt, maxRetries: 0 })
      expect(await streamed.text).toBe(done.text)
      const { toolCalls } = await generateText({
        model,
        prompt: 'Weather? sim:steps=1',
        tools: { weather: tool({ inputSchema: jsonSchema<{ city: string }>(weather as never) }) },
        maxRetries: 0,
      })
      expect(toolCalls[0]).toMatchObject({ toolName: 'weather', input: { city: expect.any(String) } })
    },
  )

  test('structured output and embeddings', async () => {
    const { output } = await generateText({
      model: models().responses,
      prompt,
      output: Output.object({ schema: jsonSchema<{ sure: boolean }>(verdict as never) }),
      maxRetries: 0,
    })
    expect(output).toMatchObject({ sure: expect.any(Boolean) })
    const openai = createOpenAI({ apiKey: 'k', baseURL: simulator.base_urls.openai })
    const { embeddings } = await embedMany({ model: openai.embedding('text-embedding-3-small'), values: ['a', 'b'] })
    expect(embeddings).toHaveLength(2)
  })
})
