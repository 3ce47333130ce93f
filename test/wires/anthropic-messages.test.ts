import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import type { Metered } from '../../src/core/wire.ts'
import { wire } from '../../src/wires/anthropic-messages.ts'
import { bytes, type Call, cutAt, feed, meter, read, seeded, text } from './feeding.ts'

const request = { model: 'claude-opus-5-5', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] }
const call = (given: Partial<Call> = {}): Call => ({
  wire,
  path: '/v1/messages',
  request,
  provider: 'anthropic',
  answer_headers: { 'content-type': 'application/json' },
  ...given,
})
const streaming = (given: Partial<Call> = {}): Call =>
  call({ request: { ...request, stream: true }, answer_headers: { 'content-type': 'text/event-stream' }, ...given })
const sse = (...events: readonly Record<string, unknown>[]) =>
  bytes(events.map((event) => `event: ${event['type']}\ndata: ${JSON.stringify(event)}\n\n`).join(''))
const answer = (usage: unknown, more: Record<string, unknown> = {}) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-5',
  content: [{ type: 'text', text: 'Hello' }],
  stop_reason: 'end_turn',
  usage,
  ...more,
})
const start = (usage: unknown, more: Record<string, unknown> = {}) => ({
  type: 'message_start',
  message: { ...answer(usage), content: [], stop_reason: null, ...more },
})
const delta = (usage: unknown) => ({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage })
const words = (given: string) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: given } })
const stop = { type: 'message_stop' }
const tokens = (metered: Metered) => metered.usage?.lines.map((line) => line.tokens)

