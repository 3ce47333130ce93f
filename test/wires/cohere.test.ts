import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { wire } from '../../src/wires/cohere-chat.ts'
import { wire as embed } from '../../src/wires/cohere-embed.ts'
import { wire as voyage } from '../../src/wires/voyage-embeddings.ts'
import { bytes, type Call, cutAt, feed, meter, read, seeded, text } from './feeding.ts'

const request = { model: 'command-a', messages: [{ role: 'user', content: 'hi' }] }
const call = (given: Partial<Call> = {}): Call => ({
  wire,
  path: '/v2/chat',
  request,
  provider: 'cohere',
  answer_headers: { 'content-type': 'application/json' },
  ...given,
})
const streaming = call({
  request: { ...request, stream: true },
  answer_headers: { 'content-type': 'text/event-stream' },
})
const event = (type: string, more: Record<string, unknown>) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`

describe("Cohere's chat", () => {
  test('is told by its path, and is not the chat of OpenAI', () => {
    expect(wire.recognise('POST', '/v2/chat', {})).toBe(true)
    expect(wire.recognise('POST', '/v1/chat', {})).toBe(true)
    expect(wire.recognise('POST', '/v1/chat/completions', {})).toBe(false)
  })

  test('says model, limit, format, tools, documents and turns', () => {
    const { reading } = read(
      call({
        request: {
          ...request,
          messages: [
            { role: 'system', content: 'Be brief.' },
            { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
            {
              role: 'assistant',
              tool_plan: 'I look.',
              tool_calls: [{ function: { name: 'w', arguments: '{"c":1}' } }],
            },
            { role: 'tool', tool_call_id: '1', content: '7 degrees' },
          ],
          tools: [{ type: 'function', function: { name: 'w' } }],
          documents: [{ id: 'd', data: { text: 'doc' } }],
          max_tokens: 50,
          response_format: { type: 'json_object' },
          stream: true,
        },
      }),
    )
    expect(reading).toMatchObject({
      endpoint: 'chat',
      model: 'command-a',
      stream: true,
      max_output_tokens: 50,
      response_format: 'json_object',
      tool_count: 1,
      turns: 2,
      edits: [],
    })
    expect(reading.parts.map(({ kind }) => kind)).toEqual([
      'tools',
      'context',
      'system',
      'history',
      'history',
      'context',
    ])
    expect(reading.parts[4]?.text).toBe('I look.\n{"c":1}')
  })

  test('is billed by billed units and not by tokens, of which the cached ones are part', () => {
    const usage = {
      billed_units: { input_tokens: 39, output_tokens: 27 },
      tokens: { input_tokens: 1683, output_tokens: 62 },
      cached_tokens: 992,
    }
    expect(meter(call(), { id: 'a', finish_reason: 'COMPLETE', message: { content: [] }, usage })).toMatchObject({
      response_id: 'a',
      finish_reason: 'COMPLETE',
      complete: true,
      usage: {
        lines: [{ tokens: { 'in.text.fresh': 39, 'out.text.visible': 27 } }],
        totals: { input: 39, output: 27 },
        quality: 'exact',
      },
    })
  })

  test('without billed units is counted by tokens, and says that it is inferred', () => {
    const usage = { tokens: { input_tokens: 100, output_tokens: 5 }, cached_tokens: 60 }
    expect(meter(call(), { usage, message: {} }).usage).toMatchObject({
      lines: [{ tokens: { 'in.text.fresh': 40, 'in.text.cache_read': 60, 'out.text.visible': 5 } }],
      quality: 'inferred',
    })
    expect(meter(call(), { message: { content: [{ type: 'text', text: 'Hello' }] } })).toMatchObject({
      output_text: 'Hello',
    })
  })

  const stream = bytes(
    event('message-start', { id: 'a', delta: { message: { role: 'assistant' } } }) +
      event('content-start', { index: 0, delta: { message: { content: { type: 'thinking', thinking: '' } } } }) +
      event('content-delta', { index: 0, delta: { message: { content: { thinking: 'Hm. ' } } } }) +
      event('tool-plan-delta', { delta: { message: { tool_plan: 'I look. ' } } }) +
      event('tool-call-delta', {
        index: 0,
        delta: { message: { tool_calls: { function: { arguments: '{"c":1}' } } } },
      }) +
      event('content-delta', { index: 1, delta: { message: { content: { text: 'Grüße' } } } }),
  )
  const end = (delta: Record<string, unknown>) => bytes(event('message-end', { delta }))

  test('streams its usage in the last event, however the bytes are cut', () => {
    const whole = Buffer.concat([
      stream,
      end({ finish_reason: 'COMPLETE', usage: { billed_units: { input_tokens: 8, output_tokens: 50 } } }),
    ])
    const random = seeded(3)
    for (let round = 1; round < 40; round++) {
      const { metered, passed, done } = feed(streaming, cutAt(whole, random, round))
      expect(Buffer.compare(passed, whole)).toBe(0)
      expect(done).toBe(true)
      expect(metered).toMatchObject({ response_id: 'a', finish_reason: 'COMPLETE', complete: true, output_text: '' })
      expect(metered.usage?.lines).toMatchObject([{ tokens: { 'in.text.fresh': 8, 'out.text.visible': 50 } }])
    }
  })

  test('that was cut has the text that came, and one that failed its error', () => {
    expect(feed(streaming, [stream], true).metered).toMatchObject({
      complete: false,
      response_id: 'a',
      output_text: 'Hm. I look. {"c":1}Grüße',
    })
    const failed = feed(streaming, [stream, end({ finish_reason: 'ERROR', error: 'overloaded' })]).metered
    expect(failed).toMatchObject({ complete: true, finish_reason: 'ERROR', error: { message: 'overloaded' } })
    expect(feed(streaming, [stream, bytes('data: {"message":"internal"}\n\n')], true).metered.error?.message).toBe(
      'internal',
    )
  })

  test('of version 1 has its usage in meta, and streams an object a line', () => {
    const old = { message: 'hi', preamble: 'p', chat_history: [{ role: 'CHATBOT', message: 'x' }] }
    const v1 = call({ path: '/v1/chat', request: old })
    expect(read(v1).reading).toMatchObject({
      turns: 2,
      parts: [{ kind: 'system' }, { kind: 'history' }, { kind: 'user', text: 'hi' }],
    })
    const meta = { billed_units: { input_tokens: 3, output_tokens: 2, search_units: 1 } }
    expect(meter(v1, { generation_id: 'g', text: 'yo', meta, finish_reason: 'COMPLETE' })).toMatchObject({
      response_id: 'g',
      usage: {
        lines: [{ tokens: { 'in.text.fresh': 3, 'out.text.visible': 2 }, units: { 'rerank.search_unit': { n: 1 } } }],
      },
    })
    const lines = [
      { event_type: 'stream-start', generation_id: 'g' },
      { event_type: 'text-generation', text: 'yo' },
      { event_type: 'stream-end', finish_reason: 'COMPLETE', response: { finish_reason: 'COMPLETE', meta } },
    ].map((line) => bytes(`${JSON.stringify(line)}\n`))
    const v1_stream = call({
      path: '/v1/chat',
      request: { ...old, stream: true },
      answer_headers: { 'content-type': 'application/stream+json' },
    })
    expect(feed(v1_stream, lines).metered).toMatchObject({
      response_id: 'g',
      complete: true,
      finish_reason: 'COMPLETE',
      usage: { totals: { input: 3, output: 2 } },
    })
    expect(feed(v1_stream, lines.slice(0, 2), true).metered).toMatchObject({ complete: false, output_text: 'yo' })
  })

  test('has errors in its own shape, whole and in a stream', () => {
    expect(meter(call({ status: 401 }), { message: 'invalid api token' })).toMatchObject({
      error: { message: 'invalid api token' },
    })
    const error = new WeirError('rate-limited', 'Too many calls.', { retry_after_s: 1 })
    const shaped = wire.shape(error)
    expect(shaped).toMatchObject({ status: 429, headers: { 'retry-after': '1' } })
    expect(JSON.parse(text(shaped.body))).toMatchObject({ message: 'Too many calls.' })
    const ending = text(wire.shape(error, true).body)
    expect(feed(streaming, [stream, bytes(ending)]).metered).toMatchObject({
      error: { message: 'Too many calls.' },
      finish_reason: 'ERROR',
    })
  })
})

describe('embeddings', () => {
  const cohere = (given: Partial<Call> = {}): Call => ({
    wire: embed,
    path: '/v2/embed',
    request: { model: 'embed-v4', texts: ['a', 'b'] },
    ...given,
  })

  test('of Cohere are billed by tokens of text and of images, or by the image where no tokens are stated', () => {
    expect(read(cohere()).reading).toMatchObject({
      endpoint: 'embeddings',
      model: 'embed-v4',
      parts: [{ kind: 'user', text: 'a\nb' }],
    })
    const units = (billed_units: unknown) =>
      meter(cohere(), { id: 'e', embeddings: {}, meta: { billed_units } }).usage?.lines[0]
    expect(units({ input_tokens: 5 })).toMatchObject({ tokens: { 'in.text.fresh': 5 }, units: {} })
    expect(units({ input_tokens: 5, image_tokens: 700, images: 2 })).toMatchObject({
      tokens: { 'in.text.fresh': 5, 'in.image.fresh': 700 },
      units: {},
    })
    expect(units({ images: 2 })).toMatchObject({ tokens: {}, units: { 'embed.image': { n: 2 } } })
  })

  test('of a long answer are found without reading its vectors', () => {
    const embeddings = { float: [Array.from({ length: 50_000 }, () => 0.25)] }
    expect(meter(cohere(), { id: 'e', embeddings, meta: { billed_units: { input_tokens: 5 } } })).toMatchObject({
      response_id: 'e',
      complete: true,
      usage: { totals: { input: 5 } },
    })
  })

  test('of Voyage with images divide their total into text and pixels', () => {
    const multimodal: Call = {
      wire: voyage,
      path: '/v1/multimodalembeddings',
      request: { model: 'voyage-multimodal-3.5', inputs: [{ content: [{ type: 'text', text: 'a' }] }] },
    }
    expect(read(multimodal).reading.parts).toEqual([{ kind: 'user', text: 'a' }])
    const usage = { text_tokens: 5, image_pixels: 2_000_000, total_tokens: 3576 }
    expect(meter(multimodal, { model: 'voyage-multimodal-3.5', data: [], usage })).toMatchObject({
      model_served: 'voyage-multimodal-3.5',
      usage: {
        lines: [{ tokens: { 'in.text.fresh': 5, 'in.image.fresh': 3571 } }],
        totals: { provider_total: 3576 },
        quality: 'inferred',
      },
    })
    expect(
      meter({ ...multimodal, path: '/v1/contextualizedembeddings' }, { usage: { total_tokens: 9 } }).usage,
    ).toMatchObject({
      lines: [{ tokens: { 'in.text.fresh': 9 } }],
      quality: 'exact',
    })
  })
})
