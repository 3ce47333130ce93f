import { DuckDBInstance } from '@duckdb/node-api'
import type { BillRecord } from './record.ts'

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A path is a pattern to the engine; brackets keep each special character itself. */
const literal = (path: string): string => path.replace(/[[*?]/g, (character) => `[${character}]`)

/** Numbers as text: the engine gives decimals and wide integers as such, and a double in its shortest form. */
const asText = (value: unknown): unknown => {
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) return value.map(asText)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, asText(inner)]))
}

/** Rows of a Parquet file, only those of the columns that it has; nested columns stay nested. */
export async function* parquetRecords(
  path: string,
  columns: readonly string[],
): AsyncGenerator<Readonly<{ record: BillRecord; line: number }>> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  try {
    const source = [literal(path)]
    const shape = await connection.runAndReadAll('DESCRIBE SELECT * FROM read_parquet(?)', source)
    const has = shape.getRowObjectsJson().map((row) => String(row['column_name']))
    const wanted = has.filter((name) => columns.includes(name))
    const names = (wanted.length > 0 ? wanted : has).map(quoted).join(', ')
    const rows = await connection.stream(`SELECT ${names} FROM read_parquet(?)`, source)
    let line = 0
    for await (const chunk of rows.yieldRowObjectJson()) {
      for (const row of chunk) {
        line += 1
        yield { record: asText(row) as BillRecord, line }
      }
    }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
