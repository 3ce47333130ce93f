/** What clients that set cache marks themselves have saved by them, and whether marks for an hour could have saved more. */
import { ttl_s } from '../../core/prompt.ts'
import type { Trip } from './trip.ts'

export type ClientMarks = Readonly<{
  calls: number
  /** What their input would have cost more without a cache, picodollars. */
  saved: number
  /** What their writes for five minutes would have cost more for an hour, picodollars. */
  hour_dearer: number
  /** What of these dearer writes an hour would have made needless at most, picodollars. */
  hour_needless: number
  /** Calls that wrote again what five minutes had lost, and an hour could have kept. */
  late_calls: number
}>

/** What one session had sent last, and when. */
type Sent = { tokens: number; at_us: number }

const LEVER = 'cache/provider-prefix'
const MOST_SESSIONS = 400_000
/** The golden ratio in 32 bits: small numbers that differ by one differ in all bits after it. */
const SPREAD = 0x9e3779b1

/**
 * Looks at calls in order of time, by counts alone, since logs without prompts have no more: a prompt that comes within the hour could
 * at most read what its session had cached before.
 */
export const clientMarksCounter = () => {
  const sessions = new Map<number, Sent>()
  const counts = { calls: 0, saved: 0, hour_dearer: 0, hour_needless: 0, late_calls: 0 }

  /** Notes what a session sends; gives back what it had sent before, where five minutes have lost it and an hour would not. */
  const lostBefore = ({ past: { kind = 0, at_us }, bits }: Trip, tokens: number): number => {
    // A session and a kind of calls, in the bits of a small integer.
    const key = bits ^ Math.imul(kind, SPREAD)
    const sent = sessions.get(key)
    if (sent === undefined) {
      if (sessions.size >= MOST_SESSIONS) sessions.clear()
      sessions.set(key, { tokens, at_us })
      return 0
    }
    const before = sent.tokens
    const rest_us = at_us - sent.at_us
    sent.tokens = tokens
    sent.at_us = at_us
    return rest_us > ttl_s['5m'] * 1e6 && rest_us <= ttl_s['1h'] * 1e6 ? before : 0
  }

  return {
    see(trip: Trip): void {
      const { usage, rates, answered, traces } = trip.past
      const { cache_read, cache_write_5m, cache_write_long } = usage
      const tokens = cache_read + cache_write_5m + cache_write_long
      if (answered || !trip.known || tokens === 0) return
      if (traces.some(({ name, action }) => name === LEVER && action === 'acted')) return
      const { fresh, cache_read: read_rate } = rates
      const [short = fresh, long = fresh] = [rates.cache_write['5m'], rates.cache_write['1h']]
      const lost = lostBefore(trip, tokens)
      counts.calls += 1
      counts.saved +=
        cache_read * (fresh - read_rate) - cache_write_5m * (short - fresh) - cache_write_long * (long - fresh)
      if (cache_write_5m === 0) return
      const again = Math.max(0, Math.min(lost, tokens) - cache_read)
      const moved = Math.min(again, cache_write_5m)
      if (moved > 0) counts.late_calls += 1
      counts.hour_dearer += cache_write_5m * (long - short)
      counts.hour_needless += moved * (long - read_rate)
    },
    result: (): ClientMarks => counts,
  }
}
