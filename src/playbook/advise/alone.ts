/** What levers would save alone, estimated from whole sessions where a ledger is too large to replay it once more for each lever. */
import { chance } from '../../core/chance.ts'
import { type Candidate, type FoldKit, foldOf } from './fold.ts'
import { GROUPS } from './tally.ts'
import { priceOf, type Trip } from './trip.ts'

/** By group of sessions: what each lever saves alone, and of what the levers before it leave, picodollars. */
type Sampled = Readonly<{ cost: Float64Array; alone: readonly Float64Array[]; marginal: readonly Float64Array[] }>

const add = (amounts: Float64Array | undefined, group: number, amount: number): void => {
  if (amounts !== undefined) amounts[group] = (amounts[group] ?? 0) + amount
}

const sampledOf = (trips: readonly Trip[], candidates: readonly Candidate[], kit: FoldKit): Sampled => {
  const measures = () => candidates.map(() => new Float64Array(GROUPS))
  const [cost, alone, marginal] = [new Float64Array(GROUPS), measures(), measures()]
  const folds = candidates.map((candidate, at) => {
    const seeded = { ...kit, seed: kit.seed + at }
    return { single: foldOf(candidate, seeded).replay, inTurn: foldOf(candidate, seeded).replay }
  })
  for (const trip of trips) {
    const group = trip.bits % GROUPS
    add(cost, group, trip.cost)
    let [past, price] = [trip.past, trip.cost]
    for (const [at, { single, inTurn }] of folds.entries()) {
      add(alone[at], group, trip.cost - priceOf(trip, single(trip.past)))
      past = inTurn(past)
      const left = priceOf(trip, past)
      add(marginal[at], group, price - left)
      price = left
    }
  }
  return { cost, alone, marginal }
}

const RESAMPLES = 200

const sumOf = (amounts: Float64Array | undefined, groups: Uint16Array): number => {
  let sum = 0
  for (const group of groups) sum += amounts?.[group] ?? 0
  return sum
}

/** What a lever saves alone, and the standard error of that, picodollars. */
export type Alone = Readonly<{ saved: number; error: number }>

type Known = Readonly<{
  trips: readonly Trip[]
  candidates: readonly Candidate[]
  kit: FoldKit
  /** Of all calls, picodollars: what each saves of what the levers before it leave, and what was spent. */
  marginal: readonly number[]
  cost: number
}>

/**
 * What each lever saves alone, by the ratio of that to the cost, both over the same sessions. A cache saves what sessions share, of
 * which a sample misses a part: there the ratio is to what it saves in its turn, which misses the same, if it saves anything then.
 */
export const aloneBySample = ({ trips, candidates, kit, marginal, cost }: Known): readonly Alone[] => {
  const sampled = sampledOf(trips, candidates, kit)
  const every = Uint16Array.from({ length: GROUPS }, (_, group) => group)
  const random = chance(kit.seed)
  const draws = Array.from({ length: RESAMPLES }, () => every.map(() => Math.floor(random() * GROUPS)))
  return candidates.map(({ lever }, at) => {
    const byTurn = lever.play === 'cache' && sumOf(sampled.marginal[at], every) > 0
    const [base, whole] = byTurn ? [sampled.marginal[at], marginal[at] ?? 0] : [sampled.cost, cost]
    const ratio = (groups: Uint16Array): number => {
      const below = sumOf(base, groups)
      return below === 0 ? 0 : (whole * sumOf(sampled.alone[at], groups)) / below
    }
    const saved = ratio(every)
    const variance = draws.reduce((sum, groups) => sum + (ratio(groups) - saved) ** 2, 0) / RESAMPLES
    return { saved, error: Math.sqrt(variance) }
  })
}
