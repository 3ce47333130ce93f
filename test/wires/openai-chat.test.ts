import fc from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { type ErrorCode, WeirError } from '../../src/core/errors.ts'
import { wire as chat } from '../../src/wires/openai-chat.ts'
import { wire as completions } from '../../src/wires/openai-completions.ts'
import { bytes, type Call, cutAt, feed, meter, read, seeded, text } from './feeding.ts'

const path = '/v1/chat/completions'
const messages = [{ role: 'user', content: 'hi' }]
const streamed: Call = { wire: chat, path, request: { model: 'm', stream: true, messages } }
const asked: Call = {
  ...streamed,
  request: { model: 'm', stream: true, messages, stream_options: { include_usage: true } },
}

const usage = { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 }
type Chunk = Record<string, unknown>
const chunk = (delta: Chunk, rest: Chunk = {}): Chunk => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  model: 'gpt-5-2025-08-07',
  service_tier: 'default',
  choices: [{ index: 0, delta, finish_reason: null }],
  ...rest,
})
const spoken = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'He said "usage": null, é' }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"usage":null}' } }] }),
  chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
]
const extra = { ...chunk({}), choices: [], usage }

type Style = Readonly<{ line: string; spaced: boolean; after: boolean }>
/** A stream as a server of some style writes it; `usage` makes it the stream of a call that asked for usage. */
const written = (style: Style, withUsage: boolean): string => {
  const { line, spaced, after } = style
  const json = (value: Chunk) => {
    const compact = JSON.stringify(value)
    return spaced ? compact.replaceAll('":', '": ').replaceAll(',"', ', "') : compact
  }
  const nulled = spoken.map((value) => (withUsage ? { ...value, usage: null } : value))
  const all = nulled.map((value) => (after ? { ...value, obfuscation: 'xYz' } : value))
  const events = withUsage ? [...all, after ? { ...extra, obfuscation: 'x' } : extra] : all
  return [...events.map(json), '[DONE]'].map((data) => `data: ${data}${line}${line}`).join('')
}

describe('usage that the client did not ask for', () => {
  test('is asked of the server by an edit that changes nothing else', () => {
    const cases = [
      { model: 'm', stream: true, messages },
      { model: 'm', stream: true, messages, stream_options: null },
      { model: 'm', stream: true, messages, stream_options: {} },
      { model: 'm', stream: true, messages, stream_options: { include_usage: false, include_obfuscation: false } },
      { model: 'm', stream: true, messages, stream_options: { include_obfuscation: false } },
    ]
    for (const request of cases) {
      const { reading, sent } = read({ ...streamed, request })
      const stream_options = { ...request.stream_options, include_usage: true }
      expect(JSON.parse(text(sent))).toEqual({ ...request, stream_options })
      expect(reading.hide_usage).toBe(true)
    }
  })

  test('is not asked for where the client asks itself, where nothing streams, or where the server refuses', () => {
    const { reading, sent } = read(asked)
    expect(reading).toMatchObject({ edits: [], hide_usage: false })
    expect(JSON.parse(text(sent))).toEqual(asked.request)
    expect(read({ ...streamed, request: { model: 'm', messages } }).reading.edits).toEqual([])
    expect(read({ ...streamed, quirks: { no_stream_options: true } }).reading.edits).toEqual([])
  })

  const styles = fc.record({ line: fc.constantFrom('\n', '\r\n'), spaced: fc.boolean(), after: fc.boolean() })

  test('is hidden again: the client gets the bytes of a direct call, however they are cut, and the meter has the usage', () => {
    fc.assert(
      fc.property(styles, fc.nat(), fc.integer({ min: 1, max: 60 }), (style, seed, pieces) => {
        const answer = cutAt(bytes(written(style, true)), seeded(seed), pieces)
        const { metered, passed, started, done } = feed(streamed, answer)
        expect(text(passed)).toBe(written(style, false))
        expect(metered.usage?.totals).toEqual({ input: 10, output: 3, provider_total: 13 })
        expect(metered).toMatchObject({
          complete: true,
          finish_reason: 'stop',
          response_id: 'chatcmpl-1',
          model_served: 'gpt-5-2025-08-07',
          output_text: '',
        })
        expect([started, done]).toEqual([true, true])
      }),
      { seed: 20261123 },
    )
  })

  test('stays where the client asked for it', () => {
    const style = { line: '\n', spaced: false, after: true }
    const answer = bytes(written(style, true))
    const { passed, metered } = feed(asked, [answer])
    expect(text(passed)).toBe(text(answer))
    expect(metered.usage?.totals.input).toBe(10)
  })

  test('on a chunk with content belongs to the server’s own stream and stays', () => {
    const last = chunk(
      { content: '!' },
      { usage, choices: [{ index: 0, delta: { content: '!' }, finish_reason: 'stop' }] },
    )
    const answer = bytes(`data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`)
    const { passed, metered } = feed(streamed, [answer])
    expect(text(passed)).toBe(text(answer))
    expect(metered).toMatchObject({
      complete: true,
      finish_reason: 'stop',
      usage: { totals: { input: 10, output: 3 } },
    })
  })
})

