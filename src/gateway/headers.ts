import type { Headers } from '../core/wire.ts'
import { unescaped } from '../wires/framing/json.ts'

/** Headers that belong to one connection and never go further (RFC 9110 §7.6.1), and those that each side sets anew. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** What a request to a provider does not take along: the same, and what undici sets anew from destination and body. */
const setAnew = new Set([...hopByHop, 'host', 'content-length', 'expect'])

/** Every header in which a provider's or Weir's key can come. */
const keyHeaders = new Set(['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'cookie'])

const lowered = new Map<string, string>()

/** The name in lower case; the usual ones are remembered, up to a bound. */
const lowerCase = (name: string): string => {
  const known = lowered.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  // A copy, because a piece of a head keeps the whole of it in memory.
  if (lowered.size < 1000 && name.length < 64) lowered.set(Buffer.from(name).toString(), Buffer.from(lower).toString())
  return lower
}

/** Joins raw name–value pairs into a record of lower-case names; repeated ones with `, `. */
export const readHeaders = (raw: readonly string[]): Headers => {
  const headers: Record<string, string> = {}
  for (let i = 0; i < raw.length; i += 2) {
    const name = lowerCase(raw[i] ?? '')
    const before = headers[name]
    headers[name] = before === undefined ? (raw[i + 1] ?? '') : `${before}, ${raw[i + 1] ?? ''}`
  }
  return headers
}

/** Names that the `connection` header declares to be hop-by-hop too. */
const declared = (headers: Headers): ReadonlySet<string> | undefined => {
  const connection = headers['connection']?.toLowerCase()
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined
  return new Set(connection.split(',').map((name) => name.trim()))
}

export type Forwarding = Readonly<{
  /** Leave out everything that can carry a key: ours is set instead. */
  drop_keys: boolean
  /** Further headers that carry a key, by the provider's adapter. */
  key_headers: readonly string[]
}>

/** The client's headers as they go to a provider: nothing of this connection, nothing of Weir's, keys only where allowed. */
export const forwardHeaders = (headers: Headers, { drop_keys, key_headers }: Forwarding): Record<string, string> => {
  const forwarded: Record<string, string> = {}
  const also = declared(headers)
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || setAnew.has(name) || name.startsWith('x-weir-')) continue
    if (also?.has(name)) continue
    if (drop_keys && (keyHeaders.has(name) || key_headers.includes(name))) continue
    forwarded[name] = value
  }
  return forwarded
}

const latin1 = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, from, to - from).toString('latin1')

/** Longest head that is decoded in one. */
const LONGEST_HEAD = 64 * 1024

/**
 * A provider's head as undici hands it over: pairs of buffers. Nearly always they lie in one piece of memory, one behind
 * the other, and are decoded in one: each look into the engine costs more than the text itself.
 */
export const decodeHead = (raw: readonly Uint8Array[]): string[] => {
  const text: string[] = new Array(raw.length)
  const first = raw[0]
  const last = raw[raw.length - 1]
  if (!(first && last)) return text
  const from = first.byteOffset
  const to = last.byteOffset + last.byteLength
  const near = first.buffer === last.buffer && to > from && to - from <= LONGEST_HEAD
  const head = near ? latin1(first, from, to) : ''
  for (let i = 0; i < raw.length; i++) {
    const bytes = raw[i] ?? first
    const start = bytes.byteOffset
    const end = start + bytes.byteLength
    const within = near && bytes.buffer === first.buffer && start >= from && end <= to
    text[i] = within ? head.slice(start - from, end - from) : latin1(bytes, start, end)
  }
  return text
}

/** A provider's headers as they go to the client: names, order and repeats kept, without those of the connection. */
export const answerHeaders = (raw: readonly string[], keep_length: boolean): string[] => {
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const lower = lowerCase(name)
    if (hopByHop.has(lower) || lower.startsWith('x-weir-')) continue
    if (lower === 'content-length' && !keep_length) continue
    kept.push(name, raw[i + 1] ?? '')
  }
  return kept
}

/** Parameters that carry a key (`?key=` of Google's older clients), by their names. */
const KEY_NAME = /^(key|access_token|api[-_]key)$/i
/** Nearly every query has none, and then it is left as it is. A name may be written in escapes. */
const MAYBE_KEY = /[?&][^=&]*(%|key=|access_token=)/i

const carriesKey = (pair: string): boolean => KEY_NAME.test(unescaped(pair.split('=', 1)[0] ?? ''))

/** The parameters of a query that carry a key. */
export const keysIn = (query: string): readonly string[] =>
  MAYBE_KEY.test(query) ? query.slice(1).split('&').filter(carriesKey) : []

/** A query without parameters that carry a key. */
export const withoutKeys = (query: string): string => {
  if (!MAYBE_KEY.test(query)) return query
  const kept = query
    .slice(1)
    .split('&')
    .filter((pair) => !carriesKey(pair))
  return kept.length === 0 ? '' : `?${kept.join('&')}`
}
