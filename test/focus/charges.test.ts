import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Split } from '../../src/core/exporter.ts'
import type { ChargeRow } from '../../src/core/ledger.ts'
import { buckets, units } from '../../src/core/usage.ts'
import { allocate } from '../../src/playbook/allocate/focus/allocate-charge.ts'
import { chargesOf } from '../../src/playbook/allocate/focus/charge.ts'
import { columns, columnsOf, detectVersion, versions } from '../../src/playbook/allocate/focus/columns.ts'
import { skuMeterOf, tokenClassOf } from '../../src/playbook/allocate/focus/meters.ts'
import { providerNamed } from '../../src/playbook/allocate/focus/parties.ts'
import { inFloats, writtenColumns } from '../../src/playbook/allocate/focus/written.ts'
import { multiplyDecimal } from '../../src/playbook/price/decimal.ts'
import { book, sumOf } from './given.ts'

const used_us = Date.UTC(2026, 8, 1) * 1000

const row = (fields: Partial<ChargeRow> = {}): ChargeRow => ({
  kind: 'metered',
  used_us,
  billed_us: used_us,
  provider: 'openai',
  model: 'gpt-5.6',
  meter: 'in.text.fresh',
  quantity: '1000',
  rate_usd: '2.5',
  price_row: 'openai/gpt-5.6@ever',
  price_state: 'priced',
  cost_usd: '0.0025',
  region: null,
  geo: null,
  service_tier: null,
  speed: null,
  outcome: 'ok',
  retried: false,
  estimated: false,
  contracted: false,
  receipts: 1,
  context_tokens: 1000,
  input_tokens: 0,
  output_tokens: 0,
  payer: { team: 'search' },
  tags: {},
  ...fields,
})

const settings = {
  version: '1.4',
  grain: 'day',
  draft_keys: false,
  adapters: { openai: 'openai' },
  book,
  splits: [],
} as const

const chargeOf = (fields: Partial<ChargeRow> = {}) => chargesOf([row(fields)], settings)[0] ?? {}

describe('versions', () => {
  test('1.2 has 57 columns, 1.3 and 1.4 have 65', () => {
    expect(versions.map((version) => columnsOf(version).size)).toEqual([57, 65, 65])
  })

  test('a file says its version by its columns', () => {
    for (const version of versions) expect(detectVersion([...columnsOf(version).keys()])).toBe(version)
    const written = (version: (typeof versions)[number]) =>
      writtenColumns(version, 'decimal', false).map(({ name }) => name)
    for (const version of versions) expect(detectVersion(written(version))).toBe(version)
  })

  test('every column that must always be there is written, in every version', () => {
    for (const version of versions) {
      const names = new Set(writtenColumns(version, 'decimal', false).map(({ name }) => name))
      const missing = [...columnsOf(version)].filter(
        ([name, { presence }]) => (presence === 'mandatory' || presence === 'recommended') && !names.has(name),
      )
      expect(missing).toEqual([])
    }
  })
})

describe('meters', () => {
  // The regular expression of the official validator, FormatUnit, put together by hand from its five patterns.
  const count = '[A-Za-z][A-Za-z0-9]*(\\s+[A-Za-z][A-Za-z0-9]*)*'
  const official = new RegExp(`^(${count})$|^(${count})-(Years|Months|Days|Hours|Minutes|Seconds)$|^[0-9]+ (${count})$`)

  test.each([...buckets, ...units, null])(
    '%s has units that the official validator knows, and a price that gives its cost',
    (meter) => {
      const sku = skuMeterOf(meter)
      expect(sku.consumed_unit).toMatch(official)
      expect(sku.pricing_unit).toMatch(official)
      if (meter === null) return
      // 1000 of the meter at 3 dollars per million cost 0.003 dollars, in whatever units.
      const priced = multiplyDecimal(multiplyDecimal('1000', sku.consumed), sku.priced)
      expect(multiplyDecimal(priced, multiplyDecimal('3', sku.price))).toBe('0.003')
    },
  )

  test('a token class that is written is read back as one of the same price', () => {
    for (const bucket of buckets) {
      const sku = skuMeterOf(bucket)
      const found = tokenClassOf({
        direction: sku.direction,
        cache: sku.cache,
        ttl: sku.cache_ttl,
        modality: sku.modality,
        name: sku.name,
      })
      expect(found && skuMeterOf(found)).toEqual(sku)
    }
  })

  test.each([
    ['Input Tokens', 'in.text.fresh'],
    ['Cached Input Tokens', 'in.text.cache_read'],
    ['Cache Read Input Tokens', 'in.text.cache_read'],
    ['Cache Write Input Tokens', 'in.text.cache_write'],
    ['USE1-Claude4.6Sonnet-output-tokens', 'out.text.visible'],
    ['Audio Output Tokens', 'out.audio.visible'],
    ['Virtual machine', undefined],
  ])('without token keys, %s is read as %s', (name, meter) => {
    expect(tokenClassOf({ name })).toBe(meter)
  })
})

