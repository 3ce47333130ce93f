import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import type { Metered } from '../../src/core/wire.ts'
import { wire as embeddings } from '../../src/wires/gemini-embeddings.ts'
import { wire } from '../../src/wires/gemini-generate.ts'
import { wire as interactions } from '../../src/wires/gemini-interactions.ts'
import { bytes, type Call, cutAt, feed, meter, read, seeded, text } from './feeding.ts'

const models = '/v1beta/models/gemini-3-pro'
const vertex = '/v1/projects/p/locations/us-central1/publishers/google/models'
const request = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }
const call = (given: Partial<Call> = {}): Call => ({
  wire,
  path: `${models}:generateContent`,
  request,
  provider: 'google',
  answer_headers: { 'content-type': 'application/json' },
  ...given,
})
const streaming = (given: Partial<Call> = {}): Call =>
  call({
    path: `${models}:streamGenerateContent`,
    query: '?alt=sse',
    answer_headers: { 'content-type': 'text/event-stream' },
    ...given,
  })
const answer = (
  usageMetadata: unknown,
  more: Record<string, unknown> = {},
  candidate: Record<string, unknown> = {},
) => ({
  candidates: [
    { content: { role: 'model', parts: [{ text: 'Hello' }] }, finishReason: 'STOP', index: 0, ...candidate },
  ],
  usageMetadata,
  modelVersion: 'gemini-3-pro',
  responseId: 'r1',
  ...more,
})
const sse = (...events: readonly unknown[]) =>
  bytes(events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join(''))
const tokens = (metered: Metered) => metered.usage?.lines[0]?.tokens
const units = (metered: Metered) => metered.usage?.lines[0]?.units
const of = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).map(([modality, tokenCount]) => ({ modality, tokenCount }))

describe('a Gemini request', () => {
  test.each([
    ['POST', `${models}:generateContent`, true],
    ['POST', '/v1/models/gemini-3-pro:streamGenerateContent', true],
    ['POST', '/v1alpha/tunedModels/mine:generateContent', true],
    ['POST', `${models}:countTokens`, true],
    ['POST', `${vertex}/gemini-3-pro:streamGenerateContent`, true],
    ['POST', '/v1beta1/projects/p/locations/l/endpoints/123:generateContent', true],
    ['POST', '/v1/publishers/google/models/gemini-3-pro:generateContent', true],
    ['POST', `${models}:embedContent`, false],
    ['POST', '/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-5-5:rawPredict', false],
    ['POST', `${models}:batchGenerateContent`, false],
    ['GET', models, true],
    ['GET', '/v1beta/models', true],
    ['GET', '/v1beta/files', false],
  ])('%s %s: recognised is %s', (method, path, expected) => {
    expect(wire.recognise(method, path, {})).toBe(expected)
  })

  test('is told by its path, its parts and its configuration', () => {
    const { reading } = read(
      streaming({
        request: {
          systemInstruction: { parts: [{ text: 'Be brief.' }] },
          tools: [{ functionDeclarations: [{ name: 'f' }, { name: 'g' }] }, { googleSearch: {} }],
          contents: [
            { role: 'user', parts: [{ text: 'Weather?' }] },
            { role: 'model', parts: [{ functionCall: { name: 'f', args: { city: 'Ulm' } }, thoughtSignature: 'xyz' }] },
            { role: 'user', parts: [{ functionResponse: { name: 'f', response: { t: 20 } } }, { text: 'So?' }] },
          ],
          generationConfig: { maxOutputTokens: 100, candidateCount: 2, responseSchema: { type: 'STRING' } },
          labels: { team: 'search', stage: 'x' },
        },
      }),
    )
    expect(reading).toMatchObject({
      endpoint: 'generate',
      billable: true,
      model: 'gemini-3-pro',
      stream: true,
      max_output_tokens: 200,
      turns: 2,
      tool_count: 3,
      response_format: 'json_schema',
      body_tags: { team: 'search', tags: { stage: 'x' } },
      edits: [],
    })
    expect(reading.parts).toEqual([
      { kind: 'tools', text: '[{"functionDeclarations":[{"name":"f"},{"name":"g"}]},{"googleSearch":{}}]' },
      { kind: 'system', text: '{"type":"STRING"}' },
      { kind: 'system', text: 'Be brief.' },
      { kind: 'history', text: 'Weather?' },
      { kind: 'history', text: '{"functionCall":{"name":"f","args":{"city":"Ulm"}}}' },
      { kind: 'context', text: '{"functionResponse":{"name":"f","response":{"t":20}}}' },
      { kind: 'user', text: 'So?' },
    ])
  })

  test('may be written in snake case, and the model in the path may be encoded', () => {
    const { reading } = read(
      call({
        path: `${vertex}/gemini-3-pro%40001:generateContent`,
        request: { ...request, system_instruction: 'Be brief.', generation_config: { max_output_tokens: 7 } },
      }),
    )
    expect(reading).toMatchObject({ model: 'gemini-3-pro@001', max_output_tokens: 7 })
    expect(reading.parts[0]).toEqual({ kind: 'system', text: 'Be brief.' })
  })

  test('counting tokens bills nothing', () => {
    const counting = call({ path: `${models}:countTokens`, request: { generateContentRequest: request } })
    expect(read(counting).reading).toMatchObject({ endpoint: 'count_tokens', billable: false, stream: false })
    expect(read(counting).reading.parts).toEqual([{ kind: 'user', text: 'hi' }])
    expect(meter(counting, { totalTokens: 4 })).toEqual({ complete: true, output_text: '' })
  })
})

