import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { meterBody } from '../../src/cli/import/meter.ts'
import type { ImportOptions } from '../../src/core/importer.ts'
import { formatUsd, multiply, sum } from '../../src/core/money.ts'
import type { Receipt, ReceiptLine } from '../../src/core/receipt.ts'
import { checkFile } from '../../src/exporters/focus/check.ts'
import { bringIn } from '../../src/importers/bring-in.ts'
import { importer } from '../../src/importers/focus.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { receipt, START_US } from '../ledger/receipts.ts'
import { type Cells, fileOf, rows } from './broken.ts'
import { ask, book, csvRows, exportTo, folder, ledgerOf, sumOf } from './given.ts'

const options: ImportOptions = { payer: {}, columns: {}, epoch_us: 0, now_us: 0, book, meter: meterBody }

const read = async (path: string, more: Partial<ImportOptions> = {}) => {
  const receipts: Receipt[] = []
  const bad: string[] = []
  for await (const row of importer.read(path, { ...options, ...more }, () => {})) {
    if ('bad' in row) bad.push(`${row.line}: ${row.bad}`)
    else receipts.push(row.receipt)
  }
  return { receipts, bad }
}

const one = async (cells: Cells, more: Partial<ImportOptions> = {}) => {
  const { receipts, bad } = await read(fileOf([cells]), more)
  expect(bad).toEqual([])
  expect(receipts).toHaveLength(1)
  return receipts[0]
}

describe('a row', () => {
  test('of tokens is a receipt with its tokens, its price and its exact cost', async () => {
    expect(await one({ ...rows.plain, EffectiveCost: '16.800000000001' })).toMatchObject({
      origin: 'focus',
      started_at_us: Date.UTC(2026, 8, 1) * 1000,
      provider: 'solora-ai',
      model_served: 'solora-pro',
      endpoint: 'Solora API',
      region: 'eu-1',
      price_state: 'stated',
      cost_usd: '16.800000000001',
      input_cost_usd: '16.800000000001',
      stated_cost_usd: '20',
      list_cost_usd: '21',
      input_tokens: 8_400_000,
      output_tokens: 0,
      input_fresh_tokens: 8_400_000,
      team: 'search',
      tags: { n: '1', b: 'true' },
      lines: [{ meter: 'in.text.fresh', quantity: 8_400_000, rate_usd: '2', cost_usd: '16.800000000001' }],
    })
  })

  test.each([
    [{ SkuMeter: 'Cached Input Tokens' }, { cache_read_tokens: 8_400_000, input_tokens: 8_400_000 }],
    [{ SkuPriceDetails: '{"TokenDirection":"Input","TokenCacheAction":"Write"}' }, { cache_write_tokens: 8_400_000 }],
    [{ SkuMeter: 'Output Tokens' }, { output_tokens: 8_400_000, output_cost_usd: '16.8' }],
    [{ ConsumedQuantity: '8.4', ConsumedUnit: '1M Tokens' }, { input_tokens: 8_400_000 }],
    [{ ConsumedQuantity: null, ConsumedUnit: null }, { input_tokens: 8_400_000 }],
    [{ ConsumedQuantity: '8399999.5', PricingQuantity: '8.4' }, { input_tokens: 8_400_000 }],
    [
      { ConsumedQuantity: '70000.6', PricingQuantity: '0.0700006' },
      { input_tokens: 70_001, input_cost_usd: '16.8' },
    ],
    [{ SkuPriceDetails: '{"x_Batch":"true"}' }, { service_tier: 'batch' }],
  ] as const)('with %j is read as %j', async (cells, expected) => {
    expect(await one({ ...rows.plain, ...cells })).toMatchObject(expected)
  })

  test('of other spend is money alone, under its cloud and service', async () => {
    const cells = {
      ...rows.plain,
      ServiceProviderName: 'AWS',
      ServiceName: 'Amazon Elastic Compute Cloud',
      SkuMeter: 'Virtual machine',
      ConsumedQuantity: '24',
      ConsumedUnit: 'Hours',
      PricingUnit: 'Hours',
      SkuPriceDetails: '{"CoreCount":4}',
    }
    const found = await one(cells)
    expect(found).toMatchObject({
      provider: 'aws',
      endpoint: 'Amazon Elastic Compute Cloud',
      cost_usd: '16.8',
      fee_cost_usd: '16.8',
      usage_source: 'none',
    })
    expect(found).not.toHaveProperty('input_tokens')
    expect(found).not.toHaveProperty('model_served')
  })

  test('that is a tax, a credit or a correction says so in its tags, and keeps its sign', async () => {
    expect(await one({ ...rows.credit, EffectiveCost: '-5' })).toMatchObject({
      cost_usd: '-5',
      tags: { focus_charge_category: 'Credit' },
    })
    expect(await one(rows.tax)).toMatchObject({ tags: { focus_charge_category: 'Tax' } })
    expect(await one(rows.correction)).toMatchObject({ tags: { focus_charge_class: 'Correction' } })
  })

  test('takes its payer from tags, from columns that are mapped, and from what it was allocated to', async () => {
    expect(await one({ ...rows.plain, Tags: '{"Env":"prod","user:Team":"core"}', AllocatedTags: null })).toMatchObject({
      environment: 'prod',
      team: 'core',
    })
    expect(
      await one(rows.plain, { columns: { team: 'SubAccountName', customer: 'tag:n', cost_usd: 'BilledCost' } }),
    ).toMatchObject({ team: 'Search', customer: '1', cost_usd: '20' })
    expect(
      await one({
        ...rows.plain,
        Tags: '{"team":"platform"}',
        AllocatedTags: '{"team":"platform","allocated_team":"support"}',
      }),
    ).toMatchObject({ team: 'support' })
    expect(await one({ ...rows.plain, Tags: null, AllocatedTags: null }, { payer: { team: 'finance' } })).toMatchObject(
      { team: 'finance' },
    )
  })

  test.each([
    [{ BillingCurrency: 'EUR' }, /2: BillingCurrency is EUR/],
    [{ ChargePeriodStart: 'soon' }, /ChargePeriodStart is no moment such as .*: "soon"/],
    [{ EffectiveCost: null }, /EffectiveCost is no amount/],
    [{ EffectiveCost: '1e16' }, /EffectiveCost is no amount/],
    [{ EffectiveCost: '1e99999999' }, /EffectiveCost is no amount/],
    [{ ServiceProviderName: null, InvoiceIssuerName: null }, /ServiceProviderName .* is null/],
  ])('with %j is left out, and why is said', async (cells, message) => {
    const { receipts, bad } = await read(fileOf([{ ...rows.plain, ...cells }, rows.plain]))
    expect(receipts).toHaveLength(1)
    expect(bad[0]).toMatch(message)
  })
})

