import type { BillAsk, BillRequest } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { listAll, type Storage } from './exports.ts'

const PERMISSION =
  'The shared access signature needs to read and list the container; a token needs the role Storage Blob Data Reader'

/** The version of the storage's API whose answers are read (https://learn.microsoft.com/rest/api/storageservices/list-blobs). */
const VERSION = '2023-11-03'

/** A container of Azure's blob storage, and the folder in it that an address names. The key is a shared access signature or a bearer token. */
export const blobs = (request: BillRequest): Storage & Readonly<{ folder: string }> => {
  const { origin, pathname } = new URL(request.base_url)
  const [container = '', ...folders] = pathname.split('/').filter((segment) => segment !== '')
  const key = (request.credentials.api_key ?? '').replace(/^\?/, '')
  const is_signature = /(^|&)sig=/.test(key)
  if (!is_signature && !key.startsWith('eyJ'))
    throw new WeirError(
      'bad-config',
      'the key of azure-focus is neither a shared access signature (it has sig= in it) nor a bearer token for storage',
    )
  const headers = { 'x-ms-version': VERSION, ...(is_signature ? {} : { authorization: `Bearer ${key}` }) }
  const asked = (path: string, query: string) => (): BillAsk => {
    const queries = [query, is_signature ? key : ''].filter((one) => one !== '').join('&')
    return { url: `${origin}/${path}${queries === '' ? '' : `?${queries}`}`, headers }
  }
  return {
    folder: folders.map(decodeURIComponent).join('/'),
    permission: PERMISSION,
    list: (prefix) =>
      listAll(request, PERMISSION, {
        askOf: (next) => {
          const query = new URLSearchParams({ restype: 'container', comp: 'list', prefix })
          if (next !== undefined) query.set('marker', next)
          return asked(container, query.toString())
        },
        parts: { file: 'Blob', name: 'Name', modified: 'Last-Modified', next: 'NextMarker' },
      }),
    askFor: (name) => asked(`${container}/${name.split('/').map(encodeURIComponent).join('/')}`, ''),
  }
}
