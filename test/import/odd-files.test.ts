/** Files of calls as other tools write them: marks, short rows, names that say nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { meterBody } from '../../src/cli/import/meter.ts'
import type { Imported, ImportOptions } from '../../src/core/importer.ts'
import type { PriceRow } from '../../src/core/price.ts'
import { importer } from '../../src/importers/calls.ts'
import { compileBook } from '../../src/playbook/price/book.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-odd-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const row: PriceRow = {
  id: 'openai/gpt-4o',
  layer: 'weir',
  provider: 'openai',
  models: ['gpt-4o'],
  rates: { 'in.text.fresh': '2.5', 'out.text.visible': '10' },
  source: 'test',
  checked_at: '2026-11-23',
}

const batch: PriceRow = {
  ...row,
  id: 'openai/gpt-4o#batch',
  batch: true,
  rates: { 'in.text.fresh': '1.25', 'out.text.visible': '5' },
}

const options: ImportOptions = {
  payer: {},
  columns: {},
  epoch_us: 0,
  now_us: Date.UTC(2026, 10, 29) * 1000,
  book: compileBook({ rows: [row, batch], version: 'test' }),
  meter: meterBody,
}

const rowsOf = async (name: string, content: string | Buffer) => {
  const path = join(folder, name)
  writeFileSync(path, content)
  const found: Imported[] = []
  for await (const row of importer.read(path, options, () => {})) found.push(row)
  return found
}

const receiptsOf = async (rows: readonly object[]) => {
  const found = await rowsOf('rows.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'))
  return found.flatMap((row) => ('receipt' in row ? [row.receipt] : []))
}

const read = async (name: string, content: string | Buffer) => {
  const found = await rowsOf(name, content)
  return { calls: found.filter((row) => 'receipt' in row).length, bad: found.filter((row) => 'bad' in row) }
}

const call = { started_at: '2026-11-03', provider: 'openai', model: 'gpt-4o', input_tokens: 10, output_tokens: 5 }
const line = `${JSON.stringify(call)}\n`
const head = Object.keys(call).join(',')
const values = Object.values(call).join(',')

test('a mark of the byte order before the first line costs no row', async () => {
  expect(await read('marked.jsonl', `\uFEFF${line}`)).toEqual({ calls: 1, bad: [] })
  expect(await read('marked.csv', `\uFEFF${head}\r\n${values}\r\n`)).toEqual({ calls: 1, bad: [] })
})

test('a row that is cut short is a bad row, also the first, and never a call of fewer tokens', async () => {
  expect(await read('short.csv', `${head}\n2026-11-03,openai,gpt-4o\n${values}\n2026-11-03,openai,gpt-4o,1\n`)).toEqual(
    {
      calls: 1,
      bad: [
        { bad: 'the row has 3 of 5 columns', line: 2 },
        { bad: 'the row has 4 of 5 columns', line: 4 },
      ],
    },
  )
  expect(await read('cached.csv', `${head},cache_read_tokens\n${values}\n`)).toEqual({
    calls: 0,
    bad: [{ bad: 'the row has 5 of 6 columns', line: 2 }],
  })
  // A name that comes twice is no row that is short.
  expect(await read('twice.csv', `note,note,${head}\nx,y,${values}\n`)).toEqual({ calls: 1, bad: [] })
  // What nobody reads may be left out at the end.
  expect(await read('long.csv', `${head},note\n${values}\n`)).toEqual({ calls: 1, bad: [] })
})

test('lines of JSON are known by what they begin with, and one value of JSON is refused with what to do', async () => {
  expect(await read('calls.log', `\n${line}${line}`)).toEqual({ calls: 2, bad: [] })
  for (const [name, text] of [
    ['list.json', JSON.stringify([call])],
    ['list.jsonl', JSON.stringify([call], null, 2)],
  ] as const)
    await expect(read(name, text)).rejects.toThrow(/list\.jsonl?: .*write a call a line/)
})

test('a file that is packed is read as that, whatever its name says', async () => {
  const packed = gzipSync(`${head}\n${values}\n`)
  expect(await read('packed.csv', packed)).toEqual({ calls: 1, bad: [] })
  expect(await read('plain.csv.gz', `${head}\n${values}\n`)).toEqual({ calls: 1, bad: [] })
})

test('a column that counts and comes twice is refused: nobody can tell which is meant', async () => {
  await expect(read('both.csv', `${head},input_tokens\n${values},999\n`)).rejects.toThrow(
    /both\.csv: the column input_tokens comes twice/,
  )
})

test('a number that is a day or a spreadsheet’s is no second of 1970', async () => {
  for (const started_at of [20261101, 45962.5, 0, '1969-12-31'])
    expect(await read('early.jsonl', JSON.stringify({ ...call, started_at }))).toEqual({
      calls: 0,
      bad: [{ bad: `started_at is not a time: ${JSON.stringify(started_at)}`, line: 1 }],
    })
})

test('a text is as long as on any receipt, and has no control characters', async () => {
  const [receipt] = await receiptsOf([{ ...call, team: `a\u001fb${'x'.repeat(5_000_000)}`, user: '\u0000' }])
  expect(receipt?.team).toBe(`ab${'x'.repeat(253)}`)
  expect(receipt).not.toHaveProperty('user')
})

test('a call is priced as it was served, and costs what its log says where nobody else knows', async () => {
  const receipts = await receiptsOf([
    { ...call, service_tier: 'batch', stated_cost_usd: 0.5 },
    { ...call, service_tier: 'default', stated_cost_usd: '' },
    { ...call, model: 'ours', stated_cost_usd: '0.0000125' },
    { ...call, model: 'ours' },
  ])
  expect(receipts.map((one) => [one.service_tier, one.price_state, one.cost_usd, one.stated_cost_usd])).toEqual([
    ['batch', 'priced', '0.0000375', '0.5'],
    [undefined, 'priced', '0.000075', undefined],
    [undefined, 'stated', '0.0000125', '0.0000125'],
    [undefined, 'unpriced', undefined, undefined],
  ])
  for (const [field, value] of [
    ['service_tier', 'premium'],
    ['stated_cost_usd', '$0.50'],
  ] as const)
    expect(await read('charge.jsonl', JSON.stringify({ ...call, [field]: value }))).toEqual({
      calls: 0,
      bad: [{ bad: expect.stringMatching(`^${field} .*${value.replace('$', '.')}`), line: 1 }],
    })
})

test('calls that no provider answered are billed by none, whatever tokens they name', async () => {
  const outcomes = ['ok', 'error', 'cached', 'refused', 'deferred']
  const receipts = await receiptsOf(outcomes.map((outcome) => ({ ...call, outcome })))
  expect(
    receipts.map(({ outcome, attempt, cost_usd, counterfactual_cost_usd, input_tokens, price_state }) => [
      outcome,
      attempt,
      cost_usd,
      counterfactual_cost_usd,
      input_tokens,
      price_state,
    ]),
  ).toEqual([
    ['ok', 1, '0.000075', '0.000075', 10, 'priced'],
    ['error', 1, '0.000075', '0.000075', 10, 'priced'],
    ['cached', 0, undefined, '0.000075', undefined, 'none'],
    ['refused', 0, undefined, undefined, undefined, 'none'],
    ['deferred', 0, undefined, undefined, undefined, 'none'],
  ])
})
