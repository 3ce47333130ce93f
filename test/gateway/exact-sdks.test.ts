/** Answers that are given again, as Google's SDK and the AI SDK read them: whole and streamed. */
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { GoogleGenAI } from '@google/genai'
import { generateText, type LanguageModel, streamText } from 'ai'
import { afterEach, expect, test } from 'vitest'
import { defaultsOf } from '../../src/config/levers.ts'
import { lever } from '../../src/playbook/cache/exact.ts'
import { type House, startHouse } from './harness.ts'

let house: House
afterEach(() => house.close())

const open = async () => {
  const levers = { 'cache/exact': { mode: 'on' as const, settings: defaultsOf(lever.settings) } }
  house = await startHouse({ settings: { policies: [{ match: {}, levers, holdout: 0, experiment: 'levers' }] } })
}

/** Asks twice; the second time nothing may reach the provider, and what the client reads is the same. */
const twice = async (ask: () => Promise<unknown>) => {
  const before = house.simulator.calls.length
  const [first, second] = [await ask(), await ask()]
  expect(house.simulator.calls.length - before).toBe(1)
  expect(JSON.stringify(first).length).toBeGreaterThan(20)
  expect(second).toEqual(first)
  const receipts = await house.receipts()
  expect(receipts.slice(-2).map(({ outcome }) => outcome)).toEqual(['ok', 'cached'])
}

test('Google’s SDK reads a stored answer as it read the first, whole and streamed', async () => {
  await open()
  const client = new GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl: house.gateway.url } })
  const ask = { model: 'gemini-2.5-flash', contents: 'Why is the sky blue?', config: { temperature: 0 } }
  const other = { ...ask, contents: 'Why is the sea blue?' }
  await twice(async () => {
    const { candidates, usageMetadata } = await client.models.generateContent(ask)
    return { candidates, usageMetadata }
  })
  await twice(async () => {
    const pieces: unknown[] = []
    for await (const { candidates, usageMetadata } of await client.models.generateContentStream(other))
      pieces.push({ candidates, usageMetadata })
    return pieces
  })
})

test.each(['google', 'openai'] as const)(
  'the AI SDK reads a stored answer of %s alike, whole and streamed',
  async (kind) => {
    await open()
    const { url } = house.gateway
    const model: LanguageModel =
      kind === 'google'
        ? createGoogleGenerativeAI({ apiKey: 'test', baseURL: `${url}/v1beta` })('gemini-2.5-flash')
        : createOpenAI({ apiKey: 'sk-test', baseURL: `${url}/v1` }).chat('gpt-4o-mini')
    const ask = { model, prompt: 'Why is the sky blue?', temperature: 0, maxRetries: 0 }
    await twice(async () => {
      const { text, usage, finishReason } = await generateText(ask)
      return { text, usage, finishReason }
    })
    await twice(async () => {
      const stream = streamText({ ...ask, prompt: 'Why is the sea blue?' })
      let text = ''
      for await (const piece of stream.textStream) text += piece
      return { text, usage: await stream.usage }
    })
  },
)
