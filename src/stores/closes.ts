import type { Kysely } from 'kysely'
import type { Store } from '../core/store.ts'
import type { Tables } from './migrations.ts'

/** Closed months: written once, read for ever. */
export const closesOf = (db: Kysely<Tables>): Store['closes'] => ({
  add: async (closed) => {
    const done = await db
      .insertInto('closed_months')
      .values({ ...closed })
      .onConflict((conflict) => conflict.columns(['by', 'month']).doNothing())
      .executeTakeFirst()
    return Number(done.numInsertedOrUpdatedRows ?? 0n) > 0
  },
  list: async (by) => {
    const all = db.selectFrom('closed_months').selectAll()
    const rows = await (by === undefined ? all : all.where('by', '=', by)).orderBy('by').orderBy('month').execute()
    return rows.map((row) => ({ ...row, closed_at_us: Number(row.closed_at_us) }))
  },
})
