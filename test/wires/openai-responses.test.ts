import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { wire } from '../../src/wires/openai-responses.ts'
import { bytes, type Call, cutAt, feed, meter, read, seeded, text } from './feeding.ts'

const post: Call = { wire, path: '/v1/responses', request: { model: 'gpt-5', input: 'hi' } }
const poll: Call = { wire, method: 'GET', path: '/v1/responses/resp_1' }

const usage = {
  input_tokens: 1000,
  input_tokens_details: { cached_tokens: 600, cache_write_tokens: 300 },
  output_tokens: 50,
  output_tokens_details: { reasoning_tokens: 20 },
  total_tokens: 1050,
}
const response = {
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  background: false,
  model: 'gpt-5-2025-08-07',
  service_tier: 'flex',
  error: null,
  output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }],
  tools: [],
  usage,
}
const event = (type: string, rest: Record<string, unknown>) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: 0, ...rest })}\n\n`

describe('a response', () => {
  test('is billed by its usage at the tier that it was served in', () => {
    const metered = meter(post, response)
    expect(metered.usage?.lines).toEqual([
      {
        kind: 'message',
        model_served: 'gpt-5-2025-08-07',
        service_tier: 'flex',
        funding: 'platform',
        context_tokens: 1000,
        tokens: {
          'in.text.fresh': 100,
          'in.text.cache_read': 600,
          'in.text.cache_write': 300,
          'out.text.visible': 30,
          'out.text.reasoning': 20,
        },
        units: {},
      },
    ])
    expect(metered).toMatchObject({ response_id: 'resp_1', finish_reason: 'completed', complete: true })
  })

  test('counts the tools that ran: searches only, files, containers once each, pictures', () => {
    const output = [
      { type: 'web_search_call', action: { type: 'search' } },
      { type: 'web_search_call', action: { type: 'open_page' } },
      { type: 'web_search_call', action: { type: 'find_in_page' } },
      { type: 'web_search_call' },
      { type: 'file_search_call' },
      { type: 'code_interpreter_call', container_id: 'a' },
      { type: 'code_interpreter_call', container_id: 'a' },
      { type: 'code_interpreter_call', container_id: 'b' },
      { type: 'image_generation_call' },
    ]
    const units = (tools: unknown[]) => meter(post, { ...response, output, tools }).usage?.lines[0]?.units
    expect(units([{ type: 'web_search' }])).toEqual({
      'web_search.query': { n: 2 },
      'file_search.call': { n: 1 },
      'code_exec.session': { n: 2 },
      'image.generated': { n: 1 },
    })
    expect(units([{ type: 'web_search_preview_2025_03_11' }])?.['web_search.query']).toEqual({
      n: 2,
      attrs: { tool: 'web_search_preview_2025_03_11' },
    })
  })

  test('whose usage counts the tools itself (xAI) is not counted from its items again', () => {
    const body = {
      ...response,
      output: [{ type: 'web_search_call', action: { type: 'search' } }],
      usage: { ...usage, num_server_side_tools_used: 1 },
    }
    expect(meter(post, body).usage?.lines[0]?.units).toEqual({ 'server_tool.call': { n: 1 } })
    const byKind = { ...body, usage: { ...usage, server_side_tool_usage_details: { x_search_calls: 2 } } }
    expect(meter(post, byKind).usage?.lines[0]?.units).toEqual({ 'x_search.call': { n: 2 } })
  })

  test('that drew a picture has the picture’s tokens as a line at the image model’s rates', () => {
    const image_gen = {
      input_tokens: 30,
      input_tokens_details: { text_tokens: 10, image_tokens: 20 },
      output_tokens: 400,
      output_tokens_details: { image_tokens: 400, text_tokens: 0 },
    }
    const body = {
      ...response,
      output: [{ type: 'image_generation_call' }],
      tools: [{ type: 'image_generation', model: 'gpt-image-1.5' }],
      tool_usage: { image_gen },
    }
    const read = meter(post, body).usage
    expect(read?.lines[1]).toMatchObject({
      kind: 'tool',
      model_served: 'gpt-image-1.5',
      tokens: { 'in.text.fresh': 10, 'in.image.fresh': 20, 'out.image.visible': 400 },
    })
    expect(read?.lines[0]?.units).toEqual({})
    expect(read?.warnings).toEqual([])
  })

  test('that failed tells its error, and without usage its text is left to be estimated', () => {
    const failed = { ...response, status: 'failed', usage: null, error: { code: 'server_error', message: 'Oops' } }
    expect(meter(post, failed)).toMatchObject({ error: { code: 'server_error', message: 'Oops' }, output_text: 'Hi' })
    expect(meter(post, failed).usage).toBeUndefined()
  })

  test('that was compacted is a line of its own kind', () => {
    const call = { ...post, path: '/v1/responses/compact' }
    const { usage: read } = meter(call, { id: 'r', object: 'response.compaction', output: [], usage })
    expect(read?.lines[0]).toMatchObject({ kind: 'compaction', context_tokens: 1000 })
  })
})

describe('a response in the background', () => {
  const queued = { ...response, background: true, status: 'queued', output: [], usage: null }

  test('bills nothing when it is made, and its text is not estimated', () => {
    const metered = meter({ ...post, request: { model: 'm', input: 'hi', background: true } }, queued)
    expect(metered.usage).toMatchObject({ lines: [], quality: 'missing' })
  })

  test('bills nothing while it runs and its usage once it is over', () => {
    expect(meter(poll, { ...queued, status: 'in_progress' }).usage?.lines).toEqual([])
    const over = meter(poll, { ...response, background: true })
    expect(over.usage?.totals).toMatchObject({ input: 1000, output: 50 })
    expect(over.response_id).toBe('resp_1')
  })

  test('is the only kind that a poll bills: any other was billed when it was made', () => {
    expect(meter(poll, response).usage).toMatchObject({ lines: [], quality: 'missing' })
    expect(read(poll).reading).toMatchObject({ endpoint: 'responses.poll', billable: true, stream: false })
    expect(read({ ...poll, query: '?stream=true' }).reading.stream).toBe(true)
  })
})

describe('a stream', () => {
  const streamed: Call = { ...post, request: { model: 'gpt-5', input: 'hi', stream: true } }
  const opening = { ...response, status: 'in_progress', output: [], usage: null }
  const begun = [
    event('response.created', { response: opening }),
    event('response.in_progress', { response: opening }),
    event('response.output_text.delta', { delta: 'He said "type":"response.completed" ' }),
    event('response.reasoning_summary_text.delta', { delta: 'é' }),
  ]
  const whole = bytes([...begun, event('response.completed', { response })].join(''))

  test('has its usage in the terminal event, however it is cut, and passes unchanged', () => {
    for (const pieces of [1, 2, 7, 50]) {
      const { metered, passed, started, done } = feed(streamed, cutAt(whole, seeded(pieces), pieces))
      expect(metered.usage).toEqual(meter(post, response).usage)
      expect(metered).toMatchObject({
        complete: true,
        finish_reason: 'completed',
        response_id: 'resp_1',
        output_text: '',
      })
      expect(text(passed)).toBe(text(whole))
      expect([started, done]).toEqual([true, true])
    }
    expect(read(streamed).reading).toMatchObject({ edits: [], hide_usage: false })
  })

  test.each([
    ['incomplete', { incomplete_details: { reason: 'max_output_tokens' } }, 'max_output_tokens'],
    ['failed', { error: { code: 'server_error', message: 'x' } }, 'failed'],
    ['cancelled', {}, 'cancelled'],
  ])('that ends as %s bills what it used', (status, rest, reason) => {
    const last = event(`response.${status}`, { response: { ...response, ...rest, status } })
    const { metered } = feed(streamed, [bytes(begun.join('') + last)])
    expect(metered).toMatchObject({ complete: true, finish_reason: reason, usage: { totals: { input: 1000 } } })
  })

  test('that is cut leaves the text that came, the id and the model', () => {
    const { metered, done } = feed(streamed, [bytes(begun.join(''))], true)
    expect(metered).toEqual({
      response_id: 'resp_1',
      model_served: 'gpt-5-2025-08-07',
      complete: false,
      output_text: 'He said "type":"response.completed" é',
    })
    expect(done).toBe(false)
  })

  test('with an error event tells the error and invents no usage', () => {
    const failed = event('error', { code: 'rate_limit_exceeded', message: 'Slow down', param: null })
    const { metered } = feed(streamed, [bytes(begun.join('') + failed)])
    expect(metered).toMatchObject({ error: { code: 'rate_limit_exceeded', message: 'Slow down' } })
    expect(metered.usage).toBeUndefined()
    expect(metered.output_text).not.toBe('')
  })
})

describe('reading a request', () => {
  test('tells parts, turns and limits', () => {
    const request = {
      model: 'gpt-5',
      instructions: 'Be kind.',
      max_output_tokens: 64,
      safety_identifier: 'u-2',
      text: { format: { type: 'json_schema', schema: { type: 'object' } } },
      tools: [{ type: 'web_search' }],
      input: [
        { role: 'user', content: 'one' },
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
        { type: 'function_call', name: 'f', arguments: '{"a":1}' },
        { type: 'function_call_output', call_id: 'c', output: 'found' },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'two' }] },
      ],
    }
    const { reading } = read({ ...post, request })
    expect(reading.parts).toEqual([
      { kind: 'tools', text: '[{"type":"web_search"}]' },
      { kind: 'system', text: '{"type":"object"}' },
      { kind: 'system', text: 'Be kind.' },
      { kind: 'history', text: 'one' },
      { kind: 'history', text: 'hm' },
      { kind: 'history', text: '{"a":1}' },
      { kind: 'context', text: 'found' },
      { kind: 'user', text: 'two' },
    ])
    expect(reading).toMatchObject({
      endpoint: 'responses',
      max_output_tokens: 64,
      turns: 2,
      tool_count: 1,
      response_format: 'json_schema',
      body_tags: { user: 'u-2' },
    })
  })

  test.each([
    ['POST', '/v1/responses', 'responses', true],
    ['POST', '/openai/v1/responses', 'responses', true],
    ['POST', '/v1/responses/compact', 'responses.compact', true],
    ['POST', '/v1/responses/input_tokens', 'responses.input_tokens', false],
    ['POST', '/v1/responses/resp_1/cancel', 'responses.other', false],
    ['GET', '/v1/responses/resp_1', 'responses.poll', true],
    ['GET', '/v1/responses/resp_1/input_items', 'responses.other', false],
    ['DELETE', '/v1/responses/resp_1', 'responses.other', false],
  ])('%s %s is %s', (method, path, endpoint, billable) => {
    expect(wire.recognise(method, path, {})).toBe(true)
    const { request: _, ...bare } = post
    const call: Call = endpoint === 'responses.other' ? { ...bare, method, path } : { ...post, method, path }
    expect(read(call).reading).toMatchObject({ endpoint, billable })
  })
})

test('the official SDK understands an error in the middle of a stream', async () => {
  const { body } = wire.shape(new WeirError('provider-timeout', 'no bytes for 60 s'), true)
  const headers = { 'content-type': 'text/event-stream' }
  const client = new OpenAI({
    apiKey: 'k',
    maxRetries: 0,
    baseURL: 'http://weir.invalid/v1',
    fetch: async () => new Response(Buffer.from(body), { headers }),
  })
  const events = await client.responses.create({ model: 'm', input: 'hi', stream: true })
  const reading = (async () => {
    for await (const one of events) expect(one).toBeUndefined()
  })()
  await expect(reading).rejects.toMatchObject({ code: 'provider_timeout', message: 'no bytes for 60 s' })
})
