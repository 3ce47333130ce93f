/** The rules of docs/usage.md for APIs of OpenAI's family, on bodies written for them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NormalisedUsage } from '../../src/core/usage.ts'
import type { Quirks } from '../../src/core/wire.ts'
import { providers } from '../../src/providers/index.ts'
import { usageFromBody } from '../../src/wires/openai-usage.ts'

const usageOf = (usage: Record<string, unknown>, quirks: Quirks = {}, rest: Record<string, unknown> = {}) =>
  usageFromBody({ model: 'm', usage, ...rest }, { quirks }) as NormalisedUsage

const tokensOf = (usage: Record<string, unknown>, quirks: Quirks = {}, rest: Record<string, unknown> = {}) =>
  usageOf(usage, quirks, rest).lines[0]?.tokens

describe('token classes', () => {
  test('cached, written and audio tokens are inside the prompt; reasoning, audio and rejected predictions inside the output', () => {
    const usage = usageOf({
      prompt_tokens: 1000,
      completion_tokens: 300,
      total_tokens: 1300,
      prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 128, audio_tokens: 50 },
      completion_tokens_details: {
        reasoning_tokens: 100,
        audio_tokens: 40,
        accepted_prediction_tokens: 20,
        rejected_prediction_tokens: 30,
      },
    })
    expect(usage.lines[0]?.tokens).toEqual({
      'in.text.fresh': 222,
      'in.text.cache_read': 600,
      'in.text.cache_write': 128,
      'in.audio.fresh': 50,
      'out.text.visible': 130,
      'out.text.reasoning': 100,
      'out.audio.visible': 40,
      'out.text.prediction_rejected': 30,
    })
    expect(usage.lines[0]?.context_tokens).toBe(1000)
    expect(usage.totals).toEqual({ input: 1000, output: 300, provider_total: 1300 })
    expect(usage).toMatchObject({ quality: 'exact', warnings: [] })
  })

  test('fields that state one number twice are not added', () => {
    const deepseek = { prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 36 }
    const details = { prompt_tokens_details: { cached_tokens: 64 } }
    const wanted = { 'in.text.fresh': 36, 'in.text.cache_read': 64, 'out.text.visible': 5 }
    const base = { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105 }
    expect(tokensOf({ ...base, ...deepseek, ...details })).toEqual(wanted)
    expect(tokensOf({ ...base, ...deepseek })).toEqual(wanted)
    expect(tokensOf({ ...base, num_cached_tokens: 64 })).toEqual(wanted)
    expect(tokensOf({ ...base, cached_tokens: 64, prompt_tokens_details: null })).toEqual(wanted)
    expect(tokensOf({ ...base, cached_tokens: 64, prompt_tokens_details: { cached_tokens: 0 } })).toEqual(wanted)
    const twice = { usage: { ...base, ...details }, x_groq: { usage: { ...base, ...details } } }
    expect(usageFromBody(twice)?.lines[0]?.tokens).toEqual(wanted)
    expect(usageFromBody({ x_groq: { usage: { ...base, ...details } } })?.lines[0]?.tokens).toEqual(wanted)
  })

  test('reasoning beside the output is added where the provider says or its total shows it, and only there', () => {
    const base = { prompt_tokens: 12, completion_tokens: 2, completion_tokens_details: { reasoning_tokens: 320 } }
    const outside = { 'in.text.fresh': 12, 'out.text.visible': 2, 'out.text.reasoning': 320 }
    expect(tokensOf({ ...base, total_tokens: 334 }, { reasoning: 'beside-output' })).toEqual(outside)
    expect(tokensOf(base, { reasoning: 'beside-output' })).toEqual(outside)
    expect(tokensOf({ ...base, total_tokens: 334 })).toEqual(outside)
    const inside = { prompt_tokens: 12, completion_tokens: 322, completion_tokens_details: { reasoning_tokens: 320 } }
    expect(tokensOf({ ...inside, total_tokens: 334 }, { reasoning: 'beside-output' })).toEqual(outside)
    expect(tokensOf(inside)).toEqual(outside)
  })

  test('reasoning at the top of the usage is inside the output (SGLang), but for Perplexity’s', () => {
    const usage = { prompt_tokens: 10, completion_tokens: 50, total_tokens: 60, reasoning_tokens: 40 }
    const inside = { 'in.text.fresh': 10, 'out.text.visible': 10, 'out.text.reasoning': 40 }
    expect(usageOf(usage)).toMatchObject({ lines: [{ tokens: inside }], quality: 'exact', warnings: [] })
    expect(tokensOf({ ...usage, completion_tokens_details: { reasoning_tokens: 40 } })).toEqual(inside)
    expect(tokensOf(usage, providers.perplexity.traits.quirks['openai-chat'])).toMatchObject({
      'out.text.visible': 50,
      'out.text.reasoning': 40,
    })
  })

  test.each(['google', 'vertex-ai'] as const)('%s states reasoning in the total alone', (name) => {
    const quirks = providers[name].traits.quirks['openai-chat']
    const thought = usageOf({ prompt_tokens: 20, completion_tokens: 424, total_tokens: 1016 }, quirks)
    expect(thought.lines[0]?.tokens).toEqual({
      'in.text.fresh': 20,
      'out.text.visible': 424,
      'out.text.reasoning': 572,
    })
    expect(thought.quality).toBe('inferred')
    expect(usageOf({ prompt_tokens: 20, completion_tokens: 4, total_tokens: 24 }, quirks).quality).toBe('exact')
  })

  test('a part larger than its whole is clamped and warned of, and the whole is still billed', () => {
    const usage = usageOf({
      prompt_tokens: 100,
      completion_tokens: 10,
      total_tokens: 110,
      prompt_tokens_details: { cached_tokens: 150 },
      completion_tokens_details: { reasoning_tokens: 11 },
    })
    expect(usage.lines[0]?.tokens).toEqual({ 'in.text.cache_read': 100, 'out.text.reasoning': 10 })
    expect(usage.quality).toBe('inferred')
    expect(usage.warnings).toHaveLength(2)
  })

  test('a total that is not the sum of the classes is a warning', () => {
    const usage = usageOf({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 20 })
    expect(usage.warnings).toEqual(['token classes sum to 15, the provider states 20'])
    expect(usage.totals).toEqual({ input: 10, output: 5, provider_total: 20 })
  })

  test('no usage is odd enough to throw or to give a class that is not a positive count', () => {
    const counts = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(null, '5', true, [], {}))
    const details = fc.oneof(
      fc.constant(null),
      fc.dictionary(
        fc.constantFrom(
          'cached_tokens',
          'audio_tokens',
          'reasoning_tokens',
          'cache_write_tokens',
          'cached_tokens_details',
        ),
        counts,
      ),
    )
    const names = ['prompt_tokens', 'completion_tokens', 'total_tokens', 'cached_tokens', 'cost', 'is_byok']
    const usages = fc
      .tuple(fc.dictionary(fc.constantFrom(...names), counts), details, details)
      .map(([usage, input, output]) => ({ ...usage, prompt_tokens_details: input, completion_tokens_details: output }))
    const places = ['beside-output', 'beside-total', 'total-only'] as const
    const quirks = fc.record({ reasoning: fc.constantFrom(...places), cache_write_overlaps_read: fc.boolean() })
    fc.assert(
      fc.property(fc.oneof(usages, fc.jsonValue()), quirks, (usage, quirk) => {
        const read = usageFromBody({ usage, model: 'gemini' }, { quirks: { ...quirk, stated_cost: 'usage.cost' } })
        for (const line of read?.lines ?? [])
          for (const count of Object.values(line.tokens)) expect(count > 0 && Number.isFinite(count)).toBe(true)
      }),
      { seed: 20261123, numRuns: 500 },
    )
  })

  test('whatever the parts, the classes sum to the stated prompt and completion', () => {
    const count = fc.nat({ max: 5000 })
    fc.assert(
      fc.property(fc.array(count, { minLength: 9, maxLength: 9 }), (n) => {
        const [
          prompt_tokens = 0,
          completion_tokens = 0,
          cached_tokens,
          cache_write_tokens,
          audio,
          image,
          reasoning_tokens,
          out,
          rejected_prediction_tokens,
        ] = n
        const usage = usageOf({
          prompt_tokens,
          completion_tokens,
          total_tokens: prompt_tokens + completion_tokens,
          prompt_tokens_details: { cached_tokens, cache_write_tokens, audio_tokens: audio, image_tokens: image },
          completion_tokens_details: { reasoning_tokens, audio_tokens: out, rejected_prediction_tokens },
        })
        expect(usage.totals).toEqual({
          input: prompt_tokens,
          output: completion_tokens,
          provider_total: prompt_tokens + completion_tokens,
        })
      }),
      { seed: 20261123 },
    )
  })
})

describe('providers that depart from OpenAI', () => {
  const tokens = { prompt_tokens: 2168, completion_tokens: 100, total_tokens: 2268 }

  test('OpenRouter with Gemini: what is written to the cache is stored, not billed again as input', () => {
    const usage = { ...tokens, prompt_tokens_details: { cached_tokens: 2161, cache_write_tokens: 2161 } }
    const quirks = { cache_write_overlaps_read: true }
    const [line] = usageOf(usage, quirks, { model: 'google/gemini-2.5-flash' }).lines
    expect(line?.tokens).toEqual({ 'in.text.fresh': 7, 'in.text.cache_read': 2161, 'out.text.visible': 100 })
    expect(line?.units).toEqual({ 'cache_storage.token_5m': { n: 2161 } })
  })

  test('OpenRouter with any other model: writes and reads are different tokens', () => {
    const usage = { ...tokens, prompt_tokens_details: { cached_tokens: 2000, cache_write_tokens: 100 } }
    const [line] = usageOf(usage, { cache_write_overlaps_read: true }, { model: 'anthropic/claude' }).lines
    expect(line?.tokens).toMatchObject({ 'in.text.fresh': 68, 'in.text.cache_read': 2000, 'in.text.cache_write': 100 })
    expect(line?.units).toEqual({})
  })

  test('OpenRouter: what its cost holds beyond the upstream’s is a charge of its own, exact to the picodollar', () => {
    const stated_cost = 'usage.cost' as const
    const whole = { cost: 0.0160614, cost_details: { upstream_inference_cost: 0.0001764 } }
    expect(usageOf({ ...tokens, ...whole }, { stated_cost }).lines[0]?.other_usd).toBe('0.015885')
    const sides = {
      cost: 0.00216775,
      cost_details: {
        upstream_inference_cost: null,
        upstream_inference_prompt_cost: 0.00000775,
        upstream_inference_completions_cost: 0.00016,
      },
    }
    expect(usageOf({ ...tokens, ...sides }, { stated_cost }).lines[0]?.other_usd).toBe('0.002')
    const noise = { cost: 0.1 + 0.2, cost_details: { upstream_inference_cost: 0.3 } }
    expect(usageOf({ ...tokens, ...noise }, { stated_cost }).lines[0]?.other_usd).toBeUndefined()
  })

  test('OpenRouter with the customer’s own key: the upstream’s bill is stated and funding says who pays', () => {
    const usage = { ...tokens, cost: 0, is_byok: true, cost_details: { upstream_inference_cost: 0.0003253 } }
    const read = usageOf(usage, { stated_cost: 'usage.cost' })
    expect(read.stated).toEqual({
      amount_usd: '0',
      field: 'usage.cost',
      includes_tools: true,
      upstream_usd: '0.0003253',
    })
    expect(read.lines[0]).toMatchObject({ funding: 'byok' })
    expect(read.lines[0]?.other_usd).toBeUndefined()
  })

  test('xAI: ticks of 1e-10 dollars become dollars without a float, and its counters of tools become units', () => {
    const usage = usageOf(
      {
        ...tokens,
        cost_in_usd_ticks: 1641500,
        num_server_side_tools_used: 4,
        server_side_tool_usage_details: { web_search_calls: 2, x_search_calls: 1, mcp_calls: 1 },
      },
      { stated_cost: 'usage.cost_in_usd_ticks' },
    )
    expect(usage.stated?.amount_usd).toBe('0.00016415')
    expect(usage.lines[0]?.units).toEqual({ 'web_search.query': { n: 2 }, 'x_search.call': { n: 1 } })
    expect(usageOf({ ...tokens, num_server_side_tools_used: 3 }).lines[0]?.units).toEqual({
      'server_tool.call': { n: 3 },
    })
    const dear = { ...tokens, cost_in_usd_ticks: 123_456_789_012 }
    expect(usageOf(dear, { stated_cost: 'usage.cost_in_usd_ticks' }).stated?.amount_usd).toBe('12.3456789012')
  })

  test('Perplexity: a request fee by search context size; in deep research searches, citations and reasoning instead', () => {
    const quirks = providers.perplexity.traits.quirks['openai-chat'] ?? {}
    const cost = { input_tokens_cost: 0.001, output_tokens_cost: 0.002, request_cost: 0.006, total_cost: 0.009 }
    const sonar = usageOf({ ...tokens, search_context_size: 'high', cost }, quirks, { model: 'sonar-pro' })
    expect(sonar.lines[0]?.units).toEqual({ request: { n: 1, attrs: { search_context_size: 'high' } } })
    expect(sonar.stated).toEqual({ amount_usd: '0.009', field: 'usage.cost.total_cost', includes_tools: true })
    const rounded = usageOf({ ...tokens, cost: { ...cost, input_tokens_cost: 0.00149 } }, quirks)
    expect(rounded.stated?.rounded).toBe(true)
    const deep = usageOf({ ...tokens, citation_tokens: 50, reasoning_tokens: 900, num_search_queries: 18 }, quirks, {
      model: 'sonar-deep-research',
    })
    expect(deep.lines[0]?.tokens).toMatchObject({ 'out.text.citation': 50, 'out.text.reasoning': 900 })
    expect(deep.lines[0]?.units).toEqual({ 'web_search.query': { n: 18 } })
    expect(deep.warnings).toEqual([])
  })

  test('Perplexity’s agent: what its tools cost is a charge of its own', () => {
    const cost = { input_cost: 0.001, output_cost: 0.002, tool_calls_cost: 0.005, total_cost: 0.008, currency: 'USD' }
    const read = usageOf({ input_tokens: 5, output_tokens: 6, cost }, { stated_cost: 'usage.cost.total_cost' })
    expect(read.lines[0]?.other_usd).toBe('0.005')
    expect(read.stated).toEqual({ amount_usd: '0.008', field: 'usage.cost.total_cost', includes_tools: true })
  })

  test('Mistral: seconds of audio and requests are units beside the tokens', () => {
    expect(usageOf({ ...tokens, prompt_audio_seconds: 36, request_count: 1 }).lines[0]?.units).toEqual({
      'audio_in.second': { n: 36 },
      request: { n: 1 },
    })
    expect(usageOf({ ...tokens, prompt_audio_seconds: {} }).lines[0]?.units).toEqual({})
  })

  test('Azure’s model router is charged for the input it reads, beside the model that it chose', () => {
    const body = { model: 'gpt-5-nano-2025-08-07', usage: { prompt_tokens: 15, completion_tokens: 78 } }
    const lines = usageFromBody(body, { model_asked: 'model-router' })?.lines
    expect(lines?.map((line) => [line.kind, line.model_served, line.units])).toEqual([
      ['message', 'gpt-5-nano-2025-08-07', {}],
      ['router', 'model-router', { 'router.token': { n: 15 } }],
    ])
    expect(usageFromBody(body, { model_asked: 'gpt-5-nano' })?.lines).toHaveLength(1)
  })

  test('a search model searches once a call', () => {
    const request = { web_search_options: { search_context_size: 'low' } }
    const usage = usageFromBody({ model: 'gpt-4o-search-preview-2025-03-11', usage: tokens }, { request })
    expect(usage?.lines[0]?.units).toEqual({ 'web_search.query': { n: 1, attrs: { search_context_size: 'low' } } })
  })

  test.each([
    ['default', 'standard'],
    ['flex', 'flex'],
    ['priority', 'priority'],
    ['fast', 'priority'],
    ['scale', 'scale'],
    ['on_demand', 'standard'],
    ['auto', undefined],
    ['', undefined],
    [null, undefined],
  ])('service tier %s is %s', (service_tier, wanted) => {
    expect(usageOf(tokens, {}, { service_tier }).lines[0]?.service_tier).toBe(wanted)
  })
})
