import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Checked, type CheckFileOptions, checkFile } from '../../src/exporters/focus/check.ts'
import { columnsOf, type Version, versions } from '../../src/playbook/allocate/focus/columns.ts'
import { rules } from '../../src/playbook/allocate/focus/rules.ts'
import { breakages, type Cells, fileOf, rows } from './broken.ts'
import { ask, folder } from './given.ts'

const right: readonly Cells[] = Object.values(rows)
const found = (checked: Checked) => checked.violations.map(({ rule }) => rule)
const check = (all: readonly Cells[], version: Version = '1.4', options: CheckFileOptions = {}) =>
  checkFile(fileOf(all, version), { version, ...options })

describe('a right file', () => {
  test.each(versions)('of version %s with every column breaks no rule, also when all is supported', async (version) => {
    const checked = await check(right, version, {
      supports: ['tagging', 'split-cost', 'contract-commitment', 'pricing-currency'],
    })
    expect(checked.violations).toEqual([])
    expect(checked).toMatchObject({ rows: right.length, columns: columnsOf(version).size, version })
  })

  test.each(versions)('of version %s says so itself', async (version) => {
    expect(await checkFile(fileOf(right, version))).toMatchObject({ version, detected: true, violations: [] })
  })

  test('is right packed, with quoted line breaks, and with a byte order mark', async () => {
    const path = join(folder(), 'bill.csv.gz')
    const text = readFileSync(fileOf([{ ...rows.plain, ChargeDescription: 'one\ntwo, "three"' }, ...right]), 'utf8')
    writeFileSync(path, gzipSync(`\uFEFF${text}`))
    expect(await checkFile(path)).toMatchObject({ rows: right.length + 1, violations: [] })
  })

  test('is right in Parquet, with real types', async () => {
    const path = join(folder(), 'bill.parquet')
    const text = fileOf(right)
    await ask(`COPY (SELECT * REPLACE (
      CAST(BilledCost AS DECIMAL(20, 4)) AS BilledCost, CAST(ListCost AS DOUBLE) AS ListCost, CAST(PricingQuantity AS DOUBLE) AS PricingQuantity,
      CAST(ConsumedQuantity AS BIGINT) AS ConsumedQuantity, CAST(ChargePeriodStart AS TIMESTAMPTZ) AS ChargePeriodStart,
      CAST(BillingPeriodEnd AS TIMESTAMP) AS BillingPeriodEnd, CAST(CAST(Tags AS JSON) AS MAP(VARCHAR, VARCHAR)) AS Tags
    ) FROM read_csv('${text}', all_varchar = true, header = true)) TO '${path}' (FORMAT parquet)`)
    const { violations } = await checkFile(path)
    // The other costs are still text, which Parquet has no need of.
    expect(new Set(violations.map(({ rule }) => rule.replace(/^.*\./, '')))).toEqual(new Set(['type']))
    expect(violations.map(({ column }) => column)).not.toContain('BilledCost')
    expect(violations.map(({ column }) => column)).not.toContain('Tags')
    expect(violations.map(({ column }) => column)).toContain('EffectiveCost')
  })
})

