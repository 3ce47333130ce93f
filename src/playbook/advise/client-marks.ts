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
/** So many kinds of calls are told apart within a session. */
const KINDS = 2 ** 20
const MOST_SESSIONS = 400_000

/**
 * Looks at calls in order of time, by counts alone, since logs without prompts have no more: a prompt that comes within the hour could
 * at most read what its session had cached before.
 */
export const clientMarksCounter = () => {
  const sessions = new Map<number, Sent>()
  const counts = { calls: 0, saved: 0, hour_dearer: 0, hour_needless: 0, late_calls: 0 }

  const sentBefore = ({ past, bits }: Trip, tokens: number): Readonly<Sent> | undefined => {
    const key = (bits >>> 0) * KINDS + ((past.kind ?? 0) % KINDS)
    const found = sessions.get(key)
    const before = found && { ...found }
    if (found) Object.assign(found, { tokens, at_us: past.at_us })
    else {
      if (sessions.size >= MOST_SESSIONS) sessions.clear()
      sessions.set(key, { tokens, at_us: past.at_us })
    }
    return before
  }

  return {
    see(trip: Trip): void {
      const { usage, rates, answered, at_us, traces } = trip.past
      const { cache_read, cache_write_5m, cache_write_long } = usage
      const tokens = cache_read + cache_write_5m + cache_write_long
      if (answered || !trip.known || tokens === 0) return
      if (traces.some(({ name, action }) => name === LEVER && action === 'acted')) return
      const { fresh, cache_read: read_rate } = rates
      const [short = fresh, long = fresh] = [rates.cache_write['5m'], rates.cache_write['1h']]
      const before = sentBefore(trip, tokens)
      counts.calls += 1
      counts.saved +=
        cache_read * (fresh - read_rate) - cache_write_5m * (short - fresh) - cache_write_long * (long - fresh)
      if (cache_write_5m === 0) return
      const rest_us = before === undefined ? Number.POSITIVE_INFINITY : at_us - before.at_us
      const isLate = rest_us > ttl_s['5m'] * 1e6 && rest_us <= ttl_s['1h'] * 1e6
      const again = isLate && before ? Math.max(0, Math.min(before.tokens, tokens) - cache_read) : 0
      const moved = Math.min(again, cache_write_5m)
      if (moved > 0) counts.late_calls += 1
      counts.hour_dearer += cache_write_5m * (long - short)
      counts.hour_needless += moved * (long - read_rate)
    },
    result: (): ClientMarks => counts,
  }
}
