import { z } from 'zod'
import type { BudgetState } from '../core/budget.ts'
import { budgetStates } from './answers/stored.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'budgets list',
  describes:
    'Every counter of every budget with what is spent, reserved and left, and when it resets; for a team those of its own calls.',
  access: 'team',
  http: { method: 'GET', path: '/v1/budgets' },
  input: z.strictObject({}),
  output: budgetStates,
  run: (_, context): Promise<readonly BudgetState[]> => context.budgets(),
})
