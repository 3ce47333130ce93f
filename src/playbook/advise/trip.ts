import type { Past, TokenRates } from '../../core/past.ts'
import type { RatesOf, Service } from './rates.ts'

/** A call of the past with what a replay must know of it beside what levers see. */
export type Trip = Readonly<{
  past: Past
  /** What the call cost, picodollars: all its attempts and corrections. */
  cost: number
  /** The part of it that tokens at the book's rates do not explain: fees, other media, failed attempts. No lever moves it, an answer saves it. */
  other: number
  /** False where nobody knows what it cost: it is replayed, because it fills caches, and its money is in no sum. */
  known: boolean
  service: Service
  rates_of: RatesOf
  /** 32 bits of its session, or of what is nearest to one: in which group it is, and in which sample. */
  bits: number
  /** The caller said that it may wait. */
  deferrable: boolean
}>

const whole = (amount: number): number => (Number.isInteger(amount) ? amount : Math.round(amount))

/** Usage at rates, picodollars: each class rounded once, exact below 2^53 ($9,007). */
export const costOf = ({ usage }: Pick<Past, 'usage'>, rates: TokenRates): number =>
  whole(usage.fresh * rates.fresh) +
  whole(usage.cache_read * rates.cache_read) +
  whole(usage.cache_write_5m * (rates.cache_write['5m'] ?? rates.fresh)) +
  whole(usage.cache_write_long * (rates.cache_write['1h'] ?? rates.fresh)) +
  whole(usage.output * rates.output)

/** All input of a call, which is what a long-context price compares. */
export const contextOf = ({ usage }: Pick<Past, 'usage'>): number =>
  usage.fresh + usage.cache_read + usage.cache_write_5m + usage.cache_write_long

/**
 * What the call costs as a replay left it, picodollars: usage × the rates of its moment, and what no lever moves. A prompt
 * of another length, or another model, is priced at the rates that hold for it.
 */
export const priceOf = (trip: Trip, past: Past): number => {
  if (!trip.known) return 0
  if (past === trip.past) return trip.cost
  if (past.answered) return trip.past.answered ? trip.cost : 0
  if (past.rates !== trip.past.rates) return trip.other + costOf(past, past.rates)
  const context = contextOf(past)
  const same = context === contextOf(trip.past)
  return trip.other + costOf(past, same ? past.rates : (trip.rates_of(past.at_us, context) ?? past.rates))
}
