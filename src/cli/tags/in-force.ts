import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer, Ledger, Question } from '../../core/ledger.ts'
import type { Store } from '../../core/store.ts'
import { type Rules, rulesOf } from '../../playbook/allocate/statement/rules.ts'

/** The allocation rules of an open store. */
export const rulesIn = async (store: Store): Promise<Rules> =>
  rulesOf(await store.rules.list('tags'), await store.rules.list('splits'))

/** The allocation rules of a data folder. Where there is no store there are none, and none is made. */
export const rulesAt = async (data: string): Promise<Rules> => {
  if (!existsSync(join(data, 'store.db'))) return rulesOf([], [])
  const { open } = await import('../../stores/sqlite.ts')
  const store = await open({ data })
  try {
    return await rulesIn(store)
  } finally {
    await store.close()
  }
}

/** The ledger, seen through the virtual tags in force. A question that brings its own tags keeps them. */
export const tagged = async (ledger: Ledger, data: string): Promise<Ledger> => {
  const rules = await rulesAt(data)
  const { tags } = rules.tagging(rules.tags_version)
  if (tags.length === 0) return ledger
  const query = <Q extends Question>(question: Q): Promise<Answer<Q>> => ledger.query({ tags, ...question })
  return { ...ledger, query }
}
