/** Sums of a replay: exact over all, and by random group of sessions, half of the window and slice of time for what is estimated from them. */
import { type Picodollars, picodollars } from '../../core/money.ts'

/** Sessions fall into so many groups by hash: resampling groups is resampling sessions, at a fixed price. */
export const GROUPS = 512

/** Below it a sum of whole picodollars is exact in a float. */
const SAFE = 2 ** 52

/** A sum of whole picodollars that is exact however large it grows. */
export class ExactSum {
  #near = 0
  #far = 0n
  add(amount: number): void {
    this.#near += amount
    if (this.#near > SAFE || this.#near < -SAFE) this.#carry()
  }
  #carry(): void {
    this.#far += BigInt(this.#near)
    this.#near = 0
  }
  get total(): Picodollars {
    return picodollars(this.#far + BigInt(this.#near))
  }
}

/** One amount of every call, e.g. what it cost, or what a lever saved of it. */
export class Measure {
  readonly sum = new ExactSum()
  readonly groups = new Float64Array(GROUPS)
  readonly halves = new Float64Array(2)
  calls = 0
  add(amount: number, group: number, half: number): void {
    if (amount === 0) return
    this.sum.add(amount)
    this.groups[group] = (this.groups[group] ?? 0) + amount
    this.halves[half] = (this.halves[half] ?? 0) + amount
  }
}

export type Range = Readonly<{ low: number; high: number }>

const RESAMPLES = 400
const TAIL = 0.05

const quantile = (ascending: Float64Array, share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.max(0, Math.round(share * (ascending.length - 1))))] ?? 0

const over = (amounts: Float64Array, groups: Uint16Array): number => {
  let sum = 0
  for (const group of groups) sum += amounts[group] ?? 0
  return sum
}

/**
 * Between which shares of the cost a saving lies with 90 % confidence, had other sessions of the same kind come: groups of
 * sessions are drawn with replacement, all measures from the same draws.
 */
export const ranges = (cost: Measure, savings: readonly Measure[], random: () => number): readonly Range[] => {
  const full = [...cost.groups.keys()].filter((group) => cost.groups[group] !== 0)
  const shares = savings.map(() => new Float64Array(RESAMPLES))
  const drawn = new Uint16Array(full.length)
  for (let draw = 0; draw < RESAMPLES; draw++) {
    for (let at = 0; at < drawn.length; at++) drawn[at] = full[Math.floor(random() * full.length)] ?? 0
    const spent = over(cost.groups, drawn)
    for (const [at, { groups }] of savings.entries())
      shares[at]?.fill(spent === 0 ? 0 : over(groups, drawn) / spent, draw, draw + 1)
  }
  return shares.map((column) => {
    column.sort()
    return { low: quantile(column, TAIL), high: quantile(column, 1 - TAIL) }
  })
}
