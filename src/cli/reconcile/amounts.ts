import type { Picodollars } from '../../core/money.ts'
import { size } from '../../playbook/allocate/reconcile/result.ts'
import { money, tokens } from '../show/format.ts'

/** What is open may cancel out over lines: then it is told in `whole`. */
export const signed = (amount: bigint, write: (size: bigint) => string, whole = size(amount)): string => {
  if (size(amount) !== whole) return `±${write(whole)}`
  return amount === 0n ? '=' : `${amount > 0n ? '+' : '-'}${write(whole)}`
}

export const usd = (amount: bigint): string => money(amount as Picodollars)
export const count = (amount: bigint): string => tokens(Number(amount))
