import { DAY_US, HOUR_US } from '../../../core/date.ts'
import { amountOf, dollars, show } from './amounts.ts'
import { Recent, within } from './bounded.ts'
import type { Candidate } from './finding.ts'
import { type Observation, withEvidence } from './observation.ts'
import type { DetectSettings } from './settings.ts'

/** Calls to one model of one provider whose price is unknown or old, within a day. */
type Doubt = { since_us: number; calls: number; cost: bigint; evidence: string[] }
export type Doubts = { unpriced: Recent<Doubt>; stale: Recent<Doubt> }

export const openDoubts = (): Doubts => ({ unpriced: new Recent(), stale: new Recent() })

const book = (map: Recent<Doubt>, call: Observation, cost: bigint, most: number): Doubt => {
  const make = (): Doubt => ({ since_us: call.at_us, calls: 0, cost: 0n, evidence: [] })
  const doubt = map.touch(within(call.provider, call.model), most, make)
  if (call.at_us - doubt.since_us > DAY_US) Object.assign(doubt, make())
  doubt.calls += call.calls ?? 1
  doubt.cost += cost
  doubt.evidence = withEvidence(doubt.evidence, call)
  return doubt
}

const shared = (call: Observation, doubt: Doubt) => {
  const hours = Math.max(1 / 6, (call.at_us - doubt.since_us) / HOUR_US)
  return {
    owner: call.owners[0] ?? 'unallocated',
    subject: `${call.provider}/${call.model}`,
    since_us: doubt.since_us,
    hourly: amountOf(dollars(doubt.cost) / hours),
    score: 1,
    explanation: { dimension: 'model', value: call.model, cost: amountOf(dollars(doubt.cost)), share: 1 },
    evidence: [...doubt.evidence],
  }
}

/** Calls that nobody can price page at once; calls priced at rates nobody has checked for long page once they add up. */
export const watchPrices = (doubts: Doubts, call: Observation, settings: DetectSettings): Candidate[] => {
  const most = settings.bounds.entities
  if (call.cost === null) {
    const doubt = book(doubts.unpriced, call, call.ceiling, most)
    const calls = doubt.calls === 1 ? '1 call' : `${doubt.calls} calls`
    const message = `${call.provider}/${call.model} has no price: ${calls} cost an unknown amount, at most ${show(dollars(doubt.cost))} by their reservations`
    return [{ kind: 'unpriced', ...shared(call, doubt), excess: null, message }]
  }
  const checked = call.prices_checked_at_us
  if (checked === undefined || call.at_us - checked <= settings.stale_after_us) return []
  const doubt = book(doubts.stale, call, call.cost, most)
  const days = Math.floor((call.at_us - checked) / DAY_US)
  const spent = amountOf(dollars(doubt.cost))
  const message = `the prices of ${call.provider}/${call.model} were checked ${days} days ago, and ${show(dollars(doubt.cost))} has been spent at them`
  return [{ kind: 'stale-prices', ...shared(call, doubt), excess: spent, message }]
}
