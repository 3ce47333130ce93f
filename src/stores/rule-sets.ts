import type { Kysely } from 'kysely'
import type { RuleKind } from '../core/allocation.ts'
import type { Store } from '../core/store.ts'
import type { Tables } from './migrations.ts'

/** Every version of the allocation rules. The next number is found and taken in one statement, so two writers get two numbers. */
export const rulesOf = (db: Kysely<Tables>): Store['rules'] => ({
  put: async (kind, rules, at_us, after) => {
    const added = await db
      .insertInto('rule_sets')
      .columns(['kind', 'version', 'set_at_us', 'rules'])
      .expression(
        db
          .selectFrom('rule_sets')
          .where('kind', '=', kind)
          .select(({ val, fn, eb }) => [
            val(kind).as('kind'),
            eb(fn.coalesce(fn.max('version'), val(0)), '+', 1).as('version'),
            val(at_us).as('set_at_us'),
            val(rules).as('rules'),
          ])
          .having(({ fn, eb, val }) =>
            eb(fn.coalesce(fn.max('version'), val(0)), '=', after ?? fn.coalesce(fn.max('version'), val(0))),
          ),
      )
      .returning('version')
      .executeTakeFirst()
    return added === undefined ? undefined : Number(added.version)
  },
  list: async (kind) => {
    const rows = await db.selectFrom('rule_sets').selectAll().where('kind', '=', kind).orderBy('version').execute()
    return rows.map((row) => ({
      kind: row.kind as RuleKind,
      version: Number(row.version),
      set_at_us: Number(row.set_at_us),
      rules: row.rules,
    }))
  },
})
