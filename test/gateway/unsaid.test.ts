/** What a provider leaves unsaid: usage that is missing or cannot be read is estimated, at every API, and never taken for nothing. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House
beforeAll(async () => {
  house = await startHouse()
})
afterEach(() => house.simulator.reset())
afterAll(() => house.close())

const asked = 'sim:output=160 What is a weir?'
const messages = [{ role: 'user', content: asked }]
const contents = [{ role: 'user', parts: [{ text: asked }] }]
const calls = {
  'openai-chat': ['/v1/chat/completions', { model: 'gpt-4o-mini', messages }],
  'openai-responses': ['/v1/responses', { model: 'gpt-4o-mini', input: asked }],
  'anthropic-messages': ['/v1/messages', { model: 'claude-haiku-4-5', max_tokens: 400, messages }],
  'gemini-generate': ['/v1beta/models/gemini-2.0-flash:generateContent', { contents }],
} as const
const streamed = {
  'openai-chat': [calls['openai-chat'][0], { ...calls['openai-chat'][1], stream: true }],
  'openai-responses': [calls['openai-responses'][0], { ...calls['openai-responses'][1], stream: true }],
  'anthropic-messages': [calls['anthropic-messages'][0], { ...calls['anthropic-messages'][1], stream: true }],
  'gemini-generate': ['/v1beta/models/gemini-2.0-flash:streamGenerateContent?alt=sse', { contents }],
} as const
const cases = Object.entries({ whole: calls, streamed }).flatMap(([how, all]) =>
  Object.entries(all).flatMap(([wire, [path, body]]) =>
    (['no-usage', 'malformed'] as const).map((fault) => {
      // Every event of Gemini's says what was used up to it.
      const from = how === 'streamed' && wire === 'gemini-generate' && fault === 'malformed' ? 'provider' : 'estimated'
      return { how, wire, path, body, fault, from }
    }),
  ),
)

test.each(cases)('$wire, $how, $fault: what was seen of the answer is counted', async ({ path, body, fault, from }) => {
  house.simulator.faults.always(fault)
  const response = await post(house, { path, body })
  await response.text()
  const receipt = (await house.receipts()).at(-1)
  expect(receipt).toMatchObject({ usage_source: from, outcome: fault === 'no-usage' ? 'ok' : 'cut' })
  expect(receipt?.input_tokens).toBeGreaterThan(0)
  expect(receipt?.output_tokens, 'what was seen of 160 tokens').toBeGreaterThan(fault === 'no-usage' ? 120 : 10)
})

test('a wait that Google asks for in the body is heeded as one in a header: a long one is left to the client', async () => {
  const [path, body] = calls['gemini-generate']
  const before = house.simulator.calls.length
  house.simulator.faults.always({ kind: 'rate-limit', retry_after_s: 60 })
  const response = await post(house, { path, body })
  expect(response.status).toBe(429)
  expect(await response.text()).toContain('"retryDelay": "60s"')
  expect(house.simulator.calls.length - before).toBe(1)
})

test('a client that leaves is no fault of the provider: the receipt names no error of it', async () => {
  house.simulator.faults.always({ kind: 'slow-chunks', ms: 20 })
  const leaving = new AbortController()
  const [path, body] = streamed['openai-chat']
  const response = await post(house, { path, body, signal: leaving.signal })
  await response.body?.getReader().read()
  leaving.abort()
  await expect.poll(async () => (await house.receipts()).at(-1)?.outcome).toBe('client-gone')
  expect((await house.receipts()).at(-1)?.error_code).toBe(undefined)
})
