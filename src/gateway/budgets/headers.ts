import { formatUsd, picodollars } from '../../core/money.ts'
import { budgetPeriod } from '../../playbook/allocate/budget/period.ts'
import type { Call } from '../call.ts'
import type { World } from '../world.ts'
import type { Entry } from './counters.ts'

type Standing = Readonly<{ entry: Entry; left: bigint; share: number }>

const written = ({ counter: { unit } }: Entry['active'], amount: bigint): string =>
  unit === 'usd' ? formatUsd(picodollars(amount)) : amount.toString()

/** A name as a header can carry it. */
const plain = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')

const resets = ({ active, place }: Entry): string[] => {
  const { window } = active.counter.budget
  if (!('every' in window)) return []
  const { to_us } = budgetPeriod(window, place.from_us)
  return ['x-weir-budget-resets-at', new Date(to_us / 1000).toISOString()]
}

/**
 * What the client is told of the budget that is nearest to its end: its name, how much is left when everything that is
 * reserved is spent, the limit and when it begins anew. A soft budget that is overrun is named in `x-weir-budget-warning`.
 */
export const budgetHeaders = (call: Call, { budgets }: Pick<World, 'budgets'>): string[] => {
  const entries = call.hold?.entries ?? []
  let nearest: Standing | undefined
  let over: Standing | undefined
  for (const entry of entries) {
    const { limit, hard } = entry.active.counter
    const left = limit - budgets.usedIn(entry.slot)
    const standing = { entry, left, share: Number(left) / Number(limit) }
    if (!hard && left < 0n) over ??= standing
    if (!nearest || standing.share < nearest.share) nearest = standing
  }
  if (!nearest) return []
  const { entry, left } = nearest
  const { budget, unit, limit } = entry.active.counter
  const headers = ['x-weir-budget', plain(budget.name), `x-weir-budget-left-${unit}`, written(entry.active, left)]
  headers.push(`x-weir-budget-limit-${unit}`, written(entry.active, limit), ...resets(entry))
  if (call.fell_back_from !== undefined) headers.push('x-weir-budget-fall-back', plain(call.fell_back_from))
  if (over) headers.push('x-weir-budget-warning', `${plain(over.entry.active.counter.budget.name)} is overrun`)
  return headers
}