describe('parties', () => {
  test.each([
    ['OpenAI', 'OpenAI API', 'openai'],
    ['OpenAI', 'Sora', 'openai'],
    ['Anthropic', 'Claude API', 'anthropic'],
    ['Amazon Web Services', 'Amazon Bedrock', 'aws-bedrock'],
    ['AWS', 'Amazon Elastic Compute Cloud', 'aws'],
    ['Microsoft', 'Azure OpenAI', 'azure-openai'],
    ['Microsoft', 'Virtual Machines', 'azure'],
    ['Google Cloud', 'Vertex AI', 'vertex-ai'],
    ['Google Cloud', 'Compute Engine', 'gcp'],
    ['Google', 'Gemini API', 'google'],
    ['Solora AI', 'Solora', 'solora-ai'],
  ])('%s, %s stands in the ledger as %s', (provider, service, name) => {
    expect(providerNamed(provider, service)).toBe(name)
  })
})

describe('charges', () => {
  test('a metered row is quantity × unit price, in tokens and in millions of them', () => {
    expect(chargeOf({ quantity: '8400000', rate_usd: '2.5', cost_usd: '21' })).toMatchObject({
      ConsumedQuantity: '8400000',
      ConsumedUnit: 'Tokens',
      PricingQuantity: '8.4',
      PricingUnit: '1000000 Tokens',
      ListUnitPrice: '2.5',
      ListCost: '21',
      ContractedCost: '21',
      BilledCost: '21',
      SkuId: 'openai/gpt-5.6-input',
      SkuMeter: 'Input Tokens',
      SkuPriceId: 'openai/gpt-5.6-input-ondemand',
      ChargePeriodStart: '2026-09-01T00:00:00Z',
      ChargePeriodEnd: '2026-09-02T00:00:00Z',
      BillingPeriodStart: '2026-09-01T00:00:00Z',
      BillingPeriodEnd: '2026-10-01T00:00:00Z',
    })
  })

  test('batch has the SKU of on demand and a SKU price of its own', () => {
    const batch = chargeOf({ price_row: 'openai/gpt-5.6@ever#batch', rate_usd: '1.25', cost_usd: '0.00125' })
    expect(batch['SkuId']).toBe(chargeOf()['SkuId'])
    expect(batch['SkuPriceId']).toBe('openai/gpt-5.6-input-batch')
    expect(JSON.parse(batch['SkuPriceDetails'] ?? '')).toMatchObject({ x_Batch: 'true', x_TokenDirection: 'Input' })
  })

  test('reasoning is output: one row, with the tokens that were reasoning beside', () => {
    const common = { rate_usd: '15', receipts: 2 }
    const charges = chargesOf(
      [
        row({ ...common, meter: 'out.text.visible', quantity: '100', cost_usd: '0.0015' }),
        row({ ...common, meter: 'out.text.reasoning', quantity: '900', cost_usd: '0.0135' }),
      ],
      settings,
    )
    expect(charges).toHaveLength(1)
    expect(charges[0]).toMatchObject({
      ConsumedQuantity: '1000',
      BilledCost: '0.015',
      x_ReasoningTokens: '900',
      x_RequestCount: '2',
      SkuMeter: 'Output Tokens',
    })
  })

  test('a contract’s price stands beside the list price', () => {
    const charge = chargeOf({ price_row: 'contract/gpt-5.6', rate_usd: '2', cost_usd: '0.002', contracted: true })
    expect(charge).toMatchObject({
      ListUnitPrice: '2.5',
      ListCost: '0.0025',
      ContractedUnitPrice: '2',
      ContractedCost: '0.002',
      SkuPriceId: 'openai/gpt-5.6-input-ondemand',
    })
  })

  test('what only the provider priced is a charge of so many dollars', () => {
    const charge = chargeOf({
      kind: 'whole',
      meter: null,
      price_state: 'stated',
      cost_usd: '0.123456789012',
      receipts: 3,
      input_tokens: 7,
    })
    expect(charge).toMatchObject({
      PricingQuantity: '0.123456789012',
      PricingUnit: 'US Dollars',
      ListUnitPrice: '1',
      ListCost: '0.123456789012',
      ConsumedQuantity: '3',
      ConsumedUnit: 'Requests',
      x_CostSource: 'Provider',
      x_InputTokens: '7',
    })
  })

  test('a correction of a month that was billed is billed in the later month and used in the earlier', () => {
    const late = chargeOf({
      kind: 'correction',
      billed_us: Date.UTC(2026, 9, 4) * 1000,
      cost_usd: '-0.001',
      meter: null,
    })
    expect(late).toMatchObject({
      ChargeCategory: 'Adjustment',
      ChargeClass: 'Correction',
      ChargePeriodStart: '2026-09-01T00:00:00Z',
      BillingPeriodStart: '2026-10-01T00:00:00Z',
      BilledCost: '-0.001',
      ListCost: '-0.001',
    })
    expect(late['SkuPriceId'] ?? null).toBeNull()
    expect(chargeOf({ kind: 'correction', meter: null })['ChargeClass']).toBeNull()
  })

  test('keys of the 1.5 draft are written only when asked for', () => {
    const [draft = {}] = chargesOf([row()], { ...settings, draft_keys: true })
    expect(JSON.parse(draft['SkuPriceDetails'] ?? '')).toMatchObject({
      ModelId: 'gpt-5.6',
      TokenDirection: 'Input',
      TokenCacheAction: 'Uncached',
    })
  })

  test('in floats, price × quantity is the cost to the last bit, and nothing has an exponent', () => {
    const written = writtenColumns('1.4', 'float-exact', false)
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000_000_000 }),
        fc.integer({ min: 1, max: 100_000_000 }),
        (quantity, millionths) => {
          const rate = multiplyDecimal(String(millionths), '0.000001')
          const cost_usd = multiplyDecimal(multiplyDecimal(String(quantity), rate), '0.000001')
          const charge = inFloats(
            chargeOf({ quantity: String(quantity), rate_usd: rate, price_row: null, cost_usd }),
            written,
          )
          for (const [cost, price] of [
            ['ListCost', 'ListUnitPrice'],
            ['ContractedCost', 'ContractedUnitPrice'],
          ] as const) {
            expect(Number(charge[price]) * Number(charge['PricingQuantity'])).toBe(Number(charge[cost]))
            expect(charge[cost]).toMatch(/^\d+(\.\d+)?$/)
          }
          expect(charge['x_BilledCostExact']).toBe(cost_usd)
        },
      ),
      { seed: 20261123, numRuns: 500 },
    )
  })
})

