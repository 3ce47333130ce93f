import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Budget } from '../../core/budget.ts'
import type { Settings } from '../../core/settings.ts'
import type { Store } from '../../core/store.ts'
import { readBudgets } from '../../playbook/allocate/budget/read.ts'
import { inTurn } from '../in-turn.ts'
import type { Log } from '../log.ts'

/** The budgets of weir.yaml and of the store, and whoever wants to know when those change. */
export type BudgetWatch = Readonly<{
  budgets: readonly Budget[]
  watch(changed: (budgets: readonly Budget[]) => Promise<unknown>): void
  /** Looks now. Resolves when what has changed is in force. */
  look(): Promise<void>
  /** weir.yaml has other budgets now. Resolves when they are in force. */
  renew(file: readonly Budget[]): Promise<void>
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
  let file = settings.budgets
  let edition = 0
  let store: Store | undefined
  let seen: string | undefined
  let timer: NodeJS.Timeout | undefined
  let tell: ((budgets: readonly Budget[]) => Promise<unknown>) | undefined
  const read = async (): Promise<readonly Budget[] | undefined> => {
    if (!store && existsSync(join(settings.data, 'store.db'))) {
      const { stores } = await import('../../stores/index.ts')
      store = await stores.sqlite({ data: settings.data })
    }
    const state = `${edition} ${await store?.revision()}`
    if (state === seen) return undefined
    const budgets = store ? together(file, await store.budgets.list(), log) : file
    seen = state
    return budgets
  }
  const turn = inTurn()
  const look = (): Promise<void> =>
    turn(async () => {
      if (!tell) return
      try {
        const budgets = await read()
        if (budgets) await tell(budgets)
      } catch (error) {
        seen = undefined
        throw error
      }
    })
  return {
    budgets: (await read()) ?? file,
    watch(changed) {
      tell = changed
      // A store that is busy is looked at again soon; the budgets known so far stay in force.
      timer = setInterval(() => look().catch(() => {}), LOOK_EVERY_MS)
      timer.unref()
    },
    look,
    renew(next) {
      file = next
      edition += 1
      return look()
    },
    async close() {
      clearInterval(timer)
      await store?.close()
    },
  }
}
