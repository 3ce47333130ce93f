import { describe, expect, test } from 'vitest'
import { wire } from '../../src/wires/bedrock-invoke.ts'
import { encodeEvent } from '../../src/wires/framing/event-stream.ts'
import { bytes, type Call, cutAt, feed, meter, read, seeded } from './feeding.ts'

const claude = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] }
const call = (model: string, request: unknown, given: Partial<Call> = {}): Call => ({
  wire,
  path: `/model/${encodeURIComponent(model)}/invoke`,
  request,
  provider: 'aws-bedrock',
  answer_headers: { 'content-type': 'application/json' },
  ...given,
})
const headers = (input: number, output?: number, read?: number, write?: number) => ({
  'content-type': 'application/json',
  'x-amzn-requestid': 'req-1',
  'x-amzn-bedrock-input-token-count': String(input),
  ...(output === undefined ? {} : { 'x-amzn-bedrock-output-token-count': String(output) }),
  ...(read === undefined ? {} : { 'x-amzn-bedrock-cache-read-input-token-count': String(read) }),
  ...(write === undefined ? {} : { 'x-amzn-bedrock-cache-write-input-token-count': String(write) }),
})

describe('an InvokeModel request', () => {
  test.each<[string, string, unknown, Record<string, unknown>, string[]]>([
    [
      'Anthropic',
      'us.anthropic.claude-opus-5-5',
      {
        ...claude,
        system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
        tools: [{ name: 't' }],
        metadata: { user_id: 'u1' },
      },
      { endpoint: 'invoke', max_output_tokens: 100, cache_ttl: '1h', tool_count: 1, turns: 1 },
      ['tools', 'system', 'user'],
    ],
    [
      'Anthropic behind an opaque ARN',
      'arn:aws:bedrock:us-east-1:1:application-inference-profile/x',
      claude,
      { endpoint: 'invoke', max_output_tokens: 100 },
      ['user'],
    ],
    [
      'Nova',
      'amazon.nova-pro-v1:0',
      {
        schemaVersion: 'messages-v1',
        system: [{ text: 's' }],
        messages: [{ role: 'user', content: [{ text: 'hi' }] }],
        inferenceConfig: { max_new_tokens: 9 },
      },
      { max_output_tokens: 9, turns: 1 },
      ['system', 'user'],
    ],
    [
      'an open model of OpenAI',
      'openai.gpt-oss-120b-1:0',
      {
        messages: [
          { role: 'system', content: 's' },
          { role: 'user', content: 'hi' },
        ],
        max_completion_tokens: 8,
      },
      { max_output_tokens: 8, turns: 1 },
      ['system', 'user'],
    ],
    ['Llama', 'meta.llama4-scout', { prompt: 'hi', max_gen_len: 7 }, { max_output_tokens: 7 }, ['user']],
    [
      'Titan',
      'amazon.titan-text-express-v1',
      { inputText: 'hi', textGenerationConfig: { maxTokenCount: 6 } },
      { max_output_tokens: 6 },
      ['user'],
    ],
    [
      'Command',
      'cohere.command-r-v1:0',
      {
        message: 'hi',
        chat_history: [
          { role: 'USER', message: 'a' },
          { role: 'CHATBOT', message: 'b' },
        ],
        preamble: 'p',
        max_tokens: 5,
      },
      { max_output_tokens: 5, turns: 2 },
      ['system', 'history', 'history', 'user'],
    ],
    ['Titan embeddings', 'amazon.titan-embed-text-v2:0', { inputText: 'hi' }, { endpoint: 'embeddings' }, ['user']],
    [
      'Cohere embeddings',
      'cohere.embed-v4:0',
      { texts: ['a', 'b'], input_type: 'search_query' },
      { endpoint: 'embeddings' },
      ['user'],
    ],
    [
      'a reranker',
      'cohere.rerank-v3-5:0',
      { query: 'q', documents: ['a', 'b'] },
      { endpoint: 'rerank' },
      ['context', 'user'],
    ],
  ])('of %s is told by its shape', (_, model, request, expected, kinds) => {
    const { reading } = read(call(model, request))
    expect(reading).toMatchObject({ model, stream: false, billable: true, edits: [], ...expected })
    expect(reading.parts.map((part) => part.kind)).toEqual(kinds)
  })

  test('asks for tier and latency in headers, and for a stream by its path', () => {
    const asked = { 'x-amzn-bedrock-service-tier': 'flex', 'x-amzn-bedrock-performanceconfig-latency': 'optimized' }
    const path = '/model/m/invoke-with-response-stream'
    expect(read(call('m', claude, { headers: asked, path })).reading).toMatchObject({
      service_tier: 'flex',
      speed: 'fast',
      stream: true,
    })
  })
})

