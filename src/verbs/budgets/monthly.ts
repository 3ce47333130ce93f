import { EACH } from '../../core/budget.ts'
import type { Dimension } from '../../core/dimension.ts'
import { isGlob } from '../../core/glob.ts'
import { parseUsd } from '../../core/money.ts'
import type { Context } from '../verb.ts'
import { definedBudgets } from './find.ts'

/** What owners may spend in a calendar month, US dollars: by name, and each of them. */
export type MonthlyBudgets = Readonly<{ budgets: Readonly<Record<string, string>>; budget_each?: string }>

/** The lower of two limits; budgets of one owner hold at once. */
const lower = (one: string | undefined, other: string): string =>
  one !== undefined && parseUsd(one) <= parseUsd(other) ? one : other

/**
 * The budgets in dollars a month whose scope is an owner of a dimension and nothing else. One for a pattern is the budget of
 * many together, and of none of them.
 */
export const monthlyBudgets = async (context: Context, by: Dimension): Promise<MonthlyBudgets> => {
  const dimension = by === 'key_id' ? 'key' : by
  const budgets: Record<string, string> = {}
  let budget_each: string | undefined
  for (const { budget } of await definedBudgets(context)) {
    const { scope, limits, window } = budget
    const [only, ...more] = Object.entries(scope)
    if (limits.usd === undefined || !('every' in window) || window.every !== 'month') continue
    if (only === undefined || more.length > 0 || only[0] !== dimension) continue
    const [, owner = ''] = only
    if (owner === EACH) budget_each = lower(budget_each, limits.usd)
    else if (!isGlob(owner)) budgets[owner] = lower(budgets[owner], limits.usd)
  }
  return { budgets, ...(budget_each === undefined ? {} : { budget_each }) }
}
