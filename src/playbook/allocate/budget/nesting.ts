import { type Budget, type BudgetUnit, EACH, type ScopeDimension } from '../../../core/budget.ts'
import { parseUsd } from '../../../core/money.ts'
import { scopeText, units } from './counter.ts'
import { windowName } from './period.ts'

const sameWindow = (one: Budget, other: Budget): boolean => windowName(one.window) === windowName(other.window)

/** Units that two budgets limit for the same scope in the same window. Other zones are other windows. */
export const overlaps = (one: Budget, other: Budget): readonly BudgetUnit[] => {
  if (scopeText(one) !== scopeText(other) || !sameWindow(one, other)) return []
  if ('zone' in one.window && 'zone' in other.window && one.window.zone !== other.window.zone) return []
  return units.filter((unit) => one.limits[unit] !== undefined && other.limits[unit] !== undefined)
}

/** Is every call of the child a call of the parent? Told by the words alone: the same conditions, or more. */
const isInside = (child: Budget, parent: Budget): boolean =>
  (Object.entries(parent.scope) as [ScopeDimension, string][]).every(([dimension, wanted]) => {
    const found = child.scope[dimension]
    return found !== undefined && (found === wanted || wanted === EACH || wanted === '*')
  })

const amountOf = (budget: Budget, unit: BudgetUnit): bigint | undefined => {
  const limit = budget.limits[unit]
  if (limit === undefined) return undefined
  return unit === 'usd' ? parseUsd(String(limit)) : BigInt(limit)
}

/**
 * What is allowed and yet can hardly be meant: a budget above another one that all of its calls are under too. With `about`
 * only what concerns the budget of that name.
 */
export const budgetWarnings = (budgets: readonly Budget[], about?: string): readonly string[] =>
  budgets.flatMap((child) =>
    budgets.flatMap((parent) => {
      if (about !== undefined && child.name !== about && parent.name !== about) return []
      if (parent === child || parent.kind === 'soft' || !sameWindow(child, parent)) return []
      if (!isInside(child, parent) || isInside(parent, child)) return []
      return units.flatMap((unit) => {
        const [above, below] = [amountOf(parent, unit), amountOf(child, unit)]
        if (above === undefined || below === undefined || below <= above) return []
        return [
          `${child.name} limits ${unit} to ${child.limits[unit]}, but ${parent.name} stops its calls at ${parent.limits[unit]}`,
        ]
      })
    }),
  )
