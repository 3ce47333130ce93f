import type { Dimension } from '../../core/dimension.ts'
import type { SpendRow } from '../../core/ledger.ts'
import { formatUsd, parseUsd, picodollars } from '../../core/money.ts'
import { groupName, headOf } from './columns.ts'

/** A group whose spend moved against the window before. */
export type Mover = Readonly<{
  dimension: string
  name: string
  before_usd: string
  now_usd: string
  moved_usd: string
}>

type Moved = Readonly<{ row: SpendRow; before: string }>

const isSame = (one: Moved, other: Moved) => one.before === other.before && one.row.cost_usd === other.row.cost_usd

/** The groups that moved most, up or down; those under a hundredth of the total do not count. */
export const topMovers = (
  sections: readonly Readonly<{ by: Dimension; rows: readonly SpendRow[] }>[],
  total: SpendRow,
  most = 5,
): Mover[] => {
  const least = parseUsd(total.cost_usd) / 100n
  const size = (amount: bigint) => (amount < 0n ? -amount : amount)
  const moved = sections.flatMap(({ by, rows }) =>
    rows.flatMap((row) => {
      if (row.previous_cost_usd === undefined) return []
      const delta = parseUsd(row.cost_usd) - parseUsd(row.previous_cost_usd)
      return size(delta) > least && delta !== 0n ? [{ by, row, delta, before: row.previous_cost_usd }] : []
    }),
  )
  moved.sort((one, other) => Number(size(other.delta) - size(one.delta)))
  // One team on one model moves both by the same; it is said once.
  const once = moved.filter((one, i) => moved.findIndex((other) => isSame(one, other)) === i)
  return once.slice(0, most).map(({ by, row, delta, before }) => ({
    dimension: headOf(by),
    name: groupName(row, by),
    before_usd: before,
    now_usd: row.cost_usd,
    moved_usd: formatUsd(picodollars(delta)),
  }))
}
