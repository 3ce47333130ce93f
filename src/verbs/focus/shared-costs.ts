import type { Dimension } from '../../core/dimension.ts'
import type { Split } from '../../core/exporter.ts'
import type { ChargeDimension, TimeWindow } from '../../core/ledger.ts'
import { neededFor, sharedCosts } from '../../playbook/allocate/focus/shared-costs.ts'
import { basesOf } from '../../playbook/allocate/statement/owners.ts'
import { bear, type OutcomeCounts, readSplits, type Splits } from '../../playbook/allocate/statement/splits.ts'
import { countOutcomes } from '../../playbook/allocate/unit-cost/counts.ts'
import { periodOf } from '../../playbook/allocate/window/window.ts'
import type { Asking, Context } from '../verb.ts'

export type SharedCosts = Readonly<{ splits: readonly Split[]; needs: readonly ChargeDimension[] }>

export const none: SharedCosts = { splits: [], needs: [] }

const byOutcome = ({ rules }: Splits): boolean =>
  rules.some((rule) => rule.by === 'usage' && rule.metric.startsWith('outcome:'))

/** The calendar months (UTC) of a window as far as there are calls, each as far as the window reaches into it. */
const monthsOf = async (ledger: Asking, { from_us, to_us }: TimeWindow) => {
  const { first_us, last_us } = await ledger.query({ ask: 'extent' })
  const months: Readonly<{ month_us: number; window: TimeWindow }>[] = []
  if (first_us === null || last_us === null) return months
  const end_us = Math.min(to_us, last_us + 1)
  for (let at_us = Math.max(from_us, first_us); at_us < end_us; ) {
    const month = periodOf({ every: 'month', zone: 'UTC' }, at_us)
    const window = { from_us: Math.max(from_us, month.from_us), to_us: Math.min(to_us, month.to_us) }
    months.push({ month_us: month.from_us, window })
    at_us = month.to_us
  }
  return months
}

/**
 * How the costs of shared owners are borne in the window, each calendar month for itself as on its statements: by the splits
 * that are given, or else by those in force.
 */
export const sharedCostsOf = async (context: Context, asked: TimeWindow, given?: unknown): Promise<SharedCosts> => {
  const inForce = await context.rules()
  const version = inForce.splits_version
  const splits = given === undefined ? inForce.splits(version) : readSplits(given)
  if (splits.rules.length === 0) return none
  const by = splits.dimension as Dimension
  const needs = [neededFor(by)]
  const ledger = await context.ledger()
  const tagging = inForce.tagging(inForce.tags_version)
  const id = given === undefined ? `splits-v${version}` : 'splits'
  const countsIn = async (window: TimeWindow): Promise<OutcomeCounts> => {
    if (!byOutcome(splits)) return {}
    const outcomes = await (await context.store()).outcomes.list(window)
    return countOutcomes(ledger, outcomes, { by, zone: 'UTC', tagging, window })
  }
  const found: Split[] = []
  for (const { month_us, window } of await monthsOf(ledger, asked)) {
    const { rows } = await ledger.query({ ask: 'owned', window, group_by: [by] })
    found.push(...sharedCosts(splits, bear(basesOf(rows, by), splits, await countsIn(window)), { id, month_us }))
  }
  return { splits: found, needs }
}
