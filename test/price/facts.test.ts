import { describe, expect, test } from 'vitest'
import { price } from '../../src/playbook/price/price.ts'
import { rates, usd, weirBook } from './book-of-weir.ts'
import { call } from './usage.ts'

const openai = (model: string, moment = '2026-11-23', region?: string) => ({
  provider: 'openai',
  model,
  moment,
  ...(region === undefined ? {} : { region }),
})
const anthropic = (model: string, moment = '2026-11-23') => ({ provider: 'anthropic', model, moment })
const google = (model: string, moment = '2026-11-23') => ({ provider: 'google', model, moment })
const deepseek = (model: string, moment: string) => ({ provider: 'deepseek', model, moment })

/** in · out · cache read · cache write · one-hour write; `–` is unpriced. Each fact stands on both sides of its date. */
describe('OpenAI', () => {
  test.each([
    ['o3', '2025-06-09T23:59:59Z', '10 40 2.5 – –'],
    ['o3', '2025-06-10', '2 8 0.5 – –'],
    ['gpt-5.6-terra', '2026-07-29T23:59:59Z', '2.5 15 0.25 3.125 –'],
    ['gpt-5.6-terra', '2026-07-30', '2 12 0.2 2.5 –'],
    ['gpt-5.6-luna', '2026-07-29T23:59:59Z', '1 6 0.1 1.25 –'],
    ['gpt-5.6-luna', '2026-07-30', '0.2 1.2 0.02 0.25 –'],
    ['gpt-5.6-sol', '2026-08-20T23:59:59Z', '5 30 0.5 6.25 –'],
    ['gpt-5.6-sol', '2026-08-21', '4 20 0.4 5 –'],
    ['gpt-6-sol', '2026-09-21T23:59:59Z', '– – – – –'],
    ['gpt-6-sol', '2026-09-22', '2 10 0.2 2.5 –'],
    ['gpt-6-luna', '2026-09-22', '0.1 0.5 0.01 0.125 –'],
    ['gpt-6-astra', '2026-09-30', '10 50 1 12.5 –'],
    ['gpt-6.1-sol', '2026-09-29', '2 10 0.1 2.5 5'],
    ['gpt-6.1-terra', '2026-10-26', '1 5 0.05 1.25 2.5'],
  ])('%s on %s costs %s', (model, moment, expected) => {
    expect(rates(openai(model, moment))).toBe(expected)
  })

  test.each([
    ['gpt-6-sol', '4 15 0.4 5 –'],
    ['gpt-6-luna', '0.2 0.75 0.02 0.25 –'],
    ['gpt-6-astra', '20 75 2 25 –'],
    ['gpt-5.6-sol', '8 30 0.8 10 –'],
    ['gpt-5.6-terra', '4 18 0.4 5 –'],
    ['gpt-5.5', '10 45 1 – –'],
    ['gpt-5.4', '5 22.5 0.5 – –'],
  ])('%s is dearer over 272,000 tokens, not at them', (model, long) => {
    const short = rates(openai(model), 271_999)
    expect(rates(openai(model), 272_000)).toBe(short)
    expect(short).not.toBe(long)
    expect(rates(openai(model), 272_001)).toBe(long)
  })

  test('priority (also called fast) is 12.5/75/1.25 for GPT-5.5, without a long-context price, and twice the price later', () => {
    expect(rates(openai('gpt-5.5'), 1000, { service_tier: 'priority' })).toBe('12.5 75 1.25 – –')
    expect(rates(openai('gpt-5.5'), 300_000, { service_tier: 'priority' })).toBe('12.5 75 1.25 – –')
    expect(rates(openai('gpt-6-sol'), 1000, { service_tier: 'priority' })).toBe('4 20 0.4 5 –')
    expect(rates(openai('gpt-6.1-sol'), 300_000, { service_tier: 'priority' })).toBe('8 30 0.4 10 20')
  })

  test('flex and batch are half price; both at once with a region and a long context are exact', () => {
    expect(rates(openai('gpt-5'), 1000, { service_tier: 'flex' })).toBe('0.625 5 0.0625 – –')
    expect(rates({ ...openai('gpt-5'), batch: true })).toBe('0.625 5 0.0625 – –')
    expect(rates({ ...openai('gpt-6-sol', '2026-11-23', 'eu'), batch: true }, 300_000)).toBe('2.2 8.25 0.22 2.75 –')
    expect(rates(openai('gpt-4o'), 1000, { service_tier: 'flex' }), 'no flex for 4o').toBe('– – – – –')
  })

  test('data residency costs 1.1 times from GPT-5.4 on, and not before', () => {
    expect(rates(openai('gpt-5.4', '2026-11-23', 'eu'))).toBe('2.75 16.5 0.275 – –')
    expect(rates(openai('gpt-6-sol', '2026-11-23', 'us'))).toBe('2.2 11 0.22 2.75 –')
    expect(rates(openai('gpt-5.5', '2026-11-23', 'jp'), 1000, { service_tier: 'priority' })).toBe(
      '13.75 82.5 1.375 – –',
    )
    expect(rates(openai('gpt-5', '2026-11-23', 'eu'))).toBe('1.25 10 0.125 – –')
    expect(rates(openai('gpt-6-sol', '2026-11-23', 'somewhere'))).toBe('2 10 0.2 2.5 –')
  })

  test('tools, images, speech and transcription are priced by the piece', () => {
    const units = { 'web_search.query': 3, 'file_search.call': 4 }
    expect(usd({ ...openai('gpt-5') }, { units })).toBe('0.04')
    expect(usd(openai('whisper-1'), { units: { 'audio_in.second': 90 } })).toBe('0.009')
    expect(usd(openai('tts-1'), { units: { 'tts.char': 1000 } })).toBe('0.015')
    const image = (attrs: Record<string, string>) =>
      usd(openai('dall-e-3'), { units: { 'image.generated': { n: 1, attrs } } })
    expect(image({ size: '1024x1024', quality: 'standard' })).toBe('0.04')
    expect(image({ size: '1792x1024', quality: 'hd' })).toBe('0.12')
    expect(
      usd({
        ...openai('gpt-image-1'),
        tokens: { 'in.text.fresh': 100, 'in.image.fresh': 1000, 'out.image.visible': 1056 },
      }),
    ).toBe('0.05274')
    expect(
      usd({ ...openai('gpt-4o-audio-preview'), tokens: { 'in.audio.fresh': 1000, 'out.audio.visible': 100 } }),
    ).toBe('0.048')
    expect(usd({ ...openai('text-embedding-3-small'), batch: true, tokens: { 'in.text.fresh': 1_000_000 } })).toBe(
      '0.01',
    )
  })
})