const stream = (...events: readonly unknown[]): Uint8Array =>
  bytes(events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join(''))

describe('a stream', () => {
  test('of Azure begins with a chunk without choices and model: both come from a later one', () => {
    const filter = { choices: [], id: '', model: '', prompt_filter_results: [{ prompt_index: 0 }] }
    const answer = stream(filter, ...spoken.map((one) => ({ ...one, usage: null })), extra, '[DONE]')
    const { metered, passed } = feed(streamed, [answer])
    expect(metered).toMatchObject({ model_served: 'gpt-5-2025-08-07', response_id: 'chatcmpl-1' })
    expect(text(passed)).toBe(text(stream(filter, ...spoken, '[DONE]')))
  })

  test('with growing usage in every chunk bills the last, never the sum', () => {
    const growing = [1, 3, 6].map((n) =>
      chunk({ content: 'x' }, { usage: { prompt_tokens: 10, completion_tokens: n, total_tokens: 10 + n } }),
    )
    expect(feed(asked, [stream(...growing)]).metered.usage?.totals).toMatchObject({ input: 10, output: 6 })
  })

  test('that is cut before its usage leaves the text that came, to be estimated', () => {
    const answer = stream(
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning_content: 'Hm. ' }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '{"a":1}' } }] }),
    )
    const { metered, done } = feed(asked, [answer], true)
    expect(metered.usage).toBeUndefined()
    expect(metered).toMatchObject({ complete: false, output_text: 'Hm. Hellof{"a":1}', response_id: 'chatcmpl-1' })
    expect(done).toBe(false)
  })

  test('is complete without a final marker when it ended after a finish reason, and not when it was cut there', () => {
    expect(feed(asked, [stream(...spoken)]).metered.complete).toBe(true)
    expect(feed(asked, [stream(...spoken)], true).metered.complete).toBe(false)
    expect(feed(asked, [stream(...spoken.slice(0, 2))]).metered.complete).toBe(false)
  })

  test('with an error in it tells the error and bills what was used', () => {
    const failed = chunk({}, { error: { code: 502, message: 'Provider disconnected' }, usage })
    const { metered } = feed(asked, [stream(spoken[0], failed, '[DONE]')])
    expect(metered.error).toEqual({ code: '502', message: 'Provider disconnected' })
    expect(metered.usage?.totals).toMatchObject({ input: 10, output: 3 })
  })

  test('that answers with a whole body is read as one', () => {
    const whole = { id: 'c', model: 'm', choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }], usage }
    const answer_headers = { 'content-type': 'application/json' }
    expect(meter({ ...streamed, answer_headers }, whole).usage?.totals).toMatchObject({ input: 10, output: 3 })
  })

  test('has not started with the role alone, and has with the first text', () => {
    expect(feed(asked, [stream(spoken[0])]).started).toBe(false)
    expect(feed(asked, [stream(spoken[0], spoken[1])]).started).toBe(true)
  })
})

