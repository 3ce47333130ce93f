import type { Kysely, Migration } from 'kysely'

/** Outcomes, rules and closed months. Times are µs since the epoch; money is decimal text. */
export const allocationTables: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable('outcomes')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('count', 'bigint', (column) => column.notNull())
      .addColumn('at_us', 'bigint', (column) => column.notNull())
      .addColumn('team', 'text')
      .addColumn('feature', 'text')
      .addColumn('customer', 'text')
      .addColumn('user', 'text')
      .addColumn('environment', 'text')
      .addColumn('session', 'text')
      .addColumn('value_usd', 'text')
      .execute()
    await db.schema.createIndex('outcomes_by_kind').on('outcomes').columns(['kind', 'at_us']).execute()
    await db.schema
      .createTable('rule_sets')
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('set_at_us', 'bigint', (column) => column.notNull())
      .addColumn('rules', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('rule_sets_key', ['kind', 'version'])
      .execute()
    await db.schema
      .createTable('closed_months')
      .addColumn('by', 'text', (column) => column.notNull())
      .addColumn('month', 'text', (column) => column.notNull())
      .addColumn('zone', 'text', (column) => column.notNull())
      .addColumn('closed_at_us', 'bigint', (column) => column.notNull())
      .addColumn('document', 'text', (column) => column.notNull())
      .addColumn('sha256', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('closed_months_key', ['by', 'month'])
      .execute()
  },
}
