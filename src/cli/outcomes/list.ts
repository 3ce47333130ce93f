import type { OutcomeEvent, OutcomeKind } from '../../core/outcome.ts'
import { count, money, nothing } from '../show/format.ts'
import type { Look } from '../show/look.ts'
import { table } from '../show/table.ts'
import { day, moment } from '../show/time.ts'

/** The kinds of outcomes that there are. */
export const renderKinds = (kinds: readonly OutcomeKind[], look: Look): string =>
  kinds.length === 0
    ? 'No outcomes yet. Report one with: weir outcomes add resolved_ticket --session SESSION, or a file: weir outcomes import FILE'
    : table(
        kinds,
        [
          { head: 'outcome', cell: ({ kind }) => kind, shrink: 12 },
          { head: 'count', cell: (row) => count(row.count), align: 'right' },
          { head: 'events', cell: ({ events }) => count(events), align: 'right' },
          { head: 'first', cell: ({ first_us }) => day(first_us) },
          { head: 'last', cell: ({ last_us }) => day(last_us) },
        ],
        look,
      )

const whom = (event: OutcomeEvent): string =>
  (['team', 'feature', 'customer', 'user', 'environment'] as const)
    .flatMap((name) => (event[name] === undefined ? [] : [`${name}=${event[name]}`]))
    .join(' ') || nothing

/** Outcomes, one a line. */
export const renderOutcomes = (events: readonly OutcomeEvent[], zone: string, look: Look): string =>
  table(
    events,
    [
      { head: 'when', cell: ({ at_us }) => moment(at_us, zone) },
      { head: 'outcome', cell: ({ kind }) => kind, shrink: 12 },
      { head: 'count', cell: (event) => count(event.count), align: 'right' },
      { head: 'whose', cell: whom, shrink: 12 },
      { head: 'session', cell: ({ session }) => session ?? nothing, shrink: 10, drop: 2 },
      ...(events.some(({ value_usd }) => value_usd !== undefined)
        ? [{ head: 'worth', cell: ({ value_usd }: OutcomeEvent) => money(value_usd), align: 'right' as const }]
        : []),
      { head: 'id', cell: ({ id }) => id, shrink: 12, drop: 1 },
    ],
    look,
  )
