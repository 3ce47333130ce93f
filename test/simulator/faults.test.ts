import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseFault } from '../../simulator/faults.ts'
import { type Simulator, startSimulator } from '../../simulator/start.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ seed: 5, allow_header_faults: true })
})
afterAll(() => simulator.close())
beforeEach(() => simulator.reset())

type Seen = { status: number; headers: Record<string, unknown>; body: string; whole: boolean }

/** A plain client that says what came of a call, bytes seen before a cut included. */
const call = (path: string, body: object, headers: Record<string, string> = {}): Promise<Seen> =>
  new Promise((resolve) => {
    const seen: Seen = { status: 0, headers: {}, body: '', whole: false }
    const options = { method: 'POST', headers: { authorization: 'Bearer k', ...headers }, agent: false as const }
    const request = httpRequest(simulator.url + path, options, (response) => {
      seen.status = response.statusCode ?? 0
      seen.headers = response.headers
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        seen.body += piece
      })
      response.on('end', () => {
        seen.whole = response.complete
      })
      response.on('error', () => undefined)
      response.on('close', () => resolve(seen))
    })
    request.on('error', () => resolve(seen))
    request.end(JSON.stringify(body))
  })

const messages = [{ role: 'user', content: 'Rivers? sim:output=80' }]
const chat = (more: object = {}, headers = {}) =>
  call('/v1/chat/completions', { model: 'gpt-4o', messages, ...more }, headers)
const claude = (more: object = {}) =>
  call('/v1/messages', { model: 'claude-sonnet-4-5', max_tokens: 500, messages, ...more })
const last = () => simulator.calls.at(-1)

