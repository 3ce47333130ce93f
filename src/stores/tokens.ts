import type { Insertable, Kysely, Selectable } from 'kysely'
import type { ConsoleToken, Store } from '../core/store.ts'
import type { Tables } from './migrations.ts'

const rowOf = (token: ConsoleToken): Insertable<Tables['console_tokens']> => ({
  ...token,
  team: token.team ?? null,
  expires_at_us: token.expires_at_us ?? null,
  revoked_at_us: token.revoked_at_us ?? null,
})

const tokenOf = (row: Selectable<Tables['console_tokens']>): ConsoleToken => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  hash: row.hash,
  ...(row.team === null ? {} : { team: row.team }),
  created_at_us: Number(row.created_at_us),
  ...(row.expires_at_us === null ? {} : { expires_at_us: Number(row.expires_at_us) }),
  ...(row.revoked_at_us === null ? {} : { revoked_at_us: Number(row.revoked_at_us) }),
})

/** Tokens of the console. */
export const tokensOf = (db: Kysely<Tables>): Store['tokens'] => ({
  add: async (token) => {
    await db.insertInto('console_tokens').values(rowOf(token)).execute()
  },
  list: async () => {
    const rows = await db.selectFrom('console_tokens').selectAll().orderBy('created_at_us').orderBy('id').execute()
    return rows.map(tokenOf)
  },
  find: async (hash) => {
    const row = await db.selectFrom('console_tokens').selectAll().where('hash', '=', hash).executeTakeFirst()
    return row === undefined ? undefined : tokenOf(row)
  },
  revoke: async (id, at_us) => {
    const done = await db
      .updateTable('console_tokens')
      .set({ revoked_at_us: at_us })
      .where('id', '=', id)
      .where('revoked_at_us', 'is', null)
      .executeTakeFirst()
    return done.numUpdatedRows > 0n
  },
})
