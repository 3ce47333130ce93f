import type { OutcomeEvent } from '../../../core/outcome.ts'
import { ownerOf, UNALLOCATED } from '../statement/owners.ts'

/** What outcomes name themselves. */
const named = ['team', 'feature', 'customer', 'user', 'environment', 'session'] as const
type Named = (typeof named)[number]

const isNamed = (dimension: string): dimension is Named => named.some((one) => one === dimension)

/** Can outcomes be told apart by this dimension? */
export const isAttributable = isNamed

/** Who owned the session that led to an outcome, by session. */
export type SessionOwners = ReadonlyMap<string, string | null>

/** The owner of an outcome: the one it names, else the owner of its session, else nobody. */
export const ownerOfOutcome = (event: OutcomeEvent, by: string, sessions: SessionOwners): string => {
  const own = isNamed(by) ? event[by] : undefined
  if (own !== undefined) return ownerOf(own)
  return event.session === undefined ? UNALLOCATED : ownerOf(sessions.get(event.session))
}

/** How many outcomes each owner has; all of them are in it once. */
export const countByOwner = (
  events: readonly OutcomeEvent[],
  by: string,
  sessions: SessionOwners,
): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const event of events) {
    const owner = ownerOfOutcome(event, by, sessions)
    counts.set(owner, (counts.get(owner) ?? 0) + event.count)
  }
  return counts
}
