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

/** Opens the store of the data folder for one piece of work. SQLite lets the gateway have it open at the same time. */
export const withStore = async <T>(
  flags: FolderFlags,
  work: (store: Store, data: string) => Promise<T>,
): Promise<T> => {
  const data = folderOf(flags)
  const { open } = await import('../../stores/sqlite.ts')
  const store = await open({ data })
  try {
    return await work(store, data)
  } finally {
    await store.close()
  }
}

/** Provider credentials that the store keeps, opened. Without any, no master secret is made. */
export const storedCredentials = (flags: FolderFlags): Promise<Readonly<Record<string, Credentials>>> =>
  withStore(flags, async (store, data) => {
    const sealed = await store.secrets.all()
    return Object.keys(sealed).length === 0 ? {} : openCredentials(sealed, credentialsKey(data))
  })
