import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Budget } from '../../core/budget.ts'
import type { Settings } from '../../core/settings.ts'
import type { Store } from '../../core/store.ts'
import { readBudgets } from '../../playbook/allocate/budget/read.ts'
import type { Log } from '../log.ts'

/** The budgets of weir.yaml and of the store, and whoever wants to know when those change. */
export type BudgetWatch = Readonly<{
  budgets: readonly Budget[]
  watch(changed: (budgets: readonly Budget[]) => Promise<unknown>): void
  close(): Promise<void>
}>

const LOOK_EVERY_MS = 500

const parsed = (definition: string): unknown => {
  try {
    return JSON.parse(definition)
  } catch {
    return undefined
  }
}

/** Those of the store that can stand beside the file's; the others are logged and not in force. */
const together = (
  file: readonly Budget[],
  definitions: readonly Readonly<{ name: string; definition: string }>[],
  log: Log,
) => {
  const good: Budget[] = [...file]
  for (const { name, definition } of definitions) {
    const { budgets, problems } = readBudgets([parsed(definition)], good)
    const [budget] = budgets
    if (budget && problems.length === 0) good.push(budget)
    else
      log.trouble('a budget of the store is not in force', {
        budget: name,
        why: problems[0]?.message ?? 'overlaps another',
      })
  }
  return good
}

/** Watches budgets. The store is opened as soon as there is one; without it those of weir.yaml hold. */
export const openBudgetWatch = async (settings: Settings, log: Log): Promise<BudgetWatch> => {
  let store: Store | undefined
  let seen: number | undefined
  let timer: NodeJS.Timeout | undefined
  const read = async (): Promise<readonly Budget[] | undefined> => {
    if (!store && existsSync(join(settings.data, 'store.db'))) {
      const { stores } = await import('../../stores/index.ts')
      store = await stores.sqlite({ data: settings.data })
    }
    if (!store) return undefined
    const revision = await store.revision()
    if (revision === seen) return undefined
    const budgets = together(settings.budgets, await store.budgets.list(), log)
    seen = revision
    return budgets
  }
  return {
    budgets: (await read()) ?? settings.budgets,
    watch(changed) {
      let busy = false
      timer = setInterval(() => {
        if (busy) return
        busy = true
        // A store that is busy is looked at again soon; the budgets known so far stay in force.
        read()
          .then((budgets) => budgets && changed(budgets))
          .catch(() => {
            seen = undefined
          })
          .finally(() => {
            busy = false
          })
      }, LOOK_EVERY_MS)
      timer.unref()
    },
    async close() {
      clearInterval(timer)
      await store?.close()
    },
  }
}
