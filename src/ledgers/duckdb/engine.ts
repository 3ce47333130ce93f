import {
  BIGINT,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDecimalValue,
  DuckDBInstance,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  VARCHAR,
} from '@duckdb/node-api'
import { WeirError } from '../../core/errors.ts'
import { migrations } from './schema.ts'
import { raw, type Sql, sql, type Value } from './sql.ts'

export type Row = Readonly<Record<string, unknown>>

/** One connection: statements run on it one after the other. */
export type Session = Readonly<{
  /** Runs a statement. Resolves to the number of rows that it changed. */
  run(statement: Sql): Promise<number>
  /** JSON-safe rows: wide numbers and decimals are text. */
  rows(statement: Sql): Promise<readonly Row[]>
  /** The columns of an answer in their order, as the engine gives values: a chunk at a time, nothing is turned into text. */
  columns(statement: Sql): Promise<readonly (readonly unknown[])[]>
  close(): void
}>

export type Engine = Readonly<{
  connect(): Promise<Session>
  /** Gives memory back that holds nothing but copies of the file, and lets the engine have no more than an append needs. Not while anybody asks or appends. */
  rest(): Promise<void>
  /** Lets the engine have all the memory that it may have, until it rests. */
  spread(): Promise<void>
  close(): void
}>

export type EngineOptions = Readonly<{
  path: string
  read_only: boolean
  memory_limit: string
  threads: number
}>

/** To lower the limit for a moment makes the engine drop its cache: it keeps it up to the limit for ever otherwise. */
const LEAST_MEMORY = '40MB'

/** What an append needs, MB: with more it only holds more, with half of it it takes a sixth longer. */
const APPEND_MEMORY = 256
const MEGABYTES: Readonly<Record<string, number>> = { MB: 1, GB: 1000, MiB: 1.05, GiB: 1074 }

/** The memory for appends, where it is less than the limit. */
const appendMemory = (memory_limit: string): string => {
  const [, amount, unit = ''] = /^([\d.]+)\s*([A-Za-z]+)$/.exec(memory_limit) ?? []
  return Number(amount) * (MEGABYTES[unit] ?? 0) > APPEND_MEMORY ? `${APPEND_MEMORY}MB` : memory_limit
}

/** Left alone, DuckDB takes numbers as doubles and bigints as 128 bits; every count and time is a BIGINT here. */
const bind = (values: readonly Value[]): [DuckDBValue[], DuckDBType[]] => {
  const typed = values.map((value): [DuckDBValue, DuckDBType] => {
    if (typeof value === 'string') return [value, VARCHAR]
    return Number.isInteger(value) ? [BigInt(value), BIGINT] : [value, DOUBLE]
  })
  return [typed.map(([value]) => value), typed.map(([, type]) => type)]
}

/** Types of which `plainRows` makes what the engine's own way to JSON does, in a third of the time. */
const plainTypes: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.BOOLEAN,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.VARCHAR,
  DuckDBTypeId.DECIMAL,
  DuckDBTypeId.DOUBLE,
])

const decimalText = ({ value, scale }: DuckDBDecimalValue): string => {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const point = digits.length - scale
  return `${value < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ''}`
}

const plainValue = (value: DuckDBValue): unknown => {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  return value instanceof DuckDBDecimalValue ? decimalText(value) : value
}

/** Rows from columns: values of one type are read one after the other. */
const plainRows = (names: readonly string[], columns: readonly (readonly DuckDBValue[])[]): readonly Row[] => {
  const plain = columns.map((column) => column.map(plainValue))
  return (columns[0] ?? []).map((_, at) => {
    const row: Record<string, unknown> = {}
    for (const [column, name] of names.entries()) row[name] = plain[column]?.[at]
    return row
  })
}

const session = (connection: DuckDBConnection): Session => ({
  async run({ text, values }) {
    const { rowsChanged } = await connection.run(text, ...bind(values))
    return rowsChanged
  },
  async rows({ text, values }) {
    const reader = await connection.runAndReadAll(text, ...bind(values))
    const plain = reader.columnTypes().every(({ typeId }) => plainTypes.has(typeId))
    return plain ? plainRows(reader.deduplicatedColumnNames(), reader.getColumns()) : reader.getRowObjectsJson()
  },
  async columns({ text, values }) {
    const result = await connection.stream(text, ...bind(values))
    const columns: unknown[][] = Array.from({ length: result.columnCount }, () => [])
    for (;;) {
      const chunk = await result.fetchChunk()
      if (!chunk || chunk.rowCount === 0) return columns
      for (const [at, column] of columns.entries()) for (const value of chunk.getColumnValues(at)) column.push(value)
    }
  },
  close: () => connection.closeSync(),
})

