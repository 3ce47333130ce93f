import type { ClosedMonth } from '../../../core/allocation.ts'
import type { Dimension } from '../../../core/dimension.ts'
import { WeirError } from '../../../core/errors.ts'
import type { Ledger, TimeWindow } from '../../../core/ledger.ts'
import { parseUsd } from '../../../core/money.ts'
import type { OutcomeEvent } from '../../../core/outcome.ts'
import { countOutcomes } from '../unit-cost/counts.ts'
import { type Correction, correctionsOf, type Snapshot, snapshotOf } from './corrections.ts'
import { basesOf } from './owners.ts'
import { monthAfter } from './period.ts'
import { type Rules, splitsFor } from './rules.ts'
import type { StatementReport } from './statement.ts'

/** What a closed month's document holds. */
export type ClosedDocument = Readonly<{
  report: StatementReport
  /** The state of this month, and of every month closed before, of which later corrections are the difference. */
  snapshots: readonly Readonly<{ window: TimeWindow; snapshot: Snapshot }>[]
}>

export const readClosed = ({ document }: ClosedMonth): ClosedDocument => JSON.parse(document) as ClosedDocument

/** The month that carries corrections: the first after the last that was closed. Undefined while none is closed. */
export const firstOpenMonth = (closes: readonly ClosedMonth[]): string | undefined => {
  const last = closes.at(-1)
  return last === undefined ? undefined : monthAfter(last.month)
}

const notCloseable = (month: string, why: string) =>
  new WeirError('bad-input', `${month} cannot be closed: ${why}`, { field: 'month' })

/** Throws WeirError `bad-input` where the books would begin with a month of no calls: every empty month after it had to be closed, too. */
export const checkBegun = (closes: readonly ClosedMonth[], month: string, { statements }: StatementReport): void => {
  // An owner of the month before alone has a statement, too: it says what changed.
  const empty = statements.every(({ calls, total_usd }) => calls === 0 && parseUsd(total_usd) === 0n)
  if (closes.length === 0 && empty)
    throw notCloseable(month, 'it has no calls, and the books begin with the first month that is closed')
}

/**
 * Throws WeirError `bad-input` unless a month can be closed now: it is over, follows the last closed one, and is cut in
 * the same zone.
 */
export const checkCloseable = (
  closes: readonly ClosedMonth[],
  { month, zone, complete }: Readonly<{ month: string; zone: string; complete: boolean }>,
): void => {
  const wrong = (why: string) => notCloseable(month, why)
  if (closes.some((closed) => closed.month === month)) throw wrong('it is closed; weir statement shows it')
  if (!complete) throw wrong('it is not over yet')
  const next = firstOpenMonth(closes)
  if (next !== undefined && next !== month) throw wrong(`months are closed in order, and ${next} is next`)
  const last = closes.at(-1)
  if (last !== undefined && last.zone !== zone)
    throw wrong(`months before it were cut in ${last.zone}, not in ${zone}: use --zone ${last.zone}`)
}

type Asked = Readonly<{
  by: Dimension
  zone: string
  rules: Rules
  outcomes(window: TimeWindow): Promise<readonly OutcomeEvent[]>
}>
type Asking = Pick<Ledger, 'query'>

/** The state of a month under the rules in force. */
export const takeSnapshot = async (
  ledger: Asking,
  { month, window }: Readonly<{ month: string; window: TimeWindow }>,
  asked: Asked,
): Promise<Snapshot> => {
  const { by, zone, rules } = asked
  const tagging = rules.tagging(rules.tags_version)
  const { rows } = await ledger.query({ ask: 'owned', window, group_by: [by], zone, ...tagging })
  return snapshotOf(month, {
    tags_version: rules.tags_version,
    splits_version: rules.splits_version,
    bases: basesOf(rows, by),
    outcomes: await countOutcomes(ledger, await asked.outcomes(window), { by, zone, tagging, window }),
    splits: splitsFor(rules, rules.splits_version, by),
  })
}

/** What closed months come to now, against what was charged for them and corrected since; and their state now. */
export const askCorrections = async (
  ledger: Asking,
  closes: readonly ClosedMonth[],
  asked: Asked,
): Promise<Readonly<{ corrections: readonly Correction[]; snapshots: ClosedDocument['snapshots'] }>> => {
  const last = closes.at(-1)
  if (last === undefined) return { corrections: [], snapshots: [] }
  const { by, zone, rules } = asked
  const corrections: Correction[] = []
  const snapshots: { window: TimeWindow; snapshot: Snapshot }[] = []
  for (const { window, snapshot: then } of readClosed(last).snapshots) {
    const now = await takeSnapshot(ledger, { month: then.month, window }, asked)
    const same = then.tags_version === now.tags_version
    const question = { ask: 'owned', window, group_by: [by], zone, ...rules.tagging(then.tags_version) } as const
    const as_tagged_then = same ? now.bases : basesOf((await ledger.query(question)).rows, by)
    corrections.push(
      ...correctionsOf(then, {
        as_tagged_then,
        as_tagged_now: now.bases,
        outcomes: now.outcomes,
        splits_then: splitsFor(rules, then.splits_version, by),
        splits_now: splitsFor(rules, now.splits_version, by),
      }),
    )
    snapshots.push({ window, snapshot: now })
  }
  return { corrections, snapshots }
}
