import { createHash } from 'node:crypto'
import type { ClosedMonth } from '../../core/allocation.ts'
import type { Dimension } from '../../core/dimension.ts'
import { WeirError } from '../../core/errors.ts'
import type { Store } from '../../core/store.ts'
import {
  type ClosedDocument,
  checkBegun,
  checkCloseable,
  readClosed,
  takeSnapshot,
} from '../../playbook/allocate/statement/close.ts'
import type { Snapshot } from '../../playbook/allocate/statement/corrections.ts'
import { statementPeriod } from '../../playbook/allocate/statement/period.ts'
import type { StatementReport } from '../../playbook/allocate/statement/statement.ts'
import { rulesIn } from '../allocation/in-force.ts'
import { parseTime } from '../asking/time.ts'
import type { StatementsAsked } from '../statement/asked.ts'
import { gather } from '../statement/gather.ts'
import type { Asking } from '../verb.ts'

/** The hash of a closed month: of its document and of the month before it, so that no link of the chain can be swapped. */
export const hashOf = (document: string, before: string | undefined): string =>
  createHash('sha256')
    .update(before ?? '')
    .update('\n')
    .update(document)
    .digest('hex')

export type Closing = Readonly<{ month: string; by: Dimension; zone: string; now_us: number }> &
  Pick<StatementsAsked, 'budgets' | 'budget_each'>

/** So often statements are made anew where calls of the month came in while they were made. */
const MOST_TRIES = 5

/** Do the statements say what the snapshot was charged? Later corrections are differences to the snapshot alone. */
const agrees = ({ statements }: StatementReport, { charged }: Snapshot): boolean => {
  const told = new Map(statements.map(({ owner, total_usd }) => [owner, total_usd]))
  const owners = new Set([...told.keys(), ...Object.keys(charged)])
  return [...owners].every((owner) => (told.get(owner) ?? '0') === (charged[owner] ?? '0'))
}

const closed = async (
  ledger: Asking,
  store: Store,
  { month, by, zone, now_us, ...budgets }: Closing,
  closes: readonly ClosedMonth[],
) => {
  const at_us = Math.round(parseTime(month, now_us / 1000, zone, 'the month') * 1000)
  const period = statementPeriod('month', at_us, { zone, now_us })
  checkCloseable(closes, { month, zone, complete: period.complete })
  const outcomes: Store['outcomes']['list'] = (window) => store.outcomes.list(window)
  const own = { month, window: period.window }
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const { report, snapshots } = await gather(ledger, store, { by, period, ...budgets, now_us })
    checkBegun(closes, month, report)
    const snapshot = await takeSnapshot(ledger, own, { by, zone, rules: await rulesIn(store), outcomes })
    const document: ClosedDocument = { report, snapshots: [...snapshots, { window: period.window, snapshot }] }
    if (agrees(report, snapshot)) return JSON.stringify(document)
  }
  throw new WeirError('conflict', `${month} cannot be closed: calls of it keep coming in; close it when they have`)
}

/** Closes a month: its statements are stored as they are now, for good. Throws WeirError `bad-input` where it cannot be closed. */
export const closeMonth = async (ledger: Asking, store: Store, closing: Closing): Promise<ClosedMonth> => {
  const { month, by, zone, now_us } = closing
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
    throw new WeirError('bad-input', `${month} is no month: write e.g. 2026-10`, { field: 'month' })
  const closes = await store.closes.list(by)
  const document = await closed(ledger, store, closing, closes)
  const record = { by, month, zone, closed_at_us: now_us, document, sha256: hashOf(document, closes.at(-1)?.sha256) }
  if (await store.closes.add(record)) return record
  throw new WeirError('bad-input', `${month} cannot be closed: somebody else closed it just now`, { field: 'month' })
}

/** A closed month with its sums; the statements themselves are in the statement of that month. */
export const shownClose = (closed: ClosedMonth) => {
  const { report } = readClosed(closed)
  const { document: _, ...facts } = closed
  const { total_usd, corrections_usd, charge_usd } = report
  return { ...facts, total_usd, corrections_usd, charge_usd, owners: report.statements.length }
}

export type ShownClose = ReturnType<typeof shownClose>

/** What was spent before the first month that was ever closed: no close charges it, and none can any more. Absent where it is nothing. */
export const spentBefore = async (
  ledger: Asking,
  store: Store,
  closed: ClosedMonth,
): Promise<Readonly<{ before_usd?: string | undefined }>> => {
  const [first] = await store.closes.list(closed.by)
  if (first?.month !== closed.month) return {}
  const { from_us } = readClosed(closed).report.period.window
  const { total } = await ledger.query({ ask: 'spend', window: { from_us: 0, to_us: from_us }, group_by: [], limit: 1 })
  return total.cost_usd === '0' ? {} : { before_usd: total.cost_usd }
}

/** The first month whose document or place in the chain was changed after it was closed. */
export const firstBroken = (closes: readonly ClosedMonth[]): ClosedMonth | undefined =>
  closes.find(({ document, sha256 }, at) => hashOf(document, closes[at - 1]?.sha256) !== sha256)
