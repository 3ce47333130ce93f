import type { BudgetWindow } from '../../../core/budget.ts'
import { MINUTE_US } from '../../../core/date.ts'
import { type Period, periodOf, type Window } from '../window/window.ts'

/** A rolling window is kept in so many slices; it may reach back by one of them too far, never too short. */
const SLICES = 60
/** A scope that has been idle for so long begins a new life: its counter is given away. */
export const IDLE_US = 30 * 86_400 * 1e6

/** Length of a rolling window's slice. */
export const sliceLength = (last_us: number): number => last_us / SLICES

/** Slices whose spend counts: that of the moment and those before it, one more than make up the window. */
export const SLICES_IN_FORCE = SLICES + 1

/** From which length on a window is told in days, hours, minutes: a day is 24h, as people say it of rolling windows. */
const spans = [
  [86_400_000_000, 'd', 2],
  [3_600_000_000, 'h', 1],
  [60_000_000, 'm', 1],
] as const

/** `month`, `last 24h`, `lifetime`. */
export const windowName = (window: BudgetWindow): string => {
  if ('every' in window) return window.every
  if ('lifetime' in window) return 'lifetime'
  const { last_us } = window
  const span = spans.find(([size, , least]) => last_us % size === 0 && last_us >= size * least)
  const [length, letter] = span ?? [1e6, 's']
  return `last ${last_us / length}${letter}`
}

const windowOf = (window: BudgetWindow): Window | undefined => {
  if ('last_us' in window) return { length_us: window.last_us, slices: SLICES }
  return 'every' in window && window.every !== 'minute' ? { every: window.every, zone: window.zone } : undefined
}

const LIFETIME: Period = { id: 'life', from_us: 0, to_us: Number.MAX_SAFE_INTEGER }

/**
 * The period of a budget that holds an instant: [from, to) in µs with an id of its own. Of a rolling window it is the
 * slice, of a lifetime all time. Nothing resets a period: the next one has another id, and so another counter.
 */
export const budgetPeriod = (window: BudgetWindow, at_us: number): Period => {
  const kept = windowOf(window)
  if (kept) return periodOf(kept, at_us)
  if ('lifetime' in window) return LIFETIME
  const from_us = Math.floor(at_us / MINUTE_US) * MINUTE_US
  return { id: `minute:${from_us}`, from_us, to_us: from_us + MINUTE_US }
}

/** The stretch of time whose receipts count now, [from, to) in µs. */
export const stretchOf = (window: BudgetWindow, at_us: number): Readonly<{ from_us: number; to_us: number }> => {
  const { from_us, to_us } = budgetPeriod(window, at_us)
  return 'last_us' in window ? { from_us: from_us - window.last_us, to_us } : { from_us, to_us }
}