describe('a broken row is caught by the right rule, and by no other', () => {
  /** All broken rows in one file, each among right ones, and each with a SKU price of its own where that is not what is broken. */
  let caught: ReadonlyMap<number, readonly Readonly<{ rule: string; values: Cells }>[]>

  beforeAll(async () => {
    const broken = breakages.flatMap(([, kind, cells]): Cells[] => [{ ...rows[kind], ...cells }, rows.usage])
    const { violations } = await check(broken, '1.4', { examples: 10_000 })
    const byRow = new Map<number, { rule: string; values: Cells }[]>()
    for (const { rule, rows: counted, first } of violations) {
      expect(first).toHaveLength(counted ?? 0)
      for (const { row, values } of first) byRow.set(row, [...(byRow.get(row) ?? []), { rule, values }])
    }
    caught = byRow
  }, 60_000)

  /** Rules about several rows name all of them, right ones too. */
  const shared = ['SkuPriceId.one-sku', 'SkuPriceDetails.same']

  const cases = breakages.map(([rule, kind, cells, also = []], at) => ({ rule, kind, cells, also, at }))

  test.each(cases)('$rule: $kind with $cells', ({ rule, also, at }) => {
    const rulesOf = (row: number) => (caught.get(row) ?? []).map((one) => one.rule)
    const own = (names: readonly string[]) => names.filter((name) => name === rule || !shared.includes(name)).sort()
    expect(own(rulesOf(at * 2 + 1))).toEqual([rule, ...also].sort())
    expect(rulesOf(at * 2 + 2).filter((name) => !shared.includes(name))).toEqual([])
    const shown = caught.get(at * 2 + 1)?.find((one) => one.rule === rule)?.values ?? {}
    expect(Object.keys(shown)).toContain(rule.split('.')[0])
  })

  test('every rule between columns has a file that breaks it', () => {
    const broken = new Set(breakages.map(([rule]) => rule))
    expect(rules.map(({ id }) => id).filter((id) => !broken.has(id))).toEqual([])
  })

  test('rows of one SKU price that belong to two SKUs are all shown', async () => {
    const { violations } = await check([rows.plain, { ...rows.plain, SkuId: 'another' }, rows.purchase])
    expect(violations).toMatchObject([{ rule: 'SkuPriceId.one-sku', rows: 2, first: [{ row: 1 }, { row: 2 }] }])
  })

  test('no rule comes twice', () => {
    const ids = rules.map(({ id }) => id)
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
  })

  test('the first five wrong rows are shown, and all are counted', async () => {
    const wrong = Array.from({ length: 300 }, () => ({ ...rows.plain, ListCost: '1' }))
    const { violations } = await check([rows.plain, ...wrong])
    expect(violations).toMatchObject([{ rule: 'ListCost.product', rows: 300, level: 'must', column: 'ListCost' }])
    expect(violations[0]?.first.map(({ row }) => row)).toEqual([2, 3, 4, 5, 6])
    expect(violations[0]?.first[0]?.values).toMatchObject({
      ListUnitPrice: '2.5',
      PricingQuantity: '8.4',
      ListCost: '1',
    })
  })
})

describe('versions differ', () => {
  test('a name that a version dropped, or has not yet, is no column of it', async () => {
    expect(found(await checkFile(fileOf([rows.plain], '1.3'), { version: '1.4' }))).toEqual(
      expect.arrayContaining(['columns.custom']),
    )
    const old = await checkFile(fileOf([rows.plain], '1.3'), { version: '1.2' })
    const names = old.violations.filter(({ rule }) => rule === 'columns.custom').map(({ column }) => column)
    expect(names.sort()).toEqual([
      'AllocatedMethodDetails',
      'AllocatedMethodId',
      'AllocatedResourceId',
      'AllocatedResourceName',
      'AllocatedTags',
      'ContractApplied',
      'HostProviderName',
      'ServiceProviderName',
    ])
  })

  test.each(versions)(
    'of version %s, every mandatory column is missed, and nothing is said of it besides',
    async (version) => {
      const all = [...columnsOf(version)]
      const mandatory = all.filter(([, { presence }]) => presence === 'mandatory').map(([name]) => name)
      const path = fileOf(
        right,
        version,
        all.map(([name]) => name).filter((name) => !mandatory.includes(name)),
      )
      const { violations } = await checkFile(path, { version })
      expect(violations.map(({ rule }) => rule)).toEqual(mandatory.map((name) => `${name}.present`))
      expect(violations.every(({ level, rows: many }) => level === 'must' && many === null)).toBe(true)
    },
  )

  test('a column that is not there is as one without values: what hangs on it must have none either', async () => {
    const names = [...columnsOf('1.4').keys()].filter((name) => name !== 'AllocatedMethodId')
    const { violations } = await checkFile(fileOf([rows.plain, rows.shared], '1.4', names))
    expect(violations.map(({ rule, rows: count }) => [rule, count])).toEqual([
      ['AllocatedResourceId.null-without-AllocatedMethodId', 1],
      ['AllocatedTags.null-without-AllocatedMethodId', 1],
      ['AllocatedMethodDetails.null-without-AllocatedMethodId', 1],
    ])
  })

  test('a conditional column is missed only when what it hangs on is supported', async () => {
    const names = [...columnsOf('1.4').keys()].filter((name) => name !== 'Tags')
    const path = fileOf([rows.plain], '1.4', names)
    expect((await checkFile(path)).violations).toEqual([])
    expect(found(await checkFile(path, { supports: ['tagging'] }))).toEqual(['Tags.present'])
  })
})

