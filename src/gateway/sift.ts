import { copyFileSync, createReadStream, mkdirSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type ColumnKind, columns } from '../core/columns.ts'
import { decodeLine } from '../core/journal-line.ts'

const list = (item: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(item)
const text = (value: unknown) => typeof value === 'string'
const count = (value: unknown) => Number.isSafeInteger(value)
const record = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

const fits: Readonly<Record<ColumnKind, (value: unknown) => boolean>> = {
  text,
  flag: (value) => typeof value === 'boolean',
  count,
  small: count,
  score: (value) => typeof value === 'number',
  time: count,
  money: (value) => text(value) && /^-?\d+(\.\d{1,12})?$/.test(value as string),
  hash: (value) => text(value) && /^[0-9a-f]{16}$/.test(value as string),
  tags: record,
  texts: list(text),
  hashes: list((value) => fits.hash(value)),
  counts: list(count),
  lines: list(record),
  levers: list(record),
}

const required = ['receipt_id', 'call_id', 'attempt', 'started_at_us', 'ended_at_us', 'provider', 'outcome'] as const

/** Can a ledger take this line? */
const isGood = (line: string): boolean => {
  try {
    const { k, r } = decodeLine(line)
    const values = r as unknown as Readonly<Record<string, unknown>>
    if (k !== 'open' && k !== 'receipt') return false
    if (required.some((name) => values[name] === undefined || values[name] === null)) return false
    return Object.entries(columns).every(
      ([name, kind]) => values[name] === undefined || values[name] === null || fits[kind](values[name]),
    )
  } catch {
    return false
  }
}

const linesOf = (path: string) =>
  createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })

const writeGood = async (from: string, to: string): Promise<void> => {
  const file = await open(to, 'w', 0o600)
  try {
    for await (const line of linesOf(from)) if (line.trim() !== '' && isGood(line)) await file.write(`${line}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Keeps the segment whole in `quarantine/`, then takes its bad lines out; a disk without room for both gets back what was begun. */
const takeOut = async (folder: string, name: string): Promise<void> => {
  const path = join(folder, name)
  const kept = join(folder, 'quarantine', name)
  try {
    mkdirSync(join(folder, 'quarantine'), { recursive: true })
    copyFileSync(path, kept)
    await writeGood(path, `${path}.sifted`)
  } catch (error) {
    for (const begun of [kept, `${path}.sifted`]) rmSync(begun, { force: true })
    throw error
  }
  renameSync(`${path}.sifted`, path)
}

/**
 * Takes the lines that no ledger can read out of a segment; the whole segment is kept in `quarantine/` first. Killed at
 * any point it can be run again. Nothing is written when every line is good: it may be a full disk for which the ledger refused it.
 */
export const sift = async (folder: string, name: string): Promise<Readonly<{ good: number; bad: number }>> => {
  const found = { good: 0, bad: 0 }
  for await (const line of linesOf(join(folder, name)))
    if (line.trim() !== '') found[isGood(line) ? 'good' : 'bad'] += 1
  if (found.bad > 0) await takeOut(folder, name)
  return found
}
