/** Rules of single steps that HTTP shows only with difficulty. */
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { globHolds, globMatches, parseGlob } from '../../src/core/glob.ts'
import { createBreakers } from '../../src/gateway/breaker.ts'
import { answerHeaders, decodeHead, forwardHeaders, readHeaders, withoutKeys } from '../../src/gateway/headers.ts'
import { modelEdit } from '../../src/gateway/model-edit.ts'
import { createOnce, onceMemory } from '../../src/gateway/once.ts'
import { isRetryable, retryAfter, waitBefore } from '../../src/gateway/retry.ts'
import { newId, now_us } from '../../src/gateway/system.ts'
import { chatBody, post, rawPost } from './ask.ts'
import { type House, startHouse } from './harness.ts'

describe('another model is put into a body', () => {
  const edited = (body: string, model: string): string => {
    const bytes = Buffer.from(body)
    const edit = modelEdit(bytes, model)
    if (!edit) return body
    return Buffer.concat([bytes.subarray(0, edit.start), edit.bytes, bytes.subarray(edit.end)]).toString()
  }

  test('and every other byte stays', () => {
    expect(edited('{ "a":[{"model":"x"}] ,"model" : "old\\"er","b":"model" }', 'new')).toBe(
      '{ "a":[{"model":"x"}] ,"model" : "new","b":"model" }',
    )
    expect(edited('{"messages":[]}', 'new')).toBe('{"messages":[]}')
  })

  test('so that the parsed body differs in that field alone', () => {
    const bodies = fc.dictionary(fc.string(), fc.jsonValue()).filter((body) => !Object.hasOwn(body, '__proto__'))
    fc.assert(
      fc.property(bodies, fc.string(), fc.string(), (body, old, model) => {
        const sent = { ...body, model: old }
        expect(JSON.parse(edited(JSON.stringify(sent, null, 1), model))).toEqual(
          JSON.parse(JSON.stringify({ ...sent, model })),
        )
      }),
      { seed: 7 },
    )
  })
})

describe('headers', () => {
  test('of the connection, of Weir and, where ours is set, of the client’s key stay behind', () => {
    const headers = readHeaders([
      'Connection',
      'keep-alive, x-mine',
      'X-Mine',
      '1',
      'X-Weir-Team',
      't',
      'Host',
      'h',
      'Authorization',
      'k',
      'Accept',
      'a',
      'accept',
      'b',
    ])
    expect(forwardHeaders(headers, { drop_keys: false, key_headers: [] })).toEqual({
      authorization: 'k',
      accept: 'a, b',
    })
    expect(forwardHeaders(headers, { drop_keys: true, key_headers: ['accept'] })).toEqual({})
  })

  test('of an answer keep their names, order and repeats', () => {
    const raw = [
      'Set-Cookie',
      'a',
      'Transfer-Encoding',
      'chunked',
      'Set-Cookie',
      'b',
      'Content-Length',
      '3',
      'X-Weir-Call-Id',
      'forged',
    ]
    expect(answerHeaders(raw, true)).toEqual(['Set-Cookie', 'a', 'Set-Cookie', 'b', 'Content-Length', '3'])
    expect(answerHeaders(raw, false)).toEqual(['Set-Cookie', 'a', 'Set-Cookie', 'b'])
  })

  test('a head is decoded the same however its pieces lie in memory', () => {
    const words = ['Content-Type', 'text/caf\u00e9', 'X-Empty', '', 'Date', 'now']
    const together = Buffer.from(`HTTP ${words.join(': ')}`, 'latin1')
    let at = 5
    const beside = words.map((word) => {
      const piece = together.subarray(at, at + word.length)
      at += word.length + 2
      return piece
    })
    const apart = words.map((word) => new Uint8Array(Buffer.from(word, 'latin1')))
    expect(decodeHead(beside)).toEqual(words)
    expect(decodeHead(apart)).toEqual(words)
    expect(decodeHead([...beside.slice(0, 5), ...apart.slice(5)])).toEqual(words)
    expect(decodeHead([...beside.slice(0, 2), ...apart.slice(2, 4), ...beside.slice(4)])).toEqual(words)
    expect(decodeHead([...beside].reverse())).toEqual([...words].reverse())
    expect(decodeHead(apart.slice(0, 1))).toEqual(['Content-Type'])
    expect(decodeHead([])).toEqual([])
  })

  test('a key in the query is taken out and the rest stays', () => {
    expect(withoutKeys('?alt=sse&key=secret&x=%20')).toBe('?alt=sse&x=%20')
    expect(withoutKeys('?key=secret')).toBe('')
    expect(withoutKeys('?monkey=1')).toBe('?monkey=1')
    expect(withoutKeys('?%6bey=secret&alt=sse&x=key')).toBe('?alt=sse&x=key')
  })
})

