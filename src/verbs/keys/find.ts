import { WeirError } from '../../core/errors.ts'
import type { KeyRecord, Store } from '../../core/store.ts'
import { keyState } from './shown.ts'

/** The key of this id or name that was not revoked. Throws WeirError `not-found`, or `bad-input` where several have the name. */
export const findKey = async (store: Store, id: string, now_us: number): Promise<KeyRecord> => {
  const found = (await store.keys.list()).filter((key) => key.id === id || key.name === id)
  const [key, ...more] = found.filter((one) => keyState(one, now_us) !== 'revoked')
  if (key !== undefined && more.length > 0) {
    const ids = [key, ...more].map((one) => one.id).join(', ')
    throw new WeirError('bad-input', `${more.length + 1} keys are named ${id}; name one by its id: ${ids}`)
  }
  if (key !== undefined) return key
  const why = found.length > 0 ? 'was revoked before' : 'is not there; weir keys list shows all'
  throw new WeirError('not-found', `the key ${id} ${why}`)
}

/**
 * Puts a changed key in the place of the one that was read. `expected` is the revision that the change was made from, where
 * whoever asks knows it. Throws WeirError `conflict` when somebody else changed it meanwhile.
 */
export const replaceKey = async (store: Store, key: KeyRecord, expected?: number): Promise<KeyRecord> => {
  const same = expected === undefined || expected === key.revision
  if (same && (await store.keys.replace(key))) return { ...key, revision: key.revision + 1 }
  const now = (await store.keys.list()).find(({ id }) => id === key.id)?.revision ?? key.revision
  throw new WeirError(
    'conflict',
    `revision: the key ${key.name} (${key.id}) was changed by somebody else meanwhile, it is at revision ${now} now; ` +
      'look at it again, then repeat the change',
  )
}
