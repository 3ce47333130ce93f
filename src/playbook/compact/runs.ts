import type { Memory } from '../../core/lever.ts'

/**
 * How long runs of calls are: `reached[n]` runs had at least 2ⁿ calls. A run is a conversation for as long as its cache
 * stays warm: once that is cold an edit costs nothing, so only the calls until then count.
 */
export type Runs = { readonly reached: number[] }

/** So many runs weigh as much as what is assumed before anything was learnt: that one in four doubles its length. */
const PRIOR_RUNS = 4
const PRIOR_DOUBLES = 0.25
const MOST_DOUBLINGS = 16

const octave = (calls: number) => 31 - Math.clz32(Math.max(1, calls))

export const noRuns = (): Runs => ({ reached: [] })

/** Notes that a run has come to its `calls`-th call, counted from one. */
export const note = (runs: Runs, calls: number): void => {
  const at = octave(calls)
  if (calls === 2 ** at && at < MOST_DOUBLINGS) runs.reached[at] = (runs.reached[at] ?? 0) + 1
}

/**
 * How many more calls a run has that is at its `calls`-th, in the mean and rather too few than too many: calls beyond the
 * last doubling that a run completes are not counted.
 */
export const further = (runs: Runs, calls: number): number => {
  let share = 1
  let expected = 0
  for (let at = octave(calls); at < MOST_DOUBLINGS; at++) {
    const here = runs.reached[at] ?? 0
    const there = runs.reached[at + 1] ?? 0
    share *= (Math.min(there, here) + PRIOR_RUNS * PRIOR_DOUBLES) / (here + PRIOR_RUNS)
    expected += share * (2 ** (at + 1) - Math.max(calls, 2 ** at))
    if (share < 0.001) break
  }
  return expected
}

/** The runs of a route as a lever remembers them. */
export const runsOf = (memory: Memory, route: string): Runs => {
  const known = memory.get<Runs>('runs', route)
  if (known) return known
  const runs = noRuns()
  memory.set('runs', route, runs)
  return runs
}
