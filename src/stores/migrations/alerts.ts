import type { Kysely, Migration } from 'kysely'

/** Documents are JSON text; the columns beside them are what is asked for. Times are µs since the epoch. */
export type AlertTables = {
  alerts: {
    id: string
    incident: string
    state: string
    last_us: number
    judged_us: number | null
    opinion: string | null
    document: string
  }
  deliveries: {
    id: string
    alert_id: string
    channel: string
    state: string
    created_us: number
    next_us: number
    document: string
  }
  containments: { id: string; from_us: number; until_us: number | null; released_us: number | null; document: string }
  watched: { id: number; state: string; position: number }
}

/** Alerts, deliveries, containments, and what the watch remembers. */
export const alertTables: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable('alerts')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('incident', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('last_us', 'bigint', (column) => column.notNull())
      .addColumn('judged_us', 'bigint')
      .addColumn('opinion', 'text')
      .addColumn('document', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('alerts_by_incident').on('alerts').columns(['incident', 'last_us']).execute()
    await db.schema.createIndex('alerts_by_time').on('alerts').columns(['last_us']).execute()
    await db.schema
      .createTable('deliveries')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('alert_id', 'text', (column) => column.notNull())
      .addColumn('channel', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('created_us', 'bigint', (column) => column.notNull())
      .addColumn('next_us', 'bigint', (column) => column.notNull())
      .addColumn('document', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('deliveries_by_state').on('deliveries').columns(['state', 'created_us']).execute()
    await db.schema.createIndex('deliveries_by_alert').on('deliveries').columns(['alert_id']).execute()
    await db.schema
      .createTable('containments')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('from_us', 'bigint', (column) => column.notNull())
      .addColumn('until_us', 'bigint')
      .addColumn('released_us', 'bigint')
      .addColumn('document', 'text', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('watched')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('position', 'bigint', (column) => column.notNull())
      .execute()
  },
}
