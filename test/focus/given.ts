/** Ledgers to export from, and what the files hold, for the tests of FOCUS. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { parse } from 'csv-parse/sync'
import { afterAll } from 'vitest'
import type { ExportOptions } from '../../src/core/exporter.ts'
import type { Ledger } from '../../src/core/ledger.ts'
import { formatUsd, parseUsd, picodollars } from '../../src/core/money.ts'
import type { PriceBook, PriceRow } from '../../src/core/price.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { exporter } from '../../src/exporters/focus.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { writeSegment } from '../ledger/receipts.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder that is gone after the tests of a file. */
export const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'weir-focus-'))
  folders.push(made)
  return made
}

export const book: PriceBook = compileBook({
  version: 'test',
  rows: [
    {
      id: 'openai/gpt-5.6@ever',
      layer: 'weir',
      provider: 'openai',
      models: ['gpt-5.6'],
      rates: {
        'in.text.fresh': '2.5',
        'in.text.cache_read': '0.25',
        'out.text.visible': '15',
        'web_search.query': '10000',
      },
      source: 'test',
      checked_at: '2026-09-01',
    },
    {
      id: 'contract/gpt-5.6',
      layer: 'contract',
      provider: 'openai',
      models: ['gpt-5.6-contract', 'gpt-5.6'],
      effective_from: '2026-10-01T00:00:00Z',
      rates: { 'in.text.fresh': '2', 'out.text.visible': '12' },
      source: 'test',
      checked_at: '2026-09-01',
    },
    {
      id: 'openai/gpt-5.6@ever#batch',
      layer: 'weir',
      provider: 'openai',
      models: ['gpt-5.6'],
      batch: true,
      rates: { 'in.text.fresh': '1.25', 'out.text.visible': '7.5' },
      source: 'test',
      checked_at: '2026-09-01',
    },
  ] satisfies readonly PriceRow[],
})

/** A new ledger with these receipts. The caller closes it. */
export const ledgerOf = async (receipts: readonly Receipt[]): Promise<Ledger> => {
  const data = folder()
  const ledger = await open({ path: join(data, 'ledger.duckdb') })
  const path = join(data, 'given.ndjson')
  writeSegment(path, receipts)
  await ledger.append({ name: 'given', path })
  return ledger
}

const by = ['team', 'feature', 'customer', 'environment', 'key_id', 'agent', 'tags'] as const

/** Exports all of a ledger. */
export const exportTo = (
  path: string,
  ledger: Ledger,
  more: Partial<ExportOptions> = {},
  progress: (share: number) => void = () => {},
) =>
  exporter.write(
    path,
    {
      ledger,
      window: { from_us: 0, to_us: Date.UTC(2030, 0, 1) * 1000 },
      grain: 'day',
      by,
      filters: [],
      book,
      adapters: { openai: 'openai' },
      splits: [],
      unpriced: false,
      now_us: Date.UTC(2026, 10, 23) * 1000,
      settings: {},
      ...more,
    },
    progress,
  )

export type Line = Readonly<Record<string, string>>

export const csvRows = (path: string): readonly Line[] => parse(readFileSync(path), { columns: true }) as Line[]

/** Asks DuckDB itself, which knows nothing of Weir, about a file. */
export const ask = async (sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    return (await connection.runAndReadAll(sql)).getRowObjectsJson()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** The exact sum of decimal texts. */
export const sumOf = (texts: readonly (string | undefined)[]): string =>
  formatUsd(picodollars(texts.reduce((sum, text) => sum + parseUsd(text ?? '0'), 0n)))
