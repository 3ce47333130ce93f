import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BudgetState } from '../../core/budget.ts'
import type { Settings } from '../../core/settings.ts'
import { openLog } from '../log.ts'
import { askControl, type ReachOptions, reachLedger } from '../reach.ts'
import { openDesk } from './desk.ts'
import { openBudgetWatch } from './watch.ts'

/** How the budgets of a data folder stand: as the gateway that runs on it says, or else counted from the ledger. */
export const reachBudgets = async (settings: Settings, options: ReachOptions): Promise<readonly BudgetState[]> => {
  const told = await askControl(settings.data, '/budgets')
  if (told !== undefined) return told as readonly BudgetState[]
  const log = openLog({ log_level: 'silent' })
  const watch = await openBudgetWatch(settings, log)
  const desk = openDesk({ settings: { ...settings, threads: 0 }, now_us: options.now_us, log, budgets: watch.budgets })
  const ledger = existsSync(join(settings.data, 'journal')) ? await reachLedger(settings.data, options) : undefined
  try {
    await desk.begin([], ledger && { ledger, refresh: async () => {} })
    return await desk.states()
  } finally {
    desk.close()
    await watch.close()
    await ledger?.close()
  }
}
