import type { Dimension } from '../../core/dimension.ts'
import type { StatementPeriod } from '../../playbook/allocate/statement/period.ts'

/** By what owners are told apart, and which of them are meant; all where none is named. */
export type Owners = Readonly<{ by: Dimension; owners?: readonly string[] }>

/** `budgets` are dollars a month by owner, `budget_each` those of every owner that it does not name. */
export type StatementsAsked = Owners &
  Readonly<{
    period: StatementPeriod
    budgets: Readonly<Record<string, string>>
    budget_each?: string
    now_us: number
  }>