describe('Anthropic', () => {
  test.each([
    ['claude-opus-5-5', '2026-09-21T23:59:59Z', '– – – – –'],
    ['claude-opus-5-5', '2026-09-22', '4 20 0.2 5 8'],
    ['claude-sonnet-5-5', '2026-10-06T23:59:59Z', '2 10 0.2 2.5 4'],
    ['claude-sonnet-5-5', '2026-10-07', '2 10 0.1 2.5 4'],
    ['claude-haiku-5-5', '2026-10-06T23:59:59Z', '– – – – –'],
    ['claude-haiku-5-5', '2026-10-07', '0.1 0.5 0.01 0.125 0.2'],
    ['claude-fable-5-1', '2026-11-23', '10 50 0.25 12.5 20'],
    ['claude-fable-5', '2026-11-23', '10 50 1 12.5 20'],
  ])('%s on %s costs %s', (model, moment, expected) => {
    expect(rates(anthropic(model, moment))).toBe(expected)
  })

  test('Haiku 5.5 is dearer for the whole request over 100,000 tokens of prompt, output and caches included', () => {
    expect(rates(anthropic('claude-haiku-5-5'), 100_000)).toBe('0.1 0.5 0.01 0.125 0.2')
    expect(rates(anthropic('claude-haiku-5-5'), 100_001)).toBe('0.5 2.5 0.05 0.625 1')
    // The threshold counts cache reads and writes: 1 fresh, 60,000 read, 40,000 written.
    const tokens = {
      'in.text.fresh': 1,
      'in.text.cache_read': 60_000,
      'in.text.cache_write_5m': 40_000,
      'out.text.visible': 1000,
    } as const
    expect(usd({ ...anthropic('claude-haiku-5-5'), tokens })).toBe('0.0305005')
  })

  test('the surcharge over 200,000 tokens ended on 2026-03-13 for Opus 4.6 and Sonnet 4.6, and stays for Sonnet 4.5', () => {
    for (const [model, short, long] of [
      ['claude-opus-4-6', '5 25 0.5 6.25 10', '10 37.5 1 12.5 20'],
      ['claude-sonnet-4-6', '3 15 0.3 3.75 6', '6 22.5 0.6 7.5 12'],
    ] as const) {
      expect(rates(anthropic(model, '2026-03-12T23:59:59Z'), 200_000)).toBe(short)
      expect(rates(anthropic(model, '2026-03-12T23:59:59Z'), 200_001)).toBe(long)
      expect(rates(anthropic(model, '2026-03-13'), 200_001)).toBe(short)
    }
    expect(rates(anthropic('claude-sonnet-4-5'), 200_001)).toBe('6 22.5 0.6 7.5 12')
  })

  test('fast mode has its own price, is not sold with batch, and multiplies with the geography', () => {
    expect(rates(anthropic('claude-opus-5-5'), 1000, { speed: 'fast' })).toBe('8 40 0.4 10 16')
    expect(rates(anthropic('claude-opus-4-7'), 1000, { speed: 'fast' })).toBe('30 150 3 37.5 60')
    expect(rates(anthropic('claude-opus-4-6'), 1000, { speed: 'fast' })).toBe('30 150 3 37.5 60')
    expect(rates(anthropic('claude-opus-4-8'), 1000, { speed: 'fast' })).toBe('10 50 1 12.5 20')
    expect(rates(anthropic('claude-opus-5-5'), 1000, { speed: 'fast', geo: 'us' })).toBe('8.8 44 0.44 11 17.6')
    expect(rates({ ...anthropic('claude-opus-5-5'), batch: true }, 1000, { speed: 'fast' })).toBe('– – – – –')
  })

  test('inference in the US costs 1.1 times on every token class from Opus 4.6 on', () => {
    expect(rates(anthropic('claude-opus-4-6'), 1000, { geo: 'us' })).toBe('5.5 27.5 0.55 6.875 11')
    expect(rates(anthropic('claude-haiku-5-5'), 100_001, { geo: 'us' })).toBe('0.55 2.75 0.055 0.6875 1.1')
    expect(rates(anthropic('claude-opus-4-5'), 1000, { geo: 'us' })).toBe('5 25 0.5 6.25 10')
    expect(rates(anthropic('claude-opus-4-6'), 1000, { geo: 'global' })).toBe('5 25 0.5 6.25 10')
  })

  test('batch halves every class and stacks with the cache price; the search fee stays', () => {
    expect(rates({ ...anthropic('claude-opus-5-5'), batch: true })).toBe('2 10 0.1 2.5 4')
    expect(rates({ ...anthropic('claude-opus-5-5'), batch: true }, 1000, { geo: 'us' })).toBe('2.2 11 0.11 2.75 4.4')
    expect(usd({ ...anthropic('claude-opus-5-5'), batch: true }, { units: { 'web_search.query': 1000 } })).toBe('10')
  })
})

