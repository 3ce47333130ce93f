import { randomBytes } from 'node:crypto'
import type { Credentials } from '../../core/provider.ts'
import type { Store } from '../../core/store.ts'
import { openCredentials } from '../../stores/keyring.ts'
import { deriveKey, masterSecret } from '../../stores/sealing.ts'
import { type FolderFlags, folderOf } from '../asking.ts'

/** Strong chance, for tokens and seals. */
export const random = (size: number): Uint8Array => randomBytes(size)

const derived = (data: string, purpose: 'provider-credentials'): Uint8Array =>
  deriveKey(masterSecret({ data, given: process.env['WEIR_SECRET'], random }), purpose)

/** The key that seals provider credentials. */
export const credentialsKey = (data: string): Uint8Array => derived(data, 'provider-credentials')

/**
 * Opens the store of the data folder for one piece of work, and only with `make` makes one. SQLite lets the gateway have it
 * open at the same time.
 */
export const withStore = async <T>(
  flags: FolderFlags & Readonly<{ make?: true }>,
  work: (store: Store, data: string) => Promise<T>,
): Promise<T> => {
  const data = folderOf(flags)
  const { storeAt, storeIn } = await import('../../verbs/context.ts')
  const store = await (flags.make ? storeAt(data) : storeIn(data))
  try {
    return await work(store, data)
  } finally {
    await store.close()
  }
}

/** The name under which the store keeps the secrets of a channel; no provider can have it. */
export const secretName = (channel: string): string => `channel/${channel}`

export const isChannelSecret = (name: string): boolean => name.startsWith(secretName(''))

/** Provider credentials that the store keeps, opened. Without any, no master secret is made. */
export const storedCredentials = (flags: FolderFlags): Promise<Readonly<Record<string, Credentials>>> =>
  withStore(flags, async (store, data) => {
    const all = Object.entries(await store.secrets.all())
    const sealed = Object.fromEntries(all.filter(([name]) => !isChannelSecret(name)))
    return Object.keys(sealed).length === 0 ? {} : openCredentials(sealed, credentialsKey(data))
  })
