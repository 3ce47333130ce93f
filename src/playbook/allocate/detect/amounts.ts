import { type Picodollars, picodollars } from '../../../core/money.ts'

/** Dollars of an amount, for statistics. */
export const dollars = (amount: bigint): number => Number(amount) / 1e12

/** An estimate in dollars as an amount; what is negative or no number is nothing. */
export const amountOf = (value: number): Picodollars =>
  picodollars(value > 0 && Number.isFinite(value) ? BigInt(Math.round(value * 1e12)) : 0n)

/** How a spend compares with the usual, in a sentence. */
export const against = (spent: number, usual: number): string =>
  spent > 100 * usual
    ? 'where hardly anything is usual'
    : `${(spent / usual).toFixed(1)} times the usual ${show(usual)}`

/** An amount in a sentence. */
export const show = (value: number): string =>
  `$${value >= 100 ? Math.round(value) : value >= 1 ? value.toFixed(2) : Number(value.toPrecision(2))}`
