import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { picodollars } from '../../src/core/money.ts'
import type { Priced } from '../../src/core/price.ts'
import type { Bucket, NormalisedUsage, UsageLine } from '../../src/core/usage.ts'
import { moneyColumns, rawUsage, usageColumns } from '../../src/playbook/measure/columns.ts'

const line = (tokens: UsageLine['tokens'], more: Partial<UsageLine> = {}): UsageLine => ({
  kind: 'message',
  funding: 'platform',
  context_tokens: 0,
  tokens,
  units: {},
  ...more,
})
const usage = (lines: readonly UsageLine[], more: Partial<NormalisedUsage> = {}): NormalisedUsage => ({
  lines,
  totals: { input: 0, output: 0 },
  quality: 'exact',
  warnings: [],
  raw: { input_tokens: 1 },
  ...more,
})

describe('usage columns', () => {
  test('add the classes of all billed lines and leave out what was declined', () => {
    const columns = usageColumns(
      usage([
        line({ 'in.text.fresh': 9 }, { kind: 'declined', model_served: 'x' }),
        line({ 'in.text.fresh': 3, 'in.text.cache_read': 1111, 'in.text.cache_write_5m': 418, 'out.text.visible': 33 }),
        line(
          { 'in.audio.fresh': 36, 'in.text.cache_write_1h': 7, 'in.text.tool': 5, 'out.text.reasoning': 21 },
          { kind: 'advisor', service_tier: 'standard', geo: 'us' },
        ),
      ]),
    )
    expect(columns).toEqual({
      input_tokens: 1580,
      output_tokens: 54,
      input_fresh_tokens: 39,
      cache_read_tokens: 1111,
      cache_write_tokens: 425,
      cache_write_1h_tokens: 7,
      input_tool_tokens: 5,
      input_audio_tokens: 36,
      reasoning_tokens: 21,
      service_tier: 'standard',
      geo: 'us',
      usage_raw: '{"input_tokens":1}',
      usage_source: 'provider',
      usage_quality: 'exact',
    })
  })

  test('lose no token: input and output are the sum of all classes', () => {
    const sides = { in: ['fresh', 'cache_read', 'cache_write', 'cache_write_5m', 'cache_write_1h', 'tool'] }
    const out = ['visible', 'reasoning', 'citation', 'prediction_rejected']
    const buckets = ['text', 'audio', 'image', 'video', 'document'].flatMap((modality) => [
      ...sides.in.map((kind) => `in.${modality}.${kind}`),
      ...out.map((kind) => `out.${modality}.${kind}`),
    ]) as Bucket[]
    const tokens = fc.dictionary(fc.constantFrom(...buckets), fc.nat({ max: 100_000 })) as fc.Arbitrary<
      UsageLine['tokens']
    >
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 5 }), (lines) => {
        const columns = usageColumns(usage(lines.map((one) => line(one))))
        const sum = (side: string) =>
          lines
            .flatMap((one) => Object.entries(one))
            .reduce((total, [bucket, count]) => total + (bucket.startsWith(side) ? count : 0), 0)
        expect(columns.input_tokens).toBe(sum('in.'))
        expect(columns.output_tokens).toBe(sum('out.'))
        const { input_fresh_tokens = 0, cache_read_tokens = 0, cache_write_tokens = 0, input_tool_tokens = 0 } = columns
        expect(input_fresh_tokens + cache_read_tokens + cache_write_tokens + input_tool_tokens).toBe(sum('in.'))
      }),
      { seed: 10 },
    )
  })

  test('say where the counts come from', () => {
    expect(usageColumns(undefined)).toEqual({ usage_source: 'none' })
    expect(usageColumns(usage([line({})], { quality: 'estimated' })).usage_source).toBe('estimated')
    expect(usageColumns(usage([line({})], { quality: 'inferred' })).usage_source).toBe('provider')
  })

  test('keep the raw usage as JSON of at most 16 KiB', () => {
    expect(rawUsage(null)).toBeUndefined()
    for (const raw of [{ a: 'x'.repeat(100_000) }, { a: '漢"'.repeat(20_000) }, { a: 1 }]) {
      const text = rawUsage(raw) ?? ''
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(16 * 1024)
      expect(JSON.parse(text)).toBeTypeOf('object')
    }
  })
})

const priced = (cost: bigint | null): Priced => ({
  cost: cost === null ? null : picodollars(cost),
  input: picodollars(42_000_000n),
  output: picodollars(150_000_000n),
  fees: picodollars(0n),
  lines: [
    {
      kind: 'message',
      model: 'm',
      meter: 'in.text.fresh',
      quantity: 14,
      ...(cost === null ? {} : { rate: '3', row: 'p/m@2026' }),
      cost: cost === null ? null : picodollars(42_000_000n),
    },
  ],
  book: 'v1',
  warnings: cost === null ? ['no price for p/m'] : [],
})
const stated = { amount_usd: '0.000192', field: 'usage.cost', includes_tools: true }

describe('money columns', () => {
  test('write the book’s cost, its parts and every line as exact decimals', () => {
    expect(moneyColumns({ priced: priced(192_000_000n), list: priced(200_000_000n), otherwise: 'none' })).toEqual({
      price_state: 'priced',
      cost_usd: '0.000192',
      input_cost_usd: '0.000042',
      output_cost_usd: '0.00015',
      fee_cost_usd: '0',
      list_cost_usd: '0.0002',
      price_book: 'v1',
      lines: [
        {
          kind: 'message',
          model: 'm',
          meter: 'in.text.fresh',
          quantity: 14,
          rate_usd: '3',
          cost_usd: '0.000042',
          price_row: 'p/m@2026',
        },
      ],
    })
  })

  test('the book goes before what the provider states, and both are kept', () => {
    const columns = moneyColumns({
      priced: priced(192_000_001n),
      usage: usage([], { stated }),
      otherwise: 'none',
    })
    expect(columns).toMatchObject({ price_state: 'priced', cost_usd: '0.000192000001', stated_cost_usd: '0.000192' })
  })

  test('what the book cannot price costs what the provider states, and else is unpriced, never zero', () => {
    const without = moneyColumns({ priced: priced(null), usage: usage([]), otherwise: 'none' })
    expect(without).toMatchObject({ price_state: 'unpriced', warnings: ['no price for p/m'] })
    expect(without.cost_usd).toBeUndefined()
    expect(without.lines?.[0]).toEqual({ kind: 'message', model: 'm', meter: 'in.text.fresh', quantity: 14 })
    const with_stated = moneyColumns({ priced: priced(null), usage: usage([], { stated }), otherwise: 'none' })
    expect(with_stated).toMatchObject({ price_state: 'stated', cost_usd: '0.000192' })
    expect(with_stated.input_cost_usd).toBeUndefined()
  })

  test('without usage the caller says what is known, and warnings come once', () => {
    expect(moneyColumns({ otherwise: 'unmetered' })).toEqual({ price_state: 'unmetered' })
    const twice = usage([], { warnings: ['odd', 'no price for p/m'] })
    expect(moneyColumns({ priced: priced(null), usage: twice, otherwise: 'none' }).warnings).toEqual([
      'odd',
      'no price for p/m',
    ])
  })
})
