import { DuckDBInstance } from '@duckdb/node-api'

export type Row = Readonly<Record<string, unknown>>

/** A database in memory for one file's work: it reads and writes what the statements name, and nothing from the network. */
export type Engine = Readonly<{
  run(sql: string): Promise<void>
  /** JSON-safe rows: wide numbers and decimals are text. */
  rows(sql: string): Promise<readonly Row[]>
}>

/** Text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A name as an SQL identifier. */
export const named = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A path for a table function, in which `*`, `?` and `[` would be patterns. */
export const literalPath = (path: string): string => literal(path.replace(/[[*?]/g, (character) => `[${character}]`))

/** Does work on an engine that is closed afterwards. Times are read in UTC; rows keep the order of their file. */
export const withEngine = async <T>(work: (engine: Engine) => Promise<T>): Promise<T> => {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: '1GB',
    threads: '2',
    preserve_insertion_order: 'true',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    return await work({
      run: async (sql) => {
        await connection.run(sql)
      },
      rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson(),
    })
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/**
 * Why the engine failed, without the query that it quotes, which is ours and names places of this machine, and without its advice,
 * which is about options of that query.
 */
export const reasonOf = (cause: unknown): string =>
  (cause as Error).message.split(/\n\nLINE |\n+Possible (?:fixes|solutions):/)[0] ?? ''
