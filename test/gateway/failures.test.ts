import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { defaultSettings } from '../../src/config.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { waitUntil } from '../waiting.ts'
import { chatBody, type OpenAiError, post, rawPost } from './ask.ts'
import { type House, type HouseOptions, startHouse } from './harness.ts'

let house: House
let provider: Server | undefined
const open = async (options: HouseOptions = {}) => {
  house = await startHouse(options)
  return house
}
afterEach(async () => {
  await house.close()
  provider?.closeAllConnections()
  provider?.close()
  provider = undefined
})

const limits = (more: Partial<typeof defaultSettings.limits>) => ({ limits: { ...defaultSettings.limits, ...more } })
const outcomes = (receipts: readonly Receipt[]) =>
  receipts.map(({ attempt, outcome, http_status }) => [attempt, outcome, http_status])
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const openServer = async (listener: RequestListener): Promise<number> => {
  const server = createServer(listener)
  provider = server
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A provider that does what `listener` says, in place of OpenAI's simulator. */
const openBefore = async (listener: RequestListener, options: HouseOptions = {}) => {
  const port = await openServer(listener)
  return open({ ...options, providers: { openai: { base_url: `http://127.0.0.1:${port}/v1` } } })
}

describe('one attempt budget', () => {
  test('a failure that passes is tried again, and each attempt has its receipt', async () => {
    await open()
    house.simulator.faults.next(1, 'server-error')
    house.simulator.faults.next(1, { kind: 'rate-limit', retry_after_s: 0 })
    const response = await post(house)
    expect(response.status).toBe(200)
    await response.arrayBuffer()
    const receipts = await house.receipts()
    expect(outcomes(receipts)).toEqual([
      [1, 'error', 500],
      [2, 'error', 429],
      [3, 'ok', 200],
    ])
    expect(new Set(receipts.map(({ call_id }) => call_id)).size).toBe(1)
    expect(receipts.map(({ price_state }) => price_state)).toEqual(['none', 'none', 'priced'])
  })

  test('when the budget is spent the provider’s own last answer goes to the client, byte for byte', async () => {
    await open({ settings: limits({ attempts: 2 }) })
    house.simulator.faults.always('server-error')
    const through = await post(house)
    const direct = await fetch(`${house.simulator.base_urls.openai}/v1/chat/completions`.replace('/v1/v1', '/v1'), {
      method: 'POST',
      headers: { authorization: 'Bearer sk' },
      body: JSON.stringify(chatBody()),
    })
    expect(through.status).toBe(direct.status)
    expect(await through.text()).toBe(await direct.text())
    expect(await house.receipts()).toHaveLength(2)
  })

  test('an SDK does not try again what Weir has tried as often as it may, unless Weir tries once only', async () => {
    await open({ settings: limits({ attempts: 2 }) })
    house.simulator.faults.always('server-error')
    const ask = (base: string) =>
      new OpenAI({ apiKey: 'sk', baseURL: `${base}/v1`, maxRetries: 2 }).chat.completions.create({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: 'Hello' }],
      })
    await expect(ask(house.gateway.url)).rejects.toThrow(OpenAI.InternalServerError)
    expect(house.simulator.calls).toHaveLength(2)
    await house.close()
    await open({ settings: limits({ attempts: 1 }) })
    house.simulator.faults.always('server-error')
    await expect(ask(house.gateway.url)).rejects.toThrow(OpenAI.InternalServerError)
    expect(house.simulator.calls).toHaveLength(3)
  })

  test('a provider’s own advice to try again gives way where Weir has tried as often as it may', async () => {
    await openBefore(
      (_request, response) => {
        response.writeHead(500, { 'x-should-retry': 'true', 'content-type': 'application/json' }).end('{}')
      },
      { settings: limits({ attempts: 2 }) },
    )
    expect((await post(house)).headers.get('x-should-retry')).toBe('false')
    expect(await house.receipts()).toHaveLength(2)
  })

  test('a wait longer than a client should hang is left to the client', async () => {
    await open()
    house.simulator.faults.always({ kind: 'rate-limit', retry_after_s: 60 })
    const response = await post(house)
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('60')
    expect(await house.receipts()).toHaveLength(1)
  })

  test('a request that was refused is not sent again', async () => {
    await open()
    const response = await post(house, { body: chatBody({ model: 'no-such-model' }) })
    expect(response.status).toBe(404)
    expect(await house.receipts()).toHaveLength(1)
  })

  test('the next target of the route answers where the first fails, under its own model name and with its own key', async () => {
    await open({
      providers: { groq: { credentials: { api_key: 'gsk-ours' } } },
      settings: {
        routes: [
          { match: { model: 'gpt-4o*' }, targets: [{ provider: 'openai' }, { provider: 'groq', model: 'gpt-4o' }] },
        ],
      },
    })
    house.simulator.faults.always('overloaded', ({ path }) => path.startsWith('/openai'))
    const response = await post(house)
    expect(response.status).toBe(200)
    expect(((await response.json()) as { model: string }).model).toContain('gpt-4o')
    const receipts = await house.receipts()
    expect(receipts.map((receipt) => [receipt.provider, receipt.outcome])).toEqual([
      ['openai', 'error'],
      ['groq', 'ok'],
    ])
    const sent = house.simulator.calls.at(-1)
    expect(sent?.headers['authorization']).toBe('Bearer gsk-ours')
    expect(JSON.parse(Buffer.from(sent?.body ?? []).toString())).toEqual(chatBody({ model: 'gpt-4o' }))
  })

  test('a client’s key never goes to a provider that it did not address', async () => {
    await open({ settings: { routes: [{ match: {}, targets: [{ provider: 'groq' }, { provider: 'openai' }] }] } })
    await (await post(house)).arrayBuffer()
    expect(house.simulator.calls.map(({ path }) => path)).toEqual(['/openai/v1/chat/completions'])
  })

  test('a target that fails again and again is left alone for a while', async () => {
    await open({ settings: { ...limits({ attempts: 1 }), breaker: { failures: 3, open_ms: 60_000 } } })
    house.simulator.faults.always('server-error')
    for (let calls = 0; calls < 3; calls++) await (await post(house)).arrayBuffer()
    const response = await post(house)
    expect(response.status).toBe(503)
    expect(((await response.json()) as OpenAiError).error.code).toBe('circuit_open')
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(50)
    expect(house.simulator.calls).toHaveLength(3)
    expect((await house.receipts()).at(-1)).toMatchObject({
      attempt: 0,
      outcome: 'refused',
      error_code: 'circuit-open',
      price_state: 'none',
    })
    expect(await (await fetch(`${house.gateway.url}/metrics`)).text()).toContain('weir_circuit_open{target="openai"} 1')
  })

  test('a 429 storm leaves a receipt for every attempt and keeps the gateway well', async () => {
    await open({ settings: limits({ attempts: 2 }) })
    house.simulator.faults.chance(0.7, { kind: 'rate-limit', retry_after_s: 0 })
    const answers = await Promise.all(Array.from({ length: 60 }, () => post(house)))
    await Promise.all(answers.map((answer) => answer.arrayBuffer()))
    const receipts = await house.receipts()
    expect(receipts).toHaveLength(house.simulator.calls.length)
    expect(new Set(receipts.map(({ call_id }) => call_id)).size).toBe(60)
    expect(receipts.filter(({ outcome }) => outcome === 'ok')).toHaveLength(
      answers.filter(({ status }) => status === 200).length,
    )
  })
})

