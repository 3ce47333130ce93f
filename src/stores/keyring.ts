import { WeirError } from '../core/errors.ts'
import type { Credentials } from '../core/provider.ts'
import type { KeyRecord } from '../core/store.ts'
import { hashToken, type RandomBytes, sameText, seal, tokenPrefix, unseal } from './sealing.ts'

/** A snapshot of the keys for the hot path: one HMAC and one lookup a call. */
export type Keyring = Readonly<{
  size: number
  /** The key of a token. Throws WeirError `unknown-key` (also when revoked) or `key-expired`. */
  identifyToken(token: string, now_us: number): KeyRecord
}>

/** The hashes of a key's token, and of the one before its last rotation. */
const tokensOf = ({ hash, previous_hash }: KeyRecord): readonly string[] =>
  previous_hash === undefined ? [hash] : [hash, previous_hash]

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
      if (record.revoked_at_us !== undefined && record.revoked_at_us <= now_us) {
        throw new WeirError(
          'unknown-key',
          `the Weir key ${record.name} (${record.prefix}) was revoked: ask the gateway’s administrator for another`,
        )
      }
      if (record.expires_at_us !== undefined && record.expires_at_us <= now_us) {
        throw new WeirError(
          'key-expired',
          `the Weir key ${record.name} (${record.prefix}) has expired: ask the gateway’s administrator for another`,
        )
      }
      if (record.hash !== hash && (record.previous_until_us ?? 0) <= now_us) {
        throw new WeirError(
          'key-expired',
          `the Weir key ${record.name} was rotated: use its new token (${record.prefix})`,
        )
      }
      return record
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
