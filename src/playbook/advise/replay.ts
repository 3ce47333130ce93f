/** The past, call by call, through every lever: in the order of the playbook, and each alone. */

import { chance } from '../../core/chance.ts'
import { parseUsd } from '../../core/money.ts'
import type { Past } from '../../core/past.ts'
import type { LeverTrace } from '../../core/receipt.ts'
import { type Alone, aloneBySample } from './alone.ts'
import { type Candidate, type Fold, type FoldKit, foldOf } from './fold.ts'
import { affordable, inSample, MOST_PARTED, type Parted, part } from './shapley.ts'
import { ExactSum, GROUPS, Measure } from './tally.ts'
import { priceOf, type Trip } from './trip.ts'

/** Slices of the window for a curve of cost. */
export const SLICES = 24

export type ReplayOptions = Readonly<{
  /** In the order in which they are pulled. */
  candidates: readonly Candidate[]
  kit: FoldKit
  window: Readonly<{ from_us: number; to_us: number }>
  /** About how many calls will come, so that a sample can be chosen on the way. */
  expected: number
  /** What the answer is broken down by. */
  group_of?: (past: Past) => string
}>

/** One lever over all calls. */
export type Line = {
  readonly candidate: Candidate
  /** What it saves of what the levers before it have left. */
  readonly marginal: Measure
  /** What it would save if it were the only one; undefined where that is estimated from a sample (`aloneSavings`). */
  readonly alone: Measure | undefined
  /** What receipts say that it has saved already, picodollars, and on how many calls. */
  readonly realised: ExactSum
  realised_calls: number
  /** On so many calls it was at work or observed, whatever came of it. */
  seen_calls: number
  readonly folds: readonly Fold[]
}

export type Group = { calls: number; cost: number; readonly saved: Float64Array; after: number }

export type Replayed = Readonly<{
  calls: number
  /** Calls whose cost nobody knows: replayed, and in no sum. */
  unknown: number
  cost: Measure
  /** What tokens at the book's rates do not explain. */
  other: ExactSum
  lines: readonly Line[]
  /** What all of them save, one after the other. */
  together: Measure
  slices: Readonly<{ cost: Float64Array; after: Float64Array }>
  groups: ReadonlyMap<string, Group>
  sample: Readonly<{ trips: readonly Trip[]; share: number }>
}>

const MOST_GROUPS = 5_000
const OTHERS = 'all others'

/** More calls than this are not kept for parting: they weigh about 1.5 KB each. */
const MOST_KEPT = 25_000

const realise = (lines: ReadonlyMap<string, Line>, traces: readonly LeverTrace[]): void => {
  for (const { name, action, saving_usd } of traces) {
    const line = lines.get(name)
    if (line === undefined) continue
    line.seen_calls += 1
    if (action !== 'acted') continue
    line.realised_calls += 1
    if (saving_usd !== undefined) line.realised.add(Number(parseUsd(saving_usd)))
  }
}

/** Up to so many calls everything is replayed over all of them; beyond, what levers save alone is estimated from a sample. */
export const MOST_WHOLE = 150_000

const lineOf = (candidate: Candidate, kit: FoldKit, at: number, whole: boolean): Line => {
  const seeded = { ...kit, seed: kit.seed + at }
  return {
    candidate,
    marginal: new Measure(),
    alone: at === 0 || whole ? new Measure() : undefined,
    realised: new ExactSum(),
    realised_calls: 0,
    seen_calls: 0,
    // The first lever finds everything as it was, so that for it both are one.
    folds: Array.from({ length: at === 0 || !whole ? 1 : 2 }, () => foldOf(candidate, seeded)),
  }
}

const groupIn = (groups: Map<string, Group>, name: string, levers: number): Group => {
  const found = groups.get(name)
  if (found !== undefined) return found
  if (groups.size >= MOST_GROUPS && name !== OTHERS) return groupIn(groups, OTHERS, levers)
  const made: Group = { calls: 0, cost: 0, saved: new Float64Array(levers), after: 0 }
  groups.set(name, made)
  return made
}

/** Where an amount of a call is counted. */
type Place = Readonly<{ group: number; slice: number; half: number }>

/** One call through one lever, after the levers before it and alone. Gives back what the next lever finds, and its price. */
const pull = (
  { marginal, alone, folds }: Line,
  trip: Trip,
  found: Readonly<{ past: Past; price: number }>,
  { group, half }: Place,
): Readonly<{ past: Past; price: number }> => {
  const [inTurn, single] = folds
  const past = inTurn ? inTurn.replay(found.past) : found.past
  const price = past === found.past ? found.price : priceOf(trip, past)
  if (past !== found.past) {
    marginal.calls += 1
    marginal.add(found.price - price, group, half)
  }
  if (alone === undefined) return past === found.past ? found : { past, price }
  const only = single ? single.replay(trip.past) : past
  if (only !== trip.past) {
    alone.calls += 1
    alone.add(trip.cost - priceOf(trip, only), group, half)
  }
  return past === found.past ? found : { past, price }
}

export type Replayer = Readonly<{ take(trip: Trip): void; result(): Replayed }>

