import { WeirError } from '../core/errors.ts'
import type { Credentials } from '../core/provider.ts'
import type { KeyRecord } from '../core/store.ts'
import { hashToken, type RandomBytes, sameText, seal, tokenPrefix, unseal } from './sealing.ts'

/** A snapshot of the keys for the hot path: one HMAC and one lookup a call. */
export type Keyring = Readonly<{
  size: number
  /** The key of a token. Throws WeirError `unknown-key` where there is none. */
  identifyToken(token: string, now_us: number): Identified
}>

/** A key, and why it opens nothing any more: `unknown-key` when it was revoked, `key-expired`, or nothing. */
export type Identified = Readonly<{ key: KeyRecord; refusal: WeirError | undefined }>

/** The hashes of a key's token, and of the one before its last rotation. */
const tokensOf = ({ hash, previous_hash }: KeyRecord): readonly string[] =>
  previous_hash === undefined ? [hash] : [hash, previous_hash]

const refusalOf = (record: KeyRecord, hash: string, now_us: number): WeirError | undefined => {
  const { name, prefix, revoked_at_us, expires_at_us, previous_until_us = 0 } = record
  if (revoked_at_us !== undefined && revoked_at_us <= now_us)
    return new WeirError(
      'unknown-key',
      `the Weir key ${name} (${prefix}) was revoked: ask the gateway’s administrator for another`,
    )
  if (expires_at_us !== undefined && expires_at_us <= now_us)
    return new WeirError(
      'key-expired',
      `the Weir key ${name} (${prefix}) has expired: ask the gateway’s administrator for another`,
    )
  if (record.hash !== hash && previous_until_us <= now_us)
    return new WeirError('key-expired', `the Weir key ${name} was rotated: use its new token (${prefix})`)
  return undefined
}

/** Makes the snapshot. `pepper` is `deriveKey(master, 'token-pepper')`. */
export const keyringOf = (records: readonly KeyRecord[], pepper: Uint8Array): Keyring => {
  const by_hash: ReadonlyMap<string, KeyRecord> = new Map(
    records.flatMap((record) => tokensOf(record).map((hash) => [hash, record] as const)),
  )
  return {
    size: records.length,
    identifyToken: (token, now_us) => {
      if (!token.startsWith(tokenPrefix)) {
        throw new WeirError('unknown-key', 'this gateway takes Weir keys (weir_…): make one with weir keys create')
      }
      const hash = hashToken(token, pepper)
      const record = by_hash.get(hash)
      if (record === undefined || !tokensOf(record).some((known) => sameText(known, hash))) {
        throw new WeirError('unknown-key', 'no such Weir key: make one with weir keys create')
      }
      return { key: record, refusal: refusalOf(record, hash, now_us) }
    },
  }
}

/** Credentials of a provider as sealed text for the store. */
export const sealCredentials = (
  credentials: Credentials,
  options: Readonly<{ key: Uint8Array; provider: string; random: RandomBytes }>,
): string => seal(JSON.stringify(credentials), { key: options.key, about: options.provider, random: options.random })

/** The store's sealed credentials by provider, opened. Throws WeirError `bad-config` naming the provider. */
export const openCredentials = (
  sealed: Readonly<Record<string, string>>,
  key: Uint8Array,
): Readonly<Record<string, Credentials>> =>
  Object.fromEntries(
    Object.entries(sealed).map(([provider, text]) => [
      provider,
      JSON.parse(unseal(text, { key, about: provider })) as Credentials,
    ]),
  )