describe('a Messages request', () => {
  test.each([
    ['POST', '/v1/messages', true],
    ['POST', '/anthropic/v1/messages', true],
    ['POST', '/v1/messages/count_tokens', true],
    ['GET', '/v1/messages/batches/msgbatch_1/results', true],
    ['POST', '/v1/messages/batches', false],
    ['GET', '/v1/messages/batches/msgbatch_1', false],
    ['POST', '/v1/complete', false],
    ['POST', '/v1/projects/p/locations/global/publishers/anthropic/models/claude-opus-5-5@20260922:rawPredict', true],
    ['POST', '/v1/projects/p/locations/l/publishers/google/models/gemini-3-pro:generateContent', false],
    ['GET', '/v1/messages', false],
  ])('%s %s: recognised is %s', (method, path, expected) => {
    expect(wire.recognise(method, path, {})).toBe(expected)
  })

  test('is told by its parts in the order in which the provider caches them, a block a part', () => {
    const { reading, sent } = read(
      call({
        request: {
          model: 'claude-opus-5-5',
          max_tokens: 1024,
          stream: true,
          speed: 'fast',
          inference_geo: 'us',
          system: [
            { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } },
            { type: 'text', text: '<examples><example>2+2 is 4</example></examples>' },
          ],
          tools: [{ name: 'f', input_schema: {}, cache_control: { type: 'ephemeral', ttl: '1h' } }],
          messages: [
            { role: 'user', content: 'What is in a.txt?' },
            {
              role: 'assistant',
              content: [
                { type: 'thinking', thinking: 'Look.', signature: 'xyz' },
                { type: 'tool_use', id: '1', name: 'f', input: { path: 'a.txt' } },
              ],
            },
            {
              role: 'user',
              content: [
                { type: 'tool_result', tool_use_id: '1', content: [{ type: 'text', text: 'contents' }] },
                { type: 'text', text: '<documents>a long retrieved text</documents> ok?' },
                { type: 'text', text: 'Go on.', cache_control: { type: 'ephemeral', ttl: '1h' } },
              ],
            },
          ],
        },
      }),
    )
    expect(reading.parts).toEqual([
      { kind: 'tools', text: '[{"name":"f","input_schema":{}}]' },
      { kind: 'system', text: 'Be brief.' },
      { kind: 'examples', text: '<examples><example>2+2 is 4</example></examples>' },
      { kind: 'history', text: 'What is in a.txt?' },
      { kind: 'history', text: 'Look.' },
      { kind: 'history', text: 'f{"path":"a.txt"}' },
      { kind: 'context', text: 'contents' },
      { kind: 'context', text: '<documents>a long retrieved text</documents> ok?' },
      { kind: 'user', text: 'Go on.' },
    ])
    expect(reading).toMatchObject({
      endpoint: 'messages',
      billable: true,
      stream: true,
      max_output_tokens: 1024,
      speed: 'fast',
      geo: 'us',
      turns: 2,
      tool_count: 1,
      cache_ttl: '1h',
      edits: [],
      hide_usage: false,
    })
    expect(text(sent)).toContain('"stream":true')
  })

  test('what was new is history in the next turn, with the same text, so that prefixes stay the same', () => {
    const turn = [
      {
        role: 'user',
        content: [
          { type: 'tool_result', content: 'r' },
          { type: 'text', text: 'Go on.' },
        ],
      },
    ]
    const later = [...turn, { role: 'assistant', content: 'Done.' }, { role: 'user', content: 'Thanks' }]
    const textsOf = (messages: unknown) =>
      read(call({ request: { ...request, messages } })).reading.parts.map((part) => part.text)
    expect(textsOf(later).slice(0, 2)).toEqual(textsOf(turn))
  })

  test('an image is told from another by a sample of its data, which is not copied', () => {
    const image = (data: string) => ({ type: 'image', source: { type: 'base64', media_type: 'image/png', data } })
    const partOf = (data: string) =>
      read(call({ request: { ...request, messages: [{ role: 'user', content: [image(data)] }] } })).reading.parts[0]
        ?.text
    const one = partOf('A'.repeat(100_000))
    expect(one).not.toBe(partOf(`${'A'.repeat(50_000)}B${'A'.repeat(49_999)}`))
    expect(one?.length).toBeLessThan(120)
  })

  test('the TTL is one hour only where every cache mark says so', () => {
    const ttl = (...ttls: (string | undefined)[]) =>
      read(
        call({
          request: {
            ...request,
            system: ttls.map((one) => ({ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: one } })),
          },
        }),
      ).reading.cache_ttl
    expect(ttl('1h', '1h')).toBe('1h')
    expect(ttl('1h', undefined)).toBe('5m')
    expect(ttl()).toBeUndefined()
    expect(read(call({ request: { ...request, cache_control: { type: 'ephemeral' } } })).reading.cache_ttl).toBe('5m')
  })

  test.each([
    ['user_ab12_account_9f-1_session_77-2', { user: '9f-1', session: '77-2' }],
    ['user_ab12_account__session_77-2', { user: 'user_ab12', session: '77-2' }],
    ['{"device_id":"d","account_uuid":"a","session_id":"s"}', { user: 'a', session: 's' }],
    ['somebody', { user: 'somebody' }],
  ])('the user id %s is unpacked', (user_id, expected) => {
    expect(read(call({ request: { ...request, metadata: { user_id } } })).reading.body_tags).toEqual(expected)
  })

  test('Vertex names the model and the stream in the path', () => {
    const path =
      '/v1/projects/p/locations/global/publishers/anthropic/models/claude-opus-5-5%4020260922:streamRawPredict'
    const { reading } = read(call({ path, request: { anthropic_version: 'vertex-2023-10-16', messages: [] } }))
    expect(reading).toMatchObject({ model: 'claude-opus-5-5@20260922', stream: true, endpoint: 'messages' })
    const counting = path.replace('claude-opus-5-5%4020260922:streamRawPredict', 'count-tokens:rawPredict')
    expect(read(call({ path: counting })).reading).toMatchObject({
      model: 'claude-opus-5-5',
      endpoint: 'count_tokens',
      billable: false,
    })
  })

  test('counting tokens bills nothing, and has no usage', () => {
    const counting = call({ path: '/v1/messages/count_tokens' })
    expect(read(counting).reading).toMatchObject({ endpoint: 'count_tokens', billable: false, stream: false })
    expect(meter(counting, { input_tokens: 14 })).toEqual({ complete: true, output_text: '' })
  })

  test('what is not a JSON object is refused', () => {
    expect(() => read(call({ request: bytes('{"model":') }))).toThrow(/not valid JSON/)
    expect(() => read(call({ request: [] }))).toThrow(WeirError)
  })

  test('nesting without end is no reason to fail', () => {
    const tools = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000))
    let block: unknown = { type: 'text', text: 'deep' }
    for (let depth = 0; depth < 20_000; depth++) block = { type: 'tool_result', content: [block] }
    const json = { ...request, tools: [{ tools }], messages: [{ role: 'user', content: [block] }] }
    const wired = { method: 'POST', path: '/v1/messages', query: '', headers: {}, body: bytes(''), json }
    expect(wire.read(wired, {}).model).toBe('claude-opus-5-5')
  })
})

