import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Importer, ImportOptions } from '../core/importer.ts'
import { encodeLine } from '../core/journal-line.ts'
import type { Ledger } from '../core/ledger.ts'

export type BadRow = Readonly<{ line: number; why: string }>

export type BroughtIn = Readonly<{
  /** Receipts new in the ledger, and those that it had already. */
  appended: number
  already: number
  /** Rows that could not be read: how many, and the first of them. */
  bad: number
  bad_rows: readonly BadRow[]
  input_tokens: number
  output_tokens: number
}>

export type Source = Readonly<{
  importer: Importer
  path: string
  options: ImportOptions
  ledger: Ledger
  /** The data folder; segments are written below it and removed once the ledger has them. */
  data: string
  progress: (bytes: number) => void
}>

const RECEIPTS_A_SEGMENT = 8000
const BAD_ROWS_KEPT = 20

/** Writes receipts as one journal segment named by its content and appends it; a receipt that the ledger has is left out. */
const appendSegment = async (lines: readonly string[], { ledger, data }: Source) => {
  const text = lines.join('')
  const name = `import-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
  const folder = join(data, 'import')
  const path = join(folder, `${name}.ndjson`)
  await mkdir(folder, { recursive: true })
  await writeFile(path, text, { mode: 0o600 })
  try {
    return await ledger.append({ name, path, deduplicate: 'receipts' })
  } finally {
    await rm(path, { force: true })
  }
}

/**
 * Reads a source into the ledger. Receipt ids depend on the source only, so bringing the same in twice changes nothing;
 * rows that cannot be read are counted and told, and the rest is kept.
 */
export const bringIn = async (source: Source): Promise<BroughtIn> => {
  const seen = new Set<string>()
  const bad_rows: BadRow[] = []
  const tally = { appended: 0, already: 0, bad: 0, input_tokens: 0, output_tokens: 0 }
  let lines: string[] = []
  let appending: Promise<void> = Promise.resolve()
  /** Hands the lines to the ledger, which works on them while the next are read; one segment at a time. */
  const flush = async (): Promise<void> => {
    const segment = lines
    lines = []
    await appending
    if (segment.length === 0) return
    appending = appendSegment(segment, source).then(({ receipts }) => {
      tally.appended += receipts
      tally.already += segment.length - receipts
    })
    // A failure is met where the next flush awaits it; until then it must not count as unhandled.
    appending.catch(() => {})
  }
  for await (const row of source.importer.read(source.path, source.options, source.progress)) {
    if ('bad' in row) {
      tally.bad += 1
      if (bad_rows.length < BAD_ROWS_KEPT) bad_rows.push({ line: row.line, why: row.bad })
      continue
    }
    if (seen.has(row.receipt.receipt_id)) {
      tally.already += 1
      continue
    }
    seen.add(row.receipt.receipt_id)
    tally.input_tokens += row.receipt.input_tokens ?? 0
    tally.output_tokens += row.receipt.output_tokens ?? 0
    lines.push(encodeLine('receipt', row.receipt))
    if (lines.length >= RECEIPTS_A_SEGMENT) await flush()
  }
  await flush()
  await appending
  return { ...tally, bad_rows }
}
