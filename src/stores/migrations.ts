import type { Kysely, Migration } from 'kysely'
import { type AlertTables, alertTables } from './migrations/alerts.ts'
import { allocationTables } from './migrations/allocation.ts'
import { budgetRevisions } from './migrations/budget-revisions.ts'
import { consoleTables } from './migrations/console.ts'

/** Tables of the store, for the query builder. Lists and maps are JSON text; times are µs since the epoch. */
export type Tables = AlertTables & {
  keys: {
    id: string
    name: string
    prefix: string
    hash: string
    team: string | null
    feature: string | null
    customer: string | null
    environment: string | null
    tags: string
    models: string
    providers: string
    endpoints: string
    previous_hash: string | null
    previous_until_us: number | null
    created_at_us: number
    expires_at_us: number | null
    revoked_at_us: number | null
    revision: number
  }
  console_tokens: {
    id: string
    name: string
    prefix: string
    hash: string
    team: string | null
    created_at_us: number
    expires_at_us: number | null
    revoked_at_us: number | null
  }
  budgets: { name: string; definition: string; set_at_us: number; revision: number; removed: number }
  secrets: { provider: string; sealed: string }
  outcomes: {
    id: string
    kind: string
    count: number
    at_us: number
    team: string | null
    feature: string | null
    customer: string | null
    user: string | null
    environment: string | null
    session: string | null
    value_usd: string | null
  }
  rule_sets: { kind: string; version: number; set_at_us: number; rules: string }
  closed_months: {
    by: string
    month: string
    zone: string
    closed_at_us: number
    document: string
    sha256: string
  }
}

/** One list for every engine. A migration that was released is never changed; a further one is appended. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-keys-and-secrets': {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable('keys')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('prefix', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull().unique())
        .addColumn('team', 'text')
        .addColumn('feature', 'text')
        .addColumn('customer', 'text')
        .addColumn('environment', 'text')
        .addColumn('tags', 'text', (column) => column.notNull())
        .addColumn('models', 'text', (column) => column.notNull())
        .addColumn('providers', 'text', (column) => column.notNull())
        .addColumn('created_at_us', 'bigint', (column) => column.notNull())
        .addColumn('expires_at_us', 'bigint')
        .addColumn('revoked_at_us', 'bigint')
        .execute()
      await db.schema
        .createTable('secrets')
        .addColumn('provider', 'text', (column) => column.primaryKey())
        .addColumn('sealed', 'text', (column) => column.notNull())
        .execute()
    },
  },
  '0002-outcomes-rules-and-closed-months': allocationTables,
  '0003-console-tokens-and-key-scopes': consoleTables,
  '0004-budgets': {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable('budgets')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('definition', 'text', (column) => column.notNull())
        .addColumn('set_at_us', 'bigint', (column) => column.notNull())
        .execute()
    },
  },
  '0005-alerts': alertTables,
  '0006-budget-revisions': budgetRevisions,
}
