import { createHmac } from 'node:crypto'
import type { KeyRecord } from '../core/store.ts'
import type { Headers } from '../core/wire.ts'
import { keysIn } from './headers.ts'

const MOST_KNOWN = 10_000

/**
 * The client's own credential: the key of its header or query; of an AWS signature, which changes with every call, the id. Where
 * there are several all of them count: which one the provider goes by is not known here, and two callers must not be taken for one.
 * A cookie counts where there is nothing else, because providers set such that change by the hour.
 */
const credentialOf = (headers: Headers, query: string): string => {
  const authorization = headers['authorization']
  const signer = authorization?.startsWith('AWS4-') ? /Credential=([^/,\s]+)/.exec(authorization)?.[1] : authorization
  const keys = keysIn(query).map((pair) => pair.replace(/^key=/, ''))
  const own = [signer, headers['x-api-key'], headers['x-goog-api-key'], headers['api-key'], keys.join('&')]
  const { cookie } = headers
  if (cookie !== undefined && !own.some((value) => value)) own.push(cookie)
  return JSON.stringify(own.map((value) => value ?? ''))
}

/** Who calls, as a hash that tells callers apart and reveals nothing. */
export type Tenants = Readonly<{
  tenantOf(key: KeyRecord | undefined, headers: Headers, query: string): string
  /** Hash of what a key may use; empty where it may use all. */
  scopeOf(key: KeyRecord | undefined): string
}>

/** `pepper` keeps the hashes of this house apart from those of any other. */
export const openTenants = (pepper: Uint8Array): Tenants => {
  const known = new Map<string, string>()
  const hashed = (text: string): string => {
    const found = known.get(text)
    if (found !== undefined) return found
    const hash = createHmac('sha256', pepper).update(text).digest('hex').slice(0, 16)
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(text, hash)
    return hash
  }
  return {
    tenantOf: (key, headers, query) => hashed(key ? `key ${key.id}` : `credential ${credentialOf(headers, query)}`),
    scopeOf(key) {
      if (!key) return ''
      const { providers, models, endpoints } = key
      if (providers.length + models.length + endpoints.length === 0) return ''
      return hashed(`scope ${JSON.stringify([providers.toSorted(), models.toSorted(), endpoints.toSorted()])}`)
    },
  }
}