describe('the usage of a whole message', () => {
  test('keeps fresh, read and written input apart and takes thinking out of the output', () => {
    const metered = meter(
      call(),
      answer({
        input_tokens: 3,
        cache_read_input_tokens: 1111,
        cache_creation_input_tokens: 425,
        cache_creation: { ephemeral_5m_input_tokens: 418, ephemeral_1h_input_tokens: 7 },
        output_tokens: 33,
        output_tokens_details: { thinking_tokens: 20 },
        server_tool_use: { web_search_requests: 2, web_fetch_requests: 5 },
        service_tier: 'priority',
        speed: 'fast',
        inference_geo: 'us',
      }),
    )
    expect(metered).toMatchObject({ response_id: 'msg_1', finish_reason: 'end_turn', complete: true, output_text: '' })
    expect(metered.usage).toMatchObject({ totals: { input: 1539, output: 33 }, quality: 'exact', warnings: [] })
    expect(metered.usage?.lines).toEqual([
      {
        kind: 'message',
        model_served: 'claude-opus-5-5',
        service_tier: 'priority',
        speed: 'fast',
        geo: 'us',
        funding: 'platform',
        context_tokens: 1539,
        tokens: {
          'in.text.fresh': 3,
          'in.text.cache_read': 1111,
          'in.text.cache_write_5m': 418,
          'in.text.cache_write_1h': 7,
          'out.text.visible': 13,
          'out.text.reasoning': 20,
        },
        units: { 'web_search.query': { n: 2 } },
      },
    ])
  })

  test('cache writes without a split are taken at the TTL that was asked for', () => {
    const usage = { input_tokens: 3, cache_creation_input_tokens: 12_304, output_tokens: 550 }
    const hourly = { ...request, cache_control: { type: 'ephemeral', ttl: '1h' } }
    expect(tokens(meter(call(), answer(usage)))).toEqual([
      { 'in.text.fresh': 3, 'in.text.cache_write_5m': 12_304, 'out.text.visible': 550 },
    ])
    const asked = meter(call({ request: hourly }), answer(usage))
    expect(asked.usage?.lines[0]?.tokens['in.text.cache_write_1h']).toBe(12_304)
    expect(asked.usage).toMatchObject({ quality: 'inferred' })
  })

  test('a sub-count beyond its total is clamped and warned of, and nonsense is no reason to lose the bill', () => {
    const odd = meter(
      call(),
      answer({
        input_tokens: 5,
        cache_creation_input_tokens: 10,
        cache_creation: { ephemeral_5m_input_tokens: 30 },
        output_tokens: 4,
        output_tokens_details: { thinking_tokens: 9 },
        cache_read_input_tokens: 'many',
      }),
    )
    expect(tokens(odd)).toEqual([{ 'in.text.fresh': 5, 'in.text.cache_write_5m': 10, 'out.text.reasoning': 4 }])
    expect(odd.usage?.warnings).toHaveLength(2)
  })

  test('a hop that declined after it had written is billed at its own model; one that wrote nothing is not', () => {
    const hop = (type: string, model: string, output_tokens: number) => ({
      type,
      model,
      input_tokens: 400,
      output_tokens,
    })
    const metered = meter(
      call(),
      answer({
        input_tokens: 400,
        output_tokens: 264,
        output_tokens_details: { thinking_tokens: 64 },
        iterations: [
          hop('message', 'claude-fable-5', 30),
          hop('message', 'claude-mythos-5', 0),
          hop('fallback_message', 'claude-opus-4-8', 264),
        ],
      }),
    )
    expect(metered.usage?.lines.map(({ kind, model_served, tokens: counts }) => [kind, model_served, counts])).toEqual([
      ['message', 'claude-fable-5', { 'in.text.fresh': 400, 'out.text.visible': 30 }],
      ['declined', 'claude-mythos-5', {}],
      ['fallback', 'claude-opus-4-8', { 'in.text.fresh': 400, 'out.text.visible': 264 }],
    ])
    expect(metered.usage?.totals).toEqual({ input: 800, output: 294 })
  })

  test('thinking beyond the output is clamped, marked and warned of', () => {
    const odd = { input_tokens: 1, output_tokens: 5, output_tokens_details: { thinking_tokens: 9 } }
    const { usage } = meter(call(), answer(odd))
    expect(usage).toMatchObject({ quality: 'inferred', totals: { input: 1, output: 5 } })
    expect(usage?.warnings).toEqual(['thinking_tokens 9 exceeds the 5 tokens it is part of'])
  })

  test('a message that took one iteration keeps its thinking apart, beside what a compaction cost', () => {
    const metered = meter(
      call(),
      answer({
        input_tokens: 220,
        output_tokens: 8,
        output_tokens_details: { thinking_tokens: 3 },
        server_tool_use: { web_search_requests: 1 },
        iterations: [
          { type: 'compaction', input_tokens: 55_196, output_tokens: 125 },
          { type: 'message', input_tokens: 220, output_tokens: 8 },
        ],
      }),
    )
    expect(tokens(metered)).toEqual([
      { 'in.text.fresh': 55_196, 'out.text.visible': 125 },
      { 'in.text.fresh': 220, 'out.text.visible': 5, 'out.text.reasoning': 3 },
    ])
    expect(metered.usage?.lines.map((line) => line.units)).toEqual([{}, { 'web_search.query': { n: 1 } }])
  })

  test('an error has its type, no usage, and nothing to estimate', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
    expect(meter(call({ status: 529 }), error)).toEqual({
      error: { code: 'overloaded_error', message: 'Overloaded' },
      complete: true,
      output_text: '',
    })
  })

  test('a body that was cut gives the text that had come', () => {
    const whole = bytes(
      JSON.stringify(answer({ input_tokens: 1 }, { content: [{ type: 'text', text: 'One\ntwo "three"' }] })),
    )
    const at = text(whole).indexOf('three') + 3
    const { metered } = feed(call(), [whole.subarray(0, at)], true)
    expect(metered).toEqual({ complete: false, output_text: 'One\ntwo "thr' })
  })
})

