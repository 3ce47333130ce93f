import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadBook } from '../../src/catalogs/load.ts'
import { meterBody } from '../../src/cli/import/meter.ts'
import type { ExportOptions } from '../../src/core/exporter.ts'
import type { Ledger } from '../../src/core/ledger.ts'
import { formatUsd, multiply, sum, type Usd } from '../../src/core/money.ts'
import type { PriceBook } from '../../src/core/price.ts'
import type { Receipt, ReceiptLine } from '../../src/core/receipt.ts'
import { checkFile } from '../../src/exporters/focus/check.ts'
import { openCsv } from '../../src/exporters/focus/csv.ts'
import { piecesOf } from '../../src/exporters/focus.ts'
import { importer as agentTrace } from '../../src/importers/agent-trace.ts'
import { bringIn } from '../../src/importers/bring-in.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { versions } from '../../src/playbook/allocate/focus/columns.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { DAY_US, HOUR_US, receipt, START_US, usd } from '../ledger/receipts.ts'
import { ask, csvRows, exportTo, folder, ledgerOf, sumOf } from './given.ts'

const line = (meter: ReceiptLine['meter'], quantity: number, rate_usd: string, price_row = 'openai/gpt-5.6@ever') => ({
  kind: 'message' as const,
  model: 'gpt-5.6',
  meter,
  quantity,
  rate_usd,
  cost_usd: formatUsd(multiply(quantity, rate_usd)),
  price_row,
})

const priced = (lines: readonly ReceiptLine[], fields: Partial<Receipt> = {}): Receipt => {
  const cost = formatUsd(sum(lines.map(({ quantity, rate_usd }) => multiply(quantity, rate_usd ?? '0'))))
  return receipt({ lines, cost_usd: cost, list_cost_usd: cost, model_served: 'gpt-5.6', team: 'search', ...fields })
}

const spentIn = async (ledger: Ledger): Promise<string> => (await ledger.query({ ask: 'extent' })).cost_usd

const withLedger = async <T>(receipts: readonly Receipt[], work: (ledger: Ledger) => Promise<T>): Promise<T> => {
  const ledger = await ledgerOf(receipts)
  try {
    return await work(ledger)
  } finally {
    await ledger.close()
  }
}

/** Exports receipts as CSV and reads the rows back. */
const exported = (receipts: readonly Receipt[], more: Partial<ExportOptions> = {}) =>
  withLedger(receipts, async (ledger) => {
    const path = join(folder(), 'out.csv')
    const result = await exportTo(path, ledger, more)
    return { result, rows: csvRows(path), path, spent: await spentIn(ledger) }
  })

