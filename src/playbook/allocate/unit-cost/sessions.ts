import type { OwnedRow } from '../../../core/allocation.ts'
import type { Dimension } from '../../../core/dimension.ts'
import type { Ledger, TimeWindow } from '../../../core/ledger.ts'
import { parseUsd } from '../../../core/money.ts'
import type { OutcomeEvent } from '../../../core/outcome.ts'
import type { Tagging } from '../statement/rules.ts'
import type { SessionOwners } from './attribute.ts'

/** Sessions of one question: a question is bounded in bytes. */
const MOST_SESSIONS = 2000

const sessionsOf = (events: readonly OutcomeEvent[]): readonly string[] => [
  ...new Set(events.flatMap(({ session }) => (session === undefined ? [] : [session]))),
]

type Ask = Pick<Ledger, 'query'>
type Asked = Readonly<{ window: TimeWindow; by: Dimension; zone: string; tagging: Tagging }>

/** What the sessions of these outcomes cost and produced in a window, by session and owner. */
export const askSessions = async (
  ledger: Ask,
  events: readonly OutcomeEvent[],
  { window, by, zone, tagging }: Asked,
): Promise<readonly OwnedRow[]> => {
  const sessions = sessionsOf(events)
  const found: OwnedRow[] = []
  for (let at = 0; at < sessions.length; at += MOST_SESSIONS) {
    const filters = [{ dimension: 'session', values: sessions.slice(at, at + MOST_SESSIONS) }] as const
    const group_by: readonly Dimension[] = by === 'session' ? ['session'] : ['session', by]
    const { rows } = await ledger.query({ ask: 'owned', window, group_by, filters, zone, ...tagging })
    found.push(...rows)
  }
  return found
}

/** The owner of a session is who paid most of it; of equals the first by name. */
export const ownersOfSessions = (rows: readonly OwnedRow[], by: string): SessionOwners => {
  const best = new Map<string, Readonly<{ owner: string | null; cost: bigint }>>()
  for (const row of rows) {
    const session = row.group['session']
    if (session === null || session === undefined) continue
    const candidate = { owner: row.group[by] ?? null, cost: parseUsd(row.cost_usd) as bigint }
    const known = best.get(session)
    const dearer = known === undefined || candidate.cost > known.cost
    const equal = known !== undefined && candidate.cost === known.cost
    if (dearer || (equal && String(candidate.owner) < String(known.owner))) best.set(session, candidate)
  }
  return new Map([...best].map(([session, { owner }]) => [session, owner]))
}
