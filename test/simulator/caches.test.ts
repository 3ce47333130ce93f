import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../simulator/start.ts'

const MINUTE = 60_000_000
const START = 1_795_000_000_000_000
let now_us = START
let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ seed: 3, now_us: () => now_us })
})
afterAll(() => simulator.close())
beforeEach(() => {
  simulator.reset()
  now_us = START
})

const words = (count: number, start = 0) => Array.from({ length: count }, (_, i) => `w${start + i}`).join(' ')
const bill = () => simulator.calls.at(-1)?.bill?.buckets ?? {}

describe('anthropic', () => {
  type Block = Anthropic.TextBlockParam
  type Cache = Anthropic.CacheControlEphemeral
  const five: Cache = { type: 'ephemeral' }
  const hour: Cache = { type: 'ephemeral', ttl: '1h' }
  const block = (text: string, cache_control?: Cache): Block => ({
    type: 'text',
    text,
    ...(cache_control && { cache_control }),
  })
  const send = async (
    system: Block[],
    content: Block[] = [block('Hi, be brief')],
    model = 'claude-sonnet-5-5',
    key = 'a',
  ) => {
    const client = new Anthropic({ apiKey: key, baseURL: simulator.base_urls.anthropic, maxRetries: 0 })
    const done = await client.messages.create({ model, max_tokens: 200, system, messages: [{ role: 'user', content }] })
    return done.usage
  }
  const long = words(2_000)

  test('a prefix is written once, then read, and the input count is what remains', async () => {
    const first = await send([block(long, five)])
    expect(first.cache_read_input_tokens).toBe(0)
    expect(first.cache_creation_input_tokens).toBeGreaterThan(1_024)
    expect(first.cache_creation?.ephemeral_5m_input_tokens).toBe(first.cache_creation_input_tokens)
    const second = await send([block(long, five)], [block('Something else, be brief')])
    expect(second.cache_read_input_tokens).toBe(first.cache_creation_input_tokens)
    expect(second.cache_creation_input_tokens).toBe(0)
    expect(bill()).toMatchObject({ cr: second.cache_read_input_tokens, cw5m: 0, in: second.input_tokens })
  })

  test('reads refresh the five minutes, and silence ends them', async () => {
    await send([block(long, five)])
    for (let i = 0; i < 3; i++) {
      now_us += 4 * MINUTE
      expect((await send([block(long, five)])).cache_read_input_tokens).toBeGreaterThan(0)
    }
    now_us += 5 * MINUTE
    expect((await send([block(long, five)])).cache_read_input_tokens).toBe(0)
  })

  test('an hour is kept apart, and may not come after five minutes', async () => {
    const usage = await send([block(long, hour), block(words(1_500, 9_000), five)])
    expect(usage.cache_creation?.ephemeral_1h_input_tokens).toBeGreaterThan(1_024)
    expect(usage.cache_creation?.ephemeral_5m_input_tokens).toBeGreaterThan(1_024)
    now_us += 30 * MINUTE
    const later = await send([block(long, hour), block(words(1_500, 9_000), five)])
    expect(later.cache_read_input_tokens).toBe(usage.cache_creation?.ephemeral_1h_input_tokens)
    expect(later.cache_creation?.ephemeral_5m_input_tokens).toBe(usage.cache_creation?.ephemeral_5m_input_tokens)
    await expect(send([block(long, five), block('more', hour)])).rejects.toThrow(/must not come after/)
  })

  test('nothing below the minimum of the model is cached, nor anything for another key or model', async () => {
    const small = words(300)
    await send([block(small, five)])
    expect((await send([block(small, five)])).cache_creation_input_tokens).toBe(0)
    await send([block(small, five)], undefined, 'claude-opus-5-5')
    expect((await send([block(small, five)], undefined, 'claude-opus-5-5')).cache_read_input_tokens).toBeGreaterThan(
      512,
    )
    await send([block(long, five)])
    expect((await send([block(long, five)], undefined, 'claude-sonnet-5-5', 'b')).cache_read_input_tokens).toBe(0)
    expect((await send([block(long, five)], undefined, 'claude-sonnet-5')).cache_read_input_tokens).toBe(0)
  })

  test('more than four breakpoints are refused, and a breakpoint looks back over twenty blocks', async () => {
    const five4 = Array.from({ length: 5 }, (_, i) => block(`b${i}`, five))
    await expect(send(five4)).rejects.toThrow('A maximum of 4 blocks with cache_control may be provided. Found 5.')
    const turns = (count: number) => Array.from({ length: count }, (_, i) => block(`${i} ${words(100, i * 100)}`))
    const marked = (count: number) => [
      ...turns(count - 1),
      block(`${count - 1} ${words(100, (count - 1) * 100)}`, five),
    ]
    const first = await send([block('s')], marked(20))
    const near = await send([block('s')], marked(39))
    expect(near.cache_read_input_tokens).toBe(first.cache_creation_input_tokens)
    const far = await send([block('s')], [...turns(60), block('end', five)])
    expect(far.cache_read_input_tokens).toBe(0)
  })

  test('a changed tool list loses everything after it', async () => {
    const client = new Anthropic({ apiKey: 'a', baseURL: simulator.base_urls.anthropic, maxRetries: 0 })
    const ask = async (name: string) => {
      const input_schema = { type: 'object' as const, properties: {} }
      const { usage } = await client.messages.create({
        model: 'claude-sonnet-5-5',
        max_tokens: 200,
        tools: [{ name, input_schema }],
        system: [block(long, five)],
        messages: [{ role: 'user', content: 'Hi sim:steps=0' }],
      })
      return usage.cache_read_input_tokens
    }
    expect([await ask('one'), (await ask('one')) === 0, await ask('two')]).toEqual([0, false, 0])
  })
})

