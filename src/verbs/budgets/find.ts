import { type Budget, type BudgetState, EACH } from '../../core/budget.ts'
import { WeirError } from '../../core/errors.ts'
import { readBudgets } from '../../playbook/allocate/budget/read.ts'
import { hasStore } from '../data.ts'
import type { Context } from '../verb.ts'

/** A budget with where it is written: weir.yaml, or the store, where it can be changed and has a revision for that. */
export type DefinedBudget = Readonly<{ budget: Budget; written: 'weir.yaml' | 'store'; revision?: number }>

/** A budget as it is meant and as it stands, counter by counter. */
export type BudgetSight = DefinedBudget & Readonly<{ counters: readonly BudgetState[] }>

/** Does a budget hold for this very team: as its own, or as one of each? A pattern may take in other teams. */
export const isOf = (scope: Readonly<{ team?: string }>, team: string): boolean =>
  scope.team === team || scope.team === EACH

/** All budgets: those of weir.yaml, then those of the store. For a team only those that are of it. */
export const definedBudgets = async (context: Context): Promise<readonly DefinedBudget[]> => {
  const { team } = context
  const { budgets: file } = await context.settings()
  const list = hasStore(context.data) ? await (await context.store()).budgets.list() : []
  const stored = list.map(({ definition }) => JSON.parse(definition) as unknown)
  const revisions = new Map(list.map(({ name, revision }) => [name, revision]))
  return [
    ...file.map((budget) => ({ budget, written: 'weir.yaml' as const })),
    ...readBudgets(stored, file).budgets.map((budget) => ({
      budget,
      written: 'store' as const,
      revision: revisions.get(budget.name) ?? 1,
    })),
  ].filter(({ budget: { scope } }) => team === undefined || isOf(scope, team))
}

/** The budget of a name with its counters. Throws WeirError `not-found`. */
export const findBudget = async (context: Context, name: string): Promise<BudgetSight> => {
  const found = (await definedBudgets(context)).find(({ budget }) => budget.name === name)
  const counters = (await context.budgets()).filter(({ budget }) => budget === name)
  if (found !== undefined) return { ...found, counters }
  const elsewhere = `${name} is a budget of the running gateway, from a configuration that is not read here: name it with --config`
  const nowhere = `there is no budget ${name}; weir budgets list shows all`
  throw new WeirError('not-found', counters.length > 0 ? elsewhere : nowhere)
}