describe('Google', () => {
  test.each(['gemini-3.6-flash', 'gemini-3.7-flash', 'gemini-3.8-flash'])(
    'the promotional price of %s ends with the year 2026',
    (model) => {
      expect(rates(google(model, '2026-12-31T23:59:59Z'))).toBe('0.75 3.75 0.075 – –')
      expect(rates(google(model, '2027-01-01'))).toBe('1.5 7.5 0.15 – –')
      expect(rates({ provider: 'vertex-ai', model, moment: '2027-01-01' })).toBe('1.5 7.5 0.15 – –')
    },
  )

  test('Gemini 4 Argon doubles on 2026-12-01', () => {
    expect(rates(google('gemini-4-argon', '2026-11-30T23:59:59Z'))).toBe('2 10 0.1 – –')
    expect(rates(google('gemini-4-argon', '2026-12-01'))).toBe('4 20 0.2 – –')
  })

  test('grounding costs by prompt with Gemini 2 and by query with Gemini 3', () => {
    expect(usd(google('gemini-2.5-pro'), { units: { 'web_search.grounded_prompt': 1000 } })).toBe('35')
    expect(usd(google('gemini-3.8-flash'), { units: { 'web_search.query': 1000 } })).toBe('14')
    expect(usd(google('gemini-2.5-pro'), { units: { 'web_search.query': 1000 } })).toBeNull()
  })

  test('Gemini 2.5 Pro and 3.1 Pro are dearer over 200,000 tokens', () => {
    expect(rates(google('gemini-2.5-pro'), 200_000)).toBe('1.25 10 0.125 – –')
    expect(rates(google('gemini-2.5-pro'), 200_001)).toBe('2.5 15 0.25 – –')
    expect(rates(google('gemini-3.1-pro-preview'), 200_001)).toBe('4 18 0.4 – –')
    expect(rates(google('gemini-3.1-pro-preview'), 1000, { service_tier: 'priority' })).toBe('3.6 21.6 0.36 – –')
  })

  test('batch halves all on the Gemini API, and all but cached tokens on Vertex', () => {
    expect(rates({ ...google('gemini-2.5-flash'), batch: true })).toBe('0.15 1.25 0.015 – –')
    expect(rates({ provider: 'vertex-ai', model: 'gemini-2.5-flash', moment: '2026-11-23', batch: true })).toBe(
      '0.15 1.25 0.03 – –',
    )
  })
})