/** Takes calls in order of time. */
export const replayer = ({ candidates, kit, window, expected, group_of }: ReplayOptions): Replayer => {
  const lines = candidates.map((candidate, at) => lineOf(candidate, kit, at, expected <= MOST_WHOLE))
  const byName = new Map(lines.map((line) => [line.candidate.lever.name, line]))
  const [cost, together, other] = [new Measure(), new Measure(), new ExactSum()]
  const groups = new Map<string, Group>()
  const slices = { cost: new Float64Array(SLICES), after: new Float64Array(SLICES) }
  const share = Math.min(1, MOST_KEPT / Math.max(1, expected))
  const kept: Trip[] = []
  const span = Math.max(1, window.to_us - window.from_us)
  let [calls, unknown] = [0, 0]

  const placeOf = ({ bits, past }: Trip): Place => {
    const slice = Math.min(SLICES - 1, Math.max(0, Math.floor(((past.at_us - window.from_us) / span) * SLICES)))
    return { group: bits % GROUPS, slice, half: calls * 2 <= expected ? 0 : 1 }
  }

  const pullAll = (trip: Trip, place: Place, into: Group | undefined): number => {
    let found = { past: trip.past, price: trip.cost }
    for (let at = 0; at < lines.length; at++) {
      const next = pull(lines[at] as Line, trip, found, place)
      if (into) into.saved[at] = (into.saved[at] ?? 0) + found.price - next.price
      found = next
    }
    return found.price
  }

  const count = (trip: Trip, place: Place, after: number, into: Group | undefined): void => {
    cost.add(trip.cost, place.group, place.half)
    together.add(trip.cost - after, place.group, place.half)
    other.add(trip.known && !trip.past.answered ? trip.other : 0)
    slices.cost[place.slice] = (slices.cost[place.slice] ?? 0) + trip.cost
    slices.after[place.slice] = (slices.after[place.slice] ?? 0) + after
    if (!into) return
    into.calls += 1
    into.cost += trip.cost
    into.after += after
  }

  return {
    take(trip) {
      calls += 1
      if (!trip.known) unknown += 1
      const place = placeOf(trip)
      const into = group_of && groupIn(groups, group_of(trip.past), lines.length)
      if (trip.past.traces.length > 0) realise(byName, trip.past.traces)
      count(trip, place, pullAll(trip, place, into), into)
      if (share === 1 || inSample(trip.bits, share)) kept.push(trip)
    },
    result: () => ({ calls, unknown, cost, other, lines, together, slices, groups, sample: { trips: kept, share } }),
  }
}

/** What each lever saves alone, picodollars, with its standard error: zero where every call was replayed. */
export const aloneSavings = ({ lines, sample, cost }: Replayed, kit: FoldKit): readonly Alone[] => {
  const counted = (line: Line): Alone | undefined => line.alone && { saved: Number(line.alone.sum.total), error: 0 }
  if (lines.every(({ alone }) => alone !== undefined)) return lines.flatMap((line) => counted(line) ?? [])
  const sampled = aloneBySample({
    trips: sample.trips,
    candidates: lines.map(({ candidate }) => candidate),
    kit,
    marginal: lines.map(({ marginal }) => Number(marginal.sum.total)),
    cost: Number(cost.sum.total),
  })
  return lines.map((line, at) => counted(line) ?? sampled[at] ?? { saved: 0, error: 0 })
}

/**
 * Parts the common saving among the levers that do anything: exactly over all subsets, on all calls where that is
 * affordable, else on whole sessions chosen by hash. Undefined where fewer than two levers do anything.
 */
export const partSaving = (
  { lines, sample }: Replayed,
  alone: readonly Alone[],
  kit: FoldKit,
): ReadonlyMap<string, Readonly<{ share: number; error: number; calls: number; whole: boolean }>> => {
  const savedAlone = new Map(lines.map((line, at) => [line, alone[at]?.saved ?? 0]))
  const active = lines
    .filter((line) => line.marginal.calls > 0 || savedAlone.get(line) !== 0)
    .toSorted((a, b) => (savedAlone.get(b) ?? 0) - (savedAlone.get(a) ?? 0))
    .slice(0, MOST_PARTED)
  const players = lines.filter((line) => active.includes(line))
  if (players.length === 0) return new Map()
  const share = Math.min(1, affordable(players.length) / Math.max(1, sample.trips.length))
  const trips = share === 1 ? sample.trips : sample.trips.filter(({ bits }) => inSample(bits, share * sample.share))
  const whole = share === 1 && sample.share === 1
  const parted: Parted = part(
    trips,
    players.map(({ candidate }) => candidate),
    kit,
    whole,
  )
  return new Map(
    players.map(({ candidate }, at) => [
      candidate.lever.name,
      { share: parted.shares[at] ?? 0, error: parted.errors[at] ?? 0, calls: trips.length, whole },
    ]),
  )
}

/** A generator for ranges, apart from those of the levers. */
export const rangeChance = (kit: FoldKit): (() => number) => chance(kit.seed ^ 0x5bd1e995)
