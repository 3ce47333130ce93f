import { type Picodollars, picodollars } from '../../../core/money.ts'
import { Recent } from './bounded.ts'
import type { Explanation } from './finding.ts'
import { type Observation, withEvidence } from './observation.ts'

const dimensions = ['feature', 'model', 'agent', 'key', 'user', 'customer', 'session'] as const
type Dimension = (typeof dimensions)[number]

/**
 * Spend of one value of a dimension: this hour and today (picodollars, whole numbers while they are below 2^53: they explain an
 * alert and bill nobody), and in a usual hour (dollars, decaying by half in two days).
 */
type Tally = { hour: number; day: number; now: number; today: number; usual: number; evidence: string[] }
export type Tallies = { [D in Dimension]: Recent<Tally> }

export const openTallies = (): Tallies => ({
  feature: new Recent(),
  model: new Recent(),
  agent: new Recent(),
  key: new Recent(),
  user: new Recent(),
  customer: new Recent(),
  session: new Recent(),
})

const DECAY = 0.5 ** (1 / 48)
const usd = (amount: number): number => amount / 1e12

/** The usual hour as it stands at the beginning of `hour`. */
const usualAt = (tally: Tally, hour: number): number => {
  const gap = hour - tally.hour
  if (gap <= 0) return tally.usual
  return (tally.usual * DECAY + (1 - DECAY) * usd(tally.now)) * DECAY ** (gap - 1)
}

/** Books a call under each of its dimensions. */
export const tally = (tallies: Tallies, call: Observation, hour: number, day: number, most: number): void => {
  const cost = Number(call.cost ?? 0n)
  for (const dimension of dimensions) {
    const value = call[dimension]
    if (value === undefined) continue
    const entry = tallies[dimension].touch(value, most, () => ({
      hour,
      day,
      now: 0,
      today: 0,
      usual: 0,
      evidence: [],
    }))
    if (entry.hour !== hour) {
      entry.usual = usualAt(entry, hour)
      entry.hour = hour
      entry.now = 0
    }
    if (entry.day !== day) {
      entry.day = day
      entry.today = 0
    }
    entry.now += cost
    entry.today += cost
    if (cost > 0) entry.evidence = withEvidence(entry.evidence, call)
  }
}

type Contribution = Readonly<{ dimension: Dimension; value: string; more: number; usual: number; evidence: string[] }>

const contributions = (map: Recent<Tally>, dimension: Dimension, at: Readonly<{ hour: number; day?: number }>) =>
  [...map].map(([value, entry]): Contribution => {
    const usual = usualAt(entry, at.hour) * (at.day === undefined ? 1 : 24)
    const spent =
      at.day === undefined ? (entry.hour === at.hour ? entry.now : 0) : entry.day === at.day ? entry.today : 0
    return { dimension, value, more: usd(spent) - usual, usual, evidence: entry.evidence }
  })

/** How much one value stands out: its share of what is more, less where it usually has that share anyway. */
const standOut = (all: readonly Contribution[]) => {
  const top = all.reduce((one, other) => (other.more > one.more ? other : one))
  const more = all.reduce((sum, one) => sum + Math.max(0, one.more), 0)
  const usual = all.reduce((sum, one) => sum + one.usual, 0)
  const share = more > 0 ? Math.max(0, top.more) / more : 0
  return { top, share, surprise: share * (1 - (usual > 0 ? top.usual / usual : 0)) }
}

/** What explains an excess best: the dimension in which one value carries most of it, beyond its usual part. */
export const explain = (
  tallies: Tallies,
  at: Readonly<{ hour: number; day?: number }>,
): Readonly<{ explanation?: Explanation; evidence: readonly string[] }> => {
  const found = dimensions.flatMap((dimension) => {
    const map = tallies[dimension]
    return map.size > 0 ? [standOut(contributions(map, dimension, at))] : []
  })
  const [first] = found
  if (!first) return { evidence: [] }
  const { top, share } = found.reduce((one, other) => (other.surprise > one.surprise + 0.02 ? other : one), first)
  const cost = picodollars(BigInt(Math.round(Math.max(0, top.more) * 1e12))) as Picodollars
  return { explanation: { dimension: top.dimension, value: top.value, cost, share }, evidence: [...top.evidence] }
}
