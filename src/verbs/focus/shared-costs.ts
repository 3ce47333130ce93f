import type { Dimension } from '../../core/dimension.ts'
import type { Split } from '../../core/exporter.ts'
import type { ChargeDimension, TimeWindow } from '../../core/ledger.ts'
import { neededFor, sharedCosts } from '../../playbook/allocate/focus/shared-costs.ts'
import { basesOf } from '../../playbook/allocate/statement/owners.ts'
import { bear, type OutcomeCounts, readSplits, type Splits } from '../../playbook/allocate/statement/splits.ts'
import { countOutcomes } from '../../playbook/allocate/unit-cost/counts.ts'
import type { Context } from '../verb.ts'

export type SharedCosts = Readonly<{ splits: readonly Split[]; needs: readonly ChargeDimension[] }>

export const none: SharedCosts = { splits: [], needs: [] }

const byOutcome = ({ rules }: Splits): boolean =>
  rules.some((rule) => rule.by === 'usage' && rule.metric.startsWith('outcome:'))

/** How the costs of shared owners are borne in the window: by the splits that are given, or else by those in force. */
export const sharedCostsOf = async (context: Context, window: TimeWindow, given?: unknown): Promise<SharedCosts> => {
  const inForce = await context.rules()
  const version = inForce.splits_version
  const splits = given === undefined ? inForce.splits(version) : readSplits(given)
  if (splits.rules.length === 0) return none
  const by = splits.dimension as Dimension
  const needs = [neededFor(by)]
  const ledger = await context.ledger()
  const { rows } = await ledger.query({ ask: 'owned', window, group_by: [by] })
  const tagging = inForce.tagging(inForce.tags_version)
  const counts: OutcomeCounts = byOutcome(splits)
    ? await countOutcomes(ledger, await (await context.store()).outcomes.list(window), {
        by,
        zone: 'UTC',
        tagging,
        window,
      })
    : {}
  const id = given === undefined ? `splits-v${version}` : 'splits'
  return { splits: sharedCosts(splits, bear(basesOf(rows, by), splits, counts), id), needs }
}
