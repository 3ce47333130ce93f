import type { Kysely, Migration } from 'kysely'

/** Tokens of the console; of keys their endpoints, the token before the last rotation, and a count of changes. */
export const consoleTables: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable('console_tokens')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('prefix', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull().unique())
      .addColumn('team', 'text')
      .addColumn('created_at_us', 'bigint', (column) => column.notNull())
      .addColumn('expires_at_us', 'bigint')
      .addColumn('revoked_at_us', 'bigint')
      .execute()
    await db.schema
      .alterTable('keys')
      .addColumn('endpoints', 'text', (column) => column.notNull().defaultTo('[]'))
      .execute()
    await db.schema.alterTable('keys').addColumn('previous_hash', 'text').execute()
    await db.schema.alterTable('keys').addColumn('previous_until_us', 'bigint').execute()
    await db.schema
      .alterTable('keys')
      .addColumn('revision', 'integer', (column) => column.notNull().defaultTo(1))
      .execute()
  },
}