describe('a provider that fails midway', () => {
  test('a stream that is cut ends with the API’s own error, and is estimated', async () => {
    await open()
    house.simulator.faults.next(1, { kind: 'cut', after: 5 })
    const client = new OpenAI({ apiKey: 'sk', baseURL: `${house.gateway.url}/v1`, maxRetries: 0 })
    const stream = await client.chat.completions.create({
      ...chatBody(),
      stream: true,
    } as OpenAI.ChatCompletionCreateParamsStreaming)
    const seen: string[] = []
    const read = async () => {
      for await (const chunk of stream) seen.push(chunk.choices[0]?.delta.content ?? '')
    }
    await expect(read()).rejects.toThrow(/provider/i)
    expect(seen.join('').length).toBeGreaterThan(0)
    const [receipt] = await house.receipts()
    expect(receipt).toMatchObject({
      outcome: 'cut',
      usage_source: 'estimated',
      price_state: 'priced',
      error_code: 'provider-cut',
    })
    expect(receipt?.output_tokens).toBeGreaterThan(0)
  })

  test('a connection that breaks before the answer is tried again', async () => {
    await open()
    house.simulator.faults.next(1, 'cut-before-head')
    house.simulator.faults.next(1, 'reset')
    expect((await post(house)).status).toBe(200)
    expect((await house.receipts()).map(({ outcome, error_code }) => [outcome, error_code])).toEqual([
      ['error', 'provider-cut'],
      ['error', 'provider-cut'],
      ['ok', undefined],
    ])
  })

  test('a provider that never answers is given up in time', async () => {
    await open({ settings: limits({ attempts: 1, head_ms: 300 }) })
    house.simulator.faults.next(1, 'stall')
    const response = await post(house)
    expect(response.status).toBe(504)
    expect(((await response.json()) as OpenAiError).error.code).toBe('provider_timeout')
    expect(await house.receipts()).toMatchObject([
      { outcome: 'error', error_code: 'provider-timeout', usage_source: 'estimated' },
    ])
  })

  test('a provider that cannot be reached is told as such, and nothing is billed', async () => {
    await open({ providers: { openai: { base_url: 'http://127.0.0.1:9/v1' } }, settings: limits({ attempts: 2 }) })
    const response = await post(house)
    expect(response.status).toBe(502)
    expect(((await response.json()) as OpenAiError).error.message).toContain('openai')
    expect((await house.receipts()).map(({ error_code, price_state }) => [error_code, price_state])).toEqual([
      ['provider-unreachable', 'none'],
      ['provider-unreachable', 'none'],
    ])
  })

  test('a provider whose address is wrong about TLS is told as one that cannot be reached, not as one that broke off', async () => {
    const port = await openServer((_, response) => response.end())
    const openai = { base_url: `https://127.0.0.1:${port}/v1` }
    await open({ providers: { openai }, settings: limits({ attempts: 1 }) })
    const { error } = (await (await post(house)).json()) as OpenAiError
    expect(error.message).toMatch(/openai cannot be reached.*certificate.*\((EPROTO|ERR_SSL\w+)\)/)
    expect(await house.receipts()).toMatchObject([{ error_code: 'provider-unreachable', price_state: 'none' }])
  })

  test('an answer that is not what it should be passes as it came, and is estimated', async () => {
    await open()
    house.simulator.faults.next(1, 'malformed')
    const response = await post(house)
    expect(response.status).toBe(200)
    await response.text()
    expect(await house.receipts()).toMatchObject([{ http_status: 200, usage_source: 'estimated' }])
  })

  test.each([{}, { prompt_tokens: null, completion_tokens: null, total_tokens: null }])(
    'usage that counts nothing, %j, is estimated: it is not zero',
    async (usage) => {
      const told = { choices: [{ message: { content: 'A low dam.' }, finish_reason: 'stop' }], usage }
      await openBefore((_, response) => response.end(JSON.stringify(told)))
      await (await post(house)).text()
      const [receipt] = await house.receipts()
      expect(receipt).toMatchObject({ usage_source: 'estimated', outcome: 'ok' })
      expect(receipt?.output_tokens).toBeGreaterThan(1)
    },
  )

  test('an error inside a stream is an error on the receipt', async () => {
    await open()
    house.simulator.faults.next(1, { kind: 'stream-error', after: 3 })
    const text = await (await post(house, { body: chatBody({ stream: true }) })).text()
    expect(text).toContain('"error"')
    const [receipt] = await house.receipts()
    expect(receipt).toMatchObject({
      outcome: 'error',
      http_status: 200,
      usage_source: 'estimated',
      price_state: 'priced',
    })
    expect(receipt?.output_tokens).toBeGreaterThan(0)
  })

  test('an error in place of an answer is billed by nobody, and one of which nothing can be counted is unpriced', async () => {
    await openBefore((request, response) => {
      const failed = request.url?.endsWith('/chat/completions')
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(failed ? { error: { message: 'no room', code: 'overloaded' } } : { data: [] }))
    })
    await (await post(house)).text()
    const tokens = { model: 'text-embedding-3-small', input: [[1, 2, 3]] }
    await (await post(house, { path: '/v1/embeddings', body: tokens })).text()
    expect((await house.receipts()).map(({ outcome, price_state }) => [outcome, price_state])).toEqual([
      ['error', 'none'],
      ['ok', 'unpriced'],
    ])
  })
})

