import type { Kysely, Updateable } from 'kysely'
import type { Store } from '../core/store.ts'
import type { Tables } from './migrations.ts'
import { keyOfRow, rowOfKey } from './rows.ts'

/** Gateway keys. Every change counts the key's revision up, so that two writers cannot undo each other unseen. */
export const keysOf = (db: Kysely<Tables>): Store['keys'] => ({
  add: async (key) => {
    await db.insertInto('keys').values(rowOfKey(key)).execute()
  },
  list: async () => {
    const rows = await db.selectFrom('keys').selectAll().orderBy('created_at_us').orderBy('id').execute()
    return rows.map(keyOfRow)
  },
  replace: async (key) => {
    const { id: _, created_at_us: __, ...row } = rowOfKey(key)
    const done = await db
      .updateTable('keys')
      .set({ ...row, revision: key.revision + 1 } satisfies Updateable<Tables['keys']>)
      .where('id', '=', key.id)
      .where('revision', '=', key.revision)
      .executeTakeFirst()
    return done.numUpdatedRows > 0n
  },
  revoke: async (id, at_us) => {
    const done = await db
      .updateTable('keys')
      .set(({ eb }) => ({ revoked_at_us: at_us, revision: eb('revision', '+', 1) }))
      .where('id', '=', id)
      .where('revoked_at_us', 'is', null)
      .executeTakeFirst()
    return done.numUpdatedRows > 0n
  },
})
