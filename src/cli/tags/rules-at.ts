import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Rules, rulesOf } from '../../playbook/allocate/statement/rules.ts'
import { rulesIn } from '../../verbs/allocation/in-force.ts'

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