describe('DeepSeek', () => {
  test.each([
    ['deepseek-v4-flash', '2026-08-16T15:59:59Z', '0.14 0.28 0.0028 – –', 'before hours counted'],
    ['deepseek-v4-flash', '2026-08-16T16:00Z', '0.22 0.66 0.007 – –', 'off-peak'],
    ['deepseek-v4-flash', '2026-08-17T00:59:59Z', '0.22 0.66 0.007 – –', 'before the morning peak'],
    ['deepseek-v4-flash', '2026-08-17T01:00Z', '0.44 1.32 0.014 – –', 'morning peak'],
    ['deepseek-v4-flash', '2026-08-17T04:00Z', '0.22 0.66 0.007 – –', 'between the peaks'],
    ['deepseek-v4-flash', '2026-08-17T09:59:59Z', '0.44 1.32 0.014 – –', 'afternoon peak'],
    ['deepseek-v4-flash', '2026-08-22T02:00Z', '0.44 1.32 0.014 – –', 'a Saturday before the weekend rule'],
    ['deepseek-v4-flash', '2026-08-23T02:00Z', '0.22 0.66 0.007 – –', 'the first Sunday of it'],
    ['deepseek-v4-flash', '2026-08-24T02:00Z', '0.44 1.32 0.014 – –', 'Monday'],
    ['deepseek-v4-flash', '2026-09-10T03:59:59Z', '0.44 1.32 0.014 – –', 'last minute of the old price'],
    ['deepseek-v4-flash', '2026-09-10T04:00Z', '0.15 0.6 0.003 – –', 'billed as V4.1'],
    ['deepseek-v4-flash', '2026-09-10T06:00Z', '0.3 1.2 0.006 – –', 'at peak'],
    ['deepseek-flash', '2026-09-10T06:00Z', '0.3 1.2 0.006 – –', 'the same model'],
    ['deepseek-flash', '2026-11-01T03:00Z', '0.15 0.6 0.003 – –', 'a Sunday'],
    ['deepseek-flash', '2026-09-25T02:00Z', '0.15 0.6 0.003 – –', 'Mid-Autumn Festival'],
    ['deepseek-flash', '2026-10-07T02:00Z', '0.15 0.6 0.003 – –', 'National Day week'],
    ['deepseek-flash', '2026-10-08T02:00Z', '0.3 1.2 0.006 – –', 'the Thursday after it'],
    ['deepseek-flash', '2026-10-10T02:00Z', '0.15 0.6 0.003 – –', 'a make-up working Saturday'],
    ['deepseek-v4-pro', '2026-08-16T15:59:59Z', '0.435 0.87 0.003625 – –', 'before'],
    ['deepseek-v4-pro', '2026-08-16T16:00Z', '0.66 1.98 0.022 – –', 'off-peak'],
    ['deepseek-v4-pro', '2026-11-23T02:00Z', '1.32 3.96 0.044 – –', 'a Monday at peak'],
    ['deepseek-v4-pro', '2026-11-22T02:00Z', '0.66 1.98 0.022 – –', 'a Sunday'],
    ['deepseek-chat', '2026-07-24T15:58Z', '0.14 0.28 0.0028 – –', 'as V4 Flash'],
    ['deepseek-chat', '2026-07-24T16:00Z', '– – – – –', 'switched off'],
  ])('%s at %s costs %s: %s', (model, moment, expected) => {
    expect(rates(deepseek(model, moment))).toBe(expected)
  })
})

