import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BudgetState } from '../../core/budget.ts'
import type { Ledger } from '../../core/ledger.ts'
import type { Settings } from '../../core/settings.ts'
import { openLog } from '../log.ts'
import { askControl } from '../reach.ts'
import { openDesk } from './desk.ts'
import { openBudgetWatch } from './watch.ts'

type Reach = Readonly<{
  now_us: () => number
  /** Opens the ledger, receipts as they are; asked only where no gateway runs. */
  ledger: () => Promise<Pick<Ledger, 'query'>>
}>

/** How the budgets of a data folder stand: as the gateway that runs on it says, or else counted from the ledger. */
export const reachBudgets = async (settings: Settings, { now_us, ledger }: Reach): Promise<readonly BudgetState[]> => {
  const told = await askControl(settings.data, '/budgets')
  if (told !== undefined) return told as readonly BudgetState[]
  const log = openLog({ log_level: 'silent' })
  const watch = await openBudgetWatch(settings, log)
  const desk = openDesk({ settings: { ...settings, threads: 0 }, now_us, log })
  await desk.change(watch.budgets)
  const written = ['journal', 'ledger.duckdb'].some((name) => existsSync(join(settings.data, name)))
  const counted = written ? await ledger() : undefined
  try {
    await desk.begin(counted && { ledger: counted, refresh: async () => {} })
    return await desk.states()
  } finally {
    desk.close()
    await watch.close()
  }
}
