import type { Budget } from '../../core/budget.ts'
import { type Counter, countersOf, payerMatches, valuesFor } from '../../playbook/allocate/budget/counter.ts'

/** A budget in force, as the main thread tells it. Plain data. */
export type InForce = Readonly<{
  budget: Budget
  /** Counters of another epoch are not this one's: a budget that was removed meanwhile starts again from the ledger. */
  epoch: number
  /** Counting what was spent before; calls that are under it wait. `failed`: it cannot be counted. */
  state: 'counting' | 'counted' | 'failed'
}>

/** All budgets in force. A new generation has other counters. */
export type BudgetsInForce = Readonly<{ generation: number; budgets: readonly InForce[] }>

export type Active = Readonly<{ counter: Counter; epoch: number; state: InForce['state'] }>

export const activeOf = ({ budgets }: BudgetsInForce): readonly Active[] =>
  budgets.flatMap(({ budget, epoch, state }) => countersOf(budget).map((counter) => ({ counter, epoch, state })))

export { payerMatches, valuesFor }
