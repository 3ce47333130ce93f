import type { Dimension } from '../../../core/dimension.ts'
import type { Ledger, TimeWindow } from '../../../core/ledger.ts'
import type { OutcomeEvent } from '../../../core/outcome.ts'
import type { Tagging } from '../statement/rules.ts'
import type { OutcomeCounts } from '../statement/splits.ts'
import { countByOwner, isAttributable } from './attribute.ts'
import { askSessions, ownersOfSessions } from './sessions.ts'

export type CountQuestion = Readonly<{ by: Dimension; zone: string; tagging: Tagging; window: TimeWindow }>

/** Who owned the sessions of outcomes that do not name an owner themselves; a session may have begun long before the window. */
export const sessionOwners = async (
  ledger: Pick<Ledger, 'query'>,
  events: readonly OutcomeEvent[],
  { by, zone, tagging, window }: CountQuestion,
) => {
  const unnamed = events.filter((event) => !isAttributable(by) || event[by] === undefined)
  const until_us = Math.max(window.to_us, ...unnamed.map(({ at_us }) => at_us + 1))
  const rows = await askSessions(ledger, unnamed, { window: { from_us: 0, to_us: until_us }, by, zone, tagging })
  return ownersOfSessions(rows, by)
}

/** Outcomes by kind and owner. */
export const countOutcomes = async (
  ledger: Pick<Ledger, 'query'>,
  events: readonly OutcomeEvent[],
  question: CountQuestion,
): Promise<OutcomeCounts> => {
  const owners = await sessionOwners(ledger, events, question)
  const kinds = [...new Set(events.map(({ kind }) => kind))].sort()
  return Object.fromEntries(
    kinds.map((kind) => {
      const counts = countByOwner(
        events.filter((event) => event.kind === kind),
        question.by,
        owners,
      )
      return [kind, Object.fromEntries([...counts].sort())]
    }),
  )
}
