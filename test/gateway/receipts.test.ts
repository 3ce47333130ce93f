import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import type { Receipt } from '../../src/core/receipt.ts'
import { chatBody, post, rawPost } from './ask.ts'
import { billed, metered } from './bill.ts'
import { type House, type HouseOptions, startHouse } from './harness.ts'

let house: House
const open = async (options: HouseOptions = {}) => {
  house = await startHouse(options)
  return house
}
afterEach(() => house.close())

const last = async (): Promise<Receipt> => {
  const receipt = (await house.receipts()).at(-1)
  if (!receipt) throw new Error('no receipt')
  return receipt
}

describe('every call leaves one receipt that equals the provider’s own bill', () => {
  const long = 'The river carries water, leaves and boats past the old mill. '.repeat(300)
  const gemini = {
    contents: [{ role: 'user', parts: [{ text: `${long} Why?` }] }],
    generationConfig: { maxOutputTokens: 80 },
  }
  const message = (stream: boolean) => ({
    model: 'claude-sonnet-5-5',
    max_tokens: 50,
    stream,
    system: [{ type: 'text', text: long, cache_control: { type: 'ephemeral' } }],
    messages: [{ role: 'user', content: 'Why?' }],
  })
  const cached = chatBody({
    messages: [
      { role: 'system', content: long },
      { role: 'user', content: 'Why?' },
    ],
  })
  const asks: readonly (readonly [string, string, unknown])[] = [
    ['chat', '/v1/chat/completions', cached],
    ['chat again, from the cache', '/v1/chat/completions', cached],
    ['chat streamed', '/v1/chat/completions', { ...cached, stream: true }],
    ['chat that reasons', '/v1/chat/completions', { model: 'gpt-5-mini', messages: cached.messages }],
    ['responses', '/v1/responses', { model: 'gpt-5-mini', input: 'Hello' }],
    ['responses streamed', '/v1/responses', { model: 'gpt-5-mini', input: 'Hello', stream: true }],
    ['embeddings', '/v1/embeddings', { model: 'text-embedding-3-small', input: ['one', 'two'] }],
    ['messages, written to the cache', '/v1/messages', message(false)],
    ['messages, read from the cache', '/v1/messages', message(false)],
    ['messages streamed', '/v1/messages', message(true)],
    ['gemini', '/v1beta/models/gemini-2.5-flash:generateContent', gemini],
    ['gemini streamed', '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', gemini],
    ['gemini streamed as one array', '/v1beta/models/gemini-2.5-flash:streamGenerateContent', gemini],
    ['another provider by its prefix', '/groq/openai/v1/chat/completions', chatBody()],
  ]

  const keysFor = (path: string): Record<string, string> =>
    path.startsWith('/v1beta') ? { 'x-goog-api-key': 'g' } : path === '/v1/messages' ? { 'x-api-key': 'k' } : {}

  test('on every wire, whole and streamed', async () => {
    await open()
    for (const [, path, body] of asks) {
      const response = await post(house, { path, body, headers: keysFor(path) })
      expect(response.status, path).toBe(200)
      expect(response.headers.get('x-weir-call-id')).toBeTruthy()
      await response.arrayBuffer()
    }
    const receipts = await house.receipts()
    expect(receipts).toHaveLength(asks.length)
    for (const [index, receipt] of receipts.entries()) {
      const name = asks[index]?.[0]
      expect({ name, ...metered(receipt) }).toEqual({ name, ...billed(house.simulator.calls[index]) })
      expect({ name, outcome: receipt.outcome, state: receipt.price_state }).toEqual({
        name,
        outcome: 'ok',
        state: 'priced',
      })
    }
    expect(receipts[1]?.cache_read_tokens).toBeGreaterThan(1000)
    expect(receipts[8]?.cache_read_tokens).toBeGreaterThan(1000)
  })

  test('an answer that the provider compressed reaches the client as it was sent, and is metered beside', async () => {
    await open()
    const plain = JSON.stringify({
      id: 'chatcmpl-1',
      model: 'gpt-4o-mini',
      choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    })
    const packed = gzipSync(plain)
    const provider = createServer((request, response) => {
      request.resume()
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      response.end(request.headers['accept-encoding'] === 'gzip' ? packed : 'unasked')
    })
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
    const { port } = provider.address() as AddressInfo
    await house.close()
    await open({ providers: { openai: { base_url: `http://127.0.0.1:${port}/v1` } } })
    const raw = await rawPost(house.gateway.port, '/v1/chat/completions', JSON.stringify(chatBody()), {
      'accept-encoding': 'gzip',
    })
    provider.close()
    expect(Buffer.compare(raw.body, packed)).toBe(0)
    expect(raw.headers['content-encoding']).toBe('gzip')
    expect(await last()).toMatchObject({ input_tokens: 10, output_tokens: 5, cost_usd: '0.00007' })
  })

  test('an answer in an encoding that nobody here can read passes whole, is unpriced, and is no fault of its provider', async () => {
    const provider = createServer((request, response) => {
      request.resume()
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'compress' })
      response.end('packed')
    })
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
    const { port } = provider.address() as AddressInfo
    const breaker = { failures: 1, open_ms: 60_000 }
    await open({ settings: { breaker }, providers: { openai: { base_url: `http://127.0.0.1:${port}/v1` } } })
    for (const _ of [1, 2]) {
      const raw = await rawPost(house.gateway.port, '/v1/chat/completions', JSON.stringify(chatBody()))
      expect([raw.status, raw.body.toString()]).toEqual([200, 'packed'])
      expect(raw.headers['x-weir-warning']).toMatch(/could not be decoded/)
    }
    provider.close()
    const receipt = await last()
    expect(receipt).toMatchObject({ outcome: 'ok', price_state: 'unpriced', usage_source: 'none' })
    expect(receipt.cost_usd).toBeUndefined()
    expect(receipt.warnings?.[0]).toMatch(/could not be decoded/)
  })

  test('a compressed request is read and passed on as it came', async () => {
    await open()
    const packed = gzipSync(JSON.stringify(chatBody()))
    const response = await post(house, { body: packed, headers: { 'content-encoding': 'gzip' } })
    await response.arrayBuffer()
    expect(Buffer.compare(house.simulator.calls[0]?.body ?? new Uint8Array(), packed)).toBe(0)
    expect(await last()).toMatchObject({ model_asked: 'gpt-4o-mini', request_bytes: packed.length })
  })
})

