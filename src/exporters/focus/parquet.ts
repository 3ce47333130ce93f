import type { ColumnType } from '../../playbook/allocate/focus/columns.ts'
import type { MoneyMode, Written } from '../../playbook/allocate/focus/written.ts'
import { literal, literalPath, named, withEngine } from './engine.ts'

/** Twelve decimals hold every picodollar; a validator that knows only DOUBLE is served by `float-exact`. */
const types: Readonly<Record<MoneyMode, Readonly<Record<ColumnType, string>>>> = {
  decimal: { String: 'VARCHAR', Json: 'VARCHAR', Decimal: 'DECIMAL(38, 12)', DateTime: 'TIMESTAMPTZ' },
  'float-exact': { String: 'VARCHAR', Json: 'VARCHAR', Decimal: 'DOUBLE', DateTime: 'TIMESTAMPTZ' },
}

/** The columns of a CSV file for `read_csv`, all as text: nothing is guessed. */
export const csvColumns = (names: readonly string[]): string =>
  `{${names.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ')}}`

export const csvDialect = `header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', nullstr = ''`

export type ParquetOptions = Readonly<{
  from: string
  to: string
  columns: readonly Written[]
  money: MoneyMode
  /** Key-value metadata of the file. */
  metadata: Readonly<Record<string, string>>
}>

/** Turns a CSV file that `openCsv` wrote into Parquet with real types, in bounded memory. */
export const csvToParquet = ({ from, to, columns, money, metadata }: ParquetOptions): Promise<void> =>
  withEngine(async ({ run }) => {
    const selected = columns.map(({ name, type }) => `CAST(${named(name)} AS ${types[money][type]}) AS ${named(name)}`)
    const pairs = Object.entries(metadata).map(([key, value]) => `${named(key)}: ${literal(value)}`)
    const names = columns.map(({ name }) => name)
    await run(`COPY (
      SELECT ${selected.join(', ')} FROM read_csv(${literalPath(from)}, columns = ${csvColumns(names)}, ${csvDialect})
    ) TO ${literal(to)} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {${pairs.join(', ')}})`)
  })
