import { DAY_US, HOUR_US } from '../../../core/date.ts'
import { type Picodollars, parseUsd } from '../../../core/money.ts'
import type { Kind } from './finding.ts'

/** A budget as the burn rate needs it: what may be spent in a period of this length. */
export type BurnBudget = Readonly<{ id: string; limit: Picodollars; length_us: number }>

export type DetectSettings = Readonly<{
  /** IANA zone of days, weekdays and midnight. */
  zone: string
  /** Excess below this pages nobody, by kind. */
  floors: Readonly<Record<Kind, Picodollars>>
  /** Kinds that nobody is told of: they neither page nor keep another kind from it. */
  off: readonly Kind[]
  /** Trouble that was seen within this time is the same trouble, by kind; it is told again only when it doubles. */
  cooldowns_us: Readonly<Record<Kind, number>>
  /** Robust standard deviations beyond which spend over ten minutes, hours, days is no longer usual. */
  deviations: Readonly<{ burst: number; hour: number; day: number; mix: number; cache: number }>
  /** A session pages at this multiple of its agent's 99th percentile; under 3, so that it is caught before. */
  session_multiple: number
  /** What a session may spend while its agent has too few sessions for a percentile. */
  session_ceiling: Picodollars
  /** Equal requests within two minutes that are a storm; a habit of the owner raises it. */
  storm_repeats: number
  /** Nothing is new, and no key leaked, until this much has been watched. */
  learning_us: number
  /** Prices older than this are stale. */
  stale_after_us: number
  /** Most entries kept of each sort; the longest unseen go first. */
  bounds: Readonly<{ owners: number; sessions: number; prompts: number; entities: number; values: number }>
}>

const usd = parseUsd

/** Chosen on the tuning streams of the benchmark (`docs/anomalies.md`). */
export const defaultSettings: DetectSettings = {
  zone: 'UTC',
  floors: {
    'budget-burn': usd('1'),
    'retry-storm': usd('1'),
    'runaway-session': usd('5'),
    'level-burst': usd('2'),
    'level-hour': usd('3'),
    'level-day': usd('10'),
    'mix-shift': usd('5'),
    'cache-drop': usd('2'),
    'new-key': usd('5'),
    'new-model': usd('5'),
    'leaked-key': usd('3'),
    unpriced: usd('0'),
    'stale-prices': usd('1'),
  },
  off: [],
  cooldowns_us: {
    'budget-burn': 6 * HOUR_US,
    'retry-storm': HOUR_US,
    'runaway-session': DAY_US,
    'level-burst': DAY_US,
    'level-hour': DAY_US,
    'level-day': 3 * DAY_US,
    'mix-shift': 3 * DAY_US,
    'cache-drop': DAY_US,
    'new-key': 30 * DAY_US,
    'new-model': 30 * DAY_US,
    'leaked-key': DAY_US,
    unpriced: DAY_US,
    'stale-prices': 7 * DAY_US,
  },
  deviations: { burst: 4, hour: 3.5, day: 3, mix: 5, cache: 5 },
  session_multiple: 2.4,
  session_ceiling: usd('25'),
  storm_repeats: 8,
  learning_us: 3 * DAY_US,
  stale_after_us: 45 * DAY_US,
  bounds: { owners: 2000, sessions: 5000, prompts: 5000, entities: 10_000, values: 24 },
}
