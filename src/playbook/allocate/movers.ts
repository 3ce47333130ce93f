/** Whose spend moved most against the window before: of a report, and of an owner's statement. */
import type { Picodollars } from '../../core/money.ts'
import { formatUsd, picodollars } from '../../core/money.ts'

/** What somebody or something cost then and now. `name` is null for what is not tagged. */
export type Move = Readonly<{ dimension: string; name: string | null; was: Picodollars; is: Picodollars }>

/** The same in decimal US dollars. */
export type Mover = Readonly<{
  dimension: string
  name: string | null
  before_usd: string
  now_usd: string
  moved_usd: string
}>

const MOST = 5
const sizeOf = ({ was, is }: Move): bigint => (is > was ? is - was : was - is)

/**
 * The largest moves, up or down; those under a hundredth of `total`, the spend of both windows, are none. What moves by the same in two dimensions
 * (one team on one model) is said once, for the first of them.
 */
export const foremostMovers = (moves: readonly Move[], total: bigint): readonly Mover[] => {
  const worth = moves
    .filter((move) => move.was !== move.is && sizeOf(move) * 100n >= total)
    .toSorted((one, other) => Number(sizeOf(other) - sizeOf(one)))
  const once = worth.filter((one, at) => worth.findIndex(({ was, is }) => was === one.was && is === one.is) === at)
  return once.slice(0, MOST).map(({ dimension, name, was, is }) => ({
    dimension,
    name,
    before_usd: formatUsd(was),
    now_usd: formatUsd(is),
    moved_usd: formatUsd(picodollars(is - was)),
  }))
}
