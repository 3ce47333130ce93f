import { readFileSync } from 'node:fs'
import { decodeLine, openMark } from '../../core/journal-line.ts'
import { type Watched, watchedOf } from '../../playbook/allocate/detect/watched.ts'

const LINE_FEED = 10

/** Nothing where a line cannot be read: the collector has set it aside. */
const readLine = (line: string): Watched | undefined => {
  try {
    const { k, r } = decodeLine(line)
    return k === 'receipt' ? watchedOf(r) : undefined
  } catch {
    return undefined
  }
}

/** The receipts of a journal segment, as far as the watch looks at them, in the order in which they were written. */
export const receiptsIn = (path: string): readonly Watched[] => {
  const bytes = readFileSync(path)
  const all: Watched[] = []
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, from)
    const to = found < 0 ? bytes.length : found
    const line = bytes.toString('utf8', from, to)
    // An open line is of no interest here, and not worth reading.
    const watched = to > from && !line.startsWith(openMark) ? readLine(line) : undefined
    if (watched) all.push(watched)
    from = to + 1
  }
  return all
}