describe('totals', () => {
  const meters = [
    'in.text.fresh',
    'in.text.cache_read',
    'in.text.tool',
    'out.text.visible',
    'out.text.reasoning',
    'web_search.query',
    'audio_in.second',
    'cache_storage.token_5m',
  ] as const
  const anyLine = fc
    .tuple(
      fc.constantFrom(...meters),
      fc.integer({ min: 0, max: 3_000_000 }),
      fc.integer({ min: 0, max: 9 }),
      fc.constantFrom('2.5', '0', '0.003625', '1.23456789', '10000'),
    )
    .map(([meter, whole, tenth, rate]) => line(meter, meter === 'audio_in.second' ? whole + tenth / 10 : whole, rate))
  const amount = fc.bigInt({ min: -(10n ** 13n), max: 10n ** 14n }).map((pico) => formatUsd(pico as never))
  const anyReceipt = fc
    .record({
      lines: fc.array(anyLine, { maxLength: 4 }),
      at: fc.integer({ min: 0, max: 70 * 24 * 60 }),
      team: fc.constantFrom('search', 'support', undefined),
      tags: fc.constantFrom({ a: '1', b: '2' }, { b: '2', a: '1' }, undefined),
      attempt: fc.integer({ min: 1, max: 2 }),
      kind: fc.constantFrom('priced', 'stated', 'unpriced', 'unknown', 'correction', 'odd'),
      amount,
    })
    .map(({ lines, at, team, tags, attempt, kind, amount: cost_usd }) => {
      const fields = {
        started_at_us: START_US + at * 60_000_000,
        attempt,
        ...(team ? { team } : {}),
        ...(tags ? { tags } : {}),
      }
      const bare = (more: Partial<Receipt>) => receipt({ ...fields, ...more })
      if (kind === 'priced') return priced(lines, fields)
      if (kind === 'stated')
        return bare({
          lines: lines.map(({ cost_usd: _, rate_usd: __, ...rest }) => rest),
          price_state: 'stated',
          cost_usd: cost_usd as Usd,
        })
      if (kind === 'unpriced')
        return bare({
          lines: [...lines, { ...line('in.text.fresh', 5, '1'), cost_usd: undefined as never }],
          price_state: 'unpriced',
        })
      if (kind === 'unknown') return bare({ outcome: 'unknown', cost_usd: cost_usd as Usd })
      if (kind === 'correction') return bare({ corrects: 'somebody', cost_usd: cost_usd as Usd, lines })
      return bare({ lines, cost_usd: cost_usd as Usd })
    })

  test('a file sums to the receipts, to the picodollar, whatever the receipts, the grain and the version', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyReceipt, { minLength: 1, maxLength: 40 }),
        fc.constantFrom('hour', 'day'),
        fc.constantFrom(...versions),
        fc.boolean(),
        async (receipts, grain, version, unpriced) => {
          const { result, rows, path, spent } = await exported(receipts, {
            grain,
            unpriced,
            settings: { version },
          } as Partial<ExportOptions>)
          expect(result.cost_usd).toBe(spent)
          expect(sumOf(rows.map((row) => row['BilledCost']))).toBe(spent)
          expect(sumOf(rows.map((row) => row['EffectiveCost']))).toBe(spent)
          const broken = (await checkFile(path, { version })).violations.filter(({ level }) => level === 'must')
          expect(broken).toEqual([])
        },
      ),
      { seed: 20261123, numRuns: 15 },
    )
  }, 120_000)

  test('Parquet holds the same, with decimals as DECIMAL and times as timestamps', () =>
    withLedger(
      [priced([line('in.text.fresh', 8_400_001, '2.5'), line('out.text.visible', 33, '15')])],
      async (ledger) => {
        const path = join(folder(), 'out.parquet')
        await exportTo(path, ledger)
        const [total] = await ask(`SELECT sum(BilledCost) AS cost, typeof(sum(BilledCost)) AS type FROM '${path}'`)
        expect(total).toEqual({ cost: '21.000497500000', type: 'DECIMAL(38,12)' })
        const types = await ask(
          `DESCRIBE SELECT BilledCost, PricingQuantity, ChargePeriodStart, SkuPriceDetails FROM '${path}'`,
        )
        expect(types.map((row) => row['column_type'])).toEqual([
          'DECIMAL(38,12)',
          'DECIMAL(38,12)',
          'TIMESTAMP WITH TIME ZONE',
          'VARCHAR',
        ])
        const [start] = await ask(`SELECT epoch_us(min(ChargePeriodStart)) AS at FROM '${path}'`)
        expect(Number(start?.['at'])).toBe(START_US)
      },
    ))

  test('a split file sums to the receipts too', async () => {
    const shares = ['a', 'b', 'c'].map((team) => ({ owner: { team }, weight: '1' }))
    const splits = [{ id: 'even-v1', when: { team: 'search' }, shares }]
    const receipts = [
      priced([line('in.text.fresh', 1_000_001, '2.5')]),
      priced([line('out.text.visible', 7, '15')], { team: 'other' }),
    ]
    const { rows, spent, path } = await exported(receipts, { splits })
    expect(rows).toHaveLength(4)
    expect(sumOf(rows.map((row) => row['BilledCost']))).toBe(spent)
    expect((await checkFile(path)).violations).toEqual([])
  })

  test('an empty ledger gives a file with its columns and no rows', async () => {
    const { result, rows, path } = await exported([])
    expect(result).toMatchObject({ rows: 0, cost_usd: '0' })
    expect(rows).toEqual([])
    expect((await checkFile(path)).violations).toEqual([])
  })
})

