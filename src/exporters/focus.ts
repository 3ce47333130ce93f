import { chmod, rename, rm, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { WeirError } from '../core/errors.ts'
import type { Exported, Exporter, ExportOptions } from '../core/exporter.ts'
import type { TimeWindow } from '../core/ledger.ts'
import { formatUsd, type Picodollars, parseUsd, picodollars, ZERO } from '../core/money.ts'
import { chargesOf } from '../playbook/allocate/focus/charge.ts'
import type { Charge } from '../playbook/allocate/focus/columns.ts'
import { inFloats, type Written, writtenColumns } from '../playbook/allocate/focus/written.ts'
import { type CsvSink, openCsv } from './focus/csv.ts'
import { metadataOf } from './focus/metadata.ts'
import { csvToParquet } from './focus/parquet.ts'
import { type FocusSettings, settingsOf } from './focus/settings.ts'

const day_us = 86_400_000_000
const MOST_PIECES = 60
const RECEIPTS_A_PIECE = 20_000

/** The window in at most so many pieces that end at midnight (UTC), so that no row is cut in two and memory is bounded. */
export const piecesOf = ({ from_us, to_us }: TimeWindow, most: number): readonly TimeWindow[] => {
  const first_us = Math.floor(from_us / day_us) * day_us
  const days = Math.max(1, Math.ceil((to_us - first_us) / day_us / most))
  const pieces: TimeWindow[] = []
  for (let from = from_us, end = first_us; from < to_us; ) {
    end += days * day_us
    const to = Math.min(to_us, end)
    pieces.push({ from_us: from, to_us: to })
    from = to
  }
  return pieces
}

/** What is asked, piece by piece. Nothing is asked of time in which nothing happened. */
const askedOf = async ({ ledger, window }: ExportOptions): Promise<readonly TimeWindow[]> => {
  const { first_us, last_us, receipts } = await ledger.query({ ask: 'extent' })
  if (first_us === null || last_us === null) return []
  const from_us = Math.max(window.from_us, Math.floor(first_us / day_us) * day_us)
  const to_us = Math.min(window.to_us, last_us + 1)
  return piecesOf({ from_us, to_us }, Math.min(MOST_PIECES, Math.ceil(receipts / RECEIPTS_A_PIECE)))
}

const billed = (charges: readonly Charge[]): Picodollars =>
  picodollars(charges.reduce((sum, charge) => sum + parseUsd(charge['BilledCost'] ?? '0'), 0n))

type Tally = { rows: number; cost: Picodollars; unpriced: number }

/** Asks, piece by piece, and writes. A file that would not sum to its receipts is not written. */
const fill = async (
  sink: CsvSink,
  options: ExportOptions,
  { charges: settings, money }: FocusSettings,
  written: readonly Written[],
  progress: (share: number, rows: number) => void,
): Promise<Tally> => {
  const tally: Tally = { rows: 0, cost: ZERO, unpriced: 0 }
  const pieces = await askedOf(options)
  const { grain, by, filters, ledger } = options
  for (const [at, window] of pieces.entries()) {
    const answer = await ledger.query({
      ask: 'focus',
      window,
      grain,
      by,
      filters,
    })
    const wanted = options.unpriced ? answer.rows : answer.rows.filter(({ kind }) => kind !== 'unpriced')
    const charges = chargesOf(wanted, settings)
    const cost = billed(charges)
    if (cost !== parseUsd(answer.cost_usd))
      throw new WeirError('internal', `charges of ${formatUsd(cost)} for receipts of ${answer.cost_usd}: not exported`)
    await sink.write(money === 'decimal' ? charges : charges.map((charge) => inFloats(charge, written)))
    tally.rows += charges.length
    tally.cost = picodollars(tally.cost + cost)
    tally.unpriced += answer.unpriced
    progress((at + 1) / pieces.length, tally.rows)
  }
  return tally
}

/** `.csv`, `.csv.gz`, `.parquet`; standard output takes CSV. */
const formatOf = (path: string): 'csv' | 'gzip' | 'parquet' => {
  if (path === '-' || path.endsWith('.csv')) return 'csv'
  if (path.endsWith('.csv.gz')) return 'gzip'
  if (path.endsWith('.parquet')) return 'parquet'
  throw new WeirError(
    'bad-input',
    `${path}: the name must end in .csv, .csv.gz or .parquet, or be - for standard output`,
  )
}

const write: Exporter['write'] = async (path, options, progress): Promise<Exported> => {
  const format = formatOf(path)
  const settings = settingsOf(options)
  const { version, money } = settings
  const written = writtenColumns(version, money, options.splits.length > 0)
  const part = path === '-' ? '-' : `${path}.part`
  const typed = `${path}.part.parquet`
  const sink = await openCsv(part, written, format === 'gzip')
  try {
    const tally = await fill(sink, options, settings, written, progress)
    await sink.end()
    const exported = { rows: tally.rows, cost_usd: formatUsd(tally.cost), unpriced: tally.unpriced }
    if (path === '-') return { ...exported, files: [] }
    const { grain, window, now_us } = options
    const file = basename(path)
    const metadata = metadataOf({ file, version, money, grain, written, ...exported, ...window, now_us })
    if (format === 'parquet') {
      const about = { FocusVersion: version, DataGenerator: 'Weir' }
      await csvToParquet({ from: part, to: typed, columns: written, money, metadata: about })
      // The engine makes files that everybody can read; a bill is not everybody's.
      await chmod(typed, 0o600)
    }
    await rename(format === 'parquet' ? typed : part, path)
    const beside = `${path}.metadata.json`
    await writeFile(beside, `${JSON.stringify(metadata, null, 2)}\n`, { mode: 0o600 })
    return { ...exported, files: [path, beside] }
  } catch (error) {
    sink.abandon()
    throw error
  } finally {
    if (path !== '-') await Promise.all([part, typed].map((leftover) => rm(leftover, { force: true })))
  }
}

export const exporter: Exporter = {
  name: 'focus',
  describes: 'FOCUS 1.2, 1.3 or 1.4 (Cost and Usage), CSV or Parquet: one row for each SKU meter, hourly or daily',
  write,
}
