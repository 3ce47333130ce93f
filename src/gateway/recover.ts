import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { decodeLine, encodeLine, identifyLine } from '../core/journal-line.ts'
import type { Receipt } from '../core/receipt.ts'
import { bySequence, parseSegment, type SegmentFile, segmentName } from './segment.ts'

/** What was found of processes that died. */
export type Recovered = Readonly<{
  /** Segments that were closed in their place. */
  segments: number
  /** Attempts whose end nobody saw: each has a receipt `unknown` now. */
  unknown: number
  /** Segments whose last line was torn; it was cut off. */
  torn: number
  /** Lines in the middle that cannot be read; the collector sets them aside. */
  bad: number
}>

/** The segment of the `unknown` receipts comes after every other of its run, and has the same name however often recovery is killed. */
const LAST = 99_999_999

/** The receipt of an attempt whose end was not seen: its reservation stands as its cost, where it had a price at all. */
const unknownReceipt = (open: Receipt): Receipt => {
  const priced = open.price_state === 'priced' || open.price_state === 'stated'
  return {
    ...open,
    outcome: 'unknown',
    usage_source: 'none',
    ...(priced && open.reserved_usd !== undefined ? { cost_usd: open.reserved_usd } : {}),
  }
}

const NOTHING = Buffer.alloc(0)

/**
 * Cuts a line that was being written when its writer died. Gives back the whole lines: none of a file that the collector
 * has just taken, whose open attempts stand in the next segment too.
 */
const wholeLines = (path: string): Readonly<{ lines: readonly string[]; torn: boolean }> => {
  const bytes = existsSync(path) ? readFileSync(path) : NOTHING
  const end = bytes.lastIndexOf(10) + 1
  if (end < bytes.length) truncateSync(path, end)
  const lines = bytes.subarray(0, end).toString('utf8').split('\n')
  return { lines: lines.filter((line) => line !== ''), torn: end < bytes.length }
}

/** Who wants to know how attempts ended: which of the receipts that are there, and every `unknown` one. */
export type Ends = Readonly<{ wants(receipt_id: string): boolean; told(receipt: Receipt): void }>

/** Reads the leftovers of one run: the open lines that no receipt closed. */
const readRun = (folder: string, segments: readonly SegmentFile[], ends?: Ends) => {
  const open = new Map<string, string>()
  const closed = new Set<string>()
  const note = ({ k, id }: NonNullable<ReturnType<typeof identifyLine>>, line: string): void => {
    if (k === 'open') {
      if (!closed.has(id)) open.set(id, line)
      return
    }
    closed.add(id)
    open.delete(id)
    if (ends?.wants(id)) ends.told(decodeLine(line).r)
  }
  let torn = 0
  let bad = 0
  for (const { file } of segments) {
    const read = wholeLines(join(folder, file))
    if (read.torn) torn += 1
    for (const line of read.lines) {
      const found = identifyLine(line)
      if (found) note(found, line)
      else bad += 1
    }
  }
  return { open: [...open.values()], torn, bad }
}

/** Writes a file so that it is there wholly or not at all. */
const writeWhole = (path: string, text: string): void => {
  const fd = openSync(`${path}.tmp`, 'w', 0o600)
  const bytes = Buffer.from(text)
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
  fsyncSync(fd)
  closeSync(fd)
  renameSync(`${path}.tmp`, path)
}

const closeSegment = (folder: string, { file, run, sequence }: SegmentFile): void => {
  const path = join(folder, file)
  if (readFileSync(path).length === 0) unlinkSync(path)
  else renameSync(path, join(folder, segmentName(run, sequence)))
}

/**
 * Makes the journal of processes that died whole: torn last lines are cut, attempts without an end get a receipt
 * `unknown`, and every segment is closed for the collector. The caller knows that nobody writes: it holds the lock of the
 * data folder, or names the one `thread` that is dead.
 * It can be killed at any point and run again: the `unknown` receipts are on disk before any segment is closed, under the
 * same name and the same receipt ids.
 */
export const recover = (folder: string, thread?: string, ends?: Ends): Recovered => {
  const found = existsSync(folder) ? readdirSync(folder).map(parseSegment) : []
  const segments = found
    .filter((segment) => segment !== undefined)
    .filter(({ run }) => thread === undefined || run.startsWith(`${thread}-`))
    .sort(bySequence)
  const left = segments.filter(({ open }) => open)
  const total = { segments: left.length, unknown: 0, torn: 0, bad: 0 }
  for (const run of new Set(left.map((segment) => segment.run))) {
    const ofRun = segments.filter((segment) => segment.run === run)
    const { open, torn, bad } = readRun(folder, ofRun, ends)
    const unknown = open.map((line) => unknownReceipt(decodeLine(line).r))
    for (const receipt of unknown) ends?.told(receipt)
    const lines = unknown.map((receipt) => encodeLine('receipt', receipt))
    if (lines.length > 0) writeWhole(join(folder, segmentName(run, LAST)), lines.join(''))
    for (const segment of ofRun) if (segment.open) closeSegment(folder, segment)
    total.unknown += lines.length
    total.torn += torn
    total.bad += bad
  }
  return total
}
