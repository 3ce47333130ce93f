import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Usd } from '../../src/core/money.ts'
import { append, receipt } from '../allocate-cli/more.ts'
import { ledgerFolder } from '../cli/fixture.ts'
import { weir, weirProcess } from '../cli/run.ts'
import { fileOf, rows } from './broken.ts'
import { csvRows, folder, type Line, sumOf } from './given.ts'

let fixture: Awaited<ReturnType<typeof ledgerFolder>>
beforeAll(async () => {
  fixture = await ledgerFolder()
})
afterAll(() => fixture.clear())

const focus = (...words: readonly string[]) => weir(['focus', ...words])
const exported = (file: string, ...words: readonly string[]) =>
  focus('export', file, '--data', fixture.data, '--since', '2026-11', '--until', '2026-12', ...words)

describe('weir focus export', () => {
  test('writes a file, says what it holds, and the file breaks no rule', async () => {
    const file = join(folder(), 'november.csv')
    const { code, out, err } = await exported(file)
    expect(code).toBe(0)
    expect(out).toBe(
      `${csvRows(file).length} rows of FOCUS 1.4, $${sumOf(csvRows(file).map((row) => row['BilledCost']))} in all\n  ${file}\n  ${file}.metadata.json\n`,
    )
    expect(err).toContain('1 call without a price is no part of that sum')
    expect(err).toContain('or export them at no cost with --unpriced')
    expect((await exported(file, '--unpriced')).err).toContain('; until then their rows are at no cost')
    await exported(file)
    expect(await focus('check', file)).toMatchObject({ code: 0 })
  })

  test('sums to what weir report says of the same window', async () => {
    const file = join(folder(), 'november.csv')
    await exported(file)
    const report = await weir(['report', '--data', fixture.data, '--since', '2026-11', '--until', '2026-12', '--json'])
    expect(sumOf(csvRows(file).map((row) => row['BilledCost']))).toBe(JSON.parse(report.out).total.cost_usd)
  })

  test('goes to standard output as CSV alone, with what it says on the other stream', async () => {
    const { out, err } = await weirProcess([
      'focus',
      'export',
      '-',
      '--data',
      fixture.data,
      '--since',
      'all',
      '--version',
      '1.2',
    ])
    const [head = '', ...lines] = out.trimEnd().split('\n')
    expect(head).toContain('ProviderName')
    expect(lines.length).toBeGreaterThan(5)
    expect(err).toContain(`${lines.length} rows of FOCUS 1.2`)
  })

  test('takes filters, payer fields and a grain', async () => {
    const teams = async (...words: readonly string[]) => {
      const file = join(folder(), 'out.csv')
      expect(await exported(file, ...words)).toMatchObject({ code: 0 })
      return csvRows(file)
    }
    const search = await teams('--where', 'team=search')
    expect(new Set(search.map((row) => row['SubAccountId']))).toEqual(new Set(['search']))
    expect((await teams('--by', 'team')).every((row) => !row['Tags']?.includes('customer'))).toBe(true)
    expect(JSON.stringify(await teams())).not.toContain('u-17')
    expect(JSON.stringify(await teams('--by', 'team,user'))).toContain('u-17')
    expect((await teams('--grain', 'hour'))[0]?.['ChargePeriodEnd']).toMatch(/T\d\d:00:00Z$/)
  })

  test('splits shared costs as the splits in force, or those of a file, say; statements say the same', async () => {
    const place = folder()
    const rules = join(place, 'splits.yaml')
    writeFileSync(
      rules,
      '- { from: labs, by: percent, percent: { search: 75, billing: 25 } }\n- { from: unallocated, by: spend }\n',
    )
    const cost = (path: string, wanted: (row: Line) => boolean = () => true) =>
      sumOf(
        csvRows(path)
          .filter(wanted)
          .map((row) => row['BilledCost']),
      )
    const [file, whole] = [join(place, 'split.csv'), join(place, 'whole.csv')]
    expect(await exported(file, '--split', rules)).toMatchObject({ code: 0 })
    expect(await exported(whole, '--unsplit')).toMatchObject({ code: 0 })
    expect(cost(file)).toBe(cost(whole))
    expect(await focus('check', file)).toMatchObject({ code: 0 })
    const labs = cost(whole, (row) => row['SubAccountId'] === 'labs')
    const borne = cost(file, (row) => row['AllocatedResourceId'] === 'team:search' && row['SubAccountId'] === 'labs')
    expect(Number(borne)).toBeCloseTo(Number(labs) * 0.75, 9)
    expect(csvRows(file).filter((row) => row['SubAccountId'] === '' && row['AllocatedMethodId'] === '')).toEqual([])

    const { data, clear } = await ledgerFolder()
    expect(await weir(['splits', 'set', rules, '--data', data])).toMatchObject({ code: 0 })
    const inForce = join(place, 'in-force.csv')
    const words = ['--data', data, '--since', '2026-11', '--until', '2026-12'] as const
    expect(await focus('export', inForce, ...words)).toMatchObject({ code: 0 })
    const methods = new Set(csvRows(inForce).map((row) => row['AllocatedMethodId']))
    expect(methods).toEqual(new Set(['', 'splits-v1:labs', 'splits-v1:unallocated']))
    expect(cost(inForce)).toBe(cost(whole))
    expect((await focus('export', join(place, 'old.csv'), ...words, '--version', '1.2')).code).toBe(0)
    clear()
  })

  test('splits the shared costs of each month as its own statements do, however many months a file has', async () => {
    const data = join(folder(), 'data')
    const spent = (team: string, at: string, usd: string) =>
      receipt(`${team} ${at}`, `${at}T12:00:00Z`, { team, cost_usd: usd as Usd })
    mkdirSync(data)
    await append(data, 'two-months', [
      ...[spent('search', '2026-09-10', '1'), spent('billing', '2026-09-10', '3'), spent('labs', '2026-09-30', '8')],
      ...[spent('search', '2026-10-10', '3'), spent('billing', '2026-10-10', '1'), spent('labs', '2026-10-01', '4')],
    ])
    const rules = join(folder(), 'splits.yaml')
    writeFileSync(rules, '- { from: labs, by: spend }\n')
    expect(await weir(['splits', 'set', rules, '--data', data])).toMatchObject({ code: 0 })
    const borne = async (since: string, until: string) => {
      const file = join(folder(), 'borne.csv')
      expect(await focus('export', file, '--data', data, '--since', since, '--until', until)).toMatchObject({ code: 0 })
      const parts = csvRows(file).filter((row) => row['AllocatedResourceId'] !== '')
      return parts.map((row) => [row['ChargePeriodStart']?.slice(0, 7), row['AllocatedResourceId'], row['BilledCost']])
    }
    const [september, october] = [await borne('2026-09', '2026-10'), await borne('2026-10', '2026-11')]
    const parts = (month: string, billing: string, search: string) => [
      [month, 'team:billing', billing],
      [month, 'team:search', search],
    ]
    expect(september.toSorted()).toEqual(parts('2026-09', '6', '2'))
    expect(october.toSorted()).toEqual(parts('2026-10', '1', '3'))
    expect(await borne('2026-09', '2026-11')).toEqual([...september, ...october])
  })

  test('leaves out what came from a FOCUS file, unless it is asked for', async () => {
    const data = join(folder(), 'data')
    expect(await weir(['import', 'focus', fileOf([rows.plain]), '--data', data])).toMatchObject({ code: 0 })
    const [without, with_] = [join(folder(), 'a.csv'), join(folder(), 'b.csv')]
    expect(await focus('export', without, '--data', data, '--since', 'all')).toMatchObject({ code: 0 })
    expect(await focus('export', with_, '--data', data, '--since', 'all', '--imported')).toMatchObject({ code: 0 })
    expect([csvRows(without).length, csvRows(with_).length]).toEqual([0, 1])
  })

  test.each([
    [['out.txt'], /must end in \.csv, \.csv\.gz or \.parquet/],
    [['out.csv', '--version', '1.0'], /no FOCUS version 1\.0/],
    [['out.csv', '--grain', 'month'], /--grain: expected one of hour, day/],
    [['nowhere/out.csv'], /nowhere\/out\.csv: there is no such file or folder \(ENOENT\)/],
    [['out.csv', '--by', 'boss'], /--by boss: use some of/],
    [['out.csv', '--split', '/nowhere.yaml'], /cannot read \/nowhere\.yaml/],
    [['out.csv', '--colour'], /no flag --colour/],
  ])('%j is refused with what is allowed, and writes nothing', async (words, message) => {
    const { code, err } = await exported(...(words as [string]))
    expect(code).toBe(2)
    expect(err).toMatch(message)
    expect(existsSync('out.csv')).toBe(false)
  })

  test('a file of splits that is wrong is told by its field', async () => {
    const rules = join(folder(), 'splits.yaml')
    writeFileSync(rules, '- { from: labs, by: magic }\n')
    expect((await exported('out.csv', '--split', rules)).err).toMatch(/splits\[0\]\.by: "magic"/)
    writeFileSync(rules, '{ dimension: model, splits: [{ from: gpt-5.5, by: even }] }\n')
    expect((await exported('out.csv', '--split', rules)).err).toMatch(/models, which are no payers/)
  })
})

