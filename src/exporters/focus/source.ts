import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { WeirError } from '../../core/errors.ts'
import { type Engine, literal, literalPath, named, reasonOf } from './engine.ts'
import { csvDialect } from './parquet.ts'

/** A FOCUS file as a view named `focus`, its rows numbered from 1 in the column `row #`. */
export type Source = Readonly<{
  kind: 'csv' | 'parquet'
  /** Names as they stand in the file, also those that come twice. */
  names: readonly string[]
  /** The engine's type of each column; all text in a CSV file. */
  types: ReadonlyMap<string, string>
}>

const bad = (path: string, why: string, cause?: unknown): WeirError =>
  new WeirError('bad-input', `${path} cannot be read as a FOCUS file: ${why}`, cause === undefined ? {} : { cause })

const isParquet = async (path: string): Promise<boolean> => {
  const file = await open(path).catch((cause: Error) => {
    throw bad(path, cause.message, cause)
  })
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.toString('latin1', 0, bytesRead) === 'PAR1'
  } finally {
    await file.close()
  }
}

const headOf = async (path: string): Promise<readonly string[]> => {
  const file = createReadStream(path)
  const parser = parse({ bom: true, to: 1, relax_column_count: true })
  const text = path.endsWith('.gz') ? file.pipe(createGunzip()) : file
  for (const stream of new Set([file, text])) stream.on('error', (error: Error) => parser.destroy(error))
  text.pipe(parser)
  try {
    for await (const names of parser as AsyncIterable<readonly string[]>) return names
    return []
  } catch (cause) {
    throw bad(path, (cause as Error).message, cause)
  } finally {
    file.destroy()
  }
}

/** A name that comes twice is given another, so that the engine can hold both; the first is the one that is read. */
const distinct = (names: readonly string[]): readonly string[] =>
  names.map((name, at) => (names.indexOf(name) === at && name !== '' ? name : `${name}#${at + 1}`))

const viewOf = (from: string) => `CREATE VIEW focus AS SELECT row_number() OVER () AS "row #", * FROM ${from}`

const openCsvSource = async (engine: Engine, path: string): Promise<Source> => {
  const names = await headOf(path)
  if (names.length === 0) throw bad(path, 'it is empty')
  const columns = distinct(names).map((name) => `${literal(name)}: 'VARCHAR'`)
  await engine.run(viewOf(`read_csv(${literalPath(path)}, columns = {${columns.join(', ')}}, ${csvDialect})`))
  return { kind: 'csv', names, types: new Map(distinct(names).map((name) => [name, 'VARCHAR'])) }
}

const openParquetSource = async (engine: Engine, path: string): Promise<Source> => {
  await engine.run(viewOf(`read_parquet(${literalPath(path)})`))
  const described = await engine.rows(`DESCRIBE SELECT * EXCLUDE (${named('row #')}) FROM focus`)
  const types = new Map(described.map((row) => [String(row['column_name']), String(row['column_type'])]))
  return { kind: 'parquet', names: [...types.keys()], types }
}

/** Opens a FOCUS file, CSV (plain or .gz) or Parquet. Throws WeirError `bad-input` when it is neither. */
export const openSource = async (engine: Engine, path: string): Promise<Source> => {
  const parquet = await isParquet(path)
  try {
    return await (parquet ? openParquetSource(engine, path) : openCsvSource(engine, path))
  } catch (error) {
    if (error instanceof WeirError) throw error
    throw bad(path, reasonOf(error), error)
  }
}
