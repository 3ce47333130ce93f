import { HOUR_US } from '../../../core/date.ts'
import { picodollars } from '../../../core/money.ts'
import { amountOf, dollars, show } from './amounts.ts'
import { push, Recent } from './bounded.ts'
import { decompose, type Mix } from './decompose.ts'
import type { Candidate } from './finding.ts'
import type { Observation } from './observation.ts'
import { recordOf, usualOf } from './robust.ts'
import type { DetectSettings } from './settings.ts'
import { explain, type Tallies } from './tallies.ts'

/** Calls and cells of the running hour and of all hours before, these decaying by half in three days. */
type Sum = { calls: number; cells: Recent<{ quantity: number; cost: bigint }> }
export type MixState = { now: Sum; before: Sum; weight: number; costs: number[]; judged: number }

const open = (): Sum => ({ calls: 0, cells: new Recent() })
export const openMix = (): MixState => ({ now: open(), before: open(), weight: 0, costs: [], judged: 0 })

const CELLS = 64
const LEAST_CALLS = 20
const LEAST_HOURS = 24
const KEPT = 336
/** 0.5 ** (1 / 72), in ten-thousandths. */
const DECAY = 9904n

const add = (sum: Sum, key: string, quantity: number, cost: bigint): void => {
  const cell = sum.cells.touch(key, CELLS, () => ({ quantity: 0, cost: 0n }))
  cell.quantity += quantity
  cell.cost += cost
}

const cost = (sum: Sum): bigint => [...sum.cells.values()].reduce((total, cell) => total + cell.cost, 0n)
const logCost = (sum: Sum): number => Math.log(Math.max(1e-9, dollars(cost(sum)) / sum.calls))

/** Closes `hours` hours: the running one becomes history. */
export const turnMix = (mix: MixState, hours: number): void => {
  if (mix.now.calls >= LEAST_CALLS) push(mix.costs, logCost(mix.now), KEPT)
  const steps = Math.min(hours, 300)
  const decay = (Number(DECAY) / 10_000) ** steps
  for (const [key, { quantity, cost: spent }] of mix.now.cells) add(mix.before, key, quantity, spent)
  mix.before.calls = (mix.before.calls + mix.now.calls) * decay
  for (const cell of mix.before.cells.values()) {
    cell.quantity *= decay
    cell.cost = (cell.cost * BigInt(Math.round(decay * 1e6))) / 1_000_000n
  }
  mix.weight = (mix.weight + (mix.now.calls > 0 ? 1 : 0)) * decay
  mix.now = open()
  mix.judged = 0
}

const mixOf = (sum: Sum, weight: number): Mix => ({
  calls: sum.calls / weight,
  cells: [...sum.cells].map(([key, cell]) => {
    const share = picodollars(weight === 1 ? cell.cost : BigInt(Math.round(Number(cell.cost) / weight)))
    return { key, quantity: cell.quantity / weight, cost: share }
  }),
})

/** Books a call; where its receipt has no lines the model is its only cell. */
const book = (mix: MixState, call: Observation): void => {
  const calls = call.calls ?? 1
  mix.now.calls += calls
  if (call.cells.length === 0) add(mix.now, call.model, calls, call.cost ?? 0n)
  else for (const cell of call.cells) add(mix.now, cell.key, cell.quantity, cell.cost)
}

type Seen = Readonly<{ owner: string; hour: number; tallies: Tallies; settings: DetectSettings; factor: number }>

/**
 * A call costs much more than it usually does: another model, longer answers, less cache, another price. The change since a
 * usual hour is taken apart into volume, mix and price; what is beyond volume is the excess.
 */
export const watchMix = (mix: MixState, call: Observation, seen: Seen): Candidate | undefined => {
  book(mix, call)
  if (mix.now.calls < Math.max(LEAST_CALLS, mix.judged * 1.2) || mix.costs.length < LEAST_HOURS) return undefined
  mix.judged = mix.now.calls
  const { middle, spread } = usualOf(mix.costs, 0.2, 8)
  const residual = logCost(mix.now)
  const deviations = seen.settings.deviations.mix * seen.factor
  const threshold = Math.max(middle + deviations * Math.max(0.06, spread), recordOf(mix.costs, 48))
  if (residual <= threshold) return undefined
  const change = decompose(mixOf(mix.before, Math.max(1, mix.weight)), mixOf(mix.now, 1))
  const beyond = dollars(change.mix) + dollars(change.price)
  const top = change.cells.reduce((one, other) => (other.mix + other.price > one.mix + one.price ? other : one))
  const times = Math.exp(residual - middle)
  const hours = Math.max(1 / 6, (call.at_us - seen.hour * HOUR_US) / HOUR_US)
  const { evidence } = explain(seen.tallies, { hour: seen.hour })
  const more = dollars(picodollars(top.mix + top.price))
  return {
    kind: 'mix-shift',
    owner: seen.owner,
    since_us: seen.hour * HOUR_US,
    excess: amountOf(beyond),
    hourly: amountOf(beyond / hours),
    score: residual / threshold,
    change: { volume: change.volume, mix: change.mix, price: change.price },
    explanation: {
      dimension: 'meter',
      value: top.key,
      cost: amountOf(more),
      share: Math.min(1, more / Math.max(1e-9, beyond)),
    },
    evidence,
    message: `a call of ${seen.owner} costs ${times.toFixed(1)} times what it usually does; ${show(more)} of it is ${top.key}`,
  }
}