describe('the usage of an answer', () => {
  test('takes cached tokens out of the prompt by modality, and adds tool results and thoughts', () => {
    const metered = meter(
      call(),
      answer({
        promptTokenCount: 1000,
        promptTokensDetails: of({ TEXT: 100, VIDEO: 700, AUDIO: 150, IMAGE: 30, DOCUMENT: 20 }),
        cachedContentTokenCount: 600,
        cacheTokensDetails: of({ VIDEO: 500, AUDIO: 90, TEXT: 10 }),
        toolUsePromptTokenCount: 40,
        candidatesTokenCount: 60,
        candidatesTokensDetails: of({ IMAGE: 50 }),
        thoughtsTokenCount: 25,
        totalTokenCount: 1125,
        trafficType: 'ON_DEMAND_PRIORITY',
      }),
    )
    expect(tokens(metered)).toEqual({
      'in.text.fresh': 90,
      'in.text.cache_read': 10,
      'in.text.tool': 40,
      'in.video.fresh': 200,
      'in.video.cache_read': 500,
      'in.audio.fresh': 60,
      'in.audio.cache_read': 90,
      'in.image.fresh': 30,
      'in.document.fresh': 20,
      'out.text.visible': 10,
      'out.image.visible': 50,
      'out.text.reasoning': 25,
    })
    expect(metered.usage).toMatchObject({
      totals: { input: 1040, output: 85, provider_total: 1125 },
      quality: 'exact',
      warnings: [],
    })
    expect(metered.usage?.lines[0]).toMatchObject({
      service_tier: 'priority',
      funding: 'platform',
      context_tokens: 1040,
    })
    expect(metered).toMatchObject({
      response_id: 'r1',
      model_served: 'gemini-3-pro',
      finish_reason: 'STOP',
      complete: true,
      output_text: '',
    })
  })

  test('loses and invents no token, however its details disagree', () => {
    const details = fc.array(
      fc.record({
        modality: fc.constantFrom('TEXT', 'AUDIO', 'VIDEO', 'IMAGE', 'ODD'),
        tokenCount: fc.nat({ max: 500 }),
      }),
      { maxLength: 4 },
    )
    const count = fc.nat({ max: 1000 })
    fc.assert(
      fc.property(count, count, count, count, details, details, (prompt, cached, tool, output, inside, read_) => {
        const cachedContentTokenCount = Math.min(cached, prompt)
        const { usage } = meter(
          call(),
          answer({
            promptTokenCount: prompt,
            promptTokensDetails: inside,
            cachedContentTokenCount,
            cacheTokensDetails: read_,
            toolUsePromptTokenCount: tool,
            candidatesTokenCount: output,
            totalTokenCount: prompt + tool + output,
          }),
        )
        expect(usage?.totals).toEqual({ input: prompt + tool, output, provider_total: prompt + tool + output })
        const cache = Object.entries(usage?.lines[0]?.tokens ?? {}).filter(([bucket]) => bucket.endsWith('cache_read'))
        expect(cache.reduce((sum, [, tokens_]) => sum + tokens_, 0)).toBe(cachedContentTokenCount)
      }),
      { seed: 11 },
    )
  })

  test('cached tokens without details are text, and beyond the text they are the other modalities’', () => {
    const metered = meter(
      call(),
      answer({
        promptTokenCount: 110,
        promptTokensDetails: of({ TEXT: 10, AUDIO: 100 }),
        cachedContentTokenCount: 60,
        totalTokenCount: 110,
      }),
    )
    expect(tokens(metered)).toEqual({ 'in.text.cache_read': 10, 'in.audio.fresh': 50, 'in.audio.cache_read': 50 })
    expect(metered.usage?.quality).toBe('inferred')
  })

  test('a total that disagrees is a warning', () => {
    const metered = meter(call(), answer({ promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 99 }))
    expect(metered.usage?.warnings).toEqual(['token classes sum to 15, the provider states 99'])
  })

  test.each([
    [{ trafficType: 'ON_DEMAND' }, {}, { service_tier: 'standard', funding: 'platform' }],
    [{ trafficType: 'ON_DEMAND_FLEX' }, {}, { service_tier: 'flex', funding: 'platform' }],
    [{ trafficType: 'ON_DEMAND_OFFPEAK' }, {}, { service_tier: 'off_peak', funding: 'platform' }],
    [{ trafficType: 'PROVISIONED_THROUGHPUT' }, {}, { service_tier: 'provisioned', funding: 'provisioned' }],
    [{ serviceTier: 'flex' }, {}, { service_tier: 'flex', funding: 'platform' }],
    [{}, { 'x-gemini-service-tier': 'priority' }, { service_tier: 'priority' }],
  ])('the tier of %j %j is %j', (usage, headers, expected) => {
    const answer_headers = { 'content-type': 'application/json', ...headers }
    expect(meter(call({ answer_headers }), answer({ promptTokenCount: 1, ...usage })).usage?.lines[0]).toMatchObject(
      expected,
    )
  })

  test('Gemini 3 bills each search query, Gemini 2 a grounded prompt once', () => {
    const searched = (modelVersion: string) =>
      units(
        meter(
          call(),
          answer(
            { promptTokenCount: 1 },
            { modelVersion },
            { groundingMetadata: { webSearchQueries: ['a', 'b', ''] } },
          ),
        ),
      )
    expect(searched('gemini-3-pro')).toEqual({ 'web_search.query': { n: 2 } })
    expect(searched('gemini-4-argon')).toEqual({ 'web_search.query': { n: 2 } })
    expect(searched('gemini-2.5-pro')).toEqual({ 'web_search.grounded_prompt': { n: 1 } })
    const mapped = { groundingMetadata: { groundingChunks: [{ maps: { placeId: 'x' } }, { maps: {} }] } }
    expect(units(meter(call(), answer({ promptTokenCount: 1 }, {}, mapped)))).toEqual({ 'maps.query': { n: 1 } })
    const fetched = { groundingMetadata: { groundingChunks: [{ web: { uri: 'https://example.com' } }] } }
    expect(units(meter(call(), answer({ promptTokenCount: 1 }, {}, fetched)))).toEqual({})
  })

  test('an answer without usage gives its text, and an error its status', () => {
    expect(meter(call(), answer(undefined))).toMatchObject({ complete: true, output_text: 'Hello' })
    const error = { error: { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED', details: [] } }
    const expected = { error: { code: 'RESOURCE_EXHAUSTED', message: 'Quota' }, complete: true }
    expect(meter(call({ status: 429 }), error)).toMatchObject(expected)
    expect(
      meter(streaming({ status: 429, answer_headers: { 'content-type': 'application/json' } }), [error]),
    ).toMatchObject(expected)
  })
})

describe('the usage of a stream', () => {
  const events = [
    answer(
      { promptTokenCount: 9, candidatesTokenCount: 1, totalTokenCount: 10 },
      {},
      {
        finishReason: undefined,
        groundingMetadata: { webSearchQueries: ['a'] },
      },
    ),
    answer({ promptTokenCount: 9, candidatesTokenCount: 7, totalTokenCount: 16 }, {}, { finishReason: undefined }),
    answer(
      { promptTokenCount: 9, candidatesTokenCount: 30, thoughtsTokenCount: 4, totalTokenCount: 43 },
      {},
      {
        groundingMetadata: { webSearchQueries: ['a', 'b'] },
      },
    ),
  ]
  const expected = { 'in.text.fresh': 9, 'out.text.visible': 30, 'out.text.reasoning': 4 }

  test('is the last that was told, with each query counted once, as events and as a growing array', () => {
    const array = bytes(JSON.stringify(events, null, 2).replaceAll('\n', '\r\n'))
    const plain = streaming({ query: '', answer_headers: { 'content-type': 'application/json; charset=UTF-8' } })
    for (const [one, body] of [
      [streaming(), sse(...events)],
      [plain, array],
    ] as const) {
      const { metered, passed, started } = feed(one, cutAt(body, seeded(3), 60))
      expect(tokens(metered)).toEqual(expected)
      expect(units(metered)).toEqual({ 'web_search.query': { n: 2 } })
      expect(metered).toMatchObject({ finish_reason: 'STOP', complete: true, output_text: '', response_id: 'r1' })
      expect([started, Buffer.compare(passed, body)]).toEqual([true, 0])
    }
  })

  test('that is cut has what was told so far, and is not complete', () => {
    const { metered } = feed(streaming(), [sse(...events.slice(0, 2))], true)
    expect(tokens(metered)).toEqual({ 'in.text.fresh': 9, 'out.text.visible': 7 })
    expect(metered.complete).toBe(false)
    expect(feed(streaming(), [sse(...events.slice(0, 2))]).metered.complete).toBe(false)
  })

  test('that never told its usage has its text; one that fails in the middle its error', () => {
    const untold = [answer(undefined, {}, { finishReason: undefined }), answer(undefined)]
    expect(feed(streaming(), [sse(...untold)]).metered).toMatchObject({ complete: true, output_text: 'HelloHello' })
    const error = { error: { code: 503, message: 'Overloaded', status: 'UNAVAILABLE' } }
    const { metered } = feed(streaming(), [sse(events[0], error)])
    expect(metered).toMatchObject({ error: { code: 'UNAVAILABLE', message: 'Overloaded' } })
    expect(tokens(metered)).toEqual({ 'in.text.fresh': 9, 'out.text.visible': 1 })
  })

  test('of a blocked prompt says why', () => {
    const blocked = {
      promptFeedback: { blockReason: 'SAFETY' },
      usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 },
    }
    expect(feed(streaming(), [sse(blocked)]).metered).toMatchObject({ finish_reason: 'SAFETY', complete: true })
  })
})

describe('embeddings', () => {
  const embed = (given: Partial<Call> = {}) => call({ wire: embeddings, path: `${models}:embedContent`, ...given })

  test.each([
    [`${models}:embedContent`, true],
    [`${models}:batchEmbedContents`, true],
    [`${vertex}/gemini-embedding-001:predict`, true],
    [`${vertex}/multimodalembedding@001:predict`, true],
    [`${vertex}/imagen-4:predict`, false],
    [`${models}:generateContent`, false],
  ])('%s: recognised is %s', (path, expected) => {
    expect(embeddings.recognise('POST', path, {})).toBe(expected)
  })

  test('read what is embedded, in every form', () => {
    const batch = { requests: [{ content: { parts: [{ text: 'a' }] } }, { content: { parts: [{ text: 'b' }] } }] }
    const batched = embed({ path: `${models}:batchEmbedContents`, request: batch })
    expect(read(batched).reading).toMatchObject({ endpoint: 'embeddings', model: 'gemini-3-pro', billable: true })
    const textsOf = (one: Call) => read(one).reading.parts.map((part) => part.text)
    expect(textsOf(batched)).toEqual(['a', 'b'])
    expect(textsOf(embed({ request: { instances: [{ content: 'c' }, { text: 'd' }] } }))).toEqual(['c', 'd'])
  })

  test('count what Google counts: by prediction, by usage metadata, or not at all', () => {
    const prediction = (token_count: number) => ({ embeddings: { statistics: { token_count }, values: [] } })
    const predicted = meter(embed(), {
      predictions: [prediction(5), prediction(6)],
      metadata: { billableCharacterCount: 35 },
    })
    expect(tokens(predicted)).toEqual({ 'in.text.fresh': 11 })
    const usageMetadata = { promptTokenCount: 300, promptTokenDetails: of({ TEXT: 42, IMAGE: 258 }) }
    expect(tokens(meter(embed(), { embedding: {}, usageMetadata }))).toEqual({
      'in.text.fresh': 42,
      'in.image.fresh': 258,
    })
    const silent = meter(embed(), { embedding: { values: [] } })
    expect(silent).toEqual({ complete: true, output_text: '' })
  })
})

describe('interactions', () => {
  const path = '/v1beta/interactions'
  const interact = (given: Partial<Call> = {}) =>
    call({ wire: interactions, path, request: { model: 'gemini-3-pro', input: 'hi' }, ...given })
  const usage = {
    total_input_tokens: 100,
    input_tokens_by_modality: [
      { modality: 'text', tokens: 60 },
      { modality: 'audio', tokens: 40 },
    ],
    total_cached_tokens: 30,
    cached_tokens_by_modality: [{ modality: 'text', tokens: 30 }],
    total_tool_use_tokens: 7,
    total_output_tokens: 20,
    total_thought_tokens: 9,
    total_tokens: 136,
    grounding_tool_count: [
      { type: 'google_search', count: 3 },
      { type: 'google_maps', count: 1 },
    ],
  }
  const done = { id: 'i1', model: 'gemini-3-pro', status: 'completed', service_tier: 'flex', usage }
  const expected = {
    'in.text.fresh': 30,
    'in.text.cache_read': 30,
    'in.audio.fresh': 40,
    'in.text.tool': 7,
    'out.text.visible': 20,
    'out.text.reasoning': 9,
  }

  test('are read by model or agent, input and tools', () => {
    const { reading } = read(
      interact({
        request: {
          agent: 'deep-research',
          stream: true,
          system_instruction: 'Be brief.',
          input: [{ type: 'text', text: 'hi' }],
        },
      }),
    )
    expect(reading).toMatchObject({ endpoint: 'interactions', model: 'deep-research', stream: true })
    expect(reading.parts).toEqual([
      { kind: 'system', text: 'Be brief.' },
      { kind: 'user', text: 'hi' },
    ])
    expect(interactions.recognise('POST', path, {})).toBe(true)
    expect(interactions.recognise('GET', `${path}/i1`, {})).toBe(true)
    expect(interactions.recognise('DELETE', `${path}/i1`, {})).toBe(false)
  })

  test('bill tokens by class and searches by query', () => {
    const metered = meter(interact(), done)
    expect(tokens(metered)).toEqual(expected)
    expect(units(metered)).toEqual({ 'web_search.query': { n: 3 }, 'maps.query': { n: 1 } })
    expect(metered).toMatchObject({
      response_id: 'i1',
      finish_reason: 'completed',
      usage: { quality: 'exact', warnings: [] },
    })
    expect(metered.usage?.lines[0]?.service_tier).toBe('flex')
    const listed = {
      ...done,
      usage: { total_input_tokens: 1, total_tokens: 1 },
      steps: [{ type: 'google_search_call', arguments: { queries: ['a', 'b'] } }],
    }
    expect(units(meter(interact(), listed))).toEqual({ 'web_search.query': { n: 2 } })
  })

  test('that run in the background bill nothing until a poll finds them ended', () => {
    const running = meter(interact(), { id: 'i1', status: 'in_progress' })
    expect(running).toMatchObject({ response_id: 'i1', usage: { lines: [] } })
    const poll = interact({ method: 'GET', path: `${path}/i1`, request: undefined })
    expect(read(poll).reading).toMatchObject({ endpoint: 'interactions.poll', billable: true })
    expect(tokens(meter(poll, done))).toEqual(expected)
  })

  test('streams tell their usage at the end, and so far when they are cut', () => {
    const created = {
      event_type: 'interaction.created',
      interaction: { id: 'i1', model: 'gemini-3-pro', status: 'in_progress' },
    }
    const step = (given: string, metadata?: unknown) => ({
      event_type: 'step.delta',
      index: 0,
      delta: { type: 'text', text: given },
      metadata,
    })
    const status = { event_type: 'interaction.status_update', interaction_id: 'i1', status: 'completed' }
    const end = { event_type: 'interaction.completed', interaction: done }
    const asked = interact({
      request: { model: 'gemini-3-pro', input: 'hi', stream: true },
      answer_headers: { 'content-type': 'text/event-stream' },
    })
    const whole = feed(asked, cutAt(sse(created, step('Hel'), step('lo'), status, end), seeded(4), 30))
    expect(tokens(whole.metered)).toEqual(expected)
    expect(whole.metered).toMatchObject({ response_id: 'i1', complete: true, output_text: '' })
    expect([whole.started, whole.done]).toEqual([true, true])
    const cut = feed(asked, [sse(created, step('Hel'), step('lo'))], true).metered
    expect(cut).toMatchObject({ response_id: 'i1', complete: false, output_text: 'Hello' })
    expect(cut.usage).toBeUndefined()
    const told = feed(asked, [sse(created, step('Hel', { total_usage: { total_input_tokens: 5 } }))], true).metered
    expect(tokens(told)).toEqual({ 'in.text.fresh': 5 })
  })
})

describe('an error of ours', () => {
  test.each([
    ['bad-request', 400, 'INVALID_ARGUMENT'],
    ['unknown-key', 401, 'UNAUTHENTICATED'],
    ['unknown-model', 404, 'NOT_FOUND'],
    ['rate-limited', 429, 'RESOURCE_EXHAUSTED'],
    ['overloaded', 503, 'UNAVAILABLE'],
    ['provider-timeout', 504, 'DEADLINE_EXCEEDED'],
    ['internal', 500, 'INTERNAL'],
  ] as const)('%s looks like Google’s own', (code, status, name) => {
    const shaped = wire.shape(new WeirError(code, 'What to do.'))
    expect(shaped.status).toBe(status)
    expect(JSON.parse(text(shaped.body))).toEqual({ error: { code: status, message: 'What to do.', status: name } })
  })

  test('says when to come back, and is an event inside a stream', () => {
    const error = new WeirError('rate-limited', 'Wait.', { retry_after_s: 2.2 })
    const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '3s' }
    expect(JSON.parse(text(wire.shape(error).body)).error.details).toEqual([retry])
    expect(text(wire.shape(error, true).body)).toMatch(/^data: \{"error":\{"code":429,.*\}\n\n$/)
  })
})

const folder = join('..', 'shared', 'data', 'wire-fixtures', 'google')
describe.skipIf(!existsSync(folder))('recorded answers (skipped where ../shared/data is absent)', () => {
  test('a stream as one JSON array is read as its events are', () => {
    const body = readFileSync(join(folder, 'stream-web-fetch-url-context.sse'), 'utf8')
    const found = [...body.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''))
    const plain = streaming({ answer_headers: { 'content-type': 'application/json' } })
    const { metered } = feed(plain, cutAt(bytes(JSON.stringify(found)), seeded(5), 25))
    expect(metered).toEqual(feed(streaming(), [bytes(body)]).metered)
    expect(tokens(metered)).toEqual({
      'in.text.fresh': 32,
      'in.text.tool': 4610,
      'out.text.visible': 25,
      'out.text.reasoning': 37,
    })
  })
})
