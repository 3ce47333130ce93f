import { WeirError } from '../../core/errors.ts'

/** Writes text and a newline to standard output. */
export const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** Writes a note to standard error, so that it never gets into a pipe. */
export const note = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

/** Throws WeirError `bad-input` where an answer is asked for in two forms. */
export const checkForm = ({
  csv: asCsv,
  json: asJson,
}: Readonly<{ csv?: boolean | undefined; json?: boolean | undefined }>): void => {
  if (asCsv && asJson) throw new WeirError('bad-input', 'choose --csv or --json: one answer cannot be both')
}

/** JSON for machines: two spaces of indent, picodollars and other big integers as decimal text. */
export const json = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner), 2)

export const printJson = (value: unknown): void => print(json(value))

type Cell = string | number | boolean | null | undefined

/** A leading = + - @ or tab makes a spreadsheet run the cell as a formula; a quote in front makes it text. Numbers stay. */
const harmless = (text: string): string =>
  /^[=+\-@\t\r]/.test(text) && !/^[+-]?\d+(\.\d+)?$/.test(text) ? `'${text}` : text

const quoted = (cell: Cell): string => {
  if (cell === null || cell === undefined) return ''
  const text = typeof cell === 'string' ? harmless(cell) : String(cell)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Rows as CSV (RFC 4180: CRLF, quotes doubled), heads first, the columns being the keys of `columns`. Null is empty. */
export const csv = <Row>(rows: readonly Row[], columns: Readonly<Record<string, (row: Row) => Cell>>): string => {
  const names = Object.keys(columns)
  const lines = [names.map(quoted).join(',')]
  for (const row of rows) lines.push(names.map((name) => quoted(columns[name]?.(row))).join(','))
  return `${lines.join('\r\n')}\r\n`
}

/** Writes CSV as it is: its last line has its own end. */
export const printCsv: typeof csv = (rows, columns) => {
  const text = csv(rows, columns)
  process.stdout.write(text)
  return text
}
