import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import {
  brotliDecompress,
  brotliDecompressSync,
  gunzip,
  gunzipSync,
  inflate,
  inflateSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib'
import { WeirError } from '../core/errors.ts'
import type { Headers } from '../core/wire.ts'

const NOTHING = Buffer.alloc(0)

const tooLarge = (limit_bytes: number): WeirError =>
  new WeirError(
    'body-too-large',
    `The request body is larger than ${limit_bytes} bytes. Send less, or raise limits.body_bytes in weir.yaml.`,
  )

const hasBody = (headers: Headers): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined

/** What is beyond the limit is read and thrown away, so that the client comes to read why it was refused. */
const refuse = (request: IncomingMessage): void => {
  request.removeAllListeners('data')
  request.resume()
}

const cutOff = (): WeirError => new WeirError('bad-request', 'The request ended before its body did.')

/** A body that has come already, as most have that came in one piece with their head. */
const readWhole = (request: IncomingMessage, limit_bytes: number): Buffer => {
  const body: Buffer = request.read() ?? NOTHING
  if (body.length > limit_bytes) throw tooLarge(limit_bytes)
  return body
}

/** A request, and its headers as they were read. (Asked for its own, Node would read them a second time.) */
type Incoming = Readonly<{ request: IncomingMessage; response: ServerResponse; headers: Headers }>

/** Does the client hold its body back until it is told that it may come? Who is refused before need not send it. */
export const holdsBack = ({ request, headers }: Pick<Incoming, 'request' | 'headers'>): boolean =>
  headers['expect'] !== undefined && !request.complete

/**
 * Reads a request body whole, at most `limit_bytes`. Throws `body-too-large`, or `bad-request` when the client goes away
 * before its end.
 */
export const readBody = (call: Incoming, limit_bytes: number): Promise<Buffer> | Buffer => {
  const { request, response, headers } = call
  if (!hasBody(headers)) return NOTHING
  if (Number(headers['content-length'] ?? 0) > limit_bytes) {
    refuse(request)
    throw tooLarge(limit_bytes)
  }
  if (request.complete) return readWhole(request, limit_bytes)
  if (request.destroyed) throw cutOff()
  if (holdsBack(call)) response.writeContinue()
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let size = 0
    request.on('data', (piece: Buffer) => {
      size += piece.length
      pieces.push(piece)
      if (size <= limit_bytes) return
      refuse(request)
      reject(tooLarge(limit_bytes))
    })
    request.on('end', () => {
      const [first] = pieces
      resolve(pieces.length === 1 && first ? first : Buffer.concat(pieces, size))
    })
    request.on('close', () => {
      if (!request.complete) reject(cutOff())
    })
  })
}

const decoders = {
  gzip: { now: gunzipSync, later: promisify<Uint8Array, object, Buffer>(gunzip) },
  'x-gzip': { now: gunzipSync, later: promisify<Uint8Array, object, Buffer>(gunzip) },
  deflate: { now: inflateSync, later: promisify<Uint8Array, object, Buffer>(inflate) },
  br: { now: brotliDecompressSync, later: promisify<Uint8Array, object, Buffer>(brotliDecompress) },
  zstd: { now: zstdDecompressSync, later: promisify<Uint8Array, object, Buffer>(zstdDecompress) },
} as const

/** Bodies up to this size are decoded at once; larger ones on another thread. */
const AT_ONCE_BYTES = 64 * 1024

/** True where the header names a content encoding at all. */
export const isEncoded = (encoding: string | undefined): encoding is string =>
  encoding !== undefined && encoding !== '' && encoding !== 'identity'

/**
 * Decodes a body beside the bytes that pass. Undefined when the encoding is unknown, the bytes are broken or more than
 * `limit_bytes` come out: then nothing can be read from it, and it passes as it is.
 */
export const decodeBody = (
  bytes: Uint8Array,
  encoding: string,
  limit_bytes: number,
): Promise<Uint8Array | undefined> | Uint8Array | undefined => {
  const name = encoding.trim().toLowerCase()
  if (!Object.hasOwn(decoders, name)) return undefined
  const decoder = decoders[name as keyof typeof decoders]
  const options = { maxOutputLength: limit_bytes }
  if (bytes.length > AT_ONCE_BYTES) return decoder.later(bytes, options).catch(() => undefined)
  try {
    return decoder.now(bytes, options)
  } catch {
    return undefined
  }
}
