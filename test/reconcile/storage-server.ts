/** Plays S3, Azure's blob storage and BigQuery on loopback, with lists in pages. Written for these tests, by what their makers document. */
import { createHash, createHmac, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as wholeText } from 'node:stream/consumers'

export const aws = {
  AWS_ACCESS_KEY_ID: 'AKIDTEST',
  AWS_SECRET_ACCESS_KEY: 'secret-for-tests',
  AWS_SESSION_TOKEN: 'session',
}
export const sas = 'sv=2023-11-03&sp=rl&sig=a%2Bsignature%3D'
export const token = 'ya29.token-for-tests'

/** A file, and when it was written. */
export type File = Readonly<{ content: string | Buffer; modified: string }>

type Reply = Readonly<{ status: number; body: string | Buffer; headers?: Record<string, string> }>

const PAGE = 2
const xml = (body: string): Reply => ({ status: 200, body: `<?xml version="1.0" encoding="utf-8"?>${body}` })
const refused: Reply = { status: 403, body: '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>' }

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** Signature Version 4 as S3 reckons it: path and query as they are sent (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html). */
const isSigned = ({ headers, url = '' }: IncomingMessage): boolean => {
  const [path = '', query = ''] = url.split('?')
  const [, scope = '', names = '', given] =
    /Credential=AKIDTEST\/(\S+), SignedHeaders=(\S+), Signature=(\w+)/.exec(headers.authorization ?? '') ?? []
  const [day = '', region = '', service = ''] = scope.split('/')
  const canonical = [
    'GET',
    path,
    query
      .split('&')
      .filter(Boolean)
      .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
      .sort()
      .join('&'),
    ...names.split(';').map((name) => `${name}:${headers[name]}`),
    '',
    names,
    headers['x-amz-content-sha256'],
  ].join('\n')
  const to_sign = [
    'AWS4-HMAC-SHA256',
    headers['x-amz-date'],
    scope,
    createHash('sha256').update(canonical).digest('hex'),
  ]
  const key = [region, service, 'aws4_request'].reduce(hmac, hmac(`AWS4${aws.AWS_SECRET_ACCESS_KEY}`, day))
  return (
    headers['x-amz-security-token'] === aws.AWS_SESSION_TOKEN &&
    names.includes('host;') &&
    hmac(key, to_sign.join('\n')).toString('hex') === given
  )
}

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')

const pageOf = (files: ReadonlyMap<string, File>, prefix: string, next: string | null) => {
  const all = [...files].filter(([name]) => name.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
  const from = Number(next ?? 0)
  return { some: all.slice(from, from + PAGE), next: from + PAGE < all.length ? String(from + PAGE) : '' }
}

const s3 = (request: IncomingMessage, url: URL, files: ReadonlyMap<string, File>): Reply => {
  if (!isSigned(request)) return refused
  const key = decodeURIComponent(url.pathname.replace('/bills/', ''))
  if (url.searchParams.get('list-type') !== '2') {
    const file = files.get(key)
    return file ? { status: 200, body: file.content } : { status: 404, body: '<Error><Code>NoSuchKey</Code></Error>' }
  }
  const { some, next } = pageOf(files, url.searchParams.get('prefix') ?? '', url.searchParams.get('continuation-token'))
  const found = some.map(
    ([name, { modified }]) =>
      `<Contents><Key>${escaped(name)}</Key><LastModified>${modified}</LastModified></Contents>`,
  )
  const more = next === '' ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`
  return xml(`<ListBucketResult><Prefix>x</Prefix>${found.join('')}${more}</ListBucketResult>`)
}

const blobs = (url: URL, files: ReadonlyMap<string, File>): Reply => {
  if (!url.search.endsWith(sas)) return refused
  const file = files.get(decodeURIComponent(url.pathname.replace('/costs/', '')))
  if (url.searchParams.get('comp') !== 'list')
    return file ? { status: 200, body: file.content } : { status: 404, body: '' }
  const { some, next } = pageOf(files, url.searchParams.get('prefix') ?? '', url.searchParams.get('marker'))
  const found = some.map(
    ([name, { modified }]) =>
      `<Blob><Name>${escaped(name)}</Name><Properties><Last-Modified>${new Date(modified).toUTCString()}</Last-Modified></Properties></Blob>`,
  )
  return xml(
    `<EnumerationResults><Blobs>${found.join('')}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>`,
  )
}

/** A query's rows in two pages, after a first answer that it takes longer. */
const bigquery = (request: IncomingMessage, url: URL, rows: readonly (readonly (string | null)[])[]): Reply => {
  if (request.headers.authorization !== `Bearer ${token}`)
    return { status: 401, body: '{"error":{"code":401,"message":"Request had invalid authentication credentials."}}' }
  const json = (value: unknown): Reply => ({ status: 200, body: JSON.stringify(value) })
  const jobReference = { projectId: 'acme', jobId: 'job_1', location: 'EU' }
  if (request.method === 'POST') return json({ jobComplete: false, jobReference })
  if (url.searchParams.get('location') !== 'EU') return { status: 404, body: '{"error":{"message":"Not found: Job"}}' }
  const next = url.searchParams.get('pageToken')
  const [head = [], ...all] = rows
  const half = Math.ceil(all.length / 2)
  return json({
    jobComplete: true,
    jobReference,
    schema: { fields: head.map((name) => ({ name, type: 'STRING' })) },
    rows: (next === null ? all.slice(0, half) : all.slice(half)).map((row) => ({ f: row.map((v) => ({ v })) })),
    ...(next === null ? { pageToken: 'page_2' } : {}),
  })
}

/** A token for whoever signs with the private key. */
const exchange = (body: string, public_key: string, url: string): Reply => {
  const [head = '', claim = '', proof = ''] = (new URLSearchParams(body).get('assertion') ?? '').split('.')
  const { aud, iss } = JSON.parse(Buffer.from(claim, 'base64url').toString() || '{}') as Record<string, string>
  const good = verify('sha256', Buffer.from(`${head}.${claim}`), public_key, Buffer.from(proof, 'base64url'))
  return good && aud === `${url}/token` && iss === 'reader@acme.iam.gserviceaccount.com'
    ? { status: 200, body: JSON.stringify({ access_token: token, expires_in: 3599 }) }
    : { status: 400, body: '{"error":"invalid_grant"}' }
}

export const startStorage = async () => {
  const files = new Map<string, File>()
  const asked: string[] = []
  const bodies: string[] = []
  const google = { rows: [] as readonly (readonly (string | null)[])[], public_key: '' }
  const faults: Reply[] = []
  const server = createServer(async (request, response) => {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const url = new URL(request.url ?? '', origin)
    asked.push(`${request.method} ${url.pathname}`)
    const body = await wholeText(request)
    if (body !== '') bodies.push(body)
    const answer = (): Reply => {
      if (url.pathname === '/token') return exchange(body, google.public_key, origin)
      if (url.pathname.startsWith('/bigquery/')) return bigquery(request, url, google.rows)
      return url.pathname.startsWith('/bills') ? s3(request, url, files) : blobs(url, files)
    }
    const { status, body: said, headers } = faults.shift() ?? answer()
    response.writeHead(status, headers).end(said)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    asked,
    bodies,
    google,
    faults,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
