import { randomBytes } from 'node:crypto'
import type { Settings } from '../core/settings.ts'
import type { KeyRecord } from '../core/store.ts'
import { deriveKey, masterSecret } from '../stores/sealing.ts'
import { inTurn } from './in-turn.ts'

/** The gateway's keys as they are now, and whoever wants to know when they change. */
export type KeyWatch = Readonly<{
  keys: readonly KeyRecord[]
  /** Calls back with all keys whenever somebody, also another process, has changed one. */
  watch(changed: (keys: readonly KeyRecord[]) => Promise<unknown>): void
  /** Looks now. Resolves when what has changed is told. */
  look(): Promise<void>
  close(): Promise<void>
}>

const LOOK_EVERY_MS = 500

/** Without keys nothing is opened: pass-through mode needs no store. */
const noKeys: KeyWatch = { keys: [], watch: () => {}, look: async () => {}, close: async () => {} }

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
  const turn = inTurn()
  let tell: ((keys: readonly KeyRecord[]) => Promise<unknown>) | undefined
  let seen: number | undefined
  let timer: NodeJS.Timeout | undefined
  const look = (): Promise<void> =>
    turn(async () => {
      const revision = await store.revision()
      if (!tell || revision === seen) return
      await tell(await store.keys.list())
      seen = revision
    })
  return {
    keys: await store.keys.list(),
    watch(changed) {
      tell = changed
      // A store that is busy is looked at again soon; the keys known so far stay in force.
      timer = setInterval(() => look().catch(() => {}), LOOK_EVERY_MS)
      timer.unref()
    },
    look,
    async close() {
      clearInterval(timer)
      await store.close()
    },
  }
}
