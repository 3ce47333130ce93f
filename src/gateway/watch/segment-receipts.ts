import { closeSync, openSync, readSync } from 'node:fs'
import { decodeLine } from '../../core/journal-line.ts'
import { openMark } from '../../core/line-marks.ts'
import { parseUsd } from '../../core/money.ts'
import type { Receipt } from '../../core/receipt.ts'
import { openSighting, openStrand, type Sighting, type Strand } from '../../playbook/allocate/detect/strand.ts'
import { cellName } from '../../playbook/allocate/detect/watched.ts'
import { type Line, lineReader } from './read-line.ts'

const LINE_FEED = 10
/**
 * So much of a segment is read at once: a text of more than 128 KiB costs six times as much a byte, as it gets memory of its
 * own. A line that is longer makes the reader larger.
 */
const PIECE_BYTES = 64 * 1024
/** Pieces after which others have their turn. */
const PIECES_AT_ONCE = 8

/** Hears of each receipt; `one` is filled anew for the next. */
export type See = (strand: Strand, one: Sighting) => void

const picos = (usd: string | undefined): number => (usd === undefined ? 0 : Number(parseUsd(usd)))

/** A receipt read whole, which is a strand by itself. */
const strandOf = (receipt: Receipt): Strand => {
  const lines = receipt.lines ?? []
  return openStrand({
    ...receipt,
    cell_names: lines.map(({ model, meter }) => cellName(model, meter)),
    price_rows: [...new Set(lines.flatMap(({ price_row }) => price_row ?? []))],
    unpriced: receipt.price_state === 'unpriced' && receipt.cost_usd === undefined,
  })
}

const sightingOf = (receipt: Receipt): Sighting => {
  const lines = receipt.lines ?? []
  return {
    id: receipt.receipt_id,
    at_us: receipt.ended_at_us,
    cost: picos(receipt.cost_usd),
    ceiling: picos(receipt.reserved_usd),
    fingerprint: receipt.fingerprint_exact,
    input_tokens: receipt.input_tokens ?? 0,
    cache_read_tokens: receipt.cache_read_tokens ?? 0,
    quantities: lines.map(({ quantity }) => quantity),
    costs: lines.map(({ cost_usd }) => (cost_usd === undefined ? Number.NaN : picos(cost_usd))),
  }
}

/** Nothing where a line cannot be read: the collector has set it aside. */
const readWhole = (line: string): Receipt | undefined => {
  try {
    const { k, r } = decodeLine(line)
    return k === 'receipt' ? r : undefined
  } catch {
    return undefined
  }
}

/** The pieces of a file, each of whole lines, in one buffer that the next piece overwrites. */
function* piecesOf(path: string): Generator<Readonly<{ bytes: Buffer; length: number }>> {
  const fd = openSync(path, 'r')
  try {
    let bytes = Buffer.allocUnsafeSlow(PIECE_BYTES)
    let held = 0
    for (;;) {
      const read = readSync(fd, bytes, held, bytes.length - held, null)
      const all = held + read
      const length = read === 0 ? all : bytes.lastIndexOf(LINE_FEED, all - 1) + 1
      if (length > 0) yield { bytes, length }
      if (read === 0) return
      held = all - length
      bytes.copyWithin(0, length, all)
      if (held === bytes.length) bytes = Buffer.concat([bytes], 2 * bytes.length)
    }
  } finally {
    closeSync(fd)
  }
}

/**
 * Reads segments of the journal as far as the watch looks at them: each receipt is told to `see`, in the order in which they
 * were written. Comes back now and
 * then, and at the end, so that what was read can be taken in and others of this thread have their turn.
 */
export const segmentReader = () => {
  const sighting = openSighting()
  const readLine = lineReader()
  const readOne = (line: Line, see: See): void => {
    const strand = readLine(line, sighting)
    if (strand) see(strand, sighting)
    const receipt = strand ? undefined : readWhole(line.bytes.toString('utf8', line.begin, line.end))
    if (receipt) see(strandOf(receipt), sightingOf(receipt))
  }
  const readPiece = (bytes: Buffer, length: number, see: See): void => {
    const text = bytes.toString('latin1', 0, length)
    for (let begin = 0; begin < length; ) {
      const found = text.indexOf('\n', begin)
      const end = found < 0 ? length : found
      // An open line is of no interest here, and not worth reading.
      if (end > begin && !text.startsWith(openMark, begin)) readOne({ bytes, text, begin, end }, see)
      begin = end + 1
    }
  }
  return function* (path: string, see: See): Generator<void> {
    let pieces = 0
    for (const { bytes, length } of piecesOf(path)) {
      readPiece(bytes, length, see)
      pieces += 1
      if (pieces % PIECES_AT_ONCE === 0) yield
    }
    yield
  }
}
