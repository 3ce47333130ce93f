import type { Kysely } from 'kysely'
import type { Store } from '../core/store.ts'
import type { Tables } from './migrations.ts'

/** Budgets by name. */
export const budgetsOf = (db: Kysely<Tables>): Store['budgets'] => ({
  put: async ({ name, definition, set_at_us }) => {
    await db
      .insertInto('budgets')
      .values({ name, definition, set_at_us })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ definition, set_at_us }))
      .execute()
  },
  list: async () => {
    const rows = await db.selectFrom('budgets').selectAll().orderBy('name').execute()
    return rows.map(({ name, definition, set_at_us }) => ({ name, definition, set_at_us: Number(set_at_us) }))
  },
  remove: async (name) => {
    const done = await db.deleteFrom('budgets').where('name', '=', name).executeTakeFirst()
    return done.numDeletedRows > 0n
  },
})
