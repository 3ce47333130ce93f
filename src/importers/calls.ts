import { basename } from 'node:path'
import { parse } from 'csv-parse'
import { WeirError } from '../core/errors.ts'
import type { Imported, Importer, ImportOptions } from '../core/importer.ts'
import { type CallRow, callFields, callOf, checkColumns, wantedColumns } from './calls/fields.ts'
import { receiptOf } from './receipt.ts'
import { firstCharacter, identities, openSource, readRecords } from './source.ts'

/** `columns` are those of the file, where its head says them. */
type Readable = Readonly<{ values: CallRow; columns?: readonly string[]; line: number }>
type Row = Readable | Readonly<{ bad: string; line: number }>

async function* csvRows(path: string, progress: (bytes: number) => void): AsyncGenerator<Row> {
  let columns: readonly string[] = []
  const parser = parse({
    columns: (names: string[]) => {
      columns = names
      return names
    },
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  })
  const source = openSource(path, progress)
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: CallRow; info: { lines: number } }>) {
      yield { values: record, columns, line: info.lines }
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new WeirError('bad-input', `${path}: not readable as CSV: ${reason}`, { cause })
  }
}

async function* jsonRows(path: string, progress: (bytes: number) => void): AsyncGenerator<Row> {
  for await (const row of readRecords(path, progress)) {
    yield 'bad' in row ? row : { values: row.record, line: row.line }
  }
}

/** Lines of JSON are known by their name, or by what they begin with. Throws WeirError `bad-input` for one value of JSON. */
const isJson = async (path: string): Promise<boolean> => {
  const first = await firstCharacter(path)
  if (first !== '[') return first === '{' || /\.(jsonl|ndjson)(\.gz)?$/.test(basename(path))
  throw new WeirError('bad-input', `${path}: this is one list of JSON: write a call a line (jq -c '.[]' FILE).`)
}

/** The columns of a file. Rows of JSON need not all have the same: what the first one lacks is looked for in the others. */
const columnsOf = async (path: string, first: CallRow, options: ImportOptions): Promise<readonly string[]> => {
  const columns = new Set(Object.keys(first))
  const lacking = new Set(wantedColumns(options).filter((name) => !columns.has(name)))
  if (lacking.size === 0) return [...columns]
  for await (const row of readRecords(path, () => {})) {
    for (const name of Object.keys('bad' in row ? {} : row.record)) {
      columns.add(name)
      lacking.delete(name)
    }
    if (lacking.size === 0) break
  }
  return [...columns]
}

/** A row that ends before a column that counts was cut off; what is left of its last number would be another number. */
const cutShort = ({ values, columns = [] }: Readable, options: ImportOptions): string | undefined => {
  const cells = Object.keys(values).length
  if (cells >= columns.length) return undefined
  const counts = new Set([...callFields, ...wantedColumns(options)])
  return columns.some((name) => counts.has(name) && !(name in values))
    ? `the row has ${cells} of ${columns.length} columns`
    : undefined
}

async function* readCalls(
  path: string,
  options: ImportOptions,
  progress: (bytes: number) => void,
): AsyncGenerator<Imported> {
  const rows = (await isJson(path)) ? jsonRows(path, progress) : csvRows(path, progress)
  const identify = identities('calls')
  let checked = false
  for await (const row of rows) {
    if ('bad' in row) {
      yield row
      continue
    }
    if (!checked) checkColumns(path, row.columns ?? (await columnsOf(path, row.values, options)), options)
    checked = true
    const call = cutShort(row, options) ?? callOf(row.values, options)
    if (typeof call === 'string') yield { bad: call, line: row.line }
    else
      yield {
        receipt: receiptOf({ identity: identify(JSON.stringify(row.values)), origin: 'calls', ...call }, options),
      }
  }
}

/** Calls from any log, CSV or JSONL, a call a row; `columns` says which column holds which field of a receipt. */
export const importer: Importer = {
  name: 'calls',
  describes: 'CSV or JSONL, a call a row; --columns field=column,… maps columns to receipt fields',
  read: readCalls,
}
