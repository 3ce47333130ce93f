import { randomBytes } from 'node:crypto'
import type { Settings } from '../core/settings.ts'
import type { KeyRecord, Store } from '../core/store.ts'
import { deriveKey, masterSecret } from '../stores/sealing.ts'

/** The gateway's keys as they are now, and whoever wants to know when they change. */
export type KeyWatch = Readonly<{
  keys: readonly KeyRecord[]
  /** Calls back with all keys whenever somebody, also another process, has changed one. */
  watch(changed: (keys: readonly KeyRecord[]) => Promise<unknown>): void
  close(): Promise<void>
}>

const LOOK_EVERY_MS = 500

/** Without keys nothing is opened: pass-through mode needs no store. */
const noKeys: KeyWatch = { keys: [], watch: () => {}, close: async () => {} }

const watchStore = (store: Store, changed: (keys: readonly KeyRecord[]) => Promise<unknown>): NodeJS.Timeout => {
  let seen: number | undefined
  const look = async (): Promise<void> => {
    const revision = await store.revision()
    if (revision === seen) return
    await changed(await store.keys.list())
    seen = revision
  }
  const timer = setInterval(() => {
    // A store that is busy is looked at again soon; the keys known so far stay in force.
    look().catch(() => {})
  }, LOOK_EVERY_MS)
  timer.unref()
  return timer
}

/** What tokens are hashed with: of the master secret, which is `secret` where the environment gives one. */
export const pepperOf = ({ mode, data }: Settings, secret: string | undefined): Uint8Array =>
  mode === 'keys'
    ? deriveKey(masterSecret({ data, given: secret, random: randomBytes }), 'token-pepper')
    : new Uint8Array(32)

/** Opens the store's keys in keys mode. */
export const openKeyWatch = async (settings: Settings): Promise<KeyWatch> => {
  if (settings.mode !== 'keys') return noKeys
  const { stores } = await import('../stores/index.ts')
  const store = await stores.sqlite({ data: settings.data })
  let timer: NodeJS.Timeout | undefined
  return {
    keys: await store.keys.list(),
    watch(changed) {
      timer = watchStore(store, changed)
    },
    async close() {
      clearInterval(timer)
      await store.close()
    },
  }
}
