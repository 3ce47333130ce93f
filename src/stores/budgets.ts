import { type Kysely, sql } from 'kysely'
import type { Store } from '../core/store.ts'
import type { Tables } from './migrations.ts'

/** Budgets by name. One that was taken away keeps its row, so that its revision and the version go on counting. */
export const budgetsOf = (db: Kysely<Tables>): Store['budgets'] => {
  /** Every change counts one revision up, so their sum is a version of them all. */
  const sum = db
    .selectFrom('budgets')
    .select(({ fn, val }) => fn.coalesce(fn.sum<number>('revision'), val(0)).as('sum'))
  const unchanged = (version: number | undefined) =>
    version === undefined ? sql<boolean>`true` : sql<boolean>`(${sum}) = ${version}`
  return {
    version: async () => Number((await sum.executeTakeFirstOrThrow()).sum),
    put: async ({ name, definition, set_at_us }, version) => {
      const given = { definition, set_at_us, removed: 0 }
      const done = await db
        .insertInto('budgets')
        .columns(['name', 'definition', 'set_at_us', 'removed', 'revision'])
        .expression(
          db
            .selectNoFrom(({ val }) => [
              val(name).as('name'),
              val(definition).as('definition'),
              val(set_at_us).as('set_at_us'),
              val(0).as('removed'),
              val(1).as('revision'),
            ])
            .where(unchanged(version)),
        )
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet(({ eb }) => ({ ...given, revision: eb('budgets.revision', '+', 1) })),
        )
        .returning('revision')
        .executeTakeFirst()
      return done === undefined ? undefined : Number(done.revision)
    },
    list: async () => {
      const rows = await db.selectFrom('budgets').selectAll().where('removed', '=', 0).orderBy('name').execute()
      return rows.map(({ name, definition, set_at_us, revision }) => ({
        name,
        definition,
        set_at_us: Number(set_at_us),
        revision: Number(revision),
      }))
    },
    remove: async (name, version) => {
      const done = await db
        .updateTable('budgets')
        .set(({ eb }) => ({ removed: 1, revision: eb('revision', '+', 1) }))
        .where('name', '=', name)
        .where('removed', '=', 0)
        .where(unchanged(version))
        .executeTakeFirst()
      return done.numUpdatedRows > 0n
    },
  }
}