describe('the others', () => {
  test('Mistral bills cached tokens at a tenth of input', () => {
    const models = [
      'mistral-large-latest',
      'mistral-medium-latest',
      'mistral-small-latest',
      'codestral-latest',
      'magistral-medium-latest',
    ]
    const shown = models.map((model) => rates({ provider: 'mistral', model, moment: '2026-11-23' }))
    expect(shown).toEqual([
      '0.5 1.5 0.05 – –',
      '1.5 7.5 0.15 – –',
      '0.15 0.6 0.015 – –',
      '0.3 0.9 0.03 – –',
      '2 5 0.2 – –',
    ])
    expect(rates({ provider: 'mistral', model: 'mistral-medium-latest', moment: '2026-06-15' })).toBe('0.4 2 0.04 – –')
  })

  test('Perplexity adds a fee a request by search context size, until Sonar ended', () => {
    const fee = (model: string, size: string, moment = '2026-09-26') =>
      usd(
        { provider: 'perplexity', model, moment },
        { units: { request: { n: 1000, attrs: { search_context_size: size } } } },
      )
    expect(['low', 'medium', 'high'].map((size) => fee('sonar', size))).toEqual(['5', '8', '12'])
    expect(['low', 'medium', 'high'].map((size) => fee('sonar-pro', size))).toEqual(['6', '10', '14'])
    expect(['low', 'medium', 'high'].map((size) => fee('sonar-reasoning-pro', size))).toEqual(['6', '10', '14'])
    expect(fee('sonar', 'low', '2026-09-27')).toBeNull()
    const deep = { provider: 'perplexity', model: 'sonar-deep-research', moment: '2026-09-26' }
    const tokens = { 'out.text.citation': 1_000_000, 'out.text.reasoning': 1_000_000 }
    expect(usd({ ...deep, tokens }, { units: { 'web_search.query': 1000 } })).toBe('10')
  })

  test('xAI: tools by the thousand, whole request double from 200,000 tokens on, 1.1 times in the US', () => {
    const xai = { provider: 'x-ai', model: 'grok-4.6', moment: '2026-11-23' }
    const tool = (unit: 'web_search.query' | 'x_search.call' | 'code_exec.session' | 'file_search.call') =>
      usd(xai, { units: { [unit]: 1000 } })
    expect([
      tool('web_search.query'),
      tool('x_search.call'),
      tool('code_exec.session'),
      tool('file_search.call'),
    ]).toEqual(['5', '5', '5', '2.5'])
    expect(usd(xai, { units: { 'server_tool.call': { n: 1000, attrs: { tool: 'attachment_search' } } } })).toBe('10')
    expect(rates(xai, 199_999)).toBe('2 6 0.5 – –')
    expect(rates(xai, 200_000)).toBe('4 12 1 – –')
    expect(rates({ ...xai, region: 'us' }, 200_000)).toBe('4.4 13.2 1.1 – –')
  })

  test('Bedrock adds a tenth in a region, and has no surcharge for Nova cache writes', () => {
    const bedrock = (model: string) => rates({ provider: 'aws-bedrock', model, moment: '2026-11-23' })
    expect(bedrock('us.anthropic.claude-sonnet-4-5-20250929-v1:0')).toBe('3.3 16.5 0.33 4.125 6.6')
    expect(bedrock('anthropic.claude-sonnet-4-5-20250929-v1:0')).toBe('3.3 16.5 0.33 4.125 6.6')
    expect(bedrock('global.anthropic.claude-sonnet-4-5-20250929-v1:0')).toBe('3 15 0.3 3.75 6')
    expect(bedrock('us.amazon.nova-pro-v1:0')).toBe('0.8 3.2 0.2 0.8 –')
    expect(bedrock('global.amazon.nova-2-lite-v1:0')).toBe('0.3 2.5 0.075 0.3 –')
    expect(bedrock('amazon.nova-2-lite-v1:0')).toBe('0.33 2.75 0.0825 0.33 –')
  })

  test('the model router of Azure charges input on top of the model that served', () => {
    const azure = { provider: 'azure-openai', model: 'gpt-5-nano-2025-08-07', moment: '2026-11-23' }
    expect(usd({ ...azure, tokens: { 'in.text.fresh': 1_000_000 } }, { units: { 'router.token': 1_000_000 } })).toBe(
      '0.19',
    )
  })
})

test('every price names its source and the day it was checked, and nothing is priced at zero by mistake', () => {
  for (const row of weirBook.all()) {
    expect(row.source.length, row.id).toBeGreaterThan(10)
    expect(row.checked_at, row.id).toMatch(/^2026-/)
  }
  expect(price(call({ ...openai('omni-moderation-latest'), tokens: { 'in.text.fresh': 5 } }), weirBook).cost).toBe(0n)
})