describe('a whole answer', () => {
  test('without usage leaves its text, to be estimated', () => {
    const metered = meter(
      { ...streamed, request: { model: 'm', messages } },
      { choices: [{ message: { content: 'Yes' } }] },
    )
    expect(metered).toEqual({ complete: true, output_text: 'Yes' })
  })

  test('that is an error has a code and a message and no usage', () => {
    const body = { error: { message: 'Slow down', type: 'requests', param: null, code: 'rate_limit_exceeded' } }
    const metered = meter({ ...streamed, status: 429 }, body)
    expect(metered).toMatchObject({ error: { code: 'rate_limit_exceeded', message: 'Slow down' } })
    expect(metered.usage).toBeUndefined()
  })

  test('that was cut in its middle is incomplete', () => {
    const call = { ...streamed, request: { model: 'm', messages } }
    expect(feed(call, [bytes('{"choices":[{"mess')], true).metered).toEqual({ complete: false, output_text: '' })
  })
})

describe('reading a request', () => {
  const request = {
    model: 'gpt-5',
    n: 2,
    max_completion_tokens: 100,
    service_tier: 'flex',
    user: 'u-1',
    metadata: { team: 'search', 'customer-id': 'acme', build: '77' },
    tools: [{ type: 'function', function: { name: 'f' } }],
    response_format: { type: 'json_schema', json_schema: { name: 's' } },
    messages: [
      { role: 'developer', content: 'Be kind.' },
      { role: 'system', name: 'example_user', content: 'Q' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one' },
          { type: 'image_url', image_url: { url: 'data:xx' } },
        ],
      },
      { role: 'assistant', content: null, tool_calls: [{ function: { name: 'f', arguments: '{}' } }] },
      { role: 'tool', content: 'result' },
      { role: 'user', content: '<context>fact</context>\nWhy?' },
    ],
  }

  test('names its parts in the order in which the provider reads them', () => {
    expect(read({ ...streamed, request }).reading.parts).toEqual([
      { kind: 'tools', text: JSON.stringify(request.tools) },
      { kind: 'system', text: '{"name":"s"}' },
      { kind: 'system', text: 'Be kind.' },
      { kind: 'examples', text: 'Q' },
      { kind: 'history', text: 'one\n[image_url 7 data:xx ata:xx a:xx data:xx]' },
      { kind: 'history', text: 'f{}' },
      { kind: 'context', text: 'result' },
      { kind: 'context', text: '<context>fact</context>\nWhy?' },
    ])
  })

  test('tells one picture, recording and file from another, in an address, as data and by its id', () => {
    const media = [
      { image_url: { url: 'https://example.com/1.png' } },
      { image_url: { url: 'https://example.com/2.png' } },
      { image_url: { url: `data:image/png;base64,${'A'.repeat(4000)}` } },
      { image_url: { url: `data:image/png;base64,${'A'.repeat(3990)}BBBBBBBBBB` } },
      { input_audio: { data: 'AAAA', format: 'wav' } },
      { input_audio: { data: 'BBBB', format: 'wav' } },
      { file: { file_id: 'file-1' } },
      { file: { file_id: 'file-2' } },
      { file: { file_data: 'data:application/pdf;base64,AAAA', filename: 'a.pdf' } },
    ]
    const texts = media.map((block) => {
      const content = [{ type: Object.keys(block)[0], ...block }]
      const [part] = read({ ...streamed, request: { model: 'm', messages: [{ role: 'user', content }] } }).reading.parts
      return part?.text ?? ''
    })
    expect(new Set(texts).size).toBe(media.length)
    for (const text of texts) expect(text.length).toBeLessThan(120)
  })

  test('tells the model, the most it can produce, the tier, the turn and who pays', () => {
    expect(read({ ...streamed, request }).reading).toMatchObject({
      endpoint: 'chat',
      billable: true,
      stream: false,
      model: 'gpt-5',
      max_output_tokens: 200,
      service_tier: 'flex',
      turns: 2,
      tool_count: 1,
      response_format: 'json_schema',
      body_tags: { team: 'search', customer: 'acme', user: 'u-1', tags: { build: '77' } },
    })
  })

  test('takes the deployment in Azure’s path for the model', () => {
    const call = { ...streamed, path: '/openai/deployments/my%20gpt/chat/completions', request: { messages } }
    expect(read(call).reading.model).toBe('my gpt')
  })

  test('refuses what is not a JSON object', () => {
    const broken = () => read({ ...streamed, request: bytes('{"model":') })
    expect(broken).toThrow(expect.objectContaining({ code: 'malformed-json' }))
    expect(() => read({ ...streamed, request: [1] })).toThrow(expect.objectContaining({ code: 'bad-request' }))
  })

  test.each([
    ['POST', '/v1/chat/completions', 'chat'],
    ['POST', '/chat/completions', 'chat'],
    ['POST', '/api/v1/chat/completions', 'chat'],
    ['POST', '/inference/v1/chat/completions', 'chat'],
    ['POST', '/openai/v1/chat/completions', 'chat'],
    ['POST', '/openai/deployments/d/chat/completions', 'chat'],
    ['GET', '/v1/models', 'chat'],
    ['GET', '/v1/models/gpt-5', 'chat'],
    ['GET', '/v1beta/openai/models', 'chat'],
    ['GET', '/v1beta/models', undefined],
    ['POST', '/v1/completions', 'completions'],
    ['POST', '/openai/deployments/d/completions', 'completions'],
    ['POST', '/v1/fim/completions', 'completions'],
    ['POST', '/v1/embeddings', undefined],
  ])('%s %s belongs to %s', (method, path, name) => {
    const found = { chat, completions }
    const owners = Object.entries(found).filter(([, wire]) => wire.recognise(method, path, {}))
    expect(owners.map(([owner]) => owner)).toEqual(name === undefined ? [] : [name])
  })

  test('a listing of models bills nothing', () => {
    const call: Call = { wire: chat, method: 'GET', path: '/v1/models' }
    const { reading, metered } = feed(call, [bytes('{"data":[]}')])
    expect(reading).toMatchObject({ endpoint: 'models', billable: false })
    expect(metered).toEqual({ complete: true, output_text: '' })
  })
})

