import type { BudgetUnit, BudgetWindow } from '../../core/budget.ts'
import { WeirError } from '../../core/errors.ts'
import { formatUsd, picodollars } from '../../core/money.ts'
import { scopeOf } from '../../playbook/allocate/budget/counter.ts'
import { budgetPeriod, windowName } from '../../playbook/allocate/budget/period.ts'
import type { World } from '../world.ts'
import type { Refusal } from './known.ts'

type Exhausted = Extract<Refusal, { why: 'exhausted' }>

/** `$12.3`, `4000 tokens`, `1 call`. */
export const amountText = (unit: BudgetUnit, amount: bigint): string =>
  unit === 'usd' ? `$${formatUsd(picodollars(amount))}` : `${amount} ${amount === 1n ? unit.slice(0, -1) : unit}`

const instant = (at_us: number): string => new Date(at_us / 1000).toISOString().replace('.000Z', 'Z')

/** `per month`, `in the last 24h`, `in a lifetime`. */
const per = (window: BudgetWindow): string =>
  'every' in window ? `per ${window.every}` : `in ${'lifetime' in window ? 'a lifetime' : `the ${windowName(window)}`}`

/** `team=search, session=s-1`; a budget without conditions is the organisation's. */
const scopeWords = ({ active, values }: Exhausted): string => {
  const parts = Object.entries(scopeOf(active.counter, values)).map(([name, value]) => `${name}=${value}`)
  return parts.length === 0 ? 'the organisation' : parts.join(', ')
}

type Reset = Readonly<{ retry_after_s?: number; words: string }>

/** When there may be room again: at once where calls under way give back what they do not need, or in the next period. */
const resetOf = (refusal: Exhausted, reserved: bigint): Reset => {
  const { active, amount, used, at_us } = refusal
  const { window } = active.counter.budget
  if (used - reserved + amount <= active.counter.limit)
    return { retry_after_s: 1, words: 'Calls under way hold the rest: try again in a moment' }
  if ('lifetime' in window) return { words: 'It never resets: raise its limit' }
  if ('last_us' in window)
    return { retry_after_s: window.last_us / 60e6, words: `It counts the ${windowName(window)}: room comes bit by bit` }
  const { to_us } = budgetPeriod(window, at_us)
  return { retry_after_s: (to_us - at_us) / 1e6, words: `It resets at ${instant(to_us)} (${window.zone})` }
}

/** Of a call that may take more than the whole limit. */
const NEVER = {
  words: 'That is more than the whole limit, so waiting does not help: ask for less output or raise the limit',
}

const exhaustedError = (refusal: Exhausted, world: World, also: string | undefined): WeirError => {
  const { active, amount, used, slot } = refusal
  const { budget, unit, limit } = active.counter
  // The two are read one after the other, while calls go on.
  const held = world.budgets.reserved().get(slot) ?? 0n
  const reserved = held < used ? held : used
  // A fall-back may still come to room, so a client is told not to wait only where there is none.
  const hopeless = also === undefined && amount > limit
  const { retry_after_s, words }: Reset = hopeless ? NEVER : resetOf(refusal, reserved)
  const text = (value: bigint) => amountText(unit, value)
  return new WeirError(
    'budget-exhausted',
    `The budget ${budget.name} (${scopeWords(refusal)}; ${text(limit)} ${per(budget.window)}) has no room for this call: ` +
      `spent ${text(used - reserved)}, reserved ${text(reserved)}, and the call may take ${text(amount)}. ${also === undefined ? '' : `${also}. `}${words}.`,
    retry_after_s === undefined ? {} : { retry_after_s },
  )
}

/** The refusal as an error that names budget, scope, limit, spent, reserved and reset time; `also` says what else was tried. */
export const refusalError = (refusal: Refusal, world: World, also?: string): WeirError => {
  if (refusal.why === 'exhausted') return exhaustedError(refusal, world, also)
  const name = refusal.active?.counter.budget.name ?? 'a budget'
  const why = {
    full: 'there are too many counters to give this call one of its own',
    busy: 'too many calls hold something in budgets at once',
    uncounted: 'what was spent before the start could not be counted, because the ledger cannot be read',
  }[refusal.why]
  return new WeirError('overloaded', `The budget ${name} must hold, and ${why}. Try again later.`, { retry_after_s: 5 })
}
