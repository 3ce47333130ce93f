import { hash } from 'node:crypto'
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { WeirError } from '../core/errors.ts'

/** A whole count that a ledger keeps. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** 64 bits of a text's hash as 16 hexadecimal digits. */
export const digest = (text: string): string => hash('sha1', text).slice(0, 16)

/** Ids for the rows of a file by their content: a row's text, and how many equal ones came before it. */
export const identities = (origin: string) => {
  const seen = new Map<string, number>()
  return (row: string): string => {
    const content = hash('sha256', row).slice(0, 32)
    const copy = seen.get(content) ?? 0
    seen.set(content, copy + 1)
    return `${origin}/${content}/${copy}`
  }
}

/** Does a file begin as gzip does, whatever its name? A pipe can be read once only. What cannot be opened is told where it is read. */
const isPacked = (path: string): boolean => {
  try {
    if (!statSync(path).isFile()) return false
    const file = openSync(path, 'r')
    try {
      const mark = Buffer.alloc(2)
      readSync(file, mark)
      return mark.readUInt16BE() === 0x1f8b
    } finally {
      closeSync(file)
    }
  } catch {
    return false
  }
}

/** A file as a stream of bytes, unpacked where it is packed by gzip. `progress` is told the bytes read from disk so far. */
export const openSource = (path: string, progress: (bytes: number) => void): Readable => {
  const file = createReadStream(path, { highWaterMark: 1 << 18 })
  let read = 0
  file.on('data', (chunk) => {
    read += chunk.length
    progress(read)
  })
  if (!isPacked(path)) return file
  const unpacked = createGunzip()
  file.on('error', (error) => unpacked.destroy(error))
  return file.pipe(unpacked)
}

/** Lines of a source with their number, counted from 1. Throws WeirError `bad-input` naming a file that cannot be read. */
async function* readLines(
  path: string,
  progress: (bytes: number) => void,
): AsyncGenerator<Readonly<{ text: string; line: number }>> {
  const source = openSource(path, progress)
  let line = 0
  try {
    for await (const text of createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })) {
      line += 1
      yield { text: line === 1 ? text.replace(/^\uFEFF/, '') : text, line }
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new WeirError(
      'bad-input',
      line === 0
        ? `${path} cannot be read: ${reason}`
        : `${path}, after line ${line}: cannot be read: ${reason}. Check the file is whole.`,
      {
        cause: error,
      },
    )
  } finally {
    source.destroy()
  }
}

/** The first character of a source that is no space. Throws WeirError `bad-input` naming a file that cannot be read. */
export const firstCharacter = async (path: string): Promise<string> => {
  for await (const { text } of readLines(path, () => {})) if (text.trim() !== '') return text.trim().charAt(0)
  return ''
}

/** One line of a JSONL source: its record, or a sentence that says why it is none. Empty lines are passed over. */
export type SourceRecord =
  | Readonly<{ record: Readonly<Record<string, unknown>>; line: number }>
  | Readonly<{ bad: string; line: number }>

const parseRecord = (text: string, line: number): SourceRecord => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { bad: 'not a JSON object', line }
    return { record: value as Record<string, unknown>, line }
  } catch (error) {
    return { bad: `not JSON: ${error instanceof Error ? error.message : String(error)}`, line }
  }
}

/** The records of a JSONL source. */
export async function* readRecords(path: string, progress: (bytes: number) => void): AsyncGenerator<SourceRecord> {
  for await (const { text, line } of readLines(path, progress)) {
    if (text.trim() !== '') yield parseRecord(text, line)
  }
}
