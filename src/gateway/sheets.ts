/** Lines of a journal on their way to the file, one behind the other in memory. */
import { writeLine } from '../core/line-bytes.ts'
import type { Receipt } from '../core/receipt.ts'

/** A line, and the receipt that it says or opens. `late` is called where it had to wait for room and is written. */
export type Entry = Readonly<{ k: 'open' | 'receipt'; id: string; line: Uint8Array; late?: (() => void) | undefined }>

/** The bytes of entries in one piece; those of one sheet lie one behind the other, and are not copied. */
export const whole = (entries: readonly Entry[]): Uint8Array => {
  const first = entries[0]?.line
  const last = entries.at(-1)?.line
  if (!(first && last)) return new Uint8Array(0)
  if (entries.length === 1) return first
  let length = 0
  for (const { line } of entries) length += line.length
  const end = last.byteOffset + last.length
  const together = first.buffer === last.buffer && end - first.byteOffset === length
  return together
    ? new Uint8Array(first.buffer, first.byteOffset, length)
    : Buffer.concat(entries.map(({ line }) => line))
}

/** Lines of about a hundred attempts: an attempt that stays open keeps no more than one sheet in memory. */
const SHEET_BYTES = 64 * 1024

/** Writes lines one behind the other on sheets of memory. */
export const openSheets = () => {
  let sheet = new Uint8Array(SHEET_BYTES)
  let used = 0
  return (k: Entry['k'], receipt: Receipt, late?: Entry['late']): Entry => {
    for (let size = SHEET_BYTES; ; size *= 4) {
      const end = writeLine(k, receipt, sheet, used)
      if (end > 0) {
        const line = sheet.subarray(used, end)
        used = end
        return { k, id: receipt.receipt_id, line, late }
      }
      sheet = new Uint8Array(size)
      used = 0
    }
  }
}
