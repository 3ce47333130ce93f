import { readFileSync } from 'node:fs'
import { decodeLine } from '../../core/journal-line.ts'
import type { Receipt } from '../../core/receipt.ts'

/** The receipts of a journal segment, in the order in which they were written. Lines that cannot be read are left out: the collector has set them aside. */
export const receiptsIn = (path: string): readonly Receipt[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line): Receipt[] => {
      // `o1` begins an open line: of no interest here, and not worth reading.
      if (line === '' || line.startsWith('o1\t')) return []
      try {
        const { k, r } = decodeLine(line)
        return k === 'receipt' ? [r] : []
      } catch {
        return []
      }
    })
