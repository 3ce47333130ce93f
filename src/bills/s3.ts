import { AwsV4Signer } from 'aws4fetch'
import type { BillAsk, BillRequest } from '../core/bill.ts'
import { listAll, type Storage } from './exports.ts'

const PERMISSION = 'The access key needs s3:ListBucket on the bucket and s3:GetObject on the export in it'

/** Each segment escaped as S3 signs it: all but unreserved characters (RFC 3986 §2.3). */
const escaped = (key: string): string =>
  key
    .split('/')
    .map((segment) =>
      encodeURIComponent(segment).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join('/')

/** `20261128T181500Z`, as signatures have it. */
const moment = (now_ms: number): string => new Date(now_ms).toISOString().replace(/[-:]|\.\d{3}/g, '')

/** A folder of a bucket, by its address: the bucket is the host's first name at AWS, and the path's elsewhere. */
const homeOf = (base_url: string) => {
  const { origin, hostname, pathname } = new URL(base_url)
  const [, owner, region = 'us-east-1'] =
    /^(?:(.+)\.)?s3(?:[.-]([a-z0-9-]+))?\.amazonaws\.com(?:\.cn)?$/.exec(hostname) ?? []
  const segments = pathname
    .split('/')
    .filter((segment) => segment !== '')
    .map(decodeURIComponent)
  const bucket = owner ?? segments.shift() ?? ''
  return {
    region,
    bucket,
    root: owner === undefined ? `${origin}/${escaped(bucket)}` : origin,
    folder: segments.join('/'),
  }
}

/** A bucket of S3, or of what speaks like it, and the folder in it that an address names. Names of files are keys. */
export const s3 = (request: BillRequest): Storage & Readonly<{ bucket: string; folder: string }> => {
  const { bucket, folder, region, root } = homeOf(request.base_url)
  const { access_key_id = '', secret_access_key = '', session_token } = request.credentials
  const signed =
    (url: string) =>
    async (now_ms: number): Promise<BillAsk> => {
      const signer = new AwsV4Signer({
        url,
        service: 's3',
        region,
        accessKeyId: access_key_id,
        secretAccessKey: secret_access_key,
        ...(session_token === undefined ? {} : { sessionToken: session_token }),
        datetime: moment(now_ms),
      })
      const { url: asked, headers } = await signer.sign()
      return { url: asked.href, headers: Object.fromEntries(headers) }
    }
  return {
    bucket,
    folder,
    permission: PERMISSION,
    list: (prefix) =>
      listAll(request, PERMISSION, {
        askOf: (next) => {
          const query = new URLSearchParams({ 'list-type': '2', prefix })
          if (next !== undefined) query.set('continuation-token', next)
          return signed(`${root}/?${query.toString().replaceAll('+', '%20')}`)
        },
        parts: { file: 'Contents', name: 'Key', modified: 'LastModified', next: 'NextContinuationToken' },
      }),
    askFor: (key) => signed(`${root}/${escaped(key)}`),
  }
}
