import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Charge } from '../../playbook/allocate/focus/columns.ts'
import type { Written } from '../../playbook/allocate/focus/written.ts'

const quoted = (cell: string | null | undefined): string => {
  if (cell === null || cell === undefined) return ''
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

const lineOf = (cells: readonly (string | null | undefined)[]): string => `${cells.map(quoted).join(',')}\n`

export type CsvSink = Readonly<{
  write(charges: readonly Charge[]): Promise<void>
  end(): Promise<void>
  /** Gives up: what was written is not whole. */
  abandon(): void
}>

/** Writes charges as CSV (RFC 4180, UTF-8, null as nothing) to a path, packed where it is told so, or to standard output for `-`. */
export const openCsv = async (path: string, columns: readonly Written[], packed: boolean): Promise<CsvSink> => {
  const target = path === '-' ? process.stdout : createWriteStream(path, { mode: 0o600 })
  const gzip = packed ? createGzip() : undefined
  gzip?.pipe(target)
  const sink: Writable = gzip ?? target
  const failure = new AbortController()
  const { signal } = failure
  for (const stream of new Set<Writable>([target, sink])) stream.on('error', (error) => failure.abort(error))
  const put = async (text: string): Promise<void> => {
    signal.throwIfAborted()
    // What fails while it waits is said below.
    if (!sink.write(text)) await once(sink, 'drain', { signal }).catch(() => {})
    signal.throwIfAborted()
  }
  await put(lineOf(columns.map(({ name }) => name)))
  return {
    async write(charges) {
      await put(charges.map((charge) => lineOf(columns.map(({ name }) => charge[name]))).join(''))
    },
    async end() {
      if (path === '-') return
      sink.end()
      await finished(target)
    },
    abandon() {
      if (path !== '-') target.destroy()
    },
  }
}