test('a count that no ledger could keep, asked or answered, costs nobody the receipt', async () => {
  const usage = { prompt_tokens: 1e30, completion_tokens: 7, total_tokens: -1 }
  const told = { choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }], model: 'gpt-4o-mini', usage }
  await openBefore((_, response) => response.end(JSON.stringify(told)))
  await (await post(house, { body: chatBody({ max_tokens: 1e30 }) })).text()
  const message = { model: 'claude-sonnet-5-5', max_tokens: 1e30, messages: [{ role: 'user', content: 'Hi' }] }
  await (await post(house, { path: '/v1/messages', body: message, headers: { 'x-api-key': 'k' } })).text()
  const receipts = await house.receipts()
  expect(receipts).toHaveLength(2)
  for (const [name, value] of receipts.flatMap(Object.entries))
    if (/_tokens$|_asked$/.test(name) && typeof value === 'number') expect(value, name).toSatisfy(Number.isSafeInteger)
})

test('a redirect is an error that nobody bills, and is not followed', async () => {
  await openBefore((_, response) => response.writeHead(307, { location: `${house.simulator.base_urls.openai}` }).end())
  const options = { method: 'POST', body: JSON.stringify(chatBody()), redirect: 'manual' } as const
  const response = await fetch(`${house.gateway.url}/v1/chat/completions`, options)
  expect(response.status).toBe(307)
  expect(house.simulator.calls).toHaveLength(0)
  expect(await house.receipts()).toMatchObject([{ outcome: 'error', http_status: 307, price_state: 'none' }])
})