describe('the usage of a stream', () => {
  const usage = {
    input_tokens: 2,
    cache_creation_input_tokens: 100,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 100 },
    cache_read_input_tokens: 7,
    output_tokens: 1,
    service_tier: 'standard',
    inference_geo: 'global',
  }

  test('is its start, with each field replaced that the delta carries', () => {
    const body = sse(
      start(usage),
      { type: 'ping' },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      words('Hello'),
      delta({ input_tokens: 2050, output_tokens: 30, cache_read_input_tokens: null }),
      stop,
    )
    const { metered, passed, started, done } = feed(streaming(), cutAt(body, seeded(1), 40))
    expect(tokens(metered)).toEqual([
      { 'in.text.fresh': 2050, 'in.text.cache_read': 7, 'in.text.cache_write_1h': 100, 'out.text.visible': 30 },
    ])
    expect(metered.usage?.lines[0]).toMatchObject({ service_tier: 'standard', geo: 'global', context_tokens: 2157 })
    expect(metered).toMatchObject({ finish_reason: 'end_turn', complete: true, output_text: '' })
    expect([started, done, Buffer.compare(passed, body)]).toEqual([true, true, 0])
  })

  test('counts a message once whose start comes twice, and another message beside it', () => {
    const twice = sse(start(usage), start(usage), delta({ output_tokens: 9 }), stop)
    expect(feed(streaming(), [twice]).metered.usage?.totals).toEqual({ input: 109, output: 9 })
    const other = { id: 'msg_2', model: 'claude-sonnet-5-5' }
    const two = sse(
      start(usage),
      delta({ output_tokens: 9 }),
      stop,
      start(usage, other),
      delta({ output_tokens: 4 }),
      stop,
    )
    const { metered } = feed(streaming(), [two])
    expect(metered.usage?.lines.map((line) => [line.model_served, line.tokens['out.text.visible']])).toEqual([
      ['claude-opus-5-5', 9],
      ['claude-sonnet-5-5', 4],
    ])
  })

  test('that is cut keeps the counts of its start and the text for an estimate of the rest', () => {
    const body = sse(start(usage), words('Once upon'), words(' a time'), {
      type: 'content_block_delta',
      delta: { type: 'input_json_delta', partial_json: '{"a":' },
    })
    const { metered, done } = feed(streaming(), [body], true)
    expect(metered.usage).toMatchObject({ totals: { input: 109, output: 1 }, quality: 'inferred' })
    expect(metered).toMatchObject({ complete: false, output_text: 'Once upon a time{"a":' })
    expect(done).toBe(false)
  })

  test('that fails in the middle names the error and is not complete', () => {
    const failure = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
    const { metered } = feed(streaming(), [sse(start(usage), words('Once'), failure)])
    expect(metered).toMatchObject({
      error: { code: 'overloaded_error', message: 'Overloaded' },
      complete: false,
      output_text: 'Once',
    })
    const bare = feed(streaming(), [sse(failure)]).metered
    expect(bare.usage).toBeUndefined()
  })

  test('ignores events that it does not know and data that is not JSON', () => {
    const odd = Buffer.concat([bytes('event: x\ndata: not json\n\n: comment\n\n'), sse({ type: 'novelty' })])
    const { metered } = feed(streaming(), [odd, sse(start(usage), delta({ output_tokens: 2 }), stop)])
    expect(metered.usage?.totals).toEqual({ input: 109, output: 2 })
  })
})