describe('an InvokeModel answer', () => {
  const message = (usage: unknown) => ({
    id: 'msg_bdrk_1',
    type: 'message',
    model: 'claude-opus-5-5',
    content: [{ type: 'text', text: 'Hello' }],
    stop_reason: 'end_turn',
    usage,
  })
  const usage = {
    input_tokens: 10,
    cache_read_input_tokens: 200,
    cache_creation_input_tokens: 60,
    cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 40 },
    output_tokens: 9,
    output_tokens_details: { thinking_tokens: 4 },
  }
  const anthropic = (given: Partial<Call> = {}) => call('us.anthropic.claude-opus-5-5', claude, given)

  test('that agrees with its headers keeps what only the body says, and the model that was asked', () => {
    const metered = meter(anthropic({ answer_headers: headers(10, 9, 200, 60) }), message(usage))
    expect(metered).toMatchObject({
      complete: true,
      response_id: 'msg_bdrk_1',
      finish_reason: 'end_turn',
      output_text: '',
    })
    expect(metered.model_served).toBeUndefined()
    expect(metered.usage?.lines).toEqual([
      {
        kind: 'message',
        funding: 'platform',
        context_tokens: 270,
        tokens: {
          'in.text.fresh': 10,
          'in.text.cache_read': 200,
          'in.text.cache_write_5m': 20,
          'in.text.cache_write_1h': 40,
          'out.text.visible': 5,
          'out.text.reasoning': 4,
        },
        units: {},
      },
    ])
    expect(metered.usage?.warnings).toEqual([])
  })

  test('that disagrees with its headers is billed by the headers and says so', () => {
    const { usage: found } = meter(anthropic({ answer_headers: headers(12, 9, 200, 60) }), message(usage))
    expect(found?.lines[0]?.tokens).toMatchObject({
      'in.text.fresh': 12,
      'in.text.cache_write_1h': 40,
      'out.text.reasoning': 4,
    })
    expect(found?.lines[0]?.context_tokens).toBe(272)
    expect(found?.totals).toEqual({ input: 272, output: 9 })
    expect(found?.warnings).toHaveLength(1)
    expect(found?.warnings[0]).toMatch(/Bedrock counted .*12/)
  })

  test('of several models keeps its lines', () => {
    const iterations = [
      { type: 'message', input_tokens: 10, output_tokens: 9 },
      { type: 'compaction', input_tokens: 500, output_tokens: 20 },
    ]
    const { usage: found } = meter(anthropic({ answer_headers: headers(11, 9) }), message({ ...usage, iterations }))
    expect(found?.lines.map((line) => line.kind)).toEqual(['message', 'compaction'])
    expect(found?.warnings.join()).toMatch(/Bedrock counted/)
  })

  test.each<[string, string, unknown, unknown, Record<string, number>]>([
    [
      'Llama',
      'meta.llama4-scout',
      { prompt: 'hi' },
      { generation: 'yo', prompt_token_count: 5, generation_token_count: 2 },
      { 'in.text.fresh': 5, 'out.text.visible': 2 },
    ],
    [
      'Titan',
      'amazon.titan-text-express-v1',
      { inputText: 'hi' },
      { inputTextTokenCount: 5, results: [{ tokenCount: 3, outputText: 'yo', completionReason: 'FINISH' }] },
      { 'in.text.fresh': 5, 'out.text.visible': 3 },
    ],
    [
      'Titan embeddings',
      'amazon.titan-embed-text-v2:0',
      { inputText: 'hi' },
      { embedding: [0.1], inputTextTokenCount: 4 },
      { 'in.text.fresh': 4 },
    ],
    [
      'Nova',
      'amazon.nova-pro-v1:0',
      { messages: [{ role: 'user', content: [{ text: 'hi' }] }] },
      { output: {}, usage: { inputTokens: 5, outputTokens: 2, totalTokens: 17, cacheReadInputTokenCount: 10 } },
      { 'in.text.fresh': 5, 'in.text.cache_read': 10, 'out.text.visible': 2 },
    ],
    [
      'an open model of OpenAI',
      'openai.gpt-oss-120b-1:0',
      { messages: [] },
      {
        choices: [{ message: { content: 'yo' }, finish_reason: 'stop' }],
        model: 'gpt-oss',
        usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 },
      },
      { 'in.text.fresh': 9, 'out.text.visible': 2 },
    ],
  ])('of %s is billed by its own body where no header counts', (_, model, request, answer, tokens) => {
    const metered = meter(call(model, request), answer)
    expect(metered.usage?.lines).toMatchObject([{ tokens }])
    expect(metered.usage?.lines[0]).not.toHaveProperty('model_served')
    expect(metered.usage?.warnings).toEqual([])
  })

  test('of embeddings is billed by its header, which is all there is, also where the body is long', () => {
    const embed = call('cohere.embed-v4:0', { texts: ['a'] }, { answer_headers: headers(6) })
    const long = { embeddings: [Array.from({ length: 400_000 }, () => 0.5)] }
    expect(JSON.stringify(long).length).toBeGreaterThan(1024 * 1024)
    for (const answer of [{ embeddings: [[0.1]] }, long]) {
      expect(meter(embed, answer)).toMatchObject({
        complete: true,
        usage: { lines: [{ tokens: { 'in.text.fresh': 6 } }], quality: 'exact', warnings: [] },
      })
    }
  })

  test('of a reranker is billed by the hundred documents', () => {
    const documents = Array.from({ length: 101 }, (_, i) => `d${i}`)
    const { usage: found } = meter(call('cohere.rerank-v3-5:0', { query: 'q', documents }), { results: [] })
    expect(found).toMatchObject({
      lines: [{ tokens: {}, units: { 'rerank.search_unit': { n: 2 } } }],
      quality: 'inferred',
    })
  })

  test('of images is billed by the piece, size and quality', () => {
    const request = {
      taskType: 'TEXT_IMAGE',
      textToImageParams: { text: 'a cat' },
      imageGenerationConfig: { width: 512, height: 512, quality: 'premium' },
    }
    const { usage: found } = meter(call('amazon.nova-canvas-v1:0', request), { images: ['aGk=', 'aGk='] })
    expect(found?.lines[0]?.units).toEqual({
      'image.generated': { n: 2, attrs: { size: '512x512', quality: 'premium' } },
    })
  })

  test('names the tier of the header, and a provisioned model by its path', () => {
    const flex = { ...headers(10, 9), 'x-amzn-bedrock-service-tier': 'flex' }
    const plain = message({ input_tokens: 10, output_tokens: 9, service_tier: 'standard' })
    expect(meter(anthropic({ answer_headers: flex }), plain).usage?.lines[0]).toMatchObject({ service_tier: 'flex' })
    const arn = 'arn:aws:bedrock:us-east-1:1:provisioned-model/abc'
    expect(meter(call(arn, claude), plain).usage?.lines[0]).toMatchObject({
      service_tier: 'provisioned',
      funding: 'provisioned',
    })
  })

  test('without any count gives the text to estimate, and an error its type', () => {
    const command = call('cohere.command-text-v14', { prompt: 'hi' })
    expect(meter(command, { generations: [{ text: 'yo' }] })).toMatchObject({ complete: true, output_text: 'yo' })
    const failed = { status: 400, answer_headers: { 'x-amzn-errortype': 'ValidationException' } }
    expect(meter(anthropic(failed), { message: 'no such model' })).toMatchObject({
      error: { code: 'ValidationException', message: 'no such model' },
      output_text: '',
    })
  })
})

