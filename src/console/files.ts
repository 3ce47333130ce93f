import { randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as NodeStream } from 'node:stream/web'
import { WeirError } from '../core/errors.ts'

/** Largest file that may be sent, bytes. */
export const LARGEST_FILE = 256 * 1024 * 1024

/** A folder of one request, away when it is over. */
export const openFolder = (data: string): Readonly<{ path: string; remove(): void }> => {
  const path = join(data, 'console', randomBytes(8).toString('hex'))
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Readers tell formats by the end of a name, so it is told from the first bytes. */
const endingOf = (head: Buffer): string => {
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return '.parquet'
  if (head[0] === 0x1f && head[1] === 0x8b) return '.csv.gz'
  return /^\s*[[{]/.test(head.subarray(0, 64).toString('latin1').replace(/^ï»¿/, '')) ? '.json' : '.csv'
}

/** Lets no more than `most` bytes through, and keeps the first of them. */
const bounded = (most: number) => {
  let bytes = 0
  let head = Buffer.alloc(0)
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (head.length < 64) head = Buffer.concat([head, chunk.subarray(0, 64)])
      done(bytes > most ? new WeirError('body-too-large', `a file has at most ${most} bytes`) : null, chunk)
    },
  })
  return { stream, head: () => head, bytes: () => bytes }
}

/** Writes what was sent into the folder and gives its path, whose ending says its format; undefined for an empty body. Throws `body-too-large`. */
export const receiveFile = async (
  body: ReadableStream<Uint8Array> | null,
  folder: string,
  most = LARGEST_FILE,
): Promise<string | undefined> => {
  if (body === null) return undefined
  const path = join(folder, 'sent')
  const limit = bounded(most)
  await pipeline(Readable.fromWeb(body as NodeStream), limit.stream, createWriteStream(path, { mode: 0o600 }))
  if (limit.bytes() === 0) return undefined
  const named = path + endingOf(limit.head())
  renameSync(path, named)
  return named
}

/** An error about a file that was sent in the place of a field, without where it lies on this machine. */
export const ofSentFile = (error: unknown, path: string, field: string): unknown =>
  error instanceof WeirError && error.message.includes(path)
    ? new WeirError(error.code, error.message.replaceAll(path, 'the file sent'), {
        cause: error,
        field: error.field ?? field,
      })
    : error

/** A file as a body; `ended` is called when it was sent, or nobody reads on. */
export const fileBody = (path: string, ended: () => void): ReadableStream =>
  Readable.toWeb(createReadStream(path).on('close', ended)) as ReadableStream