describe('trying again', () => {
  test('is decided by the status, unless the provider says it for certain', () => {
    expect([200, 400, 401, 404, 408, 409, 429, 500, 503, 529].filter((status) => isRetryable(status, {}))).toEqual([
      408, 429, 500, 503, 529,
    ])
    expect(isRetryable(500, { 'x-should-retry': 'false' })).toBe(false)
    expect(isRetryable(409, { 'x-should-retry': 'true' })).toBe(true)
  })

  test('waits as long as asked, and longer each time where nothing is asked, within bounds', () => {
    expect(retryAfter({ 'retry-after': '2' }, 0)).toBe(2000)
    expect(retryAfter({ 'retry-after-ms': '150', 'retry-after': '9' }, 0)).toBe(150)
    expect(retryAfter({ 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' }, 4_000_000)).toBe(6000)
    const wait = (failures: number, headers = {}) => waitBefore({ headers, failures, now_us: 0, random: () => 1 })
    expect([1, 2, 3, 20].map((failures) => wait(failures))).toEqual([500, 1000, 2000, 8000])
    expect(wait(1, { 'retry-after': '60' })).toBeUndefined()
  })

  test('an open circuit lets one call through when its time is up, and closes when that one succeeds', () => {
    let clock = 0
    const breakers = createBreakers({ failures: 2, open_ms: 10 }, () => clock)
    breakers.failed('t')
    expect(breakers.allows('t')).toBe(true)
    breakers.failed('t')
    expect(breakers.allows('t')).toBe(false)
    expect(breakers.opens_in_us('t')).toBe(10_000)
    clock = 10_000
    expect([breakers.allows('t'), breakers.allows('t')]).toEqual([true, false])
    breakers.succeeded('t')
    expect([breakers.allows('t'), breakers.allows('t')]).toEqual([true, true])
  })
})

test('a response is marked as billed once, by whichever thread comes first', () => {
  const memory = onceMemory()
  const [one, other] = [createOnce(memory), createOnce(memory)]
  const names = Array.from({ length: 20_000 }, (_, index) => `openai resp_${index}`)
  expect(names.filter((name, index) => (index % 2 ? one : other)(name))).toHaveLength(20_000)
  expect(names.slice(-5000).filter((name) => one(name) || other(name))).toEqual([])
})

test('globs match whole names, mean the same wherever they stand, and their other characters are literal', () => {
  for (const [glob, text] of [
    ['claude-?-5', 'claude-9-5'],
    ['claude-?-5', 'claude-45-5'],
    ['tea?s*', 'teams 🐟'],
    ['what\\?', 'what?'],
    ['what\\?', 'whatX'],
    ['🐟?', '🐟🐟'],
    ['a(b)+|c^$*', 'a(b)+|c^$ and more'],
  ] as const)
    expect([glob, text, globMatches(glob, text)]).toEqual([glob, text, globHolds(parseGlob(glob), text)])
  expect(globMatches('claude-?-5', 'claude-9-5')).toBe(true)
  expect(globMatches('what\\?', 'whatX')).toBe(false)
  expect(['gpt-4o', 'gpt-4o-mini', 'xgpt-4o'].filter((name) => globMatches('gpt-4o*', name))).toEqual([
    'gpt-4o',
    'gpt-4o-mini',
  ])
  expect(globMatches('a.b', 'axb')).toBe(false)
  expect(globMatches('*.b*', 'a.bc')).toBe(true)
})

test('ids are UUIDs of version 7, all different, in the order of time', () => {
  const ids = Array.from({ length: 5000 }, newId)
  expect(new Set(ids).size).toBe(5000)
  expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true)
  const times = ids.map((id) => id.slice(0, 13))
  expect(times).toEqual([...times].sort())
  expect(Math.abs(Number.parseInt(ids[0]?.replace('-', '').slice(0, 12) ?? '', 16) - now_us() / 1000)).toBeLessThan(
    60_000,
  )
})

describe('a web page of another site', () => {
  let house: House
  afterEach(() => house.close())

  test('cannot spend with the provider key of a gateway without keys', async () => {
    house = await startHouse({ providers: { openai: { credentials: { api_key: 'sk-ours' } } } })
    expect((await post(house, { headers: { origin: 'https://evil.example' } })).status).toBe(403)
    expect((await post(house, { headers: { origin: 'http://localhost:3000' } })).status).toBe(200)
    expect((await post(house)).status).toBe(200)
  })

  test('cannot read with it either, by pointing its own name at this machine', async () => {
    house = await startHouse({ providers: { openai: { credentials: { api_key: 'sk-ours' } } } })
    const status = async (host: string, path = '/v1/chat/completions') =>
      (await rawPost(house.gateway.port, path, JSON.stringify(chatBody()), { host })).status
    for (const host of ['evil.example:4141', '127.0.0.1.evil.example', 'localhost.evil.example'])
      expect([host, await status(host)]).toEqual([host, 403])
    for (const host of ['localhost:4141', '127.0.0.1:4141', '[::1]:4141', 'weir:4141', 'host.docker.internal:4141'])
      expect([host, await status(host)]).toEqual([host, 200])
    expect(await status('evil.example', '/groq/openai/v1/chat/completions')).toBe(401)
  })
})
