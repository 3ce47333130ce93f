/** AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). */
import { createHmac, hash } from 'node:crypto'

export type Signer = Readonly<{
  access_key_id: string
  secret_access_key: string
  region: string
  service: string
}>

export type SignedRequest = Readonly<{
  method: string
  url: string
  /** Exactly the headers to sign, in lower case; `host` and `x-amz-date` among them. */
  headers: Readonly<Record<string, string>>
  /** SHA-256 of the body, hexadecimal. */
  payload_sha256: string
}>

const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text, 'utf8').digest()

/** SHA-256 as hexadecimal. */
export const sha256 = (data: Uint8Array | string): string => hash('sha256', data, 'hex')

/** Everything but unreserved characters is escaped (RFC 3986 §2.3). */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** `YYYYMMDD'T'HHMMSS'Z'` of a time in µs since the epoch. */
export const amzDate = (now_us: number): string =>
  new Date(Math.floor(now_us / 1000)).toISOString().replace(/[-:]|\.\d{3}/g, '')

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const canonicalQuery = (query: string): string =>
  query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return [escaped(decoded(name)), escaped(decoded(value.join('=')))] as const
    })
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

/** Every service but S3 escapes the path once more: what goes over the wire as `%3A` is signed as `%253A`. */
const canonicalPath = (path: string): string => path.split('/').map(escaped).join('/')

/** Path and query of a URL as they stand, because `URL` would rewrite them. */
const target = (url: string): Readonly<{ path: string; query: string }> => {
  const from = url.indexOf('/', url.indexOf('://') + 3)
  const rest = from < 0 ? '/' : url.slice(from)
  const mark = rest.indexOf('?')
  return mark < 0 ? { path: rest, query: '' } : { path: rest.slice(0, mark), query: rest.slice(mark + 1) }
}

/** Keys by signer: a signer's key is good for a day, and four HMACs dear. Held as long as its signer. */
const keys = new WeakMap<Signer, Readonly<{ day: string; key: Uint8Array }>>()

const signingKey = (signer: Signer, day: string): Uint8Array => {
  const known = keys.get(signer)
  if (known?.day === day) return known.key
  const first = hmac(`AWS4${signer.secret_access_key}`, day)
  const key = hmac(hmac(hmac(first, signer.region), signer.service), 'aws4_request')
  keys.set(signer, { day, key })
  return key
}

/** The `authorization` header of a request. Pure: the time is the request's `x-amz-date`. */
export const signature = (signer: Signer, request: SignedRequest): string => {
  const { path, query } = target(request.url)
  const names = Object.keys(request.headers).sort(compare)
  const signed = names.join(';')
  const date = request.headers['x-amz-date'] ?? ''
  const scope = `${date.slice(0, 8)}/${signer.region}/${signer.service}/aws4_request`
  const canonical = [
    request.method,
    canonicalPath(path),
    canonicalQuery(query),
    ...names.map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/\s+/g, ' ')}`),
    '',
    signed,
    request.payload_sha256,
  ].join('\n')
  const key = signingKey(signer, date.slice(0, 8))
  const proof = hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${signer.access_key_id}/${scope}, SignedHeaders=${signed}, Signature=${proof}`
}
