import { isDeepStrictEqual } from 'node:util'
import type { Insertable, Kysely, Selectable } from 'kysely'
import type { Usd } from '../core/money.ts'
import type { OutcomeEvent, OutcomesAdded, ReportedOutcome } from '../core/outcome.ts'
import type { Store } from '../core/store.ts'
import type { Tables } from './migrations.ts'

const optional = ['team', 'feature', 'customer', 'user', 'environment', 'session', 'value_usd'] as const

const rowOf = (event: OutcomeEvent): Insertable<Tables['outcomes']> => ({
  id: event.id,
  kind: event.kind,
  count: event.count,
  at_us: event.at_us,
  team: event.team ?? null,
  feature: event.feature ?? null,
  customer: event.customer ?? null,
  user: event.user ?? null,
  environment: event.environment ?? null,
  session: event.session ?? null,
  value_usd: event.value_usd ?? null,
})

const eventOf = (row: Selectable<Tables['outcomes']>): OutcomeEvent => {
  const given = optional.flatMap((name) => (row[name] === null ? [] : [[name, row[name]] as const]))
  return {
    id: row.id,
    kind: row.kind,
    count: Number(row.count),
    at_us: Number(row.at_us),
    ...(Object.fromEntries(given) as Partial<Record<(typeof optional)[number], string>> & { value_usd?: Usd }),
  }
}

/** Does a report say what is stored of its id? */
const isSame = ({ at_assumed, ...event }: ReportedOutcome, stored: OutcomeEvent): boolean =>
  isDeepStrictEqual(at_assumed ? { ...event, at_us: stored.at_us } : event, stored)

/** Rows of one statement; engines bound the number of parameters. */
const ROWS = 1000

/** Writes first and compares then: a transaction that begins by reading fails when another process writes meanwhile. */
const addSome = async (db: Kysely<Tables>, events: readonly ReportedOutcome[]) => {
  const rows = events.map(rowOf)
  const inserted = await db
    .insertInto('outcomes')
    .values(rows)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .execute()
  const fresh = new Set(inserted.map(({ id }) => id))
  const added = fresh.size
  const ids = rows.map(({ id }) => id)
  const found = await db.selectFrom('outcomes').selectAll().where('id', 'in', ids).execute()
  const known = new Map(found.map((row) => [row.id, eventOf(row)]))
  const repeated = events.filter(({ id }) => !fresh.delete(id))
  const conflicts = repeated.filter((event) => !isSame(event, known.get(event.id) ?? event)).map(({ id }) => id)
  return { added, already: repeated.length - conflicts.length, conflicts }
}

const addAll = async (db: Kysely<Tables>, events: readonly ReportedOutcome[]): Promise<OutcomesAdded> => {
  let [added, already] = [0, 0]
  const conflicts: string[] = []
  for (let at = 0; at < events.length; at += ROWS) {
    const some = await addSome(db, events.slice(at, at + ROWS))
    added += some.added
    already += some.already
    conflicts.push(...some.conflicts)
  }
  return { added, already, conflicts }
}

/** Business events in the store. Each call to `add` is one transaction. */
export const outcomesOf = (db: Kysely<Tables>): Store['outcomes'] => ({
  add: (events) => db.transaction().execute((transaction) => addAll(transaction, events)),
  list: async ({ kind, from_us, to_us }) => {
    let query = db.selectFrom('outcomes').selectAll()
    if (kind !== undefined) query = query.where('kind', '=', kind)
    if (from_us !== undefined) query = query.where('at_us', '>=', from_us)
    if (to_us !== undefined) query = query.where('at_us', '<', to_us)
    return (await query.orderBy('at_us').orderBy('id').execute()).map(eventOf)
  },
  kinds: async () => {
    const rows = await db
      .selectFrom('outcomes')
      .select(({ fn }) => [
        'kind',
        fn.countAll().as('events'),
        fn.sum('count').as('count'),
        fn.min('at_us').as('first_us'),
        fn.max('at_us').as('last_us'),
      ])
      .groupBy('kind')
      .orderBy('kind')
      .execute()
    return rows.map((row) => ({
      kind: row.kind,
      events: Number(row.events),
      count: Number(row.count),
      first_us: Number(row.first_us),
      last_us: Number(row.last_us),
    }))
  },
  remove: async (id) => {
    const done = await db.deleteFrom('outcomes').where('id', '=', id).executeTakeFirst()
    return done.numDeletedRows > 0n
  },
})