describe('files', () => {
  test('ids depend on the rows only: not on the order of columns, nor of rows; equal rows are each one', async () => {
    const names = Object.keys(rows.plain)
    const other = { ...rows.plain, ConsumedQuantity: '1' }
    const ids = async (path: string) => (await read(path)).receipts.map(({ receipt_id }) => receipt_id).sort()
    const first = await ids(fileOf([rows.plain, other, rows.plain], '1.4', names))
    expect(await ids(fileOf([other, rows.plain, rows.plain], '1.4', names.toReversed()))).toEqual(first)
    expect(new Set(first).size).toBe(3)
    expect(first[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('a row that has not the columns of the first line is named, and the rest is kept', async () => {
    const path = fileOf([rows.plain, rows.credit])
    const whole = await read(path)
    writeFileSync(path, `${readFileSync(path, 'utf8').trimEnd()}\n0.5,acct-1\n`)
    const { receipts, bad } = await read(path)
    expect(receipts).toEqual(whole.receipts)
    expect(bad).toEqual(['4: the row does not have as many columns as the first line'])
  })

  test('Parquet is read like CSV', async () => {
    const text = fileOf([rows.plain, rows.credit, rows.tax])
    const path = join(folder(), 'bill.parquet')
    await ask(`COPY (SELECT * REPLACE (CAST(EffectiveCost AS DECIMAL(20, 2)) AS EffectiveCost, CAST(ChargePeriodStart AS TIMESTAMPTZ) AS ChargePeriodStart,
      CAST(CAST(Tags AS JSON) AS MAP(VARCHAR, VARCHAR)) AS Tags) FROM read_csv('${text}', all_varchar = true, header = true)) TO '${path}' (FORMAT parquet)`)
    const bare = ({ receipts }: Awaited<ReturnType<typeof read>>) =>
      receipts.map(({ receipt_id: _, call_id: __, ...rest }) => rest)
    expect(bare(await read(path))).toEqual(bare(await read(text)))
  })

  test.each([
    [{ colour: 'x' }, /no such field/],
    [{ team: 'Nowhere' }, /no such column/],
  ])('--columns %j is refused', async (columns, message) => {
    await expect(read(fileOf([rows.plain]), { columns })).rejects.toThrow(message)
  })

  test('what is no CSV is told with its name', async () => {
    const path = join(folder(), 'bill.csv')
    writeFileSync(path, 'BilledCost,Tags\n"1,2\n')
    await expect(read(path)).rejects.toThrow(/bill\.csv cannot be read as a FOCUS file/)
    writeFileSync(path, 'a,BillingCurrency\n1,USD\n')
    await expect(read(path)).rejects.toThrow(/bill\.csv is no FOCUS file: it lacks ChargePeriodStart/)
  })
})

describe('there and back', () => {
  const line = (meter: ReceiptLine['meter'], quantity: number, rate_usd: string): ReceiptLine => ({
    kind: 'message',
    model: 'gpt-5.6',
    meter,
    quantity,
    rate_usd,
    cost_usd: formatUsd(multiply(quantity, rate_usd)),
    price_row: 'openai/gpt-5.6@ever',
  })
  const lines = [
    line('in.text.fresh', 1234, '2.5'),
    line('in.text.cache_read', 999_999, '0.25'),
    line('out.text.visible', 77, '15'),
    line('web_search.query', 3, '10000'),
  ]
  const cost = formatUsd(sum(lines.map(({ quantity, rate_usd }) => multiply(quantity, rate_usd ?? '0'))))
  const sent = [0, 1, 2].map((day) =>
    receipt({
      lines,
      input_tokens: 1_001_233,
      cache_read_tokens: 999_999,
      output_tokens: 77,
      cost_usd: cost,
      list_cost_usd: cost,
      model_served: 'gpt-5.6',
      team: 'search',
      tags: { centre: '4711' },
      started_at_us: START_US + day * 86_400_000_000,
    }),
  )

  test.each(['csv', 'csv.gz', 'parquet'])(
    'a ledger that went out as .%s comes in with the same money, tokens and payers, once',
    async (ending) => {
      const first = await ledgerOf(sent)
      const path = join(folder(), `out.${ending}`)
      const { cost_usd } = await exportTo(path, first)
      const data = folder()
      const second = await open({ path: join(data, 'ledger.duckdb') })
      const source = { importer, path, options, ledger: second, data, progress: () => {} }
      expect(await bringIn(source)).toMatchObject({ appended: 12, bad: 0 })
      expect(await bringIn(source)).toMatchObject({ appended: 0, already: 12 })
      const spend = {
        ask: 'spend',
        window: { from_us: 0, to_us: 2e15 },
        group_by: ['provider', 'model', 'team', 'tag:centre', 'day'],
      } as const
      const [before, after] = [await first.query(spend), await second.query(spend)]
      expect(after.total.cost_usd).toBe(cost_usd)
      const same = ({
        group,
        cost_usd: one,
        input_tokens,
        output_tokens,
        cache_read_tokens,
      }: (typeof after.rows)[number]) => ({ group, one, input_tokens, output_tokens, cache_read_tokens })
      const daily = (from: typeof before) =>
        from.rows.map(same).sort((a, b) => String(a.group['day']).localeCompare(String(b.group['day'])))
      // A search fee names its model too, so that groups by model agree.
      expect(daily(after)).toEqual(daily(before))
      expect(after.total.duration_ms_p50).toBeNull()
      // And out again: nothing breaks, nothing is lost.
      const again = join(folder(), 'again.csv')
      await exportTo(again, second)
      expect(sumOf(csvRows(again).map((row) => row['BilledCost']))).toBe(cost_usd)
      expect((await checkFile(again)).violations).toEqual([])
      await Promise.all([first.close(), second.close()])
    },
    60_000,
  )
})