describe('rows', () => {
  test('there is one for each SKU meter, and receipts that are alike are one', async () => {
    const lines = [
      line('in.text.fresh', 100, '2.5'),
      line('in.text.cache_read', 900, '0.25'),
      line('out.text.visible', 20, '15'),
      line('out.text.reasoning', 30, '15'),
      line('web_search.query', 2, '10000'),
    ]
    const { rows } = await exported([priced(lines), priced(lines), priced(lines)])
    expect(
      rows.map(({ SkuMeter, ConsumedQuantity, ConsumedUnit, BilledCost }) => [
        SkuMeter,
        ConsumedQuantity,
        ConsumedUnit,
        BilledCost,
      ]),
    ).toEqual([
      ['Cached Input Tokens', '2700', 'Tokens', '0.000675'],
      ['Input Tokens', '300', 'Tokens', '0.00075'],
      ['Output Tokens', '150', 'Tokens', '0.00225'],
      ['Web Search Queries', '6', 'Queries', '0.06'],
    ])
  })

  test('hours, days, payers, prices and tags are kept apart; the order of tags is not', async () => {
    const base = [line('in.text.fresh', 100, '2.5')]
    const receipts = [
      priced(base, { started_at_us: START_US }),
      priced(base, { started_at_us: START_US + HOUR_US }),
      priced(base, { started_at_us: START_US + DAY_US }),
      priced(base, { started_at_us: START_US, team: 'support' }),
      priced([line('in.text.fresh', 100, '3')], { started_at_us: START_US }),
      priced(base, { started_at_us: START_US, tags: { a: '1', b: '2' } }),
      priced(base, { started_at_us: START_US, tags: { b: '2', a: '1' } }),
    ]
    expect((await exported(receipts)).rows).toHaveLength(5)
    expect((await exported(receipts, { grain: 'hour' })).rows).toHaveLength(6)
    expect((await exported(receipts, { by: [] })).rows).toHaveLength(3)
  })

  test('what has no price is left out and counted, or is there at no cost and marked', async () => {
    const unpriced = receipt({
      price_state: 'unpriced',
      model_served: 'new',
      lines: [{ kind: 'message', model: 'new', meter: 'in.text.fresh', quantity: 1234 }],
    })
    const without = await exported([unpriced])
    expect(without.result).toMatchObject({ rows: 0, unpriced: 1 })
    const { rows, path } = await exported([unpriced], { unpriced: true })
    expect(rows).toMatchObject([
      { ConsumedQuantity: '1234', BilledCost: '0', x_Unpriced: 'true', x_CostSource: 'None' },
    ])
    expect((await checkFile(path)).violations).toEqual([])
  })

  test('a correction that brings the missing price is usage, and its tokens count once', async () => {
    const lines = [line('in.text.fresh', 1000, '2.5')]
    const original = receipt({
      receipt_id: 'late',
      price_state: 'unpriced',
      lines: lines.map(({ kind, model, meter, quantity }) => ({ kind, model, meter, quantity })),
    })
    const correction = priced(lines, { corrects: 'late' })
    const { rows } = await exported([original, correction], { unpriced: true })
    expect(rows).toMatchObject([{ ConsumedQuantity: '1000', BilledCost: '0.0025', ChargeCategory: 'Usage' }])
  })

  test('a correction of a priced receipt is money alone, in the period of the receipt it corrects', async () => {
    const lines = [line('in.text.fresh', 1000, '2.5')]
    const original = priced(lines, { receipt_id: 'wrong', started_at_us: START_US })
    const correction = priced([], {
      corrects: 'wrong',
      started_at_us: START_US + 40 * DAY_US,
      cost_usd: usd('-0.0005'),
    })
    const { rows, path } = await exported([original, correction])
    expect(rows).toMatchObject([
      { ChargeCategory: 'Usage', BilledCost: '0.0025' },
      {
        ChargeCategory: 'Adjustment',
        ChargeClass: 'Correction',
        BilledCost: '-0.0005',
        ChargePeriodStart: '2026-09-01T00:00:00Z',
        BillingPeriodStart: '2026-10-01T00:00:00Z',
      },
    ])
    expect((await checkFile(path, { official: true })).violations).toEqual([])
  })

  test('rules that say anew who pays are seen in the file', async () => {
    const ledger = await ledgerOf([priced([line('in.text.fresh', 1000, '2.5')])])
    const tags = [{ when: { team: 'search' }, set: { team: 'discovery', 'tag:centre': '4711' } }]
    const path = join(folder(), 'out.csv')
    await exportTo(path, { ...ledger, query: (question) => ledger.query({ tags, ...question }) })
    expect(csvRows(path)).toMatchObject([{ SubAccountId: 'discovery', Tags: '{"centre":"4711","team":"discovery"}' }])
    await ledger.close()
  })

  test('a tag that would break a CSV comes back as it was', async () => {
    const tags = { 'a,"b"': 'line\nbreak, and "quotes" – 😀' }
    const { rows } = await exported([priced([line('in.text.fresh', 1, '2.5')], { tags, team: '=cmd()' })])
    expect(JSON.parse(rows[0]?.['Tags'] ?? '')).toEqual({ ...tags, team: '=cmd()' })
    expect(rows[0]?.['SubAccountId']).toBe('=cmd()')
  })
})

