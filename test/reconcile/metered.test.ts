import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Ledger, MeteredRow } from '../../src/core/ledger.ts'
import { formatUsd, parseUsd, picodollars } from '../../src/core/money.ts'
import type { Receipt, ReceiptLine } from '../../src/core/receipt.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { DAY_US, receipt, START_US, usd, writeSegment } from '../ledger/receipts.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-metered-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

let made = 0
const ledgerOf = async (receipts: readonly Receipt[]): Promise<Ledger> => {
  made += 1
  const path = join(folder, `segment-${made}.ndjson`)
  writeSegment(path, receipts)
  const ledger = await open({ path: join(folder, `ledger-${made}.duckdb`) })
  await ledger.append({ name: `segment-${made}`, path })
  return ledger
}

const window = { from_us: START_US, to_us: START_US + 3 * DAY_US }
const ask = async (ledger: Ledger, owner?: 'team') => {
  const answer = await ledger.query({
    ask: 'metered',
    window,
    providers: ['openai'],
    ...(owner === undefined ? {} : { owner }),
  })
  await ledger.close()
  return answer
}

const line = (meter: ReceiptLine['meter'], quantity: number, cost?: string, model = 'gpt-5.6'): ReceiptLine => ({
  kind: 'message',
  model,
  meter,
  quantity,
  ...(cost === undefined ? {} : { cost_usd: usd(cost) }),
})

const shown = (row: MeteredRow) =>
  [row.day, row.owner ?? '-', row.model ?? '-', row.meter ?? '-', row.quantity, row.cost_usd, row.attempts].join(' ')

test('receipts are summed by day, owner, model and meter; other providers and other times are left out', async () => {
  const lines = [line('in.text.fresh', 100, '0.1'), line('out.text.visible', 7, '0.000000000001')]
  const whole = { lines, cost_usd: usd('0.100000000001') }
  const ledger = await ledgerOf([
    receipt({ ...whole, started_at_us: START_US, team: 'search' }),
    receipt({ ...whole, started_at_us: START_US + 1, team: 'search' }),
    receipt({ ...whole, started_at_us: START_US + 2, team: 'labs' }),
    receipt({ ...whole, started_at_us: START_US + DAY_US, team: 'search' }),
    receipt({ ...whole, started_at_us: START_US, provider: 'anthropic' }),
    receipt({ ...whole, started_at_us: START_US - 1 }),
  ])
  const { rows, cost_usd } = await ask(ledger, 'team')
  expect(rows.map(shown).sort()).toEqual([
    '2026-09-01 labs gpt-5.6 - 0 0 1',
    '2026-09-01 labs gpt-5.6 in.text.fresh 100 0.1 0',
    '2026-09-01 labs gpt-5.6 out.text.visible 7 0.000000000001 0',
    '2026-09-01 search gpt-5.6 - 0 0 2',
    '2026-09-01 search gpt-5.6 in.text.fresh 200 0.2 0',
    '2026-09-01 search gpt-5.6 out.text.visible 14 0.000000000002 0',
    '2026-09-02 search gpt-5.6 - 0 0 1',
    '2026-09-02 search gpt-5.6 in.text.fresh 100 0.1 0',
    '2026-09-02 search gpt-5.6 out.text.visible 7 0.000000000001 0',
  ])
  expect(cost_usd).toBe('0.400000000004')
})

test('what no line explains stays on the row without a meter, and what is uncertain says so', async () => {
  const ledger = await ledgerOf([
    receipt({ lines: [line('in.text.fresh', 5)], price_state: 'stated', cost_usd: usd('2') }),
    receipt({ lines: [line('in.text.fresh', 7), line('request', 1, '0.5')], price_state: 'unpriced' }),
    receipt({ outcome: 'unknown', usage_source: 'none', cost_usd: usd('9') }),
    receipt({ corrects: 'receipt-of-old', cost_usd: usd('-1') }),
    receipt({ outcome: 'error', usage_source: 'none', price_state: 'none' }),
    receipt({
      lines: [line('out.text.visible', 3, '0.3')],
      cost_usd: usd('0.3'),
      outcome: 'client-gone',
      usage_source: 'estimated',
      ended_at_us: START_US + DAY_US,
    }),
  ])
  const { rows, cost_usd } = await ask(ledger)
  const of = (given: Partial<MeteredRow>) =>
    rows.filter((row) => Object.entries(given).every(([name, value]) => row[name as keyof MeteredRow] === value))
  expect(of({ price_state: 'stated', meter: null })).toMatchObject([{ cost_usd: '2', attempts: 1 }])
  expect(of({ price_state: 'stated', meter: 'in.text.fresh' })).toMatchObject([{ priced: false, cost_usd: '0' }])
  // A receipt without a cost has no cost of lines either.
  expect(of({ price_state: 'unpriced', meter: 'request' })).toMatchObject([{ priced: false, cost_usd: '0' }])
  expect(of({ aborted: true, estimated: true, meter: null, cost_usd: '9' })).toMatchObject([{ attempts: 1 }])
  expect(of({ over_midnight: true, meter: 'out.text.visible' })).toMatchObject([{ aborted: true, estimated: true }])
  expect(rows.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(4)
  expect(cost_usd).toBe('10.3')
})

test('the rows sum to the receipts, to the picodollar', async () => {
  const money = fc.bigInt(0n, 10n ** 15n).map((amount) => formatUsd(picodollars(amount)))
  const any = fc.record({
    day: fc.nat(2),
    costs: fc.array(fc.option(money), { maxLength: 4 }),
    cost: fc.option(money),
    model: fc.constantFrom('a', 'b'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(any, { minLength: 1, maxLength: 20 }), async (drafts) => {
      const receipts = drafts.map(({ day, costs, cost, model }) =>
        receipt({
          started_at_us: START_US + day * DAY_US,
          ...(cost === null ? {} : { cost_usd: cost }),
          lines: costs.map((one) => line('in.text.fresh', 1, one ?? undefined, model)),
        }),
      )
      const { rows, cost_usd } = await ask(await ledgerOf(receipts))
      const sum = (all: readonly (string | undefined)[]) =>
        formatUsd(picodollars(all.reduce((total, one) => total + parseUsd(one ?? '0'), 0n)))
      expect(cost_usd).toBe(sum(receipts.map((one) => one.cost_usd)))
      expect(sum(rows.map((row) => row.cost_usd))).toBe(cost_usd)
    }),
    { numRuns: 15, seed: 20261123 },
  )
})

test('a meter counted in fractions keeps them', async () => {
  const ledger = await ledgerOf([receipt({ lines: [line('audio_in.second', 1.25, '0.1')], cost_usd: usd('0.1') })])
  const { rows } = await ask(ledger)
  expect(rows.find(({ meter }) => meter !== null)?.quantity).toBe('1.25')
})
