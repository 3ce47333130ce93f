import { formatUsd, picodollars } from '../../core/money.ts'
import type { Call } from '../call.ts'
import type { World } from '../world.ts'
import type { Entry } from './counters.ts'

const written = ({ counter: { unit } }: Entry['active'], amount: bigint): string =>
  unit === 'usd' ? formatUsd(picodollars(amount)) : amount.toString()

/** A name as a header can carry it. */
const plain = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')

const resets = ({ active, place }: Entry): string[] => {
  if (!('every' in active.counter.budget.window)) return []
  place.ends ??= new Date(place.to_us / 1000).toISOString()
  return ['x-weir-budget-resets-at', place.ends]
}

/**
 * What the client is told of the budget that is nearest to its end: its name, how much is left when everything that is
 * reserved is spent, the limit and when it resets. A soft budget that is overrun is named in `x-weir-budget-warning`.
 */
export const budgetHeaders = (call: Call, { budgets }: Pick<World, 'budgets'>): string[] => {
  const entries = call.hold?.entries ?? []
  let nearest: Entry | undefined
  let over: Entry | undefined
  let [most, share] = [0n, 0]
  for (const entry of entries) {
    const { limit, hard } = entry.active.counter
    const used = budgets.usedIn(entry.slot)
    if (!hard && used > limit) over ??= entry
    const part = Number(used) / Number(limit)
    if (nearest && part <= share) continue
    nearest = entry
    most = used
    share = part
  }
  const fell = call.fell_back_from === undefined ? [] : ['x-weir-budget-fall-back', plain(call.fell_back_from)]
  // Where the cheaper target is under no budget, it is told all the same why the call went there.
  if (!nearest) return fell
  const { budget, unit, limit } = nearest.active.counter
  const left = written(nearest.active, limit - most)
  const headers = ['x-weir-budget', plain(budget.name), `x-weir-budget-left-${unit}`, left]
  headers.push(`x-weir-budget-limit-${unit}`, written(nearest.active, limit), ...resets(nearest))
  headers.push(...fell)
  if (over) headers.push('x-weir-budget-warning', `${plain(over.active.counter.budget.name)} is overrun`)
  return headers
}
