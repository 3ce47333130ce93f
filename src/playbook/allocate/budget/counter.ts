import { type Budget, type BudgetUnit, EACH, type ScopeDimension } from '../../../core/budget.ts'
import { globMatches } from '../../../core/glob.ts'
import { parseUsd } from '../../../core/money.ts'
import type { Receipt } from '../../../core/receipt.ts'
import { windowName } from './period.ts'

/** What decides under which budgets a call is; a receipt says the same of its attempt. */
export type Facts = Readonly<{
  [Field in
    | 'team'
    | 'feature'
    | 'key_id'
    | 'customer'
    | 'user'
    | 'session'
    | 'agent'
    | 'environment'
    | 'model_asked'
    | 'provider'
    | 'tags']?: Receipt[Field] | undefined
}>

type Condition = Readonly<{ dimension: ScopeDimension; wanted: string; value: (facts: Facts) => string | undefined }>

/** One unit of one budget: what is counted against one limit, for every value of `each` apart. */
export type Counter = Readonly<{
  budget: Budget
  unit: BudgetUnit
  /** Picodollars, tokens or calls. */
  limit: bigint
  hard: boolean
  conditions: readonly Condition[]
  /** The same for budgets that count the same, whatever their name and limit. */
  identity: string
}>

export const units: readonly BudgetUnit[] = ['usd', 'tokens', 'calls']

const fields: Readonly<Record<string, (facts: Facts) => string | undefined>> = {
  team: (facts) => facts.team,
  feature: (facts) => facts.feature,
  key: (facts) => facts.key_id,
  customer: (facts) => facts.customer,
  user: (facts) => facts.user,
  session: (facts) => facts.session,
  agent: (facts) => facts.agent,
  environment: (facts) => facts.environment,
  model: (facts) => facts.model_asked,
  provider: (facts) => facts.provider,
}

/** How the value of a dimension is read; one that there is not has none. */
export const reader = (dimension: string): ((facts: Facts) => string | undefined) => {
  const field = fields[dimension]
  if (field) return field
  if (!dimension.startsWith('tag:')) return () => undefined
  const tag = dimension.slice('tag:'.length)
  return (facts) => facts.tags?.[tag]
}

const conditionsOf = ({ scope }: Budget): Condition[] =>
  (Object.entries(scope) as [ScopeDimension, string][])
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([dimension, wanted]) => ({ dimension, wanted, value: reader(dimension) }))

/** Scope and window as text: two budgets of which this is the same, and the unit, overlap. */
export const scopeText = (budget: Budget): string =>
  JSON.stringify(conditionsOf(budget).map(({ dimension, wanted }) => [dimension, wanted]))

/** The counters of a budget, one for each limit that it sets. */
export const countersOf = (budget: Budget): readonly Counter[] => {
  const conditions = conditionsOf(budget)
  return units.flatMap((unit) => {
    const limit = budget.limits[unit]
    if (limit === undefined) return []
    return [
      {
        budget,
        unit,
        limit: unit === 'usd' ? parseUsd(String(limit)) : BigInt(limit),
        hard: budget.kind === 'hard',
        conditions,
        identity: `${scopeText(budget)} ${windowName(budget.window)} ${'zone' in budget.window ? budget.window.zone : ''} ${unit}`,
      },
    ]
  })
}

const NO_VALUES: readonly string[] = []

/**
 * The values that `each` takes for a call that is under the budget, in the order of its conditions; undefined for a call
 * that is not under it. A call without a value for `each` is under no counter of it.
 */
export const valuesFor = ({ conditions }: Pick<Counter, 'conditions'>, facts: Facts): readonly string[] | undefined => {
  let values: string[] | undefined
  for (const { wanted, value } of conditions) {
    const found = value(facts)
    if (found === undefined) return undefined
    if (wanted === EACH) {
      values ??= []
      values.push(found)
    } else if (!globMatches(wanted, found)) return undefined
  }
  return values ?? NO_VALUES
}

/** Does it hold whatever the provider and the model? */
export const payerMatches = ({ conditions }: Counter, facts: Facts): boolean =>
  conditions.every(({ dimension, wanted, value }) => {
    if (dimension === 'provider' || dimension === 'model') return true
    const found = value(facts)
    return found !== undefined && (wanted === EACH || globMatches(wanted, found))
  })

/** The conditions with the values of one counter in the place of `each`. */
export const scopeOf = ({ conditions }: Counter, values: readonly string[]): Record<string, string> => {
  let at = 0
  return Object.fromEntries(
    conditions.map(({ dimension, wanted }) => [dimension, wanted === EACH ? (values[at++] ?? '') : wanted]),
  )
}
