import { statSync } from 'node:fs'
import { join } from 'node:path'
import { WeirError } from '../core/errors.ts'
import { unusable } from '../stores/folder.ts'

/** Throws WeirError `bad-config` where nobody can say: a folder that is another user's is no empty one. */
const holds = (data: string, names: readonly string[]): boolean => {
  try {
    return names.some((name) => statSync(join(data, name), { throwIfNoEntry: false }) !== undefined)
  } catch (error) {
    throw unusable(data, error)
  }
}

const whatToDo =
  'Start the gateway (weir serve) and send a call through it, bring in what you have (weir import), or say where it lies with --data'

/** Is there a store, or must an empty one do for who only reads? */
export const hasStore = (data: string): boolean => holds(data, ['store.db'])

/** Are there receipts to ask, in the ledger or on their way into it? */
export const hasLedger = (data: string): boolean => holds(data, ['ledger.duckdb', 'journal'])

/** Throws WeirError `not-found` where nothing of Weir's lies: who only reads makes no folder, which may be mistyped. */
export const needData = (data: string): void => {
  if (hasStore(data) || hasLedger(data)) return
  if (statSync(data, { throwIfNoEntry: false })?.isFile()) throw unusable(data, new Error('it is a file, not a folder'))
  throw new WeirError('not-found', `no Weir data lies in ${data}. ${whatToDo}`)
}

/** Throws WeirError `not-found` where there is no ledger. */
export const needLedger = (data: string): void => {
  needData(data)
  if (!hasLedger(data)) throw new WeirError('not-found', `there is no ledger in ${data} yet. ${whatToDo}`)
}