test.each([
  ['has none', undefined],
  ['holds only nulls', { output_tokens: null }],
])('a whole stream whose end states no usage (it %s) has its text for an estimate of the output', (_, usage) => {
  const events = [start({ input_tokens: 25, output_tokens: 1 }), words('A low '), words('dam.'), delta(usage), stop]
  const { metered } = feed(streaming(), [sse(...events)])
  expect(metered).toMatchObject({ complete: true, output_text: 'A low dam.', finish_reason: 'end_turn' })
  expect(metered.usage).toMatchObject({ quality: 'inferred', totals: { input: 25 } })
})

describe('the results of a batch', () => {
  const results = call({
    method: 'GET',
    path: '/v1/messages/batches/msgbatch_1/results',
    request: undefined,
    answer_headers: { 'content-type': 'application/x-jsonl' },
  })
  const item = (id: number, type: string, message?: unknown) =>
    `${JSON.stringify({ custom_id: `${id}`, result: { type, message } })}\n`

  test('bill the successes, a line a model and side of the long-context threshold, in any order and any cut', () => {
    const body = bytes(
      [
        item(2, 'succeeded', answer({ input_tokens: 10, output_tokens: 5, service_tier: 'batch' })),
        item(1, 'errored'),
        item(3, 'succeeded', answer({ input_tokens: 20, output_tokens: 6, service_tier: 'batch' })),
        item(4, 'succeeded', answer({ input_tokens: 1, cache_read_input_tokens: 250_000, output_tokens: 7 })),
        item(5, 'succeeded', answer({ input_tokens: 30, output_tokens: 8 }, { model: 'claude-haiku-5-5' })),
        item(6, 'expired'),
      ].join(''),
    )
    const { metered, passed, reading } = feed(results, cutAt(body, seeded(2), 30))
    expect(reading).toMatchObject({ endpoint: 'batch_results', batch: true, billable: true })
    expect(metered).toMatchObject({ response_id: 'msgbatch_1', complete: true })
    const line = { kind: 'batch_item', service_tier: 'batch' }
    expect(metered.usage?.lines).toMatchObject([
      { ...line, context_tokens: 20, tokens: { 'in.text.fresh': 30, 'out.text.visible': 11 } },
      { ...line, context_tokens: 250_001, tokens: { 'in.text.cache_read': 250_000 } },
      { ...line, model_served: 'claude-haiku-5-5', tokens: { 'in.text.fresh': 30, 'out.text.visible': 8 } },
    ])
    expect(metered.usage?.raw).toEqual({ batch_results: { succeeded: 4, errored: 1, expired: 1 } })
    expect(Buffer.compare(passed, body)).toBe(0)
  })

  test('that are not there yet are an error without usage', () => {
    const error = { type: 'error', error: { type: 'not_found_error', message: 'No results yet' } }
    expect(meter({ ...results, status: 404 }, error)).toMatchObject({ error: { code: 'not_found_error' } })
  })
})

