import { HOUR_US } from '../../../core/date.ts'
import { amountOf, show } from './amounts.ts'
import { push, type Recent, within } from './bounded.ts'
import type { Candidate } from './finding.ts'
import { type Observation, withEvidence } from './observation.ts'
import { recordOf, usualOf } from './robust.ts'
import type { DetectSettings } from './settings.ts'

/** Calls in a bin of the cache share; a bin also ends after an hour if it holds half as many. */
const BIN_CALLS = 24
const BINS_KEPT = 240
const LEAST_BINS = 12
/** A drop by less than this share of input is no break. */
const LEAST_DROP = 0.2
/** A bin must be worse than all of so many before it: what happened lately does not page again. */
const RECORD_BINS = 60
const LOW_BINS = 96

/** Input tokens, and those read from cache, of one family of prompts (an owner's feature on a model), in bins of calls. */
type Family = {
  since_us: number
  calls: number
  input: number
  read: number
  shares: number[]
  /** Bins since the share fell; when it stays low so many become what is usual. */
  low: number[]
  /** Dollars a token, fresh and read from cache, as last seen. */
  fresh_rate: number
  read_rate: number
  low_since_us: number
  lost: number
  evidence: string[]
}
export type Families = Recent<Family>

const openFamily = (at_us: number): Family => ({
  since_us: at_us,
  calls: 0,
  input: 0,
  read: 0,
  shares: [],
  low: [],
  fresh_rate: 0,
  read_rate: 0,
  low_since_us: 0,
  lost: 0,
  evidence: [],
})

const rateOf = (call: Observation, word: string): number | undefined => {
  const cell = call.cells.find(({ key, quantity }) => key.endsWith(word) && quantity > 0)
  return cell === undefined ? undefined : Number(cell.cost) / 1e12 / cell.quantity
}

const book = (family: Family, call: Observation): void => {
  family.calls += call.calls ?? 1
  family.input += call.input_tokens
  family.read += call.cache_read_tokens
  family.fresh_rate = rateOf(call, '.fresh') ?? rateOf(call, '.cache_write') ?? family.fresh_rate
  family.read_rate = rateOf(call, '.cache_read') ?? family.read_rate
  if (call.cost !== null && call.cost > 0n) family.evidence = withEvidence(family.evidence, call)
}

type Fall = Readonly<{ share: number; usual: number; score: number }>

/** Whether the bin that ends is low, by how much, and what is usual. Misses are looked at, as the statistics look upward. */
const fallOf = (family: Family, deviations: number): Fall | undefined => {
  const share = family.read / family.input
  if (family.shares.length < LEAST_BINS) return undefined
  const misses = family.shares.map((hit) => 1 - hit)
  const { middle, spread } = usualOf(misses, 0.1, 4)
  const usual = 1 - middle
  const wanted = Math.max(LEAST_DROP, deviations * Math.max(0.02, spread))
  const drop = Math.min(wanted, Math.max(LEAST_DROP, 0.8 * usual))
  const low = usual - share > drop && 1 - share > recordOf(misses, RECORD_BINS)
  return low ? { share, usual, score: (usual - share) / drop } : undefined
}

/** Ends a bin: what it lost is added up while the share is low; a share that stays low becomes the usual one. */
const turnBin = (family: Family, fall: Fall | undefined, at_us: number): void => {
  const share = family.read / family.input
  if (fall) {
    if (family.lost === 0) family.low_since_us = family.since_us
    family.lost += (fall.usual - share) * family.input * Math.max(0, family.fresh_rate - family.read_rate)
    push(family.low, share, BINS_KEPT)
    if (family.low.length >= LOW_BINS) family.shares = family.low.splice(0)
  } else {
    family.lost = 0
    for (const one of [...family.low.splice(0), share]) push(family.shares, one, BINS_KEPT)
  }
  Object.assign(family, { since_us: at_us, calls: 0, input: 0, read: 0 })
}

/**
 * The share of input read from a provider's cache falls well below what it usually is: somebody put something that
 * changes at the head of the prompt. Judged over bins of calls rather than hours, so that busy prompts are seen at once;
 * the price of a break is the tokens no longer read, at the difference of the two rates.
 */
export const watchCache = (
  families: Families,
  call: Observation,
  settings: DetectSettings,
  factor: number,
): Candidate | undefined => {
  if (call.failed || call.input_tokens <= 0) return undefined
  const owner = call.owners[0] ?? 'unallocated'
  const name = call.feature ?? call.agent ?? owner
  const make = () => openFamily(call.at_us)
  const family = families.touch(within(owner, within(name, call.model)), settings.bounds.owners, make)
  book(family, call)
  const old = call.at_us - family.since_us >= HOUR_US
  if (family.calls < BIN_CALLS && !(old && family.calls >= BIN_CALLS / 2)) return undefined
  const fall = fallOf(family, settings.deviations.cache * factor)
  turnBin(family, fall, call.at_us)
  if (!fall) return undefined
  const lost = amountOf(family.lost)
  const hours = Math.max(1 / 60, (call.at_us - family.low_since_us) / HOUR_US)
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`
  const where = call.feature === undefined ? 'model' : 'feature'
  return {
    kind: 'cache-drop',
    owner,
    subject: `${name} ${call.model}`,
    since_us: family.low_since_us,
    excess: lost,
    hourly: amountOf(family.lost / hours),
    score: fall.score,
    explanation: { dimension: where, value: call.feature ?? call.model, cost: lost, share: 1 },
    evidence: [...family.evidence],
    message: `${name} on ${call.model} reads ${percent(fall.share)} of its input from cache, usually ${percent(fall.usual)}: ${show(family.lost)} more so far`,
  }
}
