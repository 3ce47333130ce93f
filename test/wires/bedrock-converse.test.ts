import { describe, expect, test } from 'vitest'
import { wire } from '../../src/wires/bedrock-converse.ts'
import { encodeEvent } from '../../src/wires/framing/event-stream.ts'
import { bytes, type Call, feed, meter, read } from './feeding.ts'

const call = (given: Partial<Call> = {}): Call => ({
  wire,
  path: '/model/us.anthropic.claude-opus-5-5/converse',
  request: { messages: [{ role: 'user', content: [{ text: 'hi' }] }] },
  provider: 'aws-bedrock',
  answer_headers: { 'content-type': 'application/json', 'x-amzn-requestid': 'req-1' },
  ...given,
})
const answer = (usage: unknown, more: Record<string, unknown> = {}) => ({
  output: { message: { role: 'assistant', content: [{ text: 'Hello' }] } },
  stopReason: 'end_turn',
  usage,
  ...more,
})
const frame = (type: string, body: unknown) =>
  encodeEvent(
    { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' },
    bytes(JSON.stringify(body)),
  )
const streaming = (given: Partial<Call> = {}) =>
  call({
    path: '/model/us.amazon.nova-pro-v1%3A0/converse-stream',
    answer_headers: { 'content-type': 'application/vnd.amazon.eventstream' },
    ...given,
  })

describe('a Converse request', () => {
  test.each([
    ['us.amazon.nova-pro-v1%3A0', 'us.amazon.nova-pro-v1:0'],
    ['us.amazon.nova-pro-v1:0', 'us.amazon.nova-pro-v1:0'],
    ['arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Fmeta.llama4-scout', 'meta.llama4-scout'],
    [
      'arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.anthropic.claude-opus-5-5',
      'eu.anthropic.claude-opus-5-5',
    ],
    [
      'arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc',
      'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc',
    ],
  ])('for %s asks for the model %s', (path, model) => {
    const found = `/model/${path}/converse-stream`
    expect(wire.recognise('POST', found, {})).toBe(true)
    expect(read(call({ path: found })).reading).toMatchObject({ model, stream: true, endpoint: 'converse', edits: [] })
  })

  test('is told by its parts, limits, tags, tier and cache TTL', () => {
    const { reading } = read(
      call({
        request: {
          system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default', ttl: '1h' } }],
          messages: [
            { role: 'user', content: [{ text: 'Weather?' }] },
            { role: 'assistant', content: [{ toolUse: { toolUseId: '1', name: 'weather', input: { city: 'Ulm' } } }] },
            {
              role: 'user',
              content: [{ toolResult: { toolUseId: '1', content: [{ json: { c: 7 } }, { text: 'ok' }] } }],
            },
          ],
          toolConfig: { tools: [{ toolSpec: { name: 'weather' } }, { cachePoint: { type: 'default', ttl: '1h' } }] },
          inferenceConfig: { maxTokens: 300 },
          requestMetadata: { team: 'search', costcentre: '7' },
          serviceTier: { type: 'priority' },
          performanceConfig: { latency: 'optimized' },
        },
      }),
    )
    expect(reading).toMatchObject({
      max_output_tokens: 300,
      tool_count: 1,
      turns: 2,
      cache_ttl: '1h',
      service_tier: 'priority',
      speed: 'fast',
      body_tags: { team: 'search', tags: { costcentre: '7' } },
    })
    expect(reading.parts).toEqual([
      { kind: 'tools', text: '[{"toolSpec":{"name":"weather"}}]' },
      { kind: 'system', text: 'Be brief.' },
      { kind: 'history', text: 'Weather?' },
      { kind: 'history', text: 'weather{"city":"Ulm"}' },
      { kind: 'context', text: '{"c":7}\nok' },
    ])
  })

  test('that is no JSON object is refused', () => {
    expect(() => read(call({ request: bytes('{') }))).toThrow(/JSON object/)
  })

  test('the other operations of Bedrock are not its own', () => {
    for (const path of ['/model/m/invoke', '/model/m/count-tokens', '/model/converse', '/v1/messages'])
      expect(wire.recognise('POST', path, {})).toBe(false)
    expect(wire.recognise('GET', '/model/m/converse', {})).toBe(false)
  })
})

describe('a Converse answer', () => {
  test('counts cached tokens beside the input, and each number once though it comes twice', () => {
    const usage = {
      inputTokens: 10,
      cacheReadInputTokens: 2492,
      cacheReadInputTokenCount: 2492,
      cacheWriteInputTokens: 100,
      cacheWriteInputTokenCount: 100,
      outputTokens: 5,
      totalTokens: 2607,
    }
    const metered = meter(call(), answer(usage))
    expect(metered).toMatchObject({ response_id: 'req-1', finish_reason: 'end_turn', complete: true, output_text: '' })
    expect(metered.usage).toMatchObject({
      lines: [
        {
          kind: 'message',
          context_tokens: 2602,
          tokens: {
            'in.text.fresh': 10,
            'in.text.cache_read': 2492,
            'in.text.cache_write': 100,
            'out.text.visible': 5,
          },
        },
      ],
      totals: { input: 2602, output: 5, provider_total: 2607 },
      quality: 'exact',
      warnings: [],
    })
  })

  test('splits cache writes by TTL where the answer does, and takes the rest at the TTL asked for', () => {
    const usage = {
      inputTokens: 1,
      outputTokens: 1,
      totalTokens: 1002,
      cacheWriteInputTokens: 1000,
      cacheDetails: [
        { ttl: '1h', inputTokens: 600 },
        { ttl: '5m', inputTokens: 300 },
      ],
    }
    expect(meter(call(), answer(usage)).usage?.lines[0]?.tokens).toEqual({
      'in.text.fresh': 1,
      'in.text.cache_write': 100,
      'in.text.cache_write_5m': 300,
      'in.text.cache_write_1h': 600,
      'out.text.visible': 1,
    })
    const hour = call({ request: { messages: [], system: [{ cachePoint: { type: 'default', ttl: '1h' } }] } })
    const { cacheDetails: _, ...unsplit } = usage
    expect(meter(hour, answer(unsplit)).usage?.lines[0]?.tokens['in.text.cache_write_1h']).toBe(1000)
  })

  test('names the tier that served it, the routed model, and a provisioned model by its path', () => {
    const usage = { inputTokens: 13, outputTokens: 5, totalTokens: 18 }
    expect(meter(call(), answer(usage, { serviceTier: { type: 'flex' } })).usage?.lines[0]?.service_tier).toBe('flex')
    const routed = answer(usage, {
      trace: { promptRouter: { invokedModelId: 'arn:aws:bedrock:us-east-1:1:inference-profile/us.meta.llama4-scout' } },
      performanceConfig: { latency: 'optimized' },
    })
    expect(meter(call(), routed)).toMatchObject({
      model_served: 'us.meta.llama4-scout',
      usage: { lines: [{ model_served: 'us.meta.llama4-scout', speed: 'fast' }] },
    })
    const path = '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprovisioned-model%2Fabc/converse'
    expect(meter(call({ path }), answer(usage)).usage?.lines[0]).toMatchObject({
      funding: 'provisioned',
      service_tier: 'provisioned',
    })
  })

  test('bills a guardrail by policy, over input and output together, and not what is free', () => {
    const units = (topicPolicyUnits: number, wordPolicyUnits: number, sensitiveInformationPolicyFreeUnits: number) => ({
      invocationMetrics: {
        usage: { topicPolicyUnits, contentPolicyUnits: 1, wordPolicyUnits, sensitiveInformationPolicyFreeUnits },
      },
    })
    const trace = {
      guardrail: { inputAssessment: { g: units(2, 9, 9) }, outputAssessments: { g: [units(1, 9, 9), units(1, 0, 0)] } },
    }
    const { usage } = meter(call(), answer({ inputTokens: 3, outputTokens: 2, totalTokens: 5 }, { trace }))
    expect(usage?.lines.slice(1)).toMatchObject([
      {
        kind: 'tool',
        model_served: 'guardrail',
        units: { 'guardrail.text_unit': { n: 4, attrs: { policy: 'topic' } } },
      },
      {
        kind: 'tool',
        model_served: 'guardrail',
        units: { 'guardrail.text_unit': { n: 3, attrs: { policy: 'content' } } },
      },
    ])
    expect(usage?.totals).toEqual({ input: 3, output: 2, provider_total: 5 })
  })

  test('warns of counts that do not add up and of server tools, and never throws', () => {
    const odd = {
      inputTokens: -1,
      outputTokens: 'x',
      totalTokens: 9,
      cacheWriteInputTokens: 5,
      serverToolUsage: { webSearches: 2 },
    }
    const split = { ...odd, cacheDetails: [{ ttl: '5m', inputTokens: 50 }] }
    const { usage } = meter(call(), answer(split))
    expect(usage?.warnings.join('; ')).toMatch(
      /cacheDetails of 5m 50 exceeds the 5 tokens.*serverToolUsage.webSearches 2 is not metered.*provider states 9/,
    )
    expect(usage).toMatchObject({ quality: 'inferred', totals: { input: 5, output: 0 } })
  })

  test('without usage gives the text, so that it can be estimated', () => {
    const { output, stopReason } = answer(undefined)
    expect(meter(call(), { output, stopReason })).toMatchObject({ complete: true, output_text: 'Hello' })
    expect(meter(call(), { output }).usage).toBeUndefined()
  })

  test('that is an error names its type without the rest of the header', () => {
    const headers = {
      'x-amzn-errortype': 'ThrottlingException:http://internal.amazon.com/coral/',
      'content-type': 'application/json',
    }
    expect(meter(call({ status: 429, answer_headers: headers }), { message: 'Too many tokens' })).toMatchObject({
      error: { code: 'ThrottlingException', message: 'Too many tokens' },
    })
  })
})

describe('a Converse stream', () => {
  const start = frame('messageStart', { role: 'assistant' })
  const deltas = [
    frame('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'Hm. ' } } }),
    frame('contentBlockDelta', { contentBlockIndex: 1, delta: { text: 'Hello' } }),
    frame('contentBlockDelta', { contentBlockIndex: 2, delta: { toolUse: { input: '{"a":1}' } } }),
  ]
  const stop = frame('messageStop', { stopReason: 'tool_use' })
  const metadata = frame('metadata', {
    usage: { inputTokens: 7, outputTokens: 3, totalTokens: 30, cacheReadInputTokens: 20 },
    serviceTier: { type: 'default' },
  })

  test('states its usage in its last event, and its bytes pass untouched', () => {
    const pieces = [start, ...deltas, stop, metadata]
    const { metered, passed, started, done } = feed(streaming(), pieces)
    expect({ started, done }).toEqual({ started: true, done: true })
    expect(Buffer.concat(pieces).equals(passed)).toBe(true)
    expect(metered).toMatchObject({ complete: true, finish_reason: 'tool_use', output_text: '' })
    expect(metered.usage?.lines).toMatchObject([
      { service_tier: 'standard', tokens: { 'in.text.fresh': 7, 'in.text.cache_read': 20, 'out.text.visible': 3 } },
    ])
  })

  test('that was cut before it gives what was written, and is not complete', () => {
    const { metered, done } = feed(streaming(), [start, ...deltas, stop], true)
    expect(done).toBe(false)
    expect(metered).toMatchObject({ complete: false, finish_reason: 'tool_use', output_text: 'Hm. Hello{"a":1}' })
    expect(metered.usage).toBeUndefined()
  })

  test('that ends in an exception says so and is not complete', () => {
    const exception = encodeEvent(
      {
        ':message-type': 'exception',
        ':exception-type': 'modelStreamErrorException',
        ':content-type': 'application/json',
      },
      bytes('{"message":"The model failed"}'),
    )
    const { metered, done } = feed(streaming(), [start, ...deltas, exception])
    expect(done).toBe(true)
    expect(metered).toMatchObject({
      complete: false,
      error: { code: 'modelStreamErrorException', message: 'The model failed' },
      output_text: 'Hm. Hello{"a":1}',
    })
  })

  test('with a damaged frame says so, and its bytes still pass', () => {
    const damaged = Uint8Array.from(stop)
    damaged[40] = 0
    const pieces = [start, ...deltas, damaged, metadata]
    const { metered, passed } = feed(streaming(), pieces)
    expect(Buffer.concat(pieces).equals(passed)).toBe(true)
    expect(metered.error?.code).toBe('corrupt-event-stream')
    expect(metered.usage).toBeUndefined()
  })
})