describe('a receipt says', () => {
  test('who pays, by header before body, and the key of neither', async () => {
    await open()
    const body = chatBody({
      user: 'user-of-body',
      metadata: { team: 'team-of-body', feature: 'feature-of-body', plan: 'gold' },
    })
    const headers = {
      'x-weir-team': 'river',
      'x-weir-customer': 'acme',
      'x-weir-session': 's-1',
      'x-weir-step': '7',
      'x-weir-agent': 'scout',
      'x-weir-environment': 'test',
      'x-weir-tag-plan': 'silver',
      'x-weir-deferrable': 'true',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    }
    await (await post(house, { body, headers })).arrayBuffer()
    expect(await last()).toMatchObject({
      team: 'river',
      feature: 'feature-of-body',
      customer: 'acme',
      user: 'user-of-body',
      session: 's-1',
      step: 7,
      agent: 'scout',
      environment: 'test',
      tags: { plan: 'silver' },
      deferrable: true,
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      span_id: '00f067aa0ba902b7',
    })
    const sent = house.simulator.calls[0]?.headers ?? {}
    expect(Object.keys(sent).filter((name) => name.startsWith('x-weir-'))).toEqual([])
    expect(sent['authorization']).toBe('Bearer sk-client')
  })

  test('who pays in the letters that the client wrote, as UTF-8 or as Latin-1, and without control characters', async () => {
    await open()
    const utf8 = { 'x-weir-team': Buffer.from('Käufer ✓').toString('latin1'), 'x-weir-tag-ort': 'Zürich\u0085' }
    const body = Buffer.from(JSON.stringify(chatBody())) // beside a text Node would write the head as UTF-8
    await rawPost(house.gateway.port, '/v1/chat/completions', body, utf8)
    expect(await last()).toMatchObject({ team: 'Käufer ✓', tags: { ort: 'Zürich' } })
  })

  test('its cost to the picodollar, and the answer’s head says the same', async () => {
    await open()
    const response = await post(house)
    await response.arrayBuffer()
    const receipt = await last()
    const expected = ((receipt.input_tokens ?? 0) * 2 + (receipt.output_tokens ?? 0) * 10) / 1e6
    expect(Number(receipt.cost_usd)).toBeCloseTo(expected, 12)
    expect(response.headers.get('x-weir-cost-usd')).toBe(receipt.cost_usd)
    expect(response.headers.get('x-weir-price-state')).toBe('priced')
    expect(response.headers.get('x-weir-call-id')).toBe(receipt.call_id)
    expect(receipt.system_tokens ?? 0).toBeGreaterThan(0)
    expect((receipt.system_tokens ?? 0) + (receipt.user_tokens ?? 0)).toBe(receipt.input_tokens)
    expect(receipt.prefix_tokens?.at(-1)).toBe(receipt.input_tokens)
  })

  test('that a model without a price is unpriced, never free', async () => {
    await open()
    await (await post(house, { body: chatBody({ model: 'gpt-4.1' }) })).arrayBuffer()
    const receipt = await last()
    expect(receipt.price_state).toBe('unpriced')
    expect(receipt.cost_usd).toBeUndefined()
    expect(Number(receipt.reserved_usd)).toBeGreaterThan(0)
  })

  test('that listing models and counting tokens bill nothing, nor does moderation at OpenAI', async () => {
    await open()
    const list = async (path: string, headers: Record<string, string>) =>
      (await fetch(house.gateway.url + path, { headers })).arrayBuffer()
    await list('/v1/models', { authorization: 'Bearer sk' })
    await list('/v1/models', { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' })
    await list('/v1beta/models/gemini-2.5-flash', { 'x-goog-api-key': 'k' })
    await (await post(house, { path: '/v1/moderations', body: { input: 'Hello' } })).arrayBuffer()
    const body = { model: 'claude-sonnet-5-5', messages: [{ role: 'user', content: 'Hello' }] }
    await (await post(house, { path: '/v1/messages/count_tokens', body, headers: { 'x-api-key': 'k' } })).arrayBuffer()
    const receipts = await house.receipts()
    expect(receipts.map(({ provider, endpoint, price_state }) => [provider, endpoint, price_state])).toEqual([
      ['openai', 'models', 'none'],
      ['anthropic', 'models', 'none'],
      ['google', 'models', 'none'],
      ['openai', 'moderations', 'none'],
      ['anthropic', 'count_tokens', 'none'],
    ])
  })

  test('that a path which no wire knows passed through unmetered', async () => {
    await open()
    const response = await post(house, { path: '/v1/assistants', body: { model: 'gpt-4o' } })
    await response.arrayBuffer()
    const receipt = await last()
    expect(receipt).toMatchObject({ endpoint: '/v1/assistants', provider: 'openai', http_status: response.status })
    expect(receipt.price_state).toBe(response.status < 400 ? 'unmetered' : 'none')
    expect(house.simulator.calls[0]?.path).toBe('/openai/v1/assistants')
  })

  test('estimated usage, where the provider reported none', async () => {
    await open()
    house.simulator.faults.next(2, 'no-usage')
    await (await post(house)).arrayBuffer()
    await (await post(house, { body: chatBody({ stream: true }) })).arrayBuffer()
    for (const receipt of await house.receipts()) {
      expect(receipt).toMatchObject({ outcome: 'ok', usage_source: 'estimated', price_state: 'priced' })
      expect(receipt.output_tokens).toBeGreaterThan(10)
    }
  })

  test('of a stream that was cut after its start told the input: that input, and the output by tokenizer', async () => {
    await open()
    const body = {
      model: 'claude-sonnet-5-5',
      max_tokens: 400,
      stream: true,
      messages: [{ role: 'user', content: 'Explain weirs in detail.' }],
    }
    house.simulator.faults.next(1, { kind: 'cut', after: 30 })
    const response = await post(house, { path: '/v1/messages', body, headers: { 'x-api-key': 'k' } })
    await response.text().catch(() => 'cut')
    const receipt = await last()
    const bill = billed(house.simulator.calls[0])
    expect(receipt).toMatchObject({ outcome: 'cut', usage_source: 'estimated', price_state: 'priced' })
    expect(receipt.input_tokens).toBe(bill?.input)
    expect(bill?.output).toBeGreaterThan(50)
    // The tokenizer is not Claude's own, and no ratio is learnt yet: between half and twice.
    expect(receipt.output_tokens).toBeGreaterThan((bill?.output ?? 0) / 2)
    expect(receipt.output_tokens).toBeLessThan((bill?.output ?? 0) * 2)
    expect(receipt.warnings?.join()).toContain('output is estimated by tokenizer')
  })

  test('a background response is billed once, however often it is polled', async () => {
    await open()
    const made = await post(house, {
      path: '/v1/responses',
      body: { model: 'gpt-5-mini', input: 'Hello', background: true },
    })
    const { id } = (await made.json()) as { id: string }
    let status = ''
    for (let polls = 0; polls < 10 && status !== 'completed'; polls++) {
      const polled = await fetch(`${house.gateway.url}/v1/responses/${id}`, { headers: { authorization: 'Bearer sk' } })
      status = ((await polled.json()) as { status: string }).status
    }
    for (let polls = 0; polls < 3; polls++)
      await (
        await fetch(`${house.gateway.url}/v1/responses/${id}`, { headers: { authorization: 'Bearer sk' } })
      ).arrayBuffer()
    expect(status).toBe('completed')
    const receipts = await house.receipts()
    expect(receipts.filter(({ price_state }) => price_state === 'priced')).toHaveLength(1)
    expect(receipts.filter(({ price_state }) => price_state === 'none')).toHaveLength(receipts.length - 1)
  })
})

test('the metrics count as many receipts written as were due, with bounded labels', async () => {
  await open()
  await (await post(house)).arrayBuffer()
  await (await post(house, { body: '{not json' })).arrayBuffer()
  await house.receipts()
  const text = await (await fetch(`${house.gateway.url}/metrics`)).text()
  expect(text).toContain('weir_receipts_due_total 2\n')
  expect(text).toContain('weir_receipts_total 2\n')
  const attempts = 'weir_attempts_total{wire="openai-chat",provider="openai"'
  expect(text).toContain(`${attempts},outcome="ok",status="200"} 1\n`)
  expect(text).toContain(`${attempts},outcome="refused",status="400"} 1\n`)
  expect(text).toContain('weir_duration_seconds_count{wire="openai-chat",provider="openai"} 1')
  const families = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name)
  expect([...text.matchAll(/^# HELP (\w+) \w/gm)].map(([, name]) => name)).toEqual(families)
  for (const name of families) expect(readFileSync('docs/operating.md', 'utf8')).toContain(`\`${name}\``)
})

test.each(['GET', 'HEAD'])(
  'liveness and readiness answer a load balancer’s %s, whatever its query, and are no calls',
  async (method) => {
    await open()
    for (const path of ['/healthz', '/readyz', '/metrics', '/healthz?probe=1'])
      expect((await fetch(house.gateway.url + path, { method })).status, path).toBe(200)
    expect(house.journal()).toHaveLength(0)
  },
)

test('a call that the configuration fails is in the log as it is by default; one that its client got wrong is not', async () => {
  await open({ settings: { log_level: 'warn', routes: [{ match: {}, targets: [{ provider: 'voyage' }] }] } })
  expect((await post(house)).status).toBe(500)
  expect((await post(house, { body: '{not json' })).status).toBe(400)
  expect(house.log.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 40, outcome: 'refused', error_code: 'bad-config', http_status: 500 },
  ])
})