describe('openai', () => {
  const send = async (model: string, messages: OpenAI.ChatCompletionMessageParam[], more: object = {}) => {
    const client = new OpenAI({ apiKey: 'k', baseURL: simulator.base_urls.openai, maxRetries: 0 })
    const done = await client.chat.completions.create({ model, messages, ...more })
    const { prompt_tokens = 0, prompt_tokens_details: details } = done.usage ?? {}
    return { prompt_tokens, cached: details?.cached_tokens ?? 0, written: details?.cache_write_tokens }
  }
  const system = { role: 'system' as const, content: words(1_500) }
  const user = (content: string) => ({ role: 'user' as const, content })

  test('before 5.6 the longest shared prefix is read in steps of 128 tokens from 1,024 on, for ten minutes', async () => {
    expect((await send('gpt-4o', [system, user('One, be brief')])).cached).toBe(0)
    const second = await send('gpt-4o', [system, user('Two, be brief')])
    expect(second.cached).toBeGreaterThanOrEqual(1_024)
    expect((second.cached - 1_024) % 128).toBe(0)
    expect(second.prompt_tokens).toBeGreaterThan(second.cached)
    expect(second.written).toBeUndefined()
    expect(bill()).toMatchObject({ in: second.prompt_tokens - second.cached, cr: second.cached, cw: 0 })
    expect((await send('gpt-4o', [{ ...system, content: words(200) }, user('x')])).cached).toBe(0)
    now_us += 11 * MINUTE
    expect((await send('gpt-4o', [system, user('Three')])).cached).toBe(0)
  })

  test('a prefix shared only in part is read as far as it is shared', async () => {
    await send('gpt-4o', [user(words(2_000))])
    const { cached } = await send('gpt-4o', [user(`${words(1_000)} and now something else`)])
    expect(cached).toBeGreaterThanOrEqual(1_024)
    expect(cached).toBeLessThan(4_000)
  })

  test('from 5.6 on writes are counted, and only whole written prefixes match', async () => {
    const first = await send('gpt-5.6-sol', [system, user('One')])
    expect(first).toMatchObject({ cached: 0, written: first.prompt_tokens - 3 })
    const again = await send('gpt-5.6-sol', [system, user('One')])
    expect(again).toMatchObject({ cached: first.written, written: 0 })
    const other = await send('gpt-5.6-sol', [system, user('Two')])
    expect(other.cached).toBeGreaterThan(1_024)
    expect(other.cached + (other.written ?? 0)).toBe(other.prompt_tokens - 3)
    const shorter = await send('gpt-5.6-sol', [{ ...system, content: words(1_200) }, user('Two')])
    expect(shorter.cached).toBe(0)
    now_us += 31 * MINUTE
    expect((await send('gpt-5.6-sol', [system, user('One')], { prompt_cache_options: { ttl: '12h' } })).cached).toBe(0)
    now_us += 600 * MINUTE
    expect((await send('gpt-5.6-sol', [system, user('One')])).cached).toBeGreaterThan(0)
  })
})

test('what was written can be read from the moment its response starts, not before', async () => {
  const slow = await startSimulator({ latency_ms: 40 })
  const client = new Anthropic({ apiKey: 'a', baseURL: slow.base_urls.anthropic, maxRetries: 0 })
  const system = [{ type: 'text' as const, text: words(2_000), cache_control: { type: 'ephemeral' as const } }]
  const messages = [{ role: 'user' as const, content: 'Hi, be brief' }]
  const send = () => client.messages.create({ model: 'claude-sonnet-5-5', max_tokens: 200, system, messages })
  const [one, other] = await Promise.all([send(), send()])
  const third = await send()
  await slow.close()
  expect([one, other, third].map(({ usage }) => usage.cache_read_input_tokens === 0)).toEqual([true, true, false])
})

test('gemini caches implicitly from the model’s minimum on', async () => {
  const client = new GoogleGenAI({ apiKey: 'g', httpOptions: { baseUrl: simulator.base_urls.google } })
  const send = async (model: string) => {
    const contents = [{ role: 'user', parts: [{ text: words(1_000) }, { text: 'be brief' }] }]
    return (await client.models.generateContent({ model, contents })).usageMetadata
  }
  await send('gemini-2.5-flash')
  const read = await send('gemini-2.5-flash')
  expect(read?.cachedContentTokenCount).toBeGreaterThanOrEqual(1_024)
  expect(read?.promptTokenCount).toBeGreaterThan(read?.cachedContentTokenCount ?? 0)
  expect(bill()['in']).toBe((read?.promptTokenCount ?? 0) - (read?.cachedContentTokenCount ?? 0))
  await send('gemini-2.5-pro')
  expect((await send('gemini-2.5-pro'))?.cachedContentTokenCount).toBeUndefined()
})
