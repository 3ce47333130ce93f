/** Ten budgets that a call of the benches falls under, all at once: of every kind of scope, period and zone. */
import type { Budget } from '../../src/core/budget.ts'
import { readBudgets } from '../../src/playbook/allocate/budget/read.ts'

const scopes: readonly Readonly<Record<string, unknown>>[] = [
  { per: 'year' },
  { per: 'month', zone: 'Asia/Shanghai' },
  { scope: { team: 'search' }, per: 'month', zone: 'America/New_York' },
  { scope: { team: 'search', feature: 'answers' }, per: 'week' },
  { scope: { key: 'each' }, per: 'day' },
  { scope: { customer: 'each' }, per: 'day' },
  { scope: { user: 'each' }, per: 'hour' },
  { scope: { session: 'each' }, per: 'lifetime' },
  { scope: { model: 'gpt-*' }, per: 'day' },
  { scope: { provider: 'openai' }, per: 'minute' },
]

/** They are never exhausted. */
export const tenBudgets = (): readonly Budget[] => {
  const { budgets, problems } = readBudgets(
    scopes.map((scope, n) => ({ name: `b${n}`, limit: { usd: 1_000_000 }, ...scope })),
  )
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return budgets
}

/** Whom a call must name to be under all ten. */
export const payer = {
  team: 'search',
  feature: 'answers',
  customer: 'customer-1',
  user: 'user-1',
  session: 'session-1',
}
