import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { columns } from '../../src/core/columns.ts'
import type { Ledger, Question } from '../../src/core/ledger.ts'
import { type Engine, openEngine } from '../../src/ledgers/duckdb/engine.ts'
import { migrations } from '../../src/ledgers/duckdb/schema.ts'
import { sql } from '../../src/ledgers/duckdb/sql.ts'
import { shownTypes } from '../../src/ledgers/duckdb/taken.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { ledgerContract } from './contract.ts'
import { historyContract } from './history-contract.ts'
import { leaksContract } from './leaks-contract.ts'
import { DAY_US, fullReceipt, HOUR_US, receipt, START_US, usd, writeSegment } from './receipts.ts'

const openEmpty = (options: { roll_up_from?: number }) => async (folder: string) => {
  const path = join(folder, 'ledger.duckdb')
  const ledger = await open({ path, ...options })
  const reopen = async () => {
    await ledger.close()
    return open({ path, ...options })
  }
  return { ledger, reopen }
}

ledgerContract('duckdb', openEmpty({}))
ledgerContract('duckdb that rolls up every past day', openEmpty({ roll_up_from: 0 }))
historyContract('duckdb', openEmpty({}))
leaksContract('duckdb', openEmpty({}))

describe('the columns', () => {
  test('are every field that a receipt can have', () => {
    expect(Object.keys(columns).sort()).toEqual(Object.keys(fullReceipt()).sort())
  })
})

describe('a ledger that this process has open', () => {
  test('takes nothing once somebody removed or replaced its file: what it took would be gone with it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-removed-'))
    const path = join(folder, 'ledger.duckdb')
    const ledger = await open({ path })
    const segment = { name: 's-1', path: join(folder, 's-1') }
    writeSegment(segment.path, [receipt()])
    const refused = {
      code: 'overloaded',
      message: expect.stringMatching(/was removed or replaced.*start it again/) as string,
    }
    rmSync(path)
    await expect(ledger.append(segment)).rejects.toMatchObject(refused)
    writeFileSync(path, 'another one')
    await expect(ledger.append(segment)).rejects.toMatchObject(refused)
    await ledger.close()
    rmSync(folder, { recursive: true })
  })

  test('is not opened a second time, whatever it is called, until it is closed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-twice-'))
    const path = join(folder, 'ledger.duckdb')
    const ledger = await open({ path })
    await expect(open({ path })).rejects.toThrow(/ledger\.duckdb is already open in this process\. .* close it first/)
    await expect(open({ path: `${folder}/./ledger.duckdb`, read_only: true })).rejects.toThrow(/already open/)
    await ledger.close()
    const again = await open({ path })
    await again.close()
    rmSync(folder, { recursive: true })
  })

  test('that could not be opened may be tried again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-twice-'))
    const path = join(folder, 'ledger.duckdb')
    writeFileSync(path, 'no ledger at all')
    await expect(open({ path })).rejects.toThrow()
    rmSync(path)
    await (await open({ path })).close()
    rmSync(folder, { recursive: true })
  })
})

describe('a ledger of the first schema', () => {
  test('has every receipt with every field after it was opened by this version', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-first-'))
    const path = join(folder, 'ledger.duckdb')
    const full = fullReceipt()
    const bare = receipt({ started_at_us: full.started_at_us, price_state: 'unpriced' })
    writeFileSync(join(folder, 'rows'), `${JSON.stringify(full)}\n${JSON.stringify(bare)}\n`)
    const instance = await DuckDBInstance.create(path)
    const connection = await instance.connect()
    for (const statement of migrations.slice(0, 2).flat()) await connection.run(statement)
    await connection.run('CREATE TABLE schema_version AS SELECT 2 AS version')
    await connection.run(
      `INSERT INTO receipts BY NAME FROM read_json('${join(folder, 'rows')}', columns = {${Object.keys(columns)
        .map((name) => `"${name}": '${shownTypes[columns[name as keyof typeof columns]]}'`)
        .join(', ')}})`,
    )
    connection.closeSync()
    instance.closeSync()
    const ledger = await open({ path })
    const window = { from_us: START_US, to_us: START_US + DAY_US }
    const { receipts } = await ledger.query({ ask: 'calls', window, limit: 9 })
    expect(receipts).toHaveLength(2)
    expect(receipts).toEqual(expect.arrayContaining([full, bare]))
    await ledger.close()
    rmSync(folder, { recursive: true })
  })
})

