import { WeirError } from '../../core/errors.ts'
import type { KeyRecord, Store } from '../../core/store.ts'
import { keyState } from './shown.ts'

type Named = Readonly<{ id: string; name: string; revoked_at_us?: number; expires_at_us?: number }>

/**
 * The key or console token of this id or name that was not revoked. `what` it is and the command that lists all are for the
 * message. Throws WeirError `not-found`, or `bad-input` where several have the name.
 */
export const oneNamed = <One extends Named>(
  all: readonly One[],
  id: string,
  { what, list, now_us }: Readonly<{ what: string; list: string; now_us: number }>,
): One => {
  const found = all.filter((one) => one.id === id || one.name === id)
  const [only, ...more] = found.filter((one) => keyState(one, now_us) !== 'revoked')
  if (only === undefined) {
    const why = found.length > 0 ? 'was revoked before' : `is not there; ${list} shows all`
    throw new WeirError('not-found', `the ${what} ${id} ${why}`)
  }
  if (more.length === 0) return only
  const ids = [only, ...more].map((one) => one.id).join(', ')
  throw new WeirError('bad-input', `${more.length + 1} ${what}s are named ${id}; name one by its id: ${ids}`)
}

/** The key of this id or name that was not revoked. Throws as `oneNamed` does. */
export const findKey = async (store: Store, id: string, now_us: number): Promise<KeyRecord> =>
  oneNamed(await store.keys.list(), id, { what: 'key', list: 'weir keys list', now_us })

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