const migrate = async ({ run, rows }: Session, path: string): Promise<void> => {
  await run(sql`CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)`)
  const [found] = await rows(sql`SELECT max(version) AS version FROM schema_version`)
  const version = Number(found?.['version'] ?? 0)
  if (version > migrations.length)
    throw new WeirError(
      'bad-config',
      `The ledger ${path} was written by a newer Weir (schema ${version}); use that one`,
    )
  for (const [at, statements] of migrations.entries()) {
    if (at < version) continue
    await run(sql`BEGIN`)
    for (const text of statements) await run({ text, values: [] })
    await run(sql`INSERT INTO schema_version VALUES (${at + 1})`)
    await run(sql`COMMIT`)
  }
}

/**
 * Receipts of a row group. A load leaves one that is not full for each thread, which is written twice, so groups are small:
 * a quarter of what the engine takes by itself.
 */
const ROW_GROUP = 30_720

/** The name of the database file among those that the engine has open. */
const FILE = 'ledger'

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** What keeps an intact file shut, and passes. */
const passing: readonly (readonly [why: RegExp, words: (found: RegExpExecArray) => string])[] = [
  [/Could not set lock.*\(PID (\d+)\)/, ([, pid]) => `process ${pid} has it open. Close it there`],
  [/Could not set lock/, () => 'another program has it open. Close it there'],
  [/No space left on device/, () => 'the disk is full. Make room'],
]

/** A file that another program has open, that may not be read, or that is broken. The engine's first line says which. */
const unopenable = (path: string, cause: unknown): WeirError => {
  const [why = ''] = String((cause as Error).message).split('\n', 1)
  for (const [pattern, words] of passing) {
    const found = pattern.exec(why)
    if (found) return new WeirError('overloaded', `The ledger ${path} cannot be opened: ${words(found)}.`, { cause })
  }
  return new WeirError(
    'internal',
    `The ledger ${path} cannot be opened: ${why}. Where the file is broken, put a copy in its place, or move it away: then a new one begins. The journal keeps what the ledger has not taken.`,
    { cause },
  )
}

/** Opens the database file and brings its schema up to date. Extensions are never loaded from the network. */
export const openEngine = async ({ path, read_only, memory_limit, threads }: EngineOptions): Promise<Engine> => {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit,
    temp_directory: `${path}.tmp`,
    threads: String(threads),
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connect = async () => {
    const connected = session(await instance.connect())
    await connected.run(raw(`USE ${FILE}`))
    return connected
  }
  const opener = session(await instance.connect())
  const attach = raw(`ATTACH ${literal(path)} AS ${FILE} (${read_only ? 'READ_ONLY' : `ROW_GROUP_SIZE ${ROW_GROUP}`})`)
  const first = await opener
    .run(attach)
    .then(connect)
    .catch((error: unknown) => {
      instance.closeSync()
      throw unopenable(path, error)
    })
    .finally(() => opener.close())
  try {
    if (!read_only) await migrate(first, path)
  } catch (error) {
    first.close()
    instance.closeSync()
    throw error instanceof WeirError ? error : unopenable(path, error)
  }
  first.close()
  const few = appendMemory(memory_limit)
  let limit = memory_limit
  const allow = async (some: string): Promise<void> => {
    if (limit === some) return
    const asked = await connect()
    limit = some
    await asked.run(raw(`SET memory_limit = '${some}'`)).finally(() => asked.close())
  }
  // Something may still need more than that; it is given back the next time.
  const rest = async (): Promise<void> => {
    await allow(LEAST_MEMORY).catch(() => {})
    await allow(few).catch(() => allow(memory_limit))
  }
  await allow(few)
  return { connect, rest, spread: () => allow(memory_limit), close: () => instance.closeSync() }
}
