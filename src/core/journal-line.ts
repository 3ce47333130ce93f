/**
 * The text of a journal line. Most receipts are said by position: values apart by tabs in the order of `columns.ts`, so that
 * a ledger loads them without reading names. A receipt with a value that a position cannot hold (a control character, an
 * empty text, a million dollars) is said as JSON, `{"k":…,"r":{…}}`, as every line was in the first format; both may stand
 * in one segment.
 */
import { type ColumnKind, columns, factFields, ownFields, restFields } from './columns.ts'
import type { JournalLine, Receipt, ReceiptLine } from './receipt.ts'

/** What a line begins with: what it is, and the version of the positions. */
export const openMark = 'o1'
export const receiptMark = 'r1'

/** What a line ends with, so that one that was cut is known. */
export const endMark = '.'

/** Between the values of a column that holds several. */
export const valueMark = '\u001f'

type Values = Readonly<Record<string, unknown>>
type Field = keyof typeof columns

/** Thrown inside this file only: the value has no place in a line by position. */
const noPlace = Symbol('no place')

const CONTROL = /\p{Cc}/u
const MONEY = /^-?\d{1,6}(\.\d{1,12})?$/
const HASH = /^[0-9a-f]{16}$/

const text = (value: unknown): string => {
  if (typeof value !== 'string' || value === '' || CONTROL.test(value)) throw noPlace
  return value
}
const whole = (value: unknown): string => {
  if (!Number.isSafeInteger(value)) throw noPlace
  return String(value)
}
const matching = (pattern: RegExp) => (value: unknown) => {
  if (typeof value !== 'string' || !pattern.test(value)) throw noPlace
  return value
}
const listOf = (item: (value: unknown) => string) => (value: unknown) => {
  if (!Array.isArray(value) || value.length === 0) throw noPlace
  return value.map(item).join(',')
}
const finite = (value: unknown): string => {
  if (!Number.isFinite(value)) throw noPlace
  return String(value)
}
const hash = matching(HASH)

const writers: Readonly<Record<ColumnKind, (value: unknown) => string>> = {
  text,
  flag: (value) => (value === true ? 'true' : 'false'),
  count: whole,
  small: whole,
  score: finite,
  time: whole,
  money: matching(MONEY),
  hash,
  tags: JSON.stringify,
  texts: JSON.stringify,
  hashes: listOf(hash),
  counts: listOf(whole),
  lines: JSON.stringify,
  levers: JSON.stringify,
}

const readers: Readonly<Record<ColumnKind, (value: string) => unknown>> = {
  text: (value) => value,
  flag: (value) => value === 'true',
  count: Number,
  small: Number,
  score: Number,
  time: Number,
  money: (value) => value,
  hash: (value) => value,
  tags: (value) => JSON.parse(value),
  texts: (value) => JSON.parse(value),
  hashes: (value) => value.split(','),
  counts: (value) => value.split(',').map(Number),
  lines: (value) => JSON.parse(value),
  levers: (value) => JSON.parse(value),
}

const absent = (value: unknown): value is null | undefined => value === undefined || value === null

type Place = Readonly<{ name: Field; write: (value: unknown) => string }>
const placesOf = (names: readonly Field[]): readonly Place[] =>
  names.map((name) => ({ name, write: writers[columns[name]] }))

const ownPlaces = placesOf(ownFields)
const factPlaces = placesOf(factFields)
const restPlaces = placesOf(restFields)

const joined = (values: Values, places: readonly Place[], mark: string): string => {
  let line = ''
  for (const { name, write } of places) {
    const value = values[name]
    line += absent(value) ? mark : write(value) + mark
  }
  return line
}

/** What repeats in the lines of many receipts, and the amounts, which do not: lists side by side, one entry a line. */
const meters = (lines: readonly ReceiptLine[]): string =>
  JSON.stringify([
    lines.map(({ kind }) => kind),
    lines.map(({ model }) => model),
    lines.map(({ meter }) => meter),
    lines.map(({ rate_usd = null }) => rate_usd),
    lines.map(({ price_row = null }) => price_row),
  ])
const amounts = (lines: readonly ReceiptLine[]): string =>
  JSON.stringify([lines.map(({ quantity }) => quantity), lines.map(({ cost_usd = null }) => cost_usd)])