const chunk = (event: unknown) =>
  encodeEvent(
    { ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' },
    bytes(JSON.stringify({ bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abc' })),
  )
const metrics = (inputTokenCount: number, outputTokenCount: number, more: Record<string, number> = {}) => ({
  'amazon-bedrock-invocationMetrics': {
    inputTokenCount,
    outputTokenCount,
    invocationLatency: 100,
    firstByteLatency: 10,
    ...more,
  },
})
const streaming = (model: string, request: unknown): Call =>
  call(model, request, {
    path: `/model/${encodeURIComponent(model)}/invoke-with-response-stream`,
    answer_headers: { 'content-type': 'application/vnd.amazon.eventstream' },
  })

describe('an InvokeModelWithResponseStream answer', () => {
  const events = [
    {
      type: 'message_start',
      message: {
        id: 'msg_bdrk_2',
        model: 'claude-opus-5-5',
        usage: {
          input_tokens: 10,
          cache_read_input_tokens: 200,
          cache_creation_input_tokens: 60,
          cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 40 },
          output_tokens: 1,
        },
      },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Grüße' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 } },
    { type: 'message_stop', ...metrics(10, 9, { cacheReadInputTokenCount: 200, cacheWriteInputTokenCount: 60 }) },
  ]
  const anthropic = streaming('us.anthropic.claude-opus-5-5', claude)

  test("folds Anthropic's own events, in base64, however the bytes are cut", () => {
    const whole = Buffer.concat(events.map(chunk))
    const random = seeded(5)
    for (let round = 0; round < 50; round++) {
      const { metered, passed, started, done } = feed(anthropic, cutAt(whole, random, 1 + (round % 20)))
      expect(Buffer.compare(passed, whole)).toBe(0)
      expect({ started, done }).toEqual({ started: true, done: true })
      expect(metered).toMatchObject({
        complete: true,
        response_id: 'msg_bdrk_2',
        finish_reason: 'end_turn',
        output_text: '',
      })
      expect(metered.model_served).toBeUndefined()
      expect(metered.usage?.lines).toEqual([
        {
          kind: 'message',
          funding: 'platform',
          context_tokens: 270,
          tokens: {
            'in.text.fresh': 10,
            'in.text.cache_read': 200,
            'in.text.cache_write_5m': 20,
            'in.text.cache_write_1h': 40,
            'out.text.visible': 9,
          },
          units: {},
        },
      ])
    }
  })

  test('is billed by its metrics where the events disagree', () => {
    const more = [
      ...events.slice(0, -1),
      { type: 'message_stop', ...metrics(10, 30, { cacheReadInputTokenCount: 200, cacheWriteInputTokenCount: 60 }) },
    ]
    const { usage } = feed(anthropic, more.map(chunk)).metered
    expect(usage?.lines[0]?.tokens['out.text.visible']).toBe(30)
    expect(usage?.warnings).toHaveLength(1)
  })

  test('that was cut has the usage of its beginning and the text that came', () => {
    const { metered, done } = feed(anthropic, events.slice(0, 3).map(chunk), true)
    expect(done).toBe(false)
    expect(metered).toMatchObject({ complete: false, output_text: 'Grüße', usage: { quality: 'inferred' } })
    expect(metered.usage?.lines[0]?.tokens).toMatchObject({ 'in.text.fresh': 10, 'in.text.cache_read': 200 })
  })

  test.each<[string, string, unknown[], Record<string, number>, string]>([
    [
      'Llama',
      'meta.llama4-scout',
      [
        { generation: 'He', prompt_token_count: 5, generation_token_count: 1, stop_reason: null },
        {
          generation: 'llo',
          prompt_token_count: null,
          generation_token_count: 2,
          stop_reason: 'stop',
          ...metrics(5, 2),
        },
      ],
      { 'in.text.fresh': 5, 'out.text.visible': 2 },
      'stop',
    ],
    [
      'Nova',
      'amazon.nova-pro-v1:0',
      [
        { contentBlockDelta: { delta: { text: 'Hello' }, contentBlockIndex: 0 } },
        { messageStop: { stopReason: 'end_turn' } },
        {
          metadata: { usage: { inputTokens: 5, outputTokens: 2, cacheReadInputTokenCount: 3 }, metrics: {} },
          ...metrics(5, 2, { cacheReadInputTokenCount: 3 }),
        },
      ],
      { 'in.text.fresh': 5, 'in.text.cache_read': 3, 'out.text.visible': 2 },
      'end_turn',
    ],
    [
      'an open model of OpenAI',
      'openai.gpt-oss-120b-1:0',
      [
        { choices: [{ delta: { content: 'Hello' } }] },
        {
          choices: [{ delta: {}, finish_reason: 'stop' }],
          usage: { prompt_tokens: 5, completion_tokens: 2 },
          ...metrics(5, 2),
        },
      ],
      { 'in.text.fresh': 5, 'out.text.visible': 2 },
      'stop',
    ],
    [
      'a maker that counts nothing itself',
      'cohere.command-text-v14',
      [{ text: 'Hello' }, { is_finished: true, finish_reason: 'COMPLETE', ...metrics(5, 2) }],
      { 'in.text.fresh': 5, 'out.text.visible': 2 },
      'COMPLETE',
    ],
  ])('of %s takes the latest counts', (_, model, list, tokens, finish_reason) => {
    const { metered } = feed(streaming(model, { prompt: 'hi', messages: undefined }), list.map(chunk))
    expect(metered).toMatchObject({ complete: true, finish_reason, usage: { lines: [{ tokens }], warnings: [] } })
    expect(metered.usage?.lines[0]?.tokens).toEqual(tokens)
  })

  test('without metrics gives the text, and an exception its type', () => {
    const llama = streaming('meta.llama4-scout', { prompt: 'hi' })
    expect(feed(llama, [chunk({ generation: 'Hel' }), chunk({ generation: 'lo' })], true).metered).toMatchObject({
      complete: false,
      output_text: 'Hello',
    })
    const exception = encodeEvent(
      { ':message-type': 'exception', ':exception-type': 'throttlingException' },
      bytes('{"message":"slow down"}'),
    )
    expect(feed(llama, [chunk({ generation: 'Hel' }), exception]).metered).toMatchObject({
      complete: false,
      error: { code: 'throttlingException', message: 'slow down' },
    })
  })
})
