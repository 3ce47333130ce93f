import type { OwnedRow } from '../../../core/allocation.ts'
import { formatUsd, type Picodollars, parseUsd, picodollars } from '../../../core/money.ts'

/** Who pays for what nobody is named for: an owner like any other, so that it is seen. */
export const UNALLOCATED = 'unallocated'

export const ownerOf = (value: string | null | undefined): string => value ?? UNALLOCATED

/** What an owner spent, and what a split can go by. `cost_usd` is without `corrections_usd`. */
export type Basis = Readonly<{
  cost_usd: string
  corrections_usd: string
  calls: number
  input_tokens: number
  output_tokens: number
}>

export type Bases = Readonly<Record<string, Basis>>

const plus = (one: string, other: string): string => formatUsd(picodollars(parseUsd(one) + parseUsd(other)))

const merged = (one: Basis, other: Basis): Basis => ({
  cost_usd: plus(one.cost_usd, other.cost_usd),
  corrections_usd: plus(one.corrections_usd, other.corrections_usd),
  calls: one.calls + other.calls,
  input_tokens: one.input_tokens + other.input_tokens,
  output_tokens: one.output_tokens + other.output_tokens,
})

const basisOf = (row: OwnedRow): Basis => ({
  cost_usd: formatUsd(picodollars(parseUsd(row.cost_usd) - parseUsd(row.corrections_usd))),
  corrections_usd: row.corrections_usd,
  calls: row.calls,
  input_tokens: row.input_tokens,
  output_tokens: row.output_tokens,
})

/** Rows by owner. Calls that somebody tagged `unallocated` are just that. */
export const basesOf = (rows: readonly OwnedRow[], by: string): Bases => {
  const bases = new Map<string, Basis>()
  for (const row of rows) {
    const owner = ownerOf(row.group[by])
    const known = bases.get(owner)
    bases.set(owner, known === undefined ? basisOf(row) : merged(known, basisOf(row)))
  }
  return Object.fromEntries(bases)
}

/** What the owner's receipts cost, corrections among them. */
export const directOf = ({ cost_usd, corrections_usd }: Basis): Picodollars =>
  picodollars(parseUsd(cost_usd) + parseUsd(corrections_usd))
