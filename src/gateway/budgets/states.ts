import type { BudgetState } from '../../core/budget.ts'
import { formatUsd, picodollars } from '../../core/money.ts'
import { scopeOf } from '../../playbook/allocate/budget/counter.ts'
import { budgetPeriod, stretchOf, windowName } from '../../playbook/allocate/budget/period.ts'
import type { Active } from './active.ts'

const textOf = ({ counter: { unit } }: Active, amount: bigint): string =>
  unit === 'usd' ? formatUsd(picodollars(amount)) : amount.toString()

export type Standing = Readonly<{
  values: readonly string[]
  used: bigint
  reserved: bigint
  lacked_us: number | undefined
  at_us: number
}>

/** One counter as others are told of it. */
export const stateOf = (active: Active, { values, used, reserved: held, lacked_us, at_us }: Standing): BudgetState => {
  const { counter, state } = active
  const { budget, unit, limit } = counter
  const { window } = budget
  // The two are read one after the other, while calls go on.
  const reserved = held < used ? held : used
  return {
    budget: budget.name,
    kind: budget.kind,
    unit,
    scope: scopeOf(counter, values),
    window: windowName(window),
    zone: 'every' in window ? window.zone : null,
    period: 'lifetime' in window ? null : stretchOf(window, at_us),
    limit: textOf(active, limit),
    spent: textOf(active, used - reserved),
    reserved: textOf(active, reserved),
    left: textOf(active, limit - used),
    share: Number(used) / Number(limit),
    resets_at_us: 'every' in window ? budgetPeriod(window, at_us).to_us : null,
    exhausted_at_us: lacked_us ?? null,
    counted: state === 'counted',
  }
}
