import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { open } from '../../src/stores/sqlite.ts'
import { budgetContract } from './budget-contract.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'weir-budget-store-'))

budgetContract('SQLite', async () => {
  const data = folder()
  return { open: () => open({ data }), clear: async () => rmSync(data, { recursive: true }) }
})

test('budgets of a store that knew no revisions are at their first', async () => {
  const data = folder()
  await (await open({ data })).close()
  const older = new DatabaseSync(join(data, 'store.db'))
  older.exec(`alter table budgets drop column revision; alter table budgets drop column removed;
    delete from kysely_migration where name = '0006-budget-revisions';
    insert into budgets values ('old', '{}', 5)`)
  older.close()
  const store = await open({ data })
  expect(await store.budgets.list()).toStrictEqual([{ name: 'old', definition: '{}', set_at_us: 5, revision: 1 }])
  await store.close()
  rmSync(data, { recursive: true })
})