describe('splits', () => {
  const summed = ['BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost', 'PricingQuantity', 'ConsumedQuantity']

  test('parts sum to the charge in every amount, ratios to 1, and price × quantity holds in each to a nanodollar', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 3_000_000_000 }),
        fc.constantFrom('2.5', '0.003625', '75'),
        (weights, quantity, rate) => {
          const cost_usd = multiplyDecimal(multiplyDecimal(String(quantity), rate), '0.000001')
          const charge = chargeOf({ quantity: String(quantity), rate_usd: rate, cost_usd, price_row: null })
          const shares = weights.map((weight, at) => ({ owner: { team: `t${at}` }, weight: String(weight) }))
          const parts = allocate(charge, { id: 'shared-v1', when: {}, shares })
          for (const column of summed)
            expect(sumOf(parts.map((part) => part[column] ?? '0'))).toBe(sumOf([charge[column] ?? '0']))
          const ratios = parts.map(
            (part) => /"AllocatedRatio":([0-9.]+)/.exec(part['AllocatedMethodDetails'] ?? '')?.[1],
          )
          expect(sumOf(ratios)).toBe('1')
          for (const part of parts)
            expect(Number(part['ListUnitPrice']) * Number(part['PricingQuantity'])).toBeCloseTo(
              Number(part['ListCost']),
              9,
            )
        },
      ),
      { seed: 20261123, numRuns: 300 },
    )
  })

  test('the first rule whose conditions are met splits; the origin’s tags stay and the owner is named beside', () => {
    const split = (id: string, when: Split['when']): Split => ({
      id,
      when,
      shares: [
        { owner: { team: 'search' }, weight: '3' },
        { owner: { team: 'support' }, weight: '1' },
      ],
    })
    const splits = [split('other', { team: 'labs' }), split('platform-v2', { team: 'platform', 'cost-centre': null })]
    const charges = chargesOf([row({ payer: { team: 'platform' }, cost_usd: '0.0025' }), row()], {
      ...settings,
      splits,
    })
    expect(charges).toHaveLength(3)
    expect(charges.slice(0, 2)).toMatchObject([
      {
        AllocatedMethodId: 'platform-v2',
        AllocatedResourceId: 'team:search',
        AllocatedTags: '{"allocated_team":"search"}',
        AllocatedMethodDetails: '{"Elements":[{"AllocatedRatio":0.75}]}',
        BilledCost: '0.001875',
        Tags: '{"team":"platform"}',
      },
      { AllocatedResourceId: 'team:support', BilledCost: '0.000625' },
    ])
  })
})

test('every column that is written in any version is one of FOCUS or begins with x_', () => {
  const names = versions.flatMap((version) => writtenColumns(version, 'float-exact', true).map(({ name }) => name))
  expect(names.filter((name) => columns[name] === undefined && !name.startsWith('x_'))).toEqual([])
})
