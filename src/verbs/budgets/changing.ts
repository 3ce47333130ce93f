import { WeirError } from '../../core/errors.ts'
import type { Store, StoredBudget } from '../../core/store.ts'

/** Budgets as they were when a change was begun. */
export type Seen = Readonly<{ stored: readonly StoredBudget[]; version: number }>

/** More often than this nobody else gets in between. */
const TRIES = 20

const meanwhile = (name: string, stored: readonly StoredBudget[]): WeirError => {
  const now = stored.find((one) => one.name === name)
  const stands = now === undefined ? 'it is not there now' : `it is at revision ${now.revision} now`
  return new WeirError(
    'conflict',
    `revision: the budget ${name} was changed by somebody else meanwhile, ${stands}; look at it again, then repeat the change`,
  )
}

/**
 * Changes one budget against all that are there: `change` gives undefined when one was changed while it worked, and is
 * then called again with what is there now. Throws WeirError `conflict` where the budget is not at the revision that the
 * change was made from (0 for none), naming where it stands.
 */
export const changing = async <T>(
  budgets: Store['budgets'],
  { name, expected }: Readonly<{ name: string; expected: number | undefined }>,
  change: (seen: Seen) => Promise<T | undefined>,
): Promise<T> => {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const version = await budgets.version()
    const stored = await budgets.list()
    const revision = stored.find((one) => one.name === name)?.revision ?? 0
    if (expected !== undefined && expected !== revision) throw meanwhile(name, stored)
    const done = await change({ stored, version })
    if (done !== undefined) return done
  }
  throw meanwhile(name, await budgets.list())
}
