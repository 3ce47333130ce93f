import { readFileSync } from 'node:fs'
import { decodeLine, endMark, openMark, receiptMark } from '../../core/journal-line.ts'
import { type Watched, watchedOf } from '../../playbook/allocate/detect/watched.ts'
import { lineReader } from './read-line.ts'

const LINE_FEED = 10
const read = lineReader()

/** A line that is not by position, or of a receipt that has no price: read whole. Nothing where it cannot be read: the collector has set it aside. */
const readWhole = (line: string): Watched | undefined => {
  try {
    const { k, r } = decodeLine(line)
    return k === 'receipt' ? watchedOf(r) : undefined
  } catch {
    return undefined
  }
}

/**
 * The receipts of a journal segment, as far as the watch looks at them, in the order in which they were written. Nothing of
 * them holds on to the segment's text: what the watch remembers of one would keep all of it in memory.
 */
export const receiptsIn = (path: string): readonly Watched[] => {
  const bytes = readFileSync(path)
  const text = bytes.toString('latin1')
  const all: Watched[] = []
  for (let from = 0; from < text.length; ) {
    const found = bytes.indexOf(LINE_FEED, from)
    const to = found < 0 ? text.length : found
    // An open line is of no interest here, and not worth reading.
    if (to > from && !text.startsWith(`${openMark}\t`, from)) {
      const whole = text.startsWith(`${receiptMark}\t`, from) && text.startsWith(`\t${endMark}`, to - 2)
      const watched = (whole ? read(bytes, text, from, to) : undefined) ?? readWhole(bytes.toString('utf8', from, to))
      if (watched) all.push(watched)
    }
    from = to + 1
  }
  return all
}
