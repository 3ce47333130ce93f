import type { Insertable, Kysely, Selectable } from 'kysely'
import type { Alert, AlertQuery, Containment, Delivery, Opinion } from '../core/alert.ts'
import type { AlertStore } from '../core/store.ts'
import type { Tables } from './migrations.ts'

type Row = Selectable<Tables['alerts']>

/** What people say has a column of its own: the watch writes an alert's numbers without it, and does not undo it. */
const alertOf = ({ document, opinion }: Row): Alert => {
  const alert = JSON.parse(document) as Alert
  return opinion === null ? alert : { ...alert, opinion: JSON.parse(opinion) as Opinion }
}

const documentOf = ({ opinion: _, ...alert }: Alert): string => JSON.stringify(alert)

const put = async (db: Kysely<Tables>, alert: Alert): Promise<void> => {
  const { id, incident, state, last_us } = alert
  const changing = { incident, state, last_us, document: documentOf(alert) }
  await db
    .insertInto('alerts')
    .values({ id, judged_us: null, opinion: null, ...changing })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(changing))
    .execute()
}

const rowOf = (delivery: Delivery): Insertable<Tables['deliveries']> => {
  const { id, alert_id, channel, state, created_us, next_us } = delivery
  return { id, alert_id, channel, state, created_us, next_us, document: JSON.stringify(delivery) }
}

const MOST = 1000

const list = async (db: Kysely<Tables>, query: AlertQuery): Promise<readonly Alert[]> => {
  let asked = db.selectFrom('alerts').selectAll()
  if (query.ids !== undefined) asked = asked.where('id', 'in', query.ids)
  if (query.incident !== undefined) asked = asked.where('incident', '=', query.incident)
  if (query.state !== undefined) asked = asked.where('state', '=', query.state)
  if (query.since_us !== undefined) asked = asked.where('last_us', '>=', query.since_us)
  const rows = await asked
    .orderBy('last_us', 'desc')
    .orderBy('id')
    .limit(query.most ?? MOST)
    .execute()
  return rows.map(alertOf)
}

const deliveryOf = ({ document }: Readonly<{ document: string }>): Delivery => JSON.parse(document) as Delivery

const deliveriesOf = (db: Kysely<Tables>): AlertStore['deliveries'] => ({
  waiting: async (most) => {
    const rows = await db
      .selectFrom('deliveries')
      .select('document')
      .where('state', '=', 'waiting')
      .orderBy('created_us')
      .orderBy('id')
      .limit(most)
      .execute()
    return rows.map(deliveryOf)
  },
  of: async (alert_id) => {
    const rows = await db
      .selectFrom('deliveries')
      .select('document')
      .where('alert_id', '=', alert_id)
      .orderBy('created_us')
      .orderBy('id')
      .execute()
    return rows.map(deliveryOf)
  },
  update: async (delivery) => {
    await db.updateTable('deliveries').set(rowOf(delivery)).where('id', '=', delivery.id).execute()
  },
  retryRefused: async (since_us, next_us) => {
    const rows = await db
      .selectFrom('deliveries')
      .select('document')
      .where('state', '=', 'refused')
      .where('created_us', '>=', since_us)
      .execute()
    for (const { ended_us: _, ...delivery } of rows.map(deliveryOf))
      await db
        .updateTable('deliveries')
        .set(rowOf({ ...delivery, state: 'waiting', next_us }))
        .where('id', '=', delivery.id)
        .execute()
    return rows.length
  },
  counts: async () => {
    const rows = await db
      .selectFrom('deliveries')
      .select(({ fn }) => ['state', fn.countAll().as('count')])
      .groupBy('state')
      .execute()
    const found = Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]))
    return { waiting: 0, delivered: 0, refused: 0, ...found }
  },
})

type Contained = Selectable<Tables['containments']>

const containmentOf = ({ document, released_us }: Contained): Containment => ({
  ...(JSON.parse(document) as Containment),
  ...(released_us === null ? {} : { released_us: Number(released_us) }),
})

const inForce = (db: Kysely<Tables>, at_us: number) =>
  db
    .selectFrom('containments')
    .selectAll()
    .where('released_us', 'is', null)
    .where((where) => where.or([where('until_us', 'is', null), where('until_us', '>', at_us)]))