describe('weir focus check', () => {
  test('says of a right file that it breaks no rule, and ends with 0', async () => {
    const { code, out } = await focus('check', fileOf([rows.plain]))
    expect(code).toBe(0)
    expect(out).toMatch(/FOCUS 1\.4 \(by its columns\), 1 row, 65 columns, \d+ rules tried\n\nIt breaks no rule\.\n$/)
  })

  test('says of a broken file which rule, column and rows, and ends with 1', async () => {
    const { code, out } = await focus(
      'check',
      fileOf([rows.plain, { ...rows.plain, ListCost: '7', PricingUnit: '1M Tokens' }]),
    )
    process.exitCode = 0
    expect(code).toBe(1)
    expect(out.slice(out.indexOf('\n\n') + 2)).toBe(
      [
        'must    ListCost.product  1 row',
        '        ListCost must be ListUnitPrice × PricingQuantity, unless ChargeClass is Correction',
        '        row 2: ListUnitPrice = 2.5, PricingQuantity = 8.4, ListCost = 7, ChargeCategory = Usage',
        '',
        'should  PricingUnit.format  1 row',
        '        PricingUnit should be a unit of FOCUS, e.g. Tokens, 1000000 Tokens, GB-Hours',
        '        row 2: PricingUnit = 1M Tokens',
        '',
        'It breaks 1 rule, and misses 1 recommendation.',
        '',
      ].join('\n'),
    )
  })

  test('recommendations alone end with 0, and with 1 when it is strict', async () => {
    const file = fileOf([{ ...rows.plain, PricingUnit: '1M Tokens' }])
    expect((await focus('check', file)).code).toBe(0)
    expect((await focus('check', file, '--strict')).code).toBe(1)
    process.exitCode = 0
  })

  test('answers in JSON for a script', async () => {
    const { out } = await focus('check', fileOf([{ ...rows.plain, BilledCost: 'x' }]), '--json', '--version', '1.3')
    process.exitCode = 0
    expect(JSON.parse(out)).toMatchObject({
      version: '1.3',
      detected: false,
      rows: 1,
      violations: expect.arrayContaining([
        {
          rule: 'BilledCost.type',
          column: 'BilledCost',
          level: 'must',
          says: 'BilledCost must be a decimal',
          rows: 1,
          first: [{ row: 1, values: { BilledCost: 'x' } }],
        },
      ]),
    })
  })

  test('a value cannot steer the terminal', async () => {
    const { out } = await focus('check', fileOf([{ ...rows.plain, BillingCurrency: '\u001b[31mUSD\u0007' }]))
    process.exitCode = 0
    expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    expect(out).toContain('BillingCurrency = ')
  })

  test.each([
    [['/nowhere.csv'], /\/nowhere\.csv cannot be read as a FOCUS file/],
    [[fileOf([rows.plain]), '--version', '2'], /no FOCUS version 2/],
    [[fileOf([rows.plain]), '--supports', 'magic'], /--supports magic: use all, or some of/],
  ])('%j is wrong use', async (words, message) => {
    const { code, err } = await focus('check', ...words)
    expect(code).toBe(2)
    expect(err).toMatch(message)
  })
})

test('the metadata beside an export says what was written', async () => {
  const file = join(folder(), 'out.parquet')
  const { out } = await exported(
    file,
    '--json',
    '--version',
    '1.3',
    '--float-exact',
    '--account',
    'org-1',
    '--account-name',
    'Acme',
  )
  const metadata = JSON.parse(readFileSync(`${file}.metadata.json`, 'utf8'))
  const said = JSON.parse(out)
  expect(said).toMatchObject({ version: '1.3', files: [file, `${file}.metadata.json`], unpriced: 1 })
  expect(metadata).toMatchObject({
    FocusVersion: '1.3',
    Rows: said.rows,
    BilledCostTotal: said.cost_usd,
    File: 'out.parquet',
  })
  expect(await focus('check', file, '--official')).toMatchObject({ code: 0 })
})