describe('a client that leaves', () => {
  const leave = async () => {
    const controller = new AbortController()
    const response = await post(house, { body: chatBody({ stream: true, max_tokens: 400 }), signal: controller.signal })
    const reader = response.body?.getReader()
    await reader?.read()
    controller.abort()
    await reader?.read().catch(() => {})
  }

  test('is followed by the provider being cancelled, where that stops the bill; what it saw is estimated', async () => {
    await open({ simulator: { pace_ms: 20 }, settings: { on_client_gone: 'cancel' } })
    await leave()
    const [receipt] = await house.receipts()
    expect(receipt).toMatchObject({ outcome: 'client-gone', usage_source: 'estimated', price_state: 'priced' })
    for (let tries = 0; tries < 50 && house.simulator.calls[0]?.ending === 'open'; tries++) await sleep(20)
    expect(house.simulator.calls[0]?.ending).toBe('client-gone')
  })

  test('is metered to the end where the provider bills anyway', async () => {
    await open({ simulator: { pace_ms: 2 }, settings: { on_client_gone: 'drain' } })
    await leave()
    const [receipt] = await house.receipts()
    expect(receipt).toMatchObject({ outcome: 'client-gone', usage_source: 'provider', usage_quality: 'exact' })
    expect(receipt?.output_tokens).toBe(house.simulator.calls[0]?.bill?.buckets['out'])
  })

  test('is not drained beyond the cap', async () => {
    await open({ simulator: { pace_ms: 20 }, settings: { on_client_gone: 'drain', ...limits({ drain_ms: 100 }) } })
    await leave()
    expect(await house.receipts()).toMatchObject([{ outcome: 'client-gone', usage_source: 'estimated' }])
  })

  test('before an answer began is charged for the prompt that the provider has by then', async () => {
    await open({ simulator: { latency_ms: 2000 }, settings: { on_client_gone: 'cancel' } })
    const signal = AbortSignal.timeout(300)
    await expect(post(house, { body: chatBody(), signal })).rejects.toThrow()
    const [receipt] = await house.receipts()
    expect(receipt).toMatchObject({ outcome: 'client-gone', usage_source: 'estimated', price_state: 'priced' })
    expect(receipt?.input_tokens).toBeGreaterThan(0)
    expect(receipt?.output_tokens).toBe(0)
    expect(receipt?.warnings?.join()).toContain('before the answer began')
  })

  test('before its request is complete leaves a receipt of a call that was never sent', async () => {
    await open()
    const socket = connect(house.gateway.port, '127.0.0.1')
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"model":')
    await sleep(50)
    socket.destroy()
    await waitUntil(() => house.journal().length > 0)
    expect(await house.receipts()).toMatchObject([{ attempt: 0, outcome: 'client-gone', price_state: 'none' }])
    expect(house.simulator.calls).toHaveLength(0)
  })

  test('or the moment its head has come, leaves one all the same', async () => {
    await open()
    const CLIENTS = 40
    for (let client = 0; client < CLIENTS; client++) {
      const socket = connect(house.gateway.port, '127.0.0.1', () => {
        const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"model":'
        socket.write(head, () => socket.resetAndDestroy())
      })
      socket.on('error', () => {})
    }
    const known = () => house.journal().length
    await waitUntil(() => known() >= CLIENTS)
    const receipts = await house.receipts()
    expect(outcomes(receipts)).toEqual(Array.from({ length: CLIENTS }, () => [0, 'client-gone', 400]))
    expect(await (await fetch(`${house.gateway.url}/metrics`)).text()).toContain('weir_calls_in_flight 0')
    expect(house.simulator.calls).toHaveLength(0)
  })
})