describe('each fault', () => {
  test('rate limits say when to come back, in the API’s words', async () => {
    simulator.faults.next(2, { kind: 'rate-limit', retry_after_s: 7 })
    expect(await chat()).toMatchObject({ status: 429, headers: { 'retry-after': '7' } })
    const anthropic = await claude()
    expect([anthropic.status, JSON.parse(anthropic.body)]).toMatchObject([429, { error: { type: 'rate_limit_error' } }])
    expect((await chat()).status).toBe(200)
  })

  test('a cut stream ends without its end and is billed for what was made', async () => {
    simulator.faults.next(1, { kind: 'cut', after: 6 })
    const seen = await chat({ stream: true })
    expect(seen).toMatchObject({ status: 200, whole: false })
    expect(seen.body).not.toContain('[DONE]')
    expect(seen.body.match(/"content":" /g)?.length).toBe(4)
    expect(last()).toMatchObject({ ending: 'cut', fault: 'cut', bill: { buckets: { out: 20 } } })
  })

  test('a cut whole answer is a part of its body', async () => {
    simulator.faults.next(1, 'cut')
    const seen = await chat()
    expect(seen.whole).toBe(false)
    expect(() => JSON.parse(seen.body)).toThrow()
    expect(last()?.bill?.buckets['out']).toBe(80)
  })

  test('no head comes after a cut before it or a reset, and nothing is billed', async () => {
    for (const kind of ['cut-before-head', 'reset'] as const) {
      simulator.faults.next(1, kind)
      expect(await chat()).toMatchObject({ status: 0 })
      expect(last()).toMatchObject({ ending: 'cut', bill: null })
    }
  })

  test('usage can be missing, whole and streamed, and is billed all the same', async () => {
    simulator.faults.always('no-usage')
    expect(JSON.parse((await chat()).body)).not.toHaveProperty('usage')
    expect((await chat({ stream: true, stream_options: { include_usage: true } })).body).not.toContain(
      'completion_tokens',
    )
    expect((await claude({ stream: true })).body).not.toContain('output_tokens')
    expect(last()?.bill?.buckets['out']).toBeGreaterThan(80)
  })

  test('answers can be malformed', async () => {
    simulator.faults.next(2, 'malformed')
    const seen = await chat()
    expect(seen).toMatchObject({ status: 200, whole: true })
    expect(() => JSON.parse(seen.body)).toThrow()
    const lines = (await chat({ stream: true })).body.split('\n\n').filter((line) => line !== '')
    expect(lines.filter((line) => !line.endsWith('}') && !line.endsWith(']'))).toHaveLength(1)
  })

  test('an error event can come in the middle of a stream, in the API’s words', async () => {
    simulator.faults.next(2, { kind: 'stream-error', after: 5 })
    expect((await claude({ stream: true })).body).toMatch(/event: error\ndata: .*overloaded_error.*\n\n$/)
    expect((await chat({ stream: true })).body).toMatch(/"error":\{"message".*\}\n\n$/)
  })

  test('a stall never answers, a slow head does', async () => {
    simulator.faults.next(1, 'stall')
    const outcome = await fetch(`${simulator.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: JSON.stringify({ model: 'gpt-4o', messages }),
      signal: AbortSignal.timeout(80),
    }).catch((error: Error) => error.name)
    expect(outcome).toBe('TimeoutError')
    simulator.faults.next(1, { kind: 'slow-head', ms: 20 })
    expect((await chat()).status).toBe(200)
  })

  test('a chopped stream has the same bytes', async () => {
    const plain = await chat({ stream: true })
    simulator.reset()
    simulator.faults.next(1, { kind: 'chop', bytes: 5 })
    const created = (body: string) => body.replace(/"created":\d+/g, '')
    expect(created((await chat({ stream: true })).body)).toBe(created(plain.body))
  })

  test('slow chunks and a slow reader lose nothing', async () => {
    simulator.faults.next(1, { kind: 'slow-chunks', ms: 1 })
    expect((await chat({ stream: true })).body).toContain('[DONE]')
    simulator.faults.next(1, { kind: 'slow-reader', ms: 1 })
    const long = [{ role: 'user', content: 'word '.repeat(60_000) }]
    expect((await chat({ messages: long })).status).toBe(200)
    expect(last()?.body.length).toBeGreaterThan(300_000)
  })
})

test('a client that leaves is seen, and billed for what was made until then', async () => {
  simulator.faults.next(1, { kind: 'slow-chunks', ms: 5 })
  const controller = new AbortController()
  const response = await fetch(`${simulator.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer k' },
    body: JSON.stringify({ model: 'gpt-4o', messages, stream: true }),
    signal: controller.signal,
  })
  await response.body?.getReader().read()
  controller.abort()
  await expect.poll(() => last()?.ending).toBe('client-gone')
  expect(last()?.bill?.buckets['out']).toBeLessThan(80)
})

describe('aiming', () => {
  test('by header, by predicate, by chance that the seed decides', async () => {
    expect((await chat({}, { 'x-sim-fault': 'server-error;status=502' })).status).toBe(502)
    const wrong = await chat({}, { 'x-sim-fault': 'explode' })
    expect([wrong.status, wrong.body]).toEqual([400, expect.stringMatching(/^x-sim-fault: no fault is called/)])
    simulator.faults.always('overloaded', (arrival) => arrival.path.includes('messages'))
    expect([(await chat()).status, (await claude()).status]).toEqual([200, 529])
    const storm = async () => {
      simulator.reset()
      simulator.faults.chance(0.4, 'rate-limit')
      const statuses: number[] = []
      for (let i = 0; i < 30; i++) statuses.push((await chat()).status)
      return statuses
    }
    const statuses = await storm()
    expect(new Set(statuses)).toEqual(new Set([200, 429]))
    expect(await storm()).toEqual(statuses)
  })

  test('a fault that does not exist is named', () => {
    expect(parseFault('cut;after=3')).toEqual({ kind: 'cut', after: 3 })
    expect(() => parseFault('explode')).toThrow(/no fault is called "explode"/)
  })
})

test('the same seed and the same requests give the same bytes; another seed does not', async () => {
  const now_us = () => 1_795_000_000_000_000
  const run = async (seed: number) => {
    const own = await startSimulator({ seed, now_us })
    const bodies: string[] = []
    for (const [path, body] of [
      ['/v1/chat/completions', { model: 'gpt-4o', messages, stream: true }],
      ['/v1/responses', { model: 'gpt-5', input: 'Rivers?' }],
      ['/v1/messages', { model: 'claude-opus-5-5', max_tokens: 99, messages, stream: true }],
      ['/v1beta/models/gemini-2.5-flash:streamGenerateContent', { contents: [{ parts: [{ text: 'Rivers?' }] }] }],
    ] as const) {
      const headers = { authorization: 'Bearer k' }
      bodies.push(await (await fetch(own.url + path, { method: 'POST', headers, body: JSON.stringify(body) })).text())
    }
    await own.close()
    return bodies
  }
  const first = await run(1)
  expect(await run(1)).toEqual(first)
  const other = await run(2)
  expect(other.filter((body, i) => body === first[i])).toEqual([])
})

test('canned answers repeat the first byte for byte, whole and streamed', async () => {
  const canned = await startSimulator({ canned: true })
  const ask = async (stream: boolean) => {
    const body = JSON.stringify({ model: 'gpt-4o', messages, stream })
    const headers = { authorization: 'Bearer k', 'content-type': 'application/json' }
    return (await fetch(`${canned.url}/v1/chat/completions`, { method: 'POST', headers, body })).text()
  }
  const [whole, streamed] = [await ask(false), await ask(true)]
  expect([await ask(false), await ask(true)]).toEqual([whole, streamed])
  expect(streamed).toContain('[DONE]')
  expect(canned.calls).toHaveLength(2)
  await canned.close()
})
