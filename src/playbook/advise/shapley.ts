import { chance, mixed } from '../../core/chance.ts'
import { type Candidate, type FoldKit, foldOf } from './fold.ts'
import { priceOf, type Trip } from './trip.ts'

/** How a saving that several levers share is parted among them, as shares of what all save together. */
export type Parted = Readonly<{
  shares: readonly number[]
  /** Standard error of each share; zero where every call was replayed. */
  errors: readonly number[]
  calls: number
}>

/** So many replays of single calls are affordable: a few seconds. */
const MOST_STEPS = 400_000
const GROUPS = 64
const RESAMPLES = 200

/** More levers than this are not parted exactly: the subsets double with each. */
export const MOST_PARTED = 10

/** How many calls can be replayed through every subset of so many levers. */
export const affordable = (levers: number): number => Math.floor(MOST_STEPS / 2 ** Math.min(levers, MOST_PARTED))

/** Whole sessions, chosen by hash, so that about `share` of the calls are in it. */
export const inSample = (bits: number, share: number): boolean => mixed(bits) < share * 2 ** 32

/**
 * Every subset of the levers over the calls, in one pass: a call goes down a tree that branches at each lever, and each
 * branch has the lever's state that belongs to the levers before it. `saved[group * subsets + subset]`.
 */
const savedBySubset = (trips: readonly Trip[], candidates: readonly Candidate[], kit: FoldKit): Float64Array => {
  const depth = candidates.length
  const subsets = 2 ** depth
  const saved = new Float64Array(GROUPS * subsets)
  const folds = candidates.flatMap((candidate, at) =>
    Array.from({ length: 2 ** at }, () => foldOf(candidate, { ...kit, seed: kit.seed + at }).replay),
  )
  const walk = (trip: Trip, past: Trip['past'], at: number, chosen: number, row: number): void => {
    if (at === depth) {
      saved[row + chosen] = (saved[row + chosen] ?? 0) + trip.cost - priceOf(trip, past)
      return
    }
    walk(trip, past, at + 1, chosen, row)
    const replay = folds[2 ** at - 1 + chosen]
    walk(trip, replay ? replay(past) : past, at + 1, chosen + 2 ** at, row)
  }
  for (const trip of trips) walk(trip, trip.past, 0, 0, (trip.bits % GROUPS) * subsets)
  return saved
}

/** The Shapley values of a game whose worth stands for each subset. */
export const shapley = (worth: ArrayLike<number>, players: number): number[] => {
  const factorial = Array.from({ length: players + 1 }, () => 1)
  for (let n = 1; n <= players; n++) factorial[n] = (factorial[n - 1] ?? 1) * n
  const weight = (size: number): number =>
    ((factorial[size] ?? 1) * (factorial[players - size - 1] ?? 1)) / (factorial[players] ?? 1)
  const bits = (set: number): number => (set === 0 ? 0 : (set & 1) + bits(set >> 1))
  return Array.from({ length: players }, (_, player) => {
    let value = 0
    for (let set = 0; set < worth.length; set++)
      if ((set & (1 << player)) === 0)
        value += weight(bits(set)) * ((worth[set | (1 << player)] ?? 0) - (worth[set] ?? 0))
    return value
  })
}

const sharesOf = (worth: Float64Array, players: number): number[] => {
  const all = worth[worth.length - 1] ?? 0
  return shapley(worth, players).map((value) => (all === 0 ? 0 : value / all))
}

const totalsOf = (saved: Float64Array, subsets: number, groups: Iterable<number>): Float64Array => {
  const worth = new Float64Array(subsets)
  for (const group of groups)
    for (let set = 0; set < subsets; set++) worth[set] = (worth[set] ?? 0) + (saved[group * subsets + set] ?? 0)
  return worth
}

const deviations = (draws: readonly (readonly number[])[], players: number): number[] =>
  Array.from({ length: players }, (_, player) => {
    const values = draws.map((shares) => shares[player] ?? 0)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1))
  })

/** Parts what the levers save together over the calls. `whole`: these are all the calls there are, so there is no error of sampling. */
export const part = (
  trips: readonly Trip[],
  candidates: readonly Candidate[],
  kit: FoldKit,
  whole: boolean,
): Parted => {
  const players = candidates.length
  const saved = savedBySubset(trips, candidates, kit)
  const subsets = 2 ** players
  const every = Array.from({ length: GROUPS }, (_, group) => group)
  const shares = sharesOf(totalsOf(saved, subsets, every), players)
  if (whole) return { shares, errors: shares.map(() => 0), calls: trips.length }
  const random = chance(kit.seed)
  const draws = Array.from({ length: RESAMPLES }, () =>
    sharesOf(
      totalsOf(
        saved,
        subsets,
        every.map(() => Math.floor(random() * GROUPS)),
      ),
      players,
    ),
  )
  return { shares, errors: deviations(draws, players), calls: trips.length }
}