test('legacy completions are billed and hidden as chats are', () => {
  const call: Call = {
    wire: completions,
    path: '/v1/completions',
    request: { model: 'm', stream: true, prompt: ['a', 'b'] },
  }
  const spokenText = { id: 'cmpl-1', model: 'm:v2', choices: [{ text: 'x', index: 0, finish_reason: 'length' }] }
  const { metered, passed, reading } = feed(call, [
    stream({ ...spokenText, usage: null }, { id: 'cmpl-1', model: 'm:v2', choices: [], usage }, '[DONE]'),
  ])
  expect(text(passed)).toBe(text(stream(spokenText, '[DONE]')))
  expect(metered).toMatchObject({ model_served: 'm:v2', usage: { totals: { input: 10, output: 3 } } })
  expect(reading.parts).toEqual([{ kind: 'user', text: 'a\nb' }])
})

describe('the official SDK understands our errors', () => {
  const client = (answer: () => Response) =>
    new OpenAI({ apiKey: 'k', maxRetries: 0, baseURL: 'http://weir.invalid/v1', fetch: async () => answer() })
  const shaped = (code: ErrorCode, midstream = false) => chat.shape(new WeirError(code, `because ${code}`), midstream)

  test.each([
    ['unknown-key', OpenAI.AuthenticationError, 'invalid_api_key'],
    ['budget-exhausted', OpenAI.RateLimitError, 'budget_exhausted'],
    ['unknown-model', OpenAI.NotFoundError, 'model_not_found'],
    ['malformed-json', OpenAI.BadRequestError, 'malformed_json'],
    ['provider-cut', OpenAI.InternalServerError, 'provider_cut'],
  ] as const)('%s', async (code, kind, name) => {
    const { status, headers, body } = shaped(code)
    const call = client(() => new Response(Buffer.from(body), { status, headers })).chat.completions.create({
      model: 'm',
      messages: [],
    })
    await expect(call).rejects.toBeInstanceOf(kind)
    await expect(call).rejects.toMatchObject({ code: name, message: expect.stringContaining(`because ${code}`) })
  })

  test('in the middle of a stream', async () => {
    const body = Buffer.concat([stream(spoken[1]), shaped('provider-cut', true).body])
    const headers = { 'content-type': 'text/event-stream' }
    const events = await client(() => new Response(body, { headers })).chat.completions.create({
      model: 'm',
      messages: [],
      stream: true,
    })
    const seen: unknown[] = []
    const reading = (async () => {
      for await (const event of events) seen.push(event)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'provider_cut' })
    expect(seen).toEqual([spoken[1]])
  })
})
