import type { CacheRule, PastUsage } from '../../core/past.ts'
import { type ClientMarks, clientMarksCounter } from './client-marks.ts'
import { distinctNumbers } from './distinct.ts'
import type { RateSheet, RatesOf } from './rates.ts'
import { type Repeats, repeatCounter } from './repeats.ts'
import { ExactSum } from './tally.ts'
import { contextOf, costOf, type Trip } from './trip.ts'

/** What is known of the traffic as a whole, so that it can be said where levers have nothing to hold on to. */
export type Survey = Readonly<{
  calls: number
  /** Of calls with a prompt: how many have a prefix chain, a fingerprint of the body. */
  prompts: number
  chained: number
  fingerprinted: number
  /** Prompts of models that cache, and those of them that are shorter than the least that is cached. */
  cacheable: number
  below_minimum: number
  minimum_tokens: Readonly<Record<string, number>>
  sessions: number
  client_marks: ClientMarks
  /** Undefined where there are too many calls to count it. */
  repeats: Repeats | undefined
  tokens: Readonly<PastUsage>
  /** Where the money is, picodollars. */
  spent: Readonly<Record<keyof PastUsage | 'other', number>>
  /** Calls that wait for the whole answer, and what half-price tiers would save of them at most, picodollars. */
  waiting: Readonly<{ calls: number; saving: number; said: number; said_saving: number }>
}>

export type Surveyor = Readonly<{ see(trip: Trip): void; result(): Survey }>

type CacheRules = (provider: string, model: string, at_us: number) => CacheRule | undefined

const MOST_SESSIONS = 2_000_000

/** What a call would save as part of a batch; zero where the provider sells none. A call that streams has somebody waiting. */
const batchSavings = (sheet: RateSheet): ((trip: Trip) => number) => {
  const batch = new Map<RatesOf, RatesOf>()
  const batchRates = ({ past, service, rates_of }: Trip): RatesOf => {
    const found = batch.get(rates_of)
    if (found !== undefined) return found
    const rates = sheet.of(past.provider, past.model, { ...service, tier: 'batch' })
    batch.set(rates_of, rates)
    return rates
  }
  return (trip) => {
    const { past, known, service, cost, other } = trip
    const tier = service.tier ?? 'standard'
    if (!known || past.stream || past.answered || past.outcome !== 'ok' || tier !== 'standard') return 0
    const rates = batchRates(trip)(past.at_us, contextOf(past))
    return rates === undefined ? 0 : Math.max(0, cost - other - costOf(past, rates))
  }
}

/** Adds up what was used and what it cost, by class. */
const spender = () => {
  const spent = {
    fresh: new ExactSum(),
    cache_read: new ExactSum(),
    cache_write_5m: new ExactSum(),
    cache_write_long: new ExactSum(),
    output: new ExactSum(),
    other: new ExactSum(),
  } satisfies Record<keyof Survey['spent'], ExactSum>
  const tokens: PastUsage = { fresh: 0, cache_read: 0, cache_write_5m: 0, cache_write_long: 0, output: 0 }

  const spend = ({ past: { usage, rates }, other, known }: Trip): void => {
    if (!known) return
    const { fresh, cache_read, cache_write_5m, cache_write_long, output } = usage
    spent.fresh.add(Math.round(fresh * rates.fresh))
    spent.cache_read.add(Math.round(cache_read * rates.cache_read))
    spent.cache_write_5m.add(Math.round(cache_write_5m * (rates.cache_write['5m'] ?? rates.fresh)))
    spent.cache_write_long.add(Math.round(cache_write_long * (rates.cache_write['1h'] ?? rates.fresh)))
    spent.output.add(Math.round(output * rates.output))
    spent.other.add(other)
    tokens.fresh += fresh
    tokens.cache_read += cache_read
    tokens.cache_write_5m += cache_write_5m
    tokens.cache_write_long += cache_write_long
    tokens.output += output
  }
  const sums = () => Object.fromEntries(Object.entries(spent).map(([name, sum]) => [name, Number(sum.total)]))
  return { spend, result: () => ({ tokens, spent: sums() as Survey['spent'] }) }
}

/** Looks at calls as they come, beside the replay; what repeats is counted on demand, because it takes as long as a lever. */
export const surveyor = (sheet: RateSheet, cache_rule: CacheRules, counts_repeats = true): Surveyor => {
  const batchSaving = batchSavings(sheet)
  const repeats = counts_repeats ? repeatCounter() : undefined
  const { spend, result } = spender()
  const clientMarks = clientMarksCounter()
  const minimum: Record<string, number> = {}
  const sessions = distinctNumbers()
  const waiting = { calls: 0, saving: 0, said: 0, said_saving: 0 }
  const seen = { calls: 0, prompts: 0, chained: 0, fingerprinted: 0, cacheable: 0, below_minimum: 0 }

  const prompt = (trip: Trip): void => {
    const { past } = trip
    const length = contextOf(past)
    if (length === 0) return
    seen.prompts += 1
    if (past.chain.hashes.length > 0) seen.chained += 1
    if (past.fingerprints.exact !== undefined) seen.fingerprinted += 1
    const rule = cache_rule(past.provider, past.model, past.at_us)
    if (rule === undefined) return
    seen.cacheable += 1
    minimum[past.model] = rule.minimum_tokens
    if (rule.style === 'marks') clientMarks.see(trip)
    if (length < rule.minimum_tokens) seen.below_minimum += 1
  }

  return {
    see(trip) {
      seen.calls += 1
      if (sessions.size() < MOST_SESSIONS) sessions.add(trip.bits | 0)
      spend(trip)
      prompt(trip)
      repeats?.see(trip.past)
      const saving = batchSaving(trip)
      if (saving === 0) return
      waiting.calls += 1
      waiting.saving += saving
      if (!trip.deferrable) return
      waiting.said += 1
      waiting.said_saving += saving
    },
    result: () => ({
      ...seen,
      minimum_tokens: minimum,
      sessions: sessions.size(),
      client_marks: clientMarks.result(),
      repeats: repeats?.result(),
      ...result(),
      waiting,
    }),
  }
}
