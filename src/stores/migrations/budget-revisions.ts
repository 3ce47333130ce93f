import type { Kysely, Migration } from 'kysely'

/** Of budgets a count of changes, which goes on where one is taken away and made anew. */
export const budgetRevisions: Migration = {
  up: async (db: Kysely<unknown>) => {
    for (const [column, first] of [
      ['revision', 1],
      ['removed', 0],
    ] as const)
      await db.schema
        .alterTable('budgets')
        .addColumn(column, 'integer', (added) => added.notNull().defaultTo(first))
        .execute()
  },
}