describe('the roll-up of days', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-daily-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const path = () => join(folder, 'ledger.duckdb')
  const window = { from_us: START_US - HOUR_US, to_us: START_US + 5 * DAY_US + HOUR_US }
  /** Rows of a table, read past the ledger. */
  const rowsOf = async (statement: string) => {
    const instance = await DuckDBInstance.create(path(), { access_mode: 'READ_ONLY' })
    const connection = await instance.connect()
    const rows = (await connection.runAndReadAll(statement)).getRowsJson()
    connection.closeSync()
    instance.closeSync()
    return rows
  }
  const made = () =>
    Array.from({ length: 60 }, (_, at) =>
      receipt({
        team: `t${at % 3}`,
        started_at_us: START_US - HOUR_US / 2 + at * (2 * HOUR_US + 7),
        cost_usd: usd(`0.00000000000${at % 10}`),
        input_tokens: at,
        ...(at % 7 === 0 ? { price_state: 'unpriced' as const } : {}),
      }),
    )
  const questions = [
    { ask: 'spend', window, group_by: ['day', 'team'], compare: true },
    { ask: 'spend', window, group_by: ['team', 'feature'], filters: [{ dimension: 'outcome', values: ['ok'] }] },
    { ask: 'spend', window, group_by: ['model'], filters: [{ dimension: 'day', values: ['2026-09-02'] }] },
    { ask: 'spend', window, group_by: ['month'] },
    { ask: 'spend', window, group_by: [] },
    { ask: 'spend', window, group_by: ['team'], zone: 'Asia/Kolkata', slices: 3 },
    { ask: 'spend', window, group_by: ['day'], zone: 'Asia/Kolkata' },
    {
      ask: 'spend',
      window: { from_us: START_US + 2 * DAY_US, to_us: START_US + 4 * DAY_US },
      group_by: ['day'],
      compare: true,
    },
  ] satisfies Question[]
  const answers = async (ledger: Ledger) => {
    const all = []
    for (const question of questions) all.push(await ledger.query(question))
    return all
  }

  test('answers every question as the receipts do, and holds only whole past days', async () => {
    const ledger = await open({ path: path(), roll_up_from: 0 })
    writeSegment(join(folder, 'one'), made())
    await ledger.append({ name: 'one', path: join(folder, 'one') })
    const before = await answers(ledger)
    await ledger.append({ name: 'one', path: join(folder, 'one') })
    expect(await answers(ledger)).toEqual(before)
    await ledger.close()
    const days = await rowsOf('SELECT day * 86400000000 FROM daily_days ORDER BY day')
    expect(days.flat().map(Number)).toEqual([0, 1, 2, 3].map((day) => START_US + day * DAY_US))
    expect(await rowsOf('SELECT sum(cost_usd), sum(calls) FROM daily')).toEqual(
      await rowsOf(
        `SELECT sum(cost_usd), count(*) FROM receipts WHERE started_at_us // 86400000000 IN (SELECT day FROM daily_days)`,
      ),
    )
    const byDayAndTeam = (table: string) =>
      rowsOf(
        `SELECT started_at_us, team, sum(cost_usd), sum(calls), sum(input_tokens) FROM ${table} GROUP BY ALL ORDER BY ALL`,
      )
    expect(await byDayAndTeam('daily_brief')).toEqual(await byDayAndTeam('daily'))
  })

  test('lets go of a day that a late receipt falls in, and of all when a correction comes', async () => {
    const ledger = await open({ path: path(), roll_up_from: 0 })
    const first = made()
    writeSegment(join(folder, 'one'), first)
    await ledger.append({ name: 'one', path: join(folder, 'one') })
    await answers(ledger)
    writeSegment(join(folder, 'late'), [receipt({ team: 't0', started_at_us: START_US + DAY_US, cost_usd: usd('5') })])
    await ledger.append({ name: 'late', path: join(folder, 'late') })
    const [one] = await answers(ledger)
    expect(one?.total.cost_usd.startsWith('5.')).toBe(true)
    const unpriced = first.find((each) => each.price_state === 'unpriced')
    const correction = {
      ...receipt(),
      started_at_us: window.to_us,
      corrects: unpriced?.receipt_id ?? '',
      cost_usd: usd('1'),
    }
    writeSegment(join(folder, 'fix'), [correction])
    await ledger.append({ name: 'fix', path: join(folder, 'fix') })
    const [fixed] = await answers(ledger)
    expect(fixed?.total.unpriced_calls).toBe((one?.total.unpriced_calls ?? 0) - 1)
    await ledger.close()
    const costs = async (table: string) => (await rowsOf(`SELECT sum(cost_usd) FROM ${table}`)).flat()
    expect(await costs('daily_brief')).toEqual(await costs('daily'))
  })
})

describe('the memory of the engine', () => {
  test('is what appends need, all of it for a question, and that of appends again when the engine has rested', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-memory-'))
    const openWith = (memory_limit: string) =>
      openEngine({ path: join(folder, `${memory_limit}.duckdb`), read_only: false, memory_limit, threads: 1 })
    const limitOf = async (engine: Engine) => {
      const session = await engine.connect()
      const [row] = await session.rows(sql`SELECT current_setting('memory_limit') AS most`)
      session.close()
      return row?.['most']
    }
    for (const [given, appends, all] of [
      ['512MB', '244.1 MiB', '488.2 MiB'],
      ['100MB', '95.3 MiB', '95.3 MiB'],
    ] as const) {
      const engine = await openWith(given)
      expect(await limitOf(engine)).toBe(appends)
      await engine.spread()
      expect(await limitOf(engine)).toBe(all)
      await engine.rest()
      expect(await limitOf(engine)).toBe(appends)
      engine.close()
    }
    rmSync(folder, { recursive: true })
  })

  test('values come out as the engine itself writes them as JSON', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-values-'))
    const engine = await openEngine({
      path: join(folder, 'l.duckdb'),
      read_only: false,
      memory_limit: '100MB',
      threads: 1,
    })
    const session = await engine.connect()
    const values = `true AS flag, 7::INTEGER AS small, -9007199254740993 AS wide, 170141183460469231731687303715884105727::HUGEINT AS huge,
      'ü' AS text, -0.000000000001::DECIMAL(38,12) AS least, 12.500000000000::DECIMAL(18,12) AS money, 3::DECIMAL(4,0) AS whole,
      NULL::BIGINT AS nothing`
    const [plain] = await session.rows({ text: `SELECT ${values}`, values: [] })
    const [row] = await session.rows({ text: `SELECT ${values}, [1] AS list`, values: [] })
    expect({ ...plain, list: [1] }).toEqual(row)
    expect(plain).toMatchObject({ wide: '-9007199254740993', least: '-0.000000000001', whole: '3', nothing: null })
    session.close()
    engine.close()
    rmSync(folder, { recursive: true })
  })
})
