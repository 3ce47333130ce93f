import { z } from 'zod'
import { budgetSight } from './answers/stored.ts'
import { name } from './budgets/fields.ts'
import { type BudgetSight, findBudget } from './budgets/find.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'budgets show',
  describes: 'One budget as it is meant, where it is written, and how each of its counters stands.',
  access: 'team',
  http: { method: 'GET', path: '/v1/budgets/{name}' },
  input: z.strictObject({ name }),
  output: budgetSight,
  run: ({ name: which }, context): Promise<BudgetSight> => findBudget(context, which),
})
