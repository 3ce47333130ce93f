import { z } from 'zod'
import { WeirError } from '../core/errors.ts'
import { removedBudget } from './answers/stored.ts'
import { changing } from './budgets/changing.ts'
import { name, revision } from './budgets/fields.ts'
import { defineVerb } from './verb.ts'

type Removed = Readonly<{ name: string; removed: true }>

export const verb = defineVerb({
  name: 'budgets remove',
  describes: 'Removes a budget. Its spend stays in the ledger; a running gateway follows at once.',
  access: 'admin',
  http: { method: 'DELETE', path: '/v1/budgets/{name}' },
  input: z.strictObject({ name, revision }),
  output: removedBudget,
  async run({ name: which, revision: expected }, context): Promise<Removed> {
    const { budgets } = await context.store()
    const removed = await changing(budgets, { name: which, expected }, async ({ stored, version }) => {
      const there = stored.some((one) => one.name === which)
      return there && !(await budgets.remove(which, version)) ? undefined : there
    })
    if (removed) return { name: which, removed }
    const inFile = (await context.settings()).budgets.some((one) => one.name === which)
    const why = inFile ? 'is in weir.yaml: take it out there' : 'is not there; weir budgets list shows all'
    throw new WeirError('not-found', `the budget ${which} ${why}`)
  },
})
