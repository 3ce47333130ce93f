import { open } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { parse } from 'csv-parse'
import { WeirError } from '../../core/errors.ts'
import { openSource } from '../source.ts'

/** A row of a FOCUS file: text by column, null where there is none. `line` is that of the file, or the row of a Parquet file. */
export type FocusRow = Readonly<{ values: Readonly<Record<string, string | null>>; line: number }>

/** A row, or what is wrong with it. */
type Found = FocusRow | Readonly<{ bad: string; line: number }>

const unreadable = (path: string, cause: unknown): WeirError =>
  new WeirError('bad-input', `${path} cannot be read as a FOCUS file: ${(cause as Error).message.split('\n')[0]}`, {
    cause,
  })

const isParquet = async (path: string): Promise<boolean> => {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.toString('latin1', 0, bytesRead) === 'PAR1'
  } finally {
    await file.close()
  }
}

async function* csvRows(path: string, progress: (bytes: number) => void): AsyncGenerator<Found> {
  const parser = parse({ columns: true, bom: true, info: true, relax_column_count: true, skip_empty_lines: true })
  const source = openSource(path, progress)
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  type Parsed = Readonly<{
    record: Readonly<Record<string, string>>
    info: Readonly<{ lines: number; error?: Error }>
  }>
  try {
    for await (const { record, info } of parser as AsyncIterable<Parsed>) {
      // Which cell is whose is not known, and what is left of the last amount may be another amount.
      if (info.error !== undefined) {
        yield { bad: 'the row does not have as many columns as the first line', line: info.lines }
        continue
      }
      const values = Object.fromEntries(
        Object.entries(record).map(([name, value]) => [name, value === '' ? null : value]),
      )
      yield { values, line: info.lines }
    }
  } catch (cause) {
    throw unreadable(path, cause)
  } finally {
    source.destroy()
  }
}

const literal = (text: string) => `'${text.replace(/[[*?]/g, (one) => `[${one}]`).replaceAll("'", "''")}'`
const named = (name: string) => `"${name.replaceAll('"', '""')}"`

/** A column as text: times in UTC as FOCUS writes them, maps and structures as JSON, decimals with all their digits. */
const asText = (name: string, type: string): string => {
  if (/^(TIMESTAMP|DATE)/.test(type)) return `strftime(CAST(${named(name)} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%SZ')`
  return /^(MAP|STRUCT)|\[\]$/.test(type)
    ? `CAST(to_json(${named(name)}) AS VARCHAR)`
    : `CAST(${named(name)} AS VARCHAR)`
}

async function* parquetRows(path: string): AsyncGenerator<FocusRow> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '512MB', threads: '2' })
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    const from = `read_parquet(${literal(path)})`
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`)
    const columns = described.getRowObjectsJson().map((row) => {
      const name = String(row['column_name'])
      return `${asText(name, String(row['column_type']))} AS ${named(name)}`
    })
    const result = await connection.stream(`SELECT ${columns.join(', ')} FROM ${from}`)
    let line = 0
    for await (const rows of result.yieldRowObjectJson()) {
      for (const row of rows) {
        line += 1
        yield { values: row as FocusRow['values'], line }
      }
    }
  } catch (cause) {
    throw unreadable(path, cause)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** The rows of a FOCUS file, CSV (plain or .gz) or Parquet. Throws WeirError `bad-input` naming a file that is neither. */
export async function* focusRows(path: string, progress: (bytes: number) => void): AsyncGenerator<Found> {
  yield* (await isParquet(path)) ? parquetRows(path) : csvRows(path, progress)
}