const linesOf = (lines: readonly ReceiptLine[] | undefined): readonly [meters: string, amounts: string] => {
  if (absent(lines)) return ['', '']
  if (lines.length === 0) throw noPlace
  return [meters(lines), amounts(lines)]
}

const byPosition = (mark: string, receipt: Receipt): string => {
  const [shown, counted] = linesOf(receipt.lines)
  const own = joined(receipt, ownPlaces, '\t')
  const facts = joined(receipt, factPlaces, valueMark)
  const rest = joined(receipt, restPlaces, valueMark)
  return `${mark}\t${own}${facts}\t${shown}\t${counted}${valueMark}${rest}\t${endMark}\n`
}

/** A journal line, its end of line included. The mark comes first, then the receipt id, so that lines are told apart unread. */
export const encodeLine = (k: 'open' | 'receipt', receipt: Receipt): string => {
  try {
    return byPosition(k === 'open' ? openMark : receiptMark, receipt)
  } catch (reason) {
    if (reason !== noPlace) throw reason
    return `{"k":"${k}","r":${JSON.stringify(receipt)}}\n`
  }
}

const readInto = (fields: Record<string, unknown>, names: readonly Field[], values: readonly string[]): void => {
  names.forEach((name, at) => {
    const value = values[at]
    if (value !== undefined && value !== '') fields[name] = readers[columns[name]](value)
  })
}

type Meters = readonly [
  kinds: string[],
  models: string[],
  meters: string[],
  rates: (string | null)[],
  rows: (string | null)[],
]
type Amounts = readonly [quantities: number[], costs: (string | null)[]]

const readLines = (shown: string, counted: string): ReceiptLine[] => {
  const [kinds, models, names, rates, rows] = JSON.parse(shown) as Meters
  const [quantities, costs] = JSON.parse(counted) as Amounts
  return kinds.map((kind, at) => {
    const [rate_usd, cost_usd, price_row] = [rates[at], costs[at], rows[at]]
    return {
      kind,
      model: models[at],
      meter: names[at],
      quantity: quantities[at],
      ...(rate_usd && { rate_usd }),
      ...(cost_usd && { cost_usd }),
      ...(price_row && { price_row }),
    } as ReceiptLine
  })
}

const WIDTH = 1 + ownFields.length + 4

/** Reads a line without its end of line. Throws RangeError for one that is cut or of another version, SyntaxError for bad JSON. */
export const decodeLine = (line: string): JournalLine => {
  if (line.startsWith('{')) return JSON.parse(line) as JournalLine
  const values = line.split('\t')
  const [mark] = values
  if (values.length !== WIDTH || values.at(-1) !== endMark || (mark !== openMark && mark !== receiptMark))
    throw new RangeError('not a whole journal line')
  const [facts = '', shown = '', tail = ''] = values.slice(1 + ownFields.length)
  const [counted = '', ...rest] = tail.split(valueMark)
  const fields: Record<string, unknown> = {}
  readInto(fields, ownFields, values.slice(1))
  readInto(fields, factFields, facts.split(valueMark))
  readInto(fields, restFields, rest)
  if (shown !== '') fields['lines'] = readLines(shown, counted)
  return { k: mark === openMark ? 'open' : 'receipt', r: fields as unknown as Receipt }
}

const HEAD = /^(?:(o1|r1)\t([^\t]+)\t|\{"k":"(open|receipt)","r":\{"receipt_id":"([^"\\]+)")/

/** What a line is and of which receipt, mostly without reading the rest; undefined for a line that cannot be read. */
export const identifyLine = (line: string): Readonly<{ k: JournalLine['k']; id: string }> | undefined => {
  const [, mark, id, k, named] = HEAD.exec(line) ?? []
  if (mark !== undefined && id !== undefined && line.endsWith(`\t${endMark}`))
    return { k: mark === openMark ? 'open' : 'receipt', id }
  if (named !== undefined) return { k: k === 'open' ? 'open' : 'receipt', id: named }
  try {
    const read = decodeLine(line)
    return { k: read.k, id: read.r.receipt_id }
  } catch {
    return undefined
  }
}
