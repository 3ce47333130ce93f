import type { Dimension } from '../../core/ledger.ts'
import type { StatementPeriod } from '../../playbook/allocate/statement/period.ts'

/** By what owners are told apart, and which of them are meant; all where none is named. */
export type Owners = Readonly<{ by: Dimension; owners?: readonly string[] }>

export type StatementsAsked = Owners &
  Readonly<{ period: StatementPeriod; budgets: Readonly<Record<string, string>>; now_us: number }>
