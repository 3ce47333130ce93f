import { formatUsd, type Picodollars, picodollars } from '../../../core/money.ts'

/** Cost for each outcome, decimal US dollars rounded half up to the picodollar; null where there was none to divide by. */
export const costPer = (cost: Picodollars, count: number): string | null => {
  if (count <= 0) return null
  const by = BigInt(count)
  const half = by / 2n
  return formatUsd(picodollars(cost >= 0n ? (cost + half) / by : -((-cost + half) / by)))
}

/** Part of a whole, 0 to 1; null where there is no whole. */
export const shareIn = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null)