const containmentsOf = (db: Kysely<Tables>): AlertStore['containments'] => ({
  add: async (containment) => {
    const { id, from_us, until_us = null, released_us = null } = containment
    await db
      .insertInto('containments')
      .values({ id, from_us, until_us, released_us, document: JSON.stringify(containment) })
      .onConflict((conflict) =>
        conflict
          .column('id')
          .doUpdateSet({ from_us, until_us, document: JSON.stringify(containment) })
          .where('containments.released_us', 'is', null),
      )
      .execute()
  },
  list: async (at_us) => {
    const asked = at_us === undefined ? db.selectFrom('containments').selectAll() : inForce(db, at_us)
    return (await asked.orderBy('from_us', 'desc').orderBy('id').limit(MOST).execute()).map(containmentOf)
  },
  release: async (id, at_us) => {
    const done = await db
      .updateTable('containments')
      .set({ released_us: at_us })
      .where('id', '=', id)
      .where('released_us', 'is', null)
      .where((where) => where.or([where('until_us', 'is', null), where('until_us', '>', at_us)]))
      .executeTakeFirst()
    return done.numUpdatedRows > 0n
  },
})

/** In one transaction; a delivery that waits holds its alert, however old. */
const prune = async (db: Kysely<Tables>, alerts_us: number, deliveries_us: number) => {
  const { numDeletedRows: deliveries } = await db
    .deleteFrom('deliveries')
    .where('state', '!=', 'waiting')
    .where('created_us', '<', deliveries_us)
    .executeTakeFirstOrThrow()
  const old = db
    .selectFrom('alerts')
    .select('id')
    .where('state', '!=', 'open')
    .where('last_us', '<', alerts_us)
    .where('id', 'not in', db.selectFrom('deliveries').select('alert_id').where('state', '=', 'waiting'))
  const { numDeletedRows: more } = await db
    .deleteFrom('deliveries')
    .where('alert_id', 'in', old)
    .executeTakeFirstOrThrow()
  await db
    .deleteFrom('containments')
    .where('id', 'in', old)
    .where((where) => where.or([where('released_us', 'is not', null), where('until_us', '<', alerts_us)]))
    .execute()
  const { numDeletedRows: alerts } = await db
    .deleteFrom('alerts')
    .where('id', 'in', old)
    .where('id', 'not in', db.selectFrom('containments').select('id'))
    .executeTakeFirstOrThrow()
  return { alerts: Number(alerts), deliveries: Number(deliveries + more) }
}

/** Alerts in the store. Each call to `record` is one transaction. */
export const alertsOf = (db: Kysely<Tables>): AlertStore => ({
  record: (alerts, deliveries) =>
    db.transaction().execute(async (transaction) => {
      for (const alert of alerts) await put(transaction, alert)
      for (const delivery of deliveries)
        await transaction
          .insertInto('deliveries')
          .values(rowOf(delivery))
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute()
    }),
  list: (query) => list(db, query),
  judge: async (id, opinion) => {
    const done = await db
      .updateTable('alerts')
      .set({ judged_us: opinion.at_us, opinion: JSON.stringify(opinion) })
      .where('id', '=', id)
      .executeTakeFirst()
    return done.numUpdatedRows > 0n
  },
  judgedSince: async (at_us) => {
    const asked = db.selectFrom('alerts').selectAll().where('judged_us', '>', at_us)
    return (await asked.orderBy('judged_us').orderBy('id').execute()).map(alertOf)
  },
  prune: (alerts_us, deliveries_us) =>
    db.transaction().execute((transaction) => prune(transaction, alerts_us, deliveries_us)),
  deliveries: deliveriesOf(db),
  containments: containmentsOf(db),
  watched: {
    load: async () => {
      const row = await db.selectFrom('watched').selectAll().executeTakeFirst()
      return row && { state: row.state, position: Number(row.position) }
    },
    save: async ({ state, position }) => {
      await db
        .insertInto('watched')
        .values({ id: 1, state, position })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ state, position }))
        .execute()
    },
  },
})
