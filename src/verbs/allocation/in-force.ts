import type { Answer, Ledger, Question } from '../../core/ledger.ts'
import type { Store } from '../../core/store.ts'
import { type Rules, rulesOf } from '../../playbook/allocate/statement/rules.ts'

/** The allocation rules of an open store. */
export const rulesIn = async (store: Pick<Store, 'rules'>): Promise<Rules> =>
  rulesOf(await store.rules.list('tags'), await store.rules.list('splits'))

/** The ledger, seen through the virtual tags in force. A question that brings its own tags keeps them. */
export const tagged = <L extends Pick<Ledger, 'query'>>(ledger: L, rules: Rules): L => {
  const { tags } = rules.tagging(rules.tags_version)
  if (tags.length === 0) return ledger
  const query = <Q extends Question>(question: Q): Promise<Answer<Q>> => ledger.query({ tags, ...question })
  return { ...ledger, query }
}