describe('files', () => {
  test('beside the file lies its metadata, whose total is that of the file', async () => {
    const { path, rows, spent } = await exported([priced([line('in.text.fresh', 1000, '2.5')])], {
      settings: { version: '1.3' },
    })
    const metadata = JSON.parse(readFileSync(`${path}.metadata.json`, 'utf8'))
    expect(metadata).toMatchObject({
      FocusVersion: '1.3',
      DataGenerator: 'Weir',
      TimeGranularity: 'Daily',
      TimePeriodStart: expect.stringMatching(/T00:00:00Z$/),
      TimePeriodEnd: expect.stringMatching(/T00:00:00Z$/),
      Rows: rows.length,
      BilledCostTotal: spent,
    })
    expect(metadata.ColumnDefinition.map(({ ColumnName }: { ColumnName: string }) => ColumnName)).toEqual(
      Object.keys(rows[0] ?? {}),
    )
  })

  test('the period of its metadata is cut to whole hours where the grain is one', async () => {
    const minute_us = 60_000_000
    const window = { from_us: START_US + 20 * minute_us, to_us: START_US + 130 * minute_us }
    const receipts = [priced([line('in.text.fresh', 1000, '2.5')], { started_at_us: START_US + 75 * minute_us })]
    const { path, rows } = await exported(receipts, { grain: 'hour', window })
    expect(JSON.parse(readFileSync(`${path}.metadata.json`, 'utf8'))).toMatchObject({
      TimeGranularity: 'Hourly',
      TimePeriodStart: '2026-09-01T00:00:00Z',
      TimePeriodEnd: '2026-09-01T03:00:00Z',
    })
    expect(rows).toMatchObject([{ ChargePeriodStart: '2026-09-01T01:00:00Z', ChargePeriodEnd: '2026-09-01T02:00:00Z' }])
  })

  test.each(['csv', 'csv.gz', 'parquet'])('nobody but its owner can read a file as %s', async (ending) => {
    const ledger = await ledgerOf([priced([line('in.text.fresh', 1000, '2.5')])])
    const { files } = await exportTo(join(folder(), `out.${ending}`), ledger)
    expect(files.map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600])
    await ledger.close()
  })

  test('a long export leaves no listeners on its file, which the engine would warn of', async () => {
    const warnings: string[] = []
    const hear = ({ message }: Error) => void warnings.push(message)
    process.on('warning', hear)
    const sink = await openCsv(join(folder(), 'long.csv'), [{ name: 'Tags', type: 'Json' }], false)
    for (let piece = 0; piece < 30; piece++) await sink.write([{ Tags: 'x'.repeat(200_000) }])
    await sink.end()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', hear)
    expect(warnings).toEqual([])
  })

  test('a failure leaves the file that was there, and nothing beside it', async () => {
    const ledger = await ledgerOf([priced([line('in.text.fresh', 1000, '2.5')])])
    const place = folder()
    const path = join(place, 'out.parquet')
    await exportTo(path, ledger)
    const before = readFileSync(path)
    const broken: Ledger = {
      ...ledger,
      query: (question) => (question.ask === 'focus' ? Promise.reject(new Error('gone')) : ledger.query(question)),
    }
    await expect(exportTo(path, broken)).rejects.toThrow('gone')
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(place).sort()).toEqual(['out.parquet', 'out.parquet.metadata.json'])
    await ledger.close()
  })

  test('an answer that does not sum to its receipts is not written', async () => {
    const ledger = await ledgerOf([priced([line('in.text.fresh', 1000, '2.5')])])
    const path = join(folder(), 'out.csv')
    const lying: Ledger = {
      ...ledger,
      query: async (question) => {
        const answer = await ledger.query(question)
        return (question.ask === 'focus' ? { ...answer, cost_usd: '1' } : answer) as never
      },
    }
    await expect(exportTo(path, lying)).rejects.toThrow(/not exported/)
    expect(existsSync(path)).toBe(false)
    await ledger.close()
  })

  test.each([
    ['out.txt', {}, /must end in \.csv/],
    ['out.csv', { settings: { version: '1.1' } }, /no FOCUS version 1\.1/],
    ['out.csv', { settings: { money: 'float' } }, /use decimal or float-exact/],
    ['out.csv', { settings: { colour: 'red' } }, /no setting colour/],
    [
      'out.csv',
      { settings: { version: '1.2' }, splits: [{ id: 's', when: {}, shares: [] }] },
      /1\.2 has no columns for split/,
    ],
    ['out.csv', { splits: [{ id: 's', when: {}, shares: [] }] }, /split s: shares/],
    ['out.csv', { splits: [{ id: 's', when: {}, shares: [{ owner: { team: 'a' }, weight: '-1' }] }] }, /weight -1/],
  ])('%s with %j is refused', async (name, more, message) => {
    await withLedger([], (ledger) => expect(exportTo(join(folder(), name), ledger, more)).rejects.toThrow(message))
  })

  test('a long window is asked in few pieces that meet at midnight and lose nothing', () => {
    fc.assert(
      fc.property(fc.nat(3e9), fc.nat(3e9), fc.integer({ min: 1, max: 60 }), (start, length, most) => {
        const window = { from_us: start * 1e6, to_us: (start + length) * 1e6 }
        const pieces = piecesOf(window, most)
        expect(pieces.length).toBeLessThanOrEqual(most)
        let at = window.from_us
        for (const { from_us, to_us } of pieces) {
          expect(from_us).toBe(at)
          expect(to_us).toBeGreaterThan(from_us)
          if (to_us !== window.to_us) expect(to_us % DAY_US).toBe(0)
          at = to_us
        }
        expect(at).toBe(window.to_us)
      }),
      { seed: 20261123 },
    )
  })

  test('pieces sum to the whole', async () => {
    const many = Array.from({ length: 21_000 }, (_, at) =>
      priced([line('in.text.fresh', at, '2.5')], { started_at_us: START_US + at * 60_000_000 }),
    )
    const shares: number[] = []
    const { rows, spent } = await withLedger(many, async (ledger) => {
      const path = join(folder(), 'out.csv')
      await exportTo(path, ledger, {}, (share) => shares.push(share))
      return { rows: csvRows(path), spent: await spentIn(ledger) }
    })
    expect(shares).toEqual([0.5, 1])
    expect(rows).toHaveLength(Math.ceil(21_000 / 1440))
    expect(sumOf(rows.map((row) => row['BilledCost']))).toBe(spent)
  }, 60_000)
})

