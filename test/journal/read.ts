/** Reads the lines of a journal folder, as a test expects them after recovery. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeLine } from '../../src/core/journal-line.ts'
import type { JournalLine, Receipt } from '../../src/core/receipt.ts'

export const linesOf = (folder: string): JournalLine[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.ndjson') || file.endsWith('.open'))
    .sort()
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => decodeLine(line))

export const receiptsOf = (folder: string): Receipt[] =>
  linesOf(folder)
    .filter(({ k }) => k === 'receipt')
    .map(({ r }) => r)
