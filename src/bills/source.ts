import { createReadStream } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { text as wholeText } from 'node:stream/consumers'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import type { BillLine, BillRow } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { parquetRecords } from './parquet.ts'
import { type BillRecord, isRecord } from './record.ts'
import { bucketDay, entriesOf, type Found, followPages, type Pages, resultsOf } from './report.ts'

/**
 * A record of a file and the line on which it stands, counted from 1, with the path to it (`data[3].results[0]`) where the line
 * holds many; what is wrong with that place; or the head of a table, its names as values.
 */
export type Placed =
  | Readonly<{ record: BillRecord; line: number; path?: string }>
  | Readonly<{ bad: string; line: number }>
  | Readonly<{ head: BillRecord; line: number }>

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const unreadable = (path: string, cause: unknown): WeirError =>
  cause instanceof WeirError
    ? cause
    : new WeirError('bad-input', `${path} cannot be read: ${reason(cause)}. Check that the file is whole.`, { cause })

/** JSON whose numbers stay the text that was written: amounts never pass through a float. */
export const exactJson = (text: string): unknown => {
  const keep = (_: string, value: unknown, context?: Readonly<{ source: string }>): unknown =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown)
}

/** Characters of a foreign file that a message repeats. */
const MOST_SHOWN = 300

const parsed = (text: string, line: number): Placed => {
  try {
    const value = exactJson(text)
    return isRecord(value) ? { record: value, line } : { bad: 'not a JSON object', line }
  } catch (cause) {
    return { bad: `not JSON: ${reason(cause)}`, line }
  }
}

/** The first bytes of a file say what it is, whatever its name. */
const startOf = async (path: string): Promise<Buffer> => {
  const file = await openFile(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

const openText = (path: string, packed: boolean): Readable => {
  const file = createReadStream(path, { highWaterMark: 1 << 18 })
  if (!packed) return file
  const unpacked = createGunzip()
  file.on('error', (error) => unpacked.destroy(error))
  return file.pipe(unpacked)
}

/** The first character that is no space, unpacked. */
const firstCharacter = async (path: string, packed: boolean): Promise<string> => {
  const source = openText(path, packed)
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      const found = /[^\s\uFEFF]/.exec(chunk.toString('utf8'))?.[0]
      if (found !== undefined) return found
    }
    return ''
  } finally {
    source.destroy()
  }
}

/** What the parser says of a row: where it has not the columns of the head, its cells as they were. */
type RowInfo = Readonly<{ lines: number; error?: Readonly<{ record: readonly string[] }> }>

/**
 * A row with fewer cells than the head was cut off: what is left of its last amount would be another amount. In one with more,
 * cells have moved, unless what is too much is empty.
 */
const placed = (record: BillRecord, head: readonly string[], { lines: line, error }: RowInfo): Placed => {
  const cells = error?.record ?? head
  const uneven = cells.length < head.length || cells.slice(head.length).some((cell) => cell !== '')
  return uneven ? { bad: `the row has ${cells.length} of ${head.length} columns`, line } : { record, line }
}

async function* csvRecords(source: Readable): AsyncGenerator<Placed> {
  let head: readonly string[] = []
  const columns = (names: string[]): string[] => {
    head = names
    return names
  }
  const parser = parse({ columns, bom: true, info: true, relax_column_count: true, skip_empty_lines: true })
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  for await (const { record, info } of parser as AsyncIterable<{ record: BillRecord; info: RowInfo }>)
    yield placed(record, head, info)
  yield { head: Object.fromEntries(head.map((name) => [name, name])), line: 1 }
}

/** One JSON value over many lines: an array of records, or a page. */
const wholeRecords = (text: string): readonly Placed[] => {
  const value = exactJson(text)
  if (isRecord(value)) return [{ record: value, line: 1 }]
  if (!Array.isArray(value)) return [{ bad: 'not an object', line: 1 }]
  return value.map((record: unknown, at) => {
    const path = `[${at}]`
    return isRecord(record) ? { record, line: 1, path } : { bad: `${path} is not an object`, line: 1 }
  })
}