const sessions = '../shared/data/agent-sessions.jsonl.gz'

describe.runIf(existsSync(sessions))('the agent sessions (absent data skips these)', () => {
  let ledger: Ledger
  let whole: PriceBook

  beforeAll(async () => {
    whole = compileBook(await loadBook())
    const data = folder()
    ledger = await open({ path: join(data, 'ledger.duckdb') })
    await bringIn({
      importer: agentTrace,
      path: sessions,
      options: {
        payer: { team: 'research' },
        columns: {},
        epoch_us: Date.UTC(2026, 9, 20) * 1000,
        now_us: 0,
        book: whole,
        meter: meterBody,
      },
      ledger,
      data,
      progress: () => {},
    })
  }, 120_000)
  afterAll(() => ledger.close())

  const combinations = versions.flatMap((version) =>
    (['decimal', 'float-exact'] as const).flatMap((money) =>
      ['csv', 'csv.gz', 'parquet'].flatMap((ending) =>
        (['hour', 'day'] as const).map((grain) => ({ version, money, ending, grain })),
      ),
    ),
  )

  test.each(combinations)(
    'break no rule as FOCUS $version, $money, .$ending, by the $grain',
    async ({ version, money, ending, grain }) => {
      const path = join(folder(), `out.${ending}`)
      const result = await exportTo(path, ledger, { grain, book: whole, settings: { version, money } })
      expect(result.cost_usd).toBe(await spentIn(ledger))
      expect(result.rows).toBeGreaterThan(grain === 'hour' ? 100 : 30)
      const supports = [
        'tagging',
        'unit-pricing',
        'usage-measurement',
        'public-price-list',
        'negotiated-pricing',
        'sub-account',
        'region',
        'multiple-pricing-categories',
      ] as const
      const checked = await checkFile(path, { version, supports, official: money === 'float-exact' })
      expect(checked.rows).toBe(result.rows)
      expect(checked.violations).toEqual([])
    },
    60_000,
  )

  describe('survive the traps of the official validator', () => {
    const from = async (ending: string, money: string) => {
      const path = join(folder(), `out.${ending}`)
      await exportTo(path, ledger, { grain: 'hour', book: whole, settings: { version: '1.2', money } })
      return path
    }
    /** As its loader reads: numbers are DOUBLE. */
    const products = `SELECT count_if((ListUnitPrice * PricingQuantity) <> ListCost) AS list, count_if((ContractedUnitPrice * PricingQuantity) <> ContractedCost) AS contracted`

    test('1: price × quantity is the cost, as floats multiply', async () => {
      const path = await from('csv', 'float-exact')
      const text = `read_csv('${path}', types = {'ListUnitPrice': 'DOUBLE', 'PricingQuantity': 'DOUBLE', 'ListCost': 'DOUBLE', 'ContractedUnitPrice': 'DOUBLE', 'ContractedCost': 'DOUBLE'})`
      expect(await ask(`${products} FROM ${text}`)).toEqual([{ list: '0', contracted: '0' }])
    })

    test('1: which exact decimals do not survive, so the mode is needed', async () => {
      const path = await from('csv', 'decimal')
      const text = `read_csv('${path}', types = {'ListUnitPrice': 'DOUBLE', 'PricingQuantity': 'DOUBLE', 'ListCost': 'DOUBLE', 'ContractedUnitPrice': 'DOUBLE', 'ContractedCost': 'DOUBLE'})`
      const [found] = await ask(`${products} FROM ${text}`)
      expect(Number(found?.['list'])).toBeGreaterThan(0)
    })

    test('2: decimals in Parquet are DOUBLE, and the exact cost stands beside', async () => {
      const path = await from('parquet', 'float-exact')
      const [types] = await ask(
        `SELECT typeof(BilledCost) AS cost, typeof(ListUnitPrice) AS price, sum(CAST(x_BilledCostExact AS DECIMAL(38, 12))) AS exact FROM '${path}' GROUP BY ALL`,
      )
      expect(types).toMatchObject({ cost: 'DOUBLE', price: 'DOUBLE' })
      const rows = await ask(`SELECT x_BilledCostExact AS exact FROM '${path}'`)
      expect(sumOf(rows.map((row) => String(row['exact'])))).toBe(await spentIn(ledger))
      expect(await ask(`${products} FROM '${path}'`)).toEqual([{ list: '0', contracted: '0' }])
    })

    test.each(['decimal', 'float-exact'])('3, 5, 6: units, numbers and dates have its forms (%s)', async (money) => {
      const units =
        /^[A-Za-z][A-Za-z0-9 ]*$|^[A-Za-z][A-Za-z0-9 ]*-(Months|Days|Hours|Minutes|Seconds)$|^[0-9]+ [A-Za-z][A-Za-z0-9 ]*$/
      const numbers = /^[+-]?([0-9]*[.])?[0-9]+([eE][+-]?[0-9]+)?$/
      const dates = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
      for (const row of csvRows(await from('csv', money))) {
        for (const name of ['PricingUnit', 'ConsumedUnit']) expect(row[name]).toMatch(units)
        for (const name of [
          'BilledCost',
          'EffectiveCost',
          'ListCost',
          'ContractedCost',
          'ListUnitPrice',
          'PricingQuantity',
          'ConsumedQuantity',
        ])
          expect(row[name]).toMatch(numbers)
        for (const name of ['BillingPeriodStart', 'BillingPeriodEnd', 'ChargePeriodStart', 'ChargePeriodEnd'])
          expect(row[name]).toMatch(dates)
      }
    })

    test('4: no Correction lacks a ConsumedQuantity that its inverted rule would ask for', async () => {
      const rows = csvRows(await from('csv', 'decimal'))
      expect(rows.filter((row) => row['ChargeCategory'] === 'Usage' && row['ConsumedQuantity'] === '')).toEqual([])
    })

    test('7: no date is null, so no date column is dropped', async () => {
      const path = await from('parquet', 'float-exact')
      expect(
        await ask(
          `SELECT count(*) AS n FROM '${path}' WHERE BillingPeriodStart IS NULL OR BillingPeriodEnd IS NULL OR ChargePeriodStart IS NULL OR ChargePeriodEnd IS NULL`,
        ),
      ).toEqual([{ n: '0' }])
    })
  })
})
