import fc from 'fast-check'
import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { expect, test } from 'vitest'
import type { TokenRatio } from '../../src/core/ledger.ts'
import { estimateUsage, pieces, usageOf } from '../../src/playbook/measure/estimate.ts'
import { defaultRatio, O200K_BYTES_PER_TOKEN, ratios } from '../../src/playbook/measure/ratios.ts'
import { reading } from './readings.ts'

const counted = (text: string) => encode(text, { disallowedSpecial: new Set() }).length
const count = async (texts: readonly string[]) => texts.map(counted)
const prompt = reading([
  { kind: 'system', text: 'Answer in one word.' },
  { kind: 'user', text: 'What is the capital of France?' },
])

test('an estimate is the tokenizer’s count times the ratio, input and output apart, and says that it is one', async () => {
  const usage = await estimateUsage({ reading: prompt, output_text: 'Paris', count, ratio: 1 })
  const input = counted('Answer in one word.') + counted('What is the capital of France?')
  expect(usage.lines[0]?.tokens).toEqual({ 'in.text.fresh': input, 'out.text.visible': 1 })
  expect(usage.totals).toEqual({ input, output: 1 })
  expect(usage.quality).toBe('estimated')
  expect(usage.warnings.join()).toMatch(/estimated by tokenizer/)
  const claude = await estimateUsage({ reading: prompt, output_text: 'Paris', count, ratio: 1.4 })
  expect(claude.totals).toEqual({ input: Math.ceil(input * 1.4), output: 2 })
})

test('pieces join to the text, hold no unbroken run over 2 KB and divide no character', () => {
  const run = fc.tuple(fc.constantFrom('a', ' ', 'é', '漢', '🙂'), fc.nat({ max: 5000 }))
  fc.assert(
    fc.property(fc.array(run, { maxLength: 6 }), (runs) => {
      const text = runs.map(([unit, times]) => unit.repeat(times)).join('')
      const cut = pieces(text)
      expect(cut.join('')).toBe(text)
      for (const piece of cut) {
        expect(piece).toBe(piece.toWellFormed())
        for (const match of piece.match(/\S+|\s+/g) ?? []) expect(Buffer.byteLength(match)).toBeLessThanOrEqual(2050)
      }
    }),
    { seed: 9 },
  )
  expect(pieces('short words only')).toEqual(['short words only'])
})

test('a long unbroken string reaches the tokenizer in pieces, and a huge one in proportion', async () => {
  const seen: number[] = []
  const counting = async (texts: readonly string[]) => {
    seen.push(...texts.map(({ length }) => length))
    return texts.map(({ length }) => length / 4)
  }
  const huge = reading([{ kind: 'user', text: 'ab'.repeat(500_000) }])
  const usage = await estimateUsage({ reading: huge, output_text: '', count: counting, ratio: 1 })
  expect(Math.max(...seen)).toBeLessThanOrEqual(2048)
  expect(seen.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(100_000)
  expect(usage.totals.input).toBe(250_000)
  expect(usage.warnings.join()).toMatch(/in proportion/)
})

test('images and files are named as missing from the estimate', async () => {
  const json = {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', data: 'AAAA' } },
          { type: 'text', text: 'x' },
        ],
      },
      { role: 'user', parts: [{ inlineData: { mimeType: 'audio/wav', data: 'AAAA' } }] },
      { role: 'user', content: [{ image: { format: 'png', source: { bytes: 'AAAA' } } }, { text: 'x' }] },
    ],
  }
  const usage = await estimateUsage({ reading: prompt, json, output_text: '', count, ratio: 1 })
  expect(usage.warnings).toContain('3 images, audio or files are not in the estimate')
})

test('a cut stream keeps the input that the provider counted and gains an estimated output', async () => {
  const usage = {
    lines: [
      {
        kind: 'message',
        funding: 'platform',
        context_tokens: 1010,
        tokens: { 'in.text.fresh': 10, 'in.text.cache_read': 1000, 'out.text.visible': 1 },
        units: {},
      },
    ],
    totals: { input: 1010, output: 1 },
    quality: 'inferred',
    warnings: [],
    raw: { input_tokens: 10 },
  } as const
  const text = 'The capital of France is Paris. '.repeat(10)
  const given = { reading: prompt, count, ratio: 1.4 }
  const cut = await usageOf({ ...given, metered: { usage, output_text: text } })
  const written = Math.ceil(counted(text) * 1.4)
  expect(cut.lines[0]?.tokens).toEqual({ ...usage.lines[0].tokens, 'out.text.visible': written })
  expect(cut.totals).toEqual({ input: 1010, output: written })
  expect(cut.quality).toBe('estimated')
  expect(await usageOf({ ...given, metered: { usage, output_text: '' } })).toBe(usage)
  expect((await usageOf({ ...given, metered: { output_text: 'Paris' } })).totals.output).toBe(2)
})

test('new Claude models count 1.4 tokens for one of o200k, OpenAI’s one', () => {
  const of = (...models: string[]) => models.map(defaultRatio)
  expect(of('claude-opus-4-8', 'claude-opus-5-5', 'claude-sonnet-5', 'claude-haiku-5-5', 'claude-fable-5')).toEqual([
    1.4, 1.4, 1.4, 1.4, 1.4,
  ])
  expect(of('claude-sonnet-4-6', 'anthropic/claude-4.6-sonnet-20260217', 'anthropic/claude-sonnet-4.6')).toEqual([
    1.22, 1.22, 1.22,
  ])
  expect(of('claude-sonnet-4-5-20250929', 'claude-3-haiku-20240307', 'claude-haiku-4-5')).toEqual([1.04, 1.04, 1.04])
  expect(of('gpt-5.6', 'o3-mini', 'unheard-of')).toEqual([1, 1, 1])
})

test('a learnt ratio outweighs the default as samples grow', () => {
  const row = (samples: number, bytes_per_token = 2.14): TokenRatio => ({
    provider: 'p',
    model: 'm',
    bytes_per_token,
    samples,
  })
  expect(ratios().of('p', 'm')).toEqual({
    ratio: 1,
    untaught: 1,
    bytes_per_token: O200K_BYTES_PER_TOKEN,
    learnt: false,
  })
  expect(ratios([row(1)]).of('p', 'm').ratio).toBeLessThan(1.05)
  expect(ratios([row(10_000)]).of('p', 'm').ratio).toBeCloseTo(2, 1)
  expect(ratios([row(10_000)]).of('other', 'm').learnt).toBe(false)
  expect(ratios([row(5, 0), row(0)]).of('p', 'm').learnt).toBe(false)
})

test('a ratio that no tokenizer has, because usage was reported wrongly, is learnt as the nearest that one may have', () => {
  const row = (bytes_per_token: number) => ({ provider: 'p', model: 'm', bytes_per_token, samples: 1_000_000 })
  expect(ratios([row(500_000)]).of('p', 'm').bytes_per_token).toBeCloseTo(12, 1)
  expect(ratios([row(0.001)]).of('p', 'm').bytes_per_token).toBeCloseTo(1, 1)
})
