import type { OwnedRow } from '../../../core/allocation.ts'
import { formatUsd, parseUsd, picodollars } from '../../../core/money.ts'
import { decompose } from '../detect/decompose.ts'
import { foremostMovers, type Move, type Mover } from '../movers.ts'

/**
 * Why spend changed. volume: more or fewer calls at the old cost of a call; mix: other models, longer prompts or answers
 * in a call, and what no token explains; price: another price of the same tokens, more or less of them read from a cache
 * included. They sum to the change, to the picodollar.
 */
export type Why = Readonly<{ volume_usd: string; mix_usd: string; price_usd: string }>

const usd = (amount: bigint): string => formatUsd(picodollars(amount))

const cellsOf = (rows: readonly OwnedRow[]) =>
  rows.flatMap((row) => {
    const key = JSON.stringify(row.group)
    const [all, input, output] = [row.cost_usd, row.input_cost_usd, row.output_cost_usd].map(parseUsd)
    const rest = picodollars((all ?? 0n) - (input ?? 0n) - (output ?? 0n))
    return [
      { key: `${key} in`, quantity: row.input_tokens, cost: picodollars(input ?? 0n) },
      { key: `${key} out`, quantity: row.output_tokens, cost: picodollars(output ?? 0n) },
      { key: `${key} other`, quantity: 0, cost: rest },
    ]
  })

const mixOf = (rows: readonly OwnedRow[]) => ({
  calls: rows.reduce((sum, { calls }) => sum + calls, 0),
  cells: cellsOf(rows),
})

/** Explains the change from `before` to `now`; each row is a group of its own, by whatever has a price, e.g. provider and model. */
export const explainChange = (before: readonly OwnedRow[], now: readonly OwnedRow[]): Why => {
  const { volume, mix, price } = decompose(mixOf(before), mixOf(now))
  return { volume_usd: usd(volume), mix_usd: usd(mix), price_usd: usd(price) }
}

export type Sides = Readonly<{ dimension: string; before: readonly OwnedRow[]; now: readonly OwnedRow[] }>

const movesOf = ({ dimension, before, now }: Sides): readonly Move[] => {
  const amounts = new Map<string | null, [bigint, bigint]>()
  const add = (rows: readonly OwnedRow[], at: 0 | 1) => {
    for (const row of rows) {
      const name = row.group[dimension] ?? null
      const pair = amounts.get(name) ?? [0n, 0n]
      pair[at] += parseUsd(row.cost_usd)
      amounts.set(name, pair)
    }
  }
  add(before, 0)
  add(now, 1)
  return [...amounts].map(([name, [was, is]]) => ({ dimension, name, was: picodollars(was), is: picodollars(is) }))
}

const size = (amount: bigint): bigint => (amount < 0n ? -amount : amount)

/** What moved most, up or down, over several dimensions; a dimension with nothing but "not tagged" is left out. */
export const moversOf = (sides: readonly Sides[]): readonly Mover[] => {
  const moves = sides.map(movesOf).filter((some) => some.some(({ name }) => name !== null))
  const total = moves[0]?.reduce((sum, { was, is }) => sum + size(was) + size(is), 0n) ?? 0n
  return foremostMovers(moves.flat(), total)
}
