import type { Rules } from '../../playbook/allocate/statement/rules.ts'
import { rulesIn } from '../../verbs/allocation/in-force.ts'

/** The allocation rules of a data folder. Where there is no store there are none, and none is made. */
export const rulesAt = async (data: string): Promise<Rules> => {
  const { storeIn } = await import('../../verbs/context.ts')
  const store = await storeIn(data)
  try {
    return await rulesIn(store)
  } finally {
    await store.close()
  }
}