describe('a request that is wrong', () => {
  const refused = async (response: Response, status: number, code: string) => {
    expect(response.status).toBe(status)
    const { error } = (await response.json()) as OpenAiError
    expect(error.message.length).toBeGreaterThan(20)
    expect((await house.receipts()).at(-1)).toMatchObject({
      attempt: 0,
      outcome: 'refused',
      error_code: code,
      price_state: 'none',
    })
    expect(house.simulator.calls).toHaveLength(0)
  }

  test('malformed JSON is refused in the API’s own shape', async () => {
    await open()
    await refused(await post(house, { body: '{"model": "gpt-4o-mini", ' }), 400, 'malformed-json')
    const response = await post(house, { path: '/v1/messages', body: '{"model"', headers: { 'x-api-key': 'k' } })
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
  })

  test('a path that lacks its version is told which provider has it, in the shape of its API', async () => {
    await open()
    const at = async (path: string, headers: Record<string, string> = { 'anthropic-version': '2023-06-01' }) => {
      const response = await post(house, { path, headers })
      expect(response.status).toBe(404)
      expect(response.headers.get('x-weir-error')).toBe('unknown-path')
      return response.json()
    }
    const message = expect.stringContaining('anthropic serves it below /v1: put /v1 at the end of the base URL')
    expect(await at('/messages')).toMatchObject({ type: 'error', error: { type: 'not_found_error', message } })
    expect(await at('/anthropic/messages')).toMatchObject({
      type: 'error',
      error: { type: 'not_found_error', message },
    })
    expect(await at('/models/m:generateContent', { 'x-goog-api-key': 'k' })).toMatchObject({
      error: { message: expect.stringContaining('google serves it below /v1beta') },
    })
    expect(await at('/chat')).toMatchObject({ message: expect.stringContaining('cohere serves it below /v2') })
    for (const path of ['/opnai/v1/chat/completions', '/opnai/chat/completions', '/V1/chat/completions'])
      expect(await at(path)).toMatchObject({
        error: { message: expect.stringContaining('No configured provider serves this path. Use') },
      })
  })

  test('a path that has its version twice is told where the second comes from, and goes nowhere', async () => {
    await open()
    for (const path of ['/v1/v1/messages', '/anthropic/v1/v1/messages', '/v1beta/v1beta/models/m:generateContent']) {
      const response = await post(house, { path, headers: { 'anthropic-version': '2023-06-01' } })
      expect([path, response.status, await response.text()]).toEqual([
        path,
        400,
        expect.stringContaining('version twice: take it off the end of the base URL'),
      ])
    }
    expect(house.simulator.calls).toHaveLength(0)
  })

  test('a path that nobody serves is refused', async () => {
    await open()
    await refused(await post(house, { path: '/nobody/knows' }), 404, 'unknown-path')
  })

  test.each([
    '/openai/../admin',
    '/openai/%2e%2e/admin',
    '//evil.example/v1/chat/completions',
    '/openai/v1/%252e%252e/x',
    '/openai/v1/a\\b',
  ])('the path %s is refused and goes nowhere', async (path) => {
    await open()
    const answer = await rawPost(house.gateway.port, path, '{}')
    expect([400, 404]).toContain(answer.status)
    expect(house.simulator.calls).toHaveLength(0)
  })

  test('an absolute request target does not choose the destination', async () => {
    await open()
    const answer = await rawPost(
      house.gateway.port,
      'http://127.0.0.1:9/v1/chat/completions',
      JSON.stringify(chatBody()),
    )
    expect(answer.status).toBe(400)
    expect(house.simulator.calls).toHaveLength(0)
  })

  test('a WebSocket is refused by name, and an upgrade that the client can do without is let be', async () => {
    await open()
    const ask = (upgrade: string) =>
      rawPost(house.gateway.port, '/v1/chat/completions', JSON.stringify(chatBody()), {
        ...{ connection: 'Upgrade', upgrade, authorization: 'Bearer sk' },
      })
    const socket = await ask('websocket')
    expect([socket.status, socket.body.toString()]).toEqual([400, expect.stringContaining('passes no WebSockets')])
    expect((await ask('h2c')).status).toBe(200)
    expect((await house.receipts()).map(({ outcome }) => outcome)).toEqual(['refused', 'ok'])
  })

  test('a body beyond the limit is refused, told or not how long it is', async () => {
    await open({ settings: limits({ body_bytes: 10_000 }) })
    await refused(await post(house, { body: chatBody({ user: 'x'.repeat(20_000) }) }), 413, 'body-too-large')
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('x'.repeat(20_000)))
        controller.close()
      },
    })
    const chunked = await fetch(`${house.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body: stream,
      duplex: 'half',
    } as RequestInit)
    expect(chunked.status).toBe(413)
    expect((await post(house, { body: chatBody() })).status).toBe(200)
  })

  test('a client that waits to be asked for its body is asked only where it will be read', async () => {
    await open({ settings: limits({ body_bytes: 10_000 }) })
    const text = JSON.stringify(chatBody())
    const ask = (length: number, path = '/v1/chat/completions') =>
      new Promise<string>((resolve) => {
        const head = [`POST ${path} HTTP/1.1`, 'Host: weir', 'Expect: 100-continue', `Content-Length: ${length}`]
        const socket = connect(house.gateway.port, '127.0.0.1', () => socket.write(`${head.join('\r\n')}\r\n\r\n`))
        let answer = ''
        socket.on('data', (piece) => {
          answer += piece.toString()
          if (answer === 'HTTP/1.1 100 Continue\r\n\r\n') socket.end(text)
        })
        socket.on('close', () => resolve(answer))
      })
    expect(await ask(20_000)).toMatch(/^HTTP\/1.1 413 .*\r\nconnection: close/is)
    expect(await ask(100, '/nowhere')).toMatch(/^HTTP\/1.1 404 .*\r\nconnection: close/is)
    expect(await ask(text.length)).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\n/)
    expect((await house.receipts()).map(({ error_code }) => error_code).slice(0, 2)).toEqual([
      'body-too-large',
      'unknown-path',
    ])
  })

  test('a body of 50 MB passes, and others are served meanwhile', async () => {
    await open()
    const large = chatBody({
      messages: [
        {
          role: 'user',
          content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(50_000_000)}` } }],
        },
      ],
    })
    const [first, ...others] = await Promise.all([post(house, { body: large }), post(house), post(house)])
    expect(others.map(({ status }) => status)).toEqual([200, 200])
    expect(first?.status).toBeLessThan(500)
    expect(house.simulator.calls.find(({ body }) => body.length > 50_000_000)).toBeDefined()
    expect(await house.receipts()).toHaveLength(3)
  })

  test('more calls in flight than allowed are refused at once', async () => {
    await open({ simulator: { latency_ms: 200 }, settings: limits({ concurrent_calls: 3 }) })
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(house)))
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThanOrEqual(1)
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3)
    expect(await house.receipts()).toHaveLength(8)
  })
})

describe('bytes pass no faster than the slower side', () => {
  test('a client that does not read holds the provider back, and memory stays flat', async () => {
    const piece = Buffer.alloc(64 * 1024, 'x')
    let sent = 0
    await openBefore((request, response) => {
      request.resume()
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const pour = () => {
        while (sent < 200 * 1024 * 1024) {
          sent += piece.length
          if (!response.write(piece)) return
        }
        response.end()
      }
      response.on('drain', pour)
      pour()
    })
    const socket = connect(house.gateway.port, '127.0.0.1')
    const body = JSON.stringify(chatBody({ stream: true }))
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    socket.pause()
    await sleep(700)
    expect(sent).toBeGreaterThan(0)
    expect(sent).toBeLessThan(30 * 1024 * 1024)
    socket.destroy()
    expect(await house.receipts()).toMatchObject([{ outcome: 'client-gone' }])
  })
})