/** A record a line; where the first line is no whole value, the file is one value. */
async function* jsonRecords(path: string, packed: boolean): AsyncGenerator<Placed> {
  let line = 0
  for await (const written of createInterface({ input: openText(path, packed), crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1
    const text = line === 1 ? written.replace(/^\uFEFF/, '') : written
    if (text.trim() === '') continue
    const found = parsed(text, line)
    if ('bad' in found && (line === 1 || text.trim() === '{')) {
      yield* wholeRecords(await wholeText(openText(path, packed)))
      return
    }
    yield found
  }
}

/** Records of a CSV, JSON, JSONL or Parquet file, plain or .gz. Throws WeirError `bad-input` naming a file that cannot be read. */
export async function* readRecords(path: string, columns: readonly string[]): AsyncGenerator<Placed> {
  try {
    const start = await startOf(path)
    if (start.toString('latin1') === 'PAR1') {
      yield* parquetRecords(path, columns)
      return
    }
    const packed = start[0] === 0x1f && start[1] === 0x8b
    const first = await firstCharacter(path, packed)
    if (first === '[') yield* wholeRecords(await wholeText(openText(path, packed)))
    else if (first === '{') yield* jsonRecords(path, packed)
    else yield* csvRecords(openText(path, packed))
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

const attempt = (line: number, read: () => BillRow): BillRow => {
  try {
    return read()
  } catch (error) {
    if (error instanceof WeirError || error instanceof RangeError) return { bad: error.message, line }
    throw error
  }
}

/** The lines of a record, or what is wrong with it: a reader throws WeirError `bad-input` that names the field. */
export const rowOf = (record: BillRecord, line: number, read: (record: BillRecord) => readonly BillLine[]): BillRow =>
  attempt(line, () => ({ lines: read(record) }))

/** What is wrong with a record is said with the path to it. */
const inPlace = (row: BillRow, path: string): BillRow =>
  'bad' in row && path !== '' ? { ...row, bad: `${path}: ${row.bad}` } : row

export type Reader = Readonly<{
  /** Columns that are needed; a Parquet file's others are not read. */
  columns: readonly string[]
  /** Is the record of this source at all? Asked of the first one. */
  recognise(record: BillRecord): boolean
  /** What the file should be, for the message when it is not. */
  expects: string
  lines(record: BillRecord): readonly BillLine[]
}>

/** Throws WeirError `bad-input` where a file begins with what is no record of its source. */
const checkKnown = (path: string, reader: Reader, record: BillRecord, what: string): void => {
  if (reader.recognise(record)) return
  const names = Object.keys(record).slice(0, 12).join(', ').slice(0, MOST_SHOWN)
  throw new WeirError('bad-input', `${path} is not ${reader.expects}; its ${what} has ${names || 'nothing'}`)
}

const RESTATED =
  'another page has this with other figures: give the newer alone; pages of several projects, grouped by project'

type Check = (record: BillRecord, what: string) => void

/** What an entry of a page says: its results, or its day where it has none. */
function* entryRows(entry: Found, line: number, reader: Reader, check: Check): Generator<BillRow> {
  const results = resultsOf(entry)
  if (results.length === 0) yield attempt(line, () => ({ lines: [], day: bucketDay(entry.record) }))
  for (const { record, path } of results) {
    check(record, 'first row')
    yield inPlace(rowOf(record, line, reader.lines), path)
  }
}

async function* readFile(file: string, reader: Reader, pages: Pages): AsyncGenerator<BillRow> {
  let known = false
  const check: Check = (record, what) => {
    if (!known) checkKnown(file, reader, record, what)
    known = true
  }
  for await (const found of readRecords(file, reader.columns)) {
    if ('bad' in found) yield found
    else if ('head' in found) check(found.head, 'first line')
    else {
      const { record, line, path } = found
      const { fresh, again, restated } = pages.take(record, entriesOf(record, path), { file, line })
      if (again > 0) yield { lines: [], again }
      for (const entry of fresh) yield* entryRows(entry, line, reader, check)
      for (const { path: inside } of restated) yield inPlace({ bad: RESTATED, line }, inside)
    }
  }
}

/**
 * Reads downloaded files, together one bill, record by record; a bad one is said and the rest is kept. What two pages of an API
 * hold is read once, and a page that promises more than the files have is bad. A table without rows is an empty bill where its
 * head is that of one.
 */
export async function* readBill(paths: readonly string[], reader: Reader): AsyncGenerator<BillRow> {
  const pages = followPages()
  for (const file of paths)
    for await (const row of readFile(file, reader, pages)) yield 'bad' in row ? { ...row, file } : row
  const bad = 'the page after this one is missing (has_more is true): give it as well, or the report is not whole'
  for (const place of pages.unfinished()) yield { ...place, bad }
}