describe('an error of ours', () => {
  test.each([
    ['bad-request', 400, 'invalid_request_error'],
    ['unknown-key', 401, 'authentication_error'],
    ['forbidden', 403, 'permission_error'],
    ['unknown-model', 404, 'not_found_error'],
    ['body-too-large', 413, 'request_too_large'],
    ['budget-exhausted', 429, 'rate_limit_error'],
    ['overloaded', 503, 'overloaded_error'],
    ['provider-timeout', 504, 'timeout_error'],
    ['provider-unreachable', 502, 'api_error'],
  ] as const)('%s looks like Anthropic’s own', (code, status, type) => {
    const shaped = wire.shape(new WeirError(code, 'What to do.', { retry_after_s: 2.5 }))
    expect(shaped.status).toBe(status)
    expect(shaped.headers).toMatchObject({ 'content-type': 'application/json', 'retry-after': '3' })
    expect(JSON.parse(text(shaped.body))).toEqual({ type: 'error', error: { type, message: 'What to do.' } })
  })

  test('inside a stream is an error event', () => {
    const { body } = wire.shape(new WeirError('provider-cut', 'The stream was cut.'), true)
    expect(text(body)).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"The stream was cut."}}\n\n',
    )
  })
})

const folder = join('..', 'shared', 'data', 'wire-fixtures', 'anthropic')
describe.skipIf(!existsSync(folder))('recorded answers (skipped where ../shared/data is absent)', () => {
  test('fifteen messages in one stream are billed once each, whatever the cut', () => {
    const body = readFileSync(join(folder, 'messages-programmatic-tools-stream.sse'))
    for (const pieces of [1, 7, 500]) {
      const { metered } = feed(streaming(), cutAt(body, seeded(pieces), pieces))
      expect(tokens(metered)).toEqual([
        { 'in.text.fresh': 3369, 'out.text.visible': 725 },
        { 'in.text.fresh': 4551, 'out.text.visible': 197 },
      ])
    }
  })

  test('a refusal and a fallback say so', () => {
    const refusal = feed(streaming(), [readFileSync(join(folder, 'messages-refusal-stream.sse'))]).metered
    expect(refusal).toMatchObject({ finish_reason: 'refusal', complete: true, model_served: 'claude-fable-5' })
    const fallback = meter(call(), readFileSync(join(folder, 'messages-fallback.json')))
    expect(fallback.usage?.lines.map((line) => line.kind)).toEqual(['declined', 'fallback'])
    expect(fallback.model_served).toBe('claude-opus-4-8')
  })
})