describe('columns', () => {
  test.each([
    ['columns.custom', ['MyColumn'], 'must'],
    ['columns.case', ['x_my_column'], 'should'],
    ['columns.twice', ['BilledCost'], 'must'],
  ])('%s: %j', async (rule, more, level) => {
    const path = fileOf([rows.plain], '1.4', [...columnsOf('1.4').keys(), ...more])
    expect((await checkFile(path)).violations).toMatchObject([{ rule, column: more[0], level }])
  })

  test('a file of one’s own columns is let be', async () => {
    expect((await checkFile(fileOf([rows.plain], '1.4', [...columnsOf('1.4').keys(), 'x_Mine']))).violations).toEqual(
      [],
    )
  })
})

describe('as the official validator sees it', () => {
  let path: string
  beforeAll(() => {
    // 3 × 0.1 is 0.30000000000000004 in floats.
    const row = {
      ...rows.plain,
      ListUnitPrice: '0.1',
      PricingQuantity: '3',
      ListCost: '0.3',
      ContractedUnitPrice: '1',
      ContractedCost: '3',
      PricingUnit: '1000000 Token-Hours',
    }
    path = fileOf([row])
  })

  test('an exact cost is wrong where floats multiply otherwise, and a compound unit with a quantity is none', async () => {
    expect((await checkFile(path)).violations).toEqual([])
    expect(found(await checkFile(path, { official: true })).sort()).toEqual([
      'PricingUnit.official.format',
      'official.ListCost.product',
    ])
  })

  test('DECIMAL in Parquet is wrong', async () => {
    const parquet = join(folder(), 'bill.parquet')
    await ask(
      `COPY (SELECT * REPLACE (CAST(BilledCost AS DECIMAL(38, 12)) AS BilledCost) FROM read_csv('${path}', all_varchar = true, header = true)) TO '${parquet}' (FORMAT parquet)`,
    )
    expect(found(await checkFile(parquet, { official: true }))).toContain('BilledCost.official.type')
  })
})

describe('what is no FOCUS file', () => {
  const file = (content: string | Buffer, name = 'bill.csv') => {
    const path = join(folder(), name)
    writeFileSync(path, content)
    return path
  }

  test.each([
    ['an empty file', () => file(''), /it is empty/],
    ['a file that is not there', () => '/nowhere/bill.csv', /ENOENT/],
    ['a row with too many cells', () => file(`${[...columnsOf('1.4').keys()].join(',')}\n1,2,3\n`), /cannot be read/],
    ['a broken Parquet file', () => file('PAR1 and then nothing', 'bill.parquet'), /cannot be read as a FOCUS file/],
    ['a .gz that is none', () => file('BilledCost\n1\n', 'bill.csv.gz'), /cannot be read as a FOCUS file/],
  ])('%s is told, with its name', async (_, path, message) => {
    const failure = expect(checkFile(path())).rejects
    await failure.toThrow(message)
    // The engine's own advice is about options that nobody here can set.
    await failure.not.toThrow(/strict_mode|Possible fixes/)
    await expect(checkFile(path())).rejects.toMatchObject({ code: 'bad-input' })
  })

  test('a name that would be a pattern or break a statement is only a name', async () => {
    const path = join(folder(), "it's [a] bill*.csv")
    writeFileSync(path, readFileSync(fileOf([rows.plain])))
    expect((await checkFile(path)).violations).toEqual([])
  })
})
