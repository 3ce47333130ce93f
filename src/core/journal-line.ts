/**
 * The text of a journal line. A receipt is said by position, in the columns of `layout` apart by tabs, so that a ledger
 * loads it without reading names. An open line is the same with another mark between its columns: to the ledger, which
 * does not want it, it is one long column. A receipt with a value that a position cannot hold (a control character, an
 * empty text, a million dollars) is said as JSON, `{"k":…,"r":{…}}`; both may stand in one segment.
 */
import { type ColumnKind, columns, layout, type Pack, packs } from './columns.ts'
import { decodeEarlierLine, isEarlierLine } from './earlier-line.ts'
import { writeLine } from './line-bytes.ts'
import { endMark, fieldMark, lineMark, OPEN_MARK, openMark, receiptMark } from './line-marks.ts'
import type { JournalLine, Receipt, ReceiptLine } from './receipt.ts'

type Field = keyof typeof columns
type Column = (typeof layout)[number]

const decoder = new TextDecoder()
let scratch = new Uint8Array(64 * 1024)

/** A journal line as text, its end of line included (`writeLine` writes the bytes of it). */
export const encodeLine = (k: JournalLine['k'], receipt: Receipt): string => {
  for (;;) {
    const end = writeLine(k, receipt, scratch, 0)
    if (end > 0) return decoder.decode(scratch.subarray(0, end))
    scratch = new Uint8Array(scratch.length * 4)
  }
}

const asIs = (value: string): string => value
const readers: Readonly<Record<ColumnKind, (value: string) => unknown>> = {
  text: asIs,
  flag: (value) => value === 'true',
  count: Number,
  small: Number,
  score: Number,
  time: Number,
  money: asIs,
  hash: asIs,
  tags: JSON.parse,
  texts: JSON.parse,
  hashes: (value) => value.split(','),
  counts: (value) => value.split(',').map(Number),
  lines: JSON.parse,
  levers: JSON.parse,
}

type Fields = Record<string, unknown>

const readField = (fields: Fields, name: Field, value: string | undefined): void => {
  if (value !== undefined && value !== '') fields[name] = readers[columns[name]](value)
}

const cut = (): RangeError => new RangeError('not a whole journal line')

const readLines = (meters: string, amounts: string): ReceiptLine[] => {
  const counted = amounts.split(';')
  return meters.split(lineMark).map((one, at) => {
    const [kind, model, meter, rate_usd, price_row] = one.split(fieldMark)
    const [quantity, cost_usd] = (counted[at] ?? '').split(',')
    return {
      kind,
      model,
      meter,
      quantity: Number(quantity),
      ...(rate_usd && { rate_usd }),
      ...(cost_usd && { cost_usd }),
      ...(price_row && { price_row }),
    } as ReceiptLine
  })
}

/** Reads the fields of a pack; gives back what stands before them. */
const readPack = (fields: Fields, pack: Pack, value: string): string => {
  const names: readonly Field[] = packs[pack]
  const values = value.split(fieldMark)
  const before = values.length - names.length
  if (before !== (pack === 'rest' ? 1 : 0)) throw cut()
  names.forEach((name, at) => {
    readField(fields, name, values[before + at])
  })
  return before > 0 ? (values[0] ?? '') : ''
}

const isPack = (column: Column): column is Extract<Column, Pack> => Object.hasOwn(packs, column)

const readColumns = (values: readonly string[]): Receipt => {
  const fields: Fields = {}
  let meters = ''
  let amounts = ''
  layout.forEach((column, at) => {
    const value = values[at] ?? ''
    if (column === 'meters') meters = value
    else if (isPack(column)) amounts += readPack(fields, column, value)
    else readField(fields, column, value)
  })
  const { started_at_us, receipt_id } = fields
  for (const name of ['first_token_at_us', 'ended_at_us'])
    if (fields[name] !== undefined) fields[name] = Number(fields[name]) + Number(started_at_us)
  if (meters !== '') fields['lines'] = readLines(meters, amounts)
  return { call_id: receipt_id, ...fields } as unknown as Receipt
}

/** Reads a line without its end of line. Throws RangeError for one that is cut or of another version, SyntaxError for bad JSON. */
export const decodeLine = (line: string): JournalLine => {
  if (line.startsWith('{')) return JSON.parse(line) as JournalLine
  if (isEarlierLine(line)) return decodeEarlierLine(line)
  const k = line.startsWith(openMark) ? 'open' : 'receipt'
  const [mark, ...values] = line.split(k === 'open' ? OPEN_MARK : '\t')
  const whole = mark === (k === 'open' ? openMark : receiptMark) && values.length === layout.length + 1
  if (!whole || values.at(-1) !== endMark) throw cut()
  return { k, r: readColumns(values) }
}

const HEAD =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what an open line has in place of tabs
  /^(?:(?:o1\t|o2\u001d)([^\t\u001d]+)[\t\u001d]|(?:r1|r2)\t([^\t]+)\t|\{"k":"(open|receipt)","r":\{"receipt_id":"([^"\\]+)")/

/** What a line is and of which receipt, mostly without reading the rest; undefined for a line that cannot be read. */
export const identifyLine = (line: string): Readonly<{ k: JournalLine['k']; id: string }> | undefined => {
  const [, opened, closed, k, named] = HEAD.exec(line) ?? []
  const id = opened ?? closed
  if (id !== undefined && (line.endsWith(`\t${endMark}`) || line.endsWith(OPEN_MARK + endMark)))
    return { k: opened === undefined ? 'receipt' : 'open', id }
  if (named !== undefined) return { k: k === 'open' ? 'open' : 'receipt', id: named }
  try {
    const read = decodeLine(line)
    return { k: read.k, id: read.r.receipt_id }
  } catch {
    return undefined
  }
}
