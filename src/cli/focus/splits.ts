import type { Split } from '../../core/exporter.ts'
import type { ChargeDimension, Dimension, Ledger, TimeWindow } from '../../core/ledger.ts'
import { neededFor, sharedCosts } from '../../playbook/allocate/focus/shared-costs.ts'
import { basesOf } from '../../playbook/allocate/statement/owners.ts'
import { bear, type OutcomeCounts, readSplits, type Splits } from '../../playbook/allocate/statement/splits.ts'
import { countOutcomes } from '../../playbook/allocate/unit-cost/counts.ts'
import type { FolderFlags } from '../asking.ts'
import { withStore } from '../keys/vault.ts'
import { readDocument } from '../tags/file.ts'
import { rulesAt } from '../tags/rules-at.ts'

export type SharedCosts = Readonly<{ splits: readonly Split[]; needs: readonly ChargeDimension[] }>

export const none: SharedCosts = { splits: [], needs: [] }

type Asked = Readonly<{
  ledger: Ledger
  data: string
  window: TimeWindow
  /** A file of splits, instead of those in force. */
  file?: string | undefined
}>

const byOutcome = ({ rules }: Splits): boolean =>
  rules.some((rule) => rule.by === 'usage' && rule.metric.startsWith('outcome:'))

/** How the costs of shared owners are borne in the window: by the splits of a file, or else by those in force. */
export const sharedCostsOf = async (
  flags: FolderFlags,
  { ledger, data, window, file }: Asked,
): Promise<SharedCosts> => {
  const inForce = await rulesAt(data)
  const version = inForce.splits_version
  const splits = file === undefined ? inForce.splits(version) : readSplits(readDocument(file))
  if (splits.rules.length === 0) return none
  const by = splits.dimension as Dimension
  const needs = [neededFor(by)]
  const { rows } = await ledger.query({ ask: 'owned', window, group_by: [by] })
  const tagging = inForce.tagging(inForce.tags_version)
  const counts: OutcomeCounts = byOutcome(splits)
    ? await withStore(flags, async (store) =>
        countOutcomes(ledger, await store.outcomes.list(window), { by, zone: 'UTC', tagging, window }),
      )
    : {}
  const id = file === undefined ? `splits-v${version}` : 'splits'
  return { splits: sharedCosts(splits, bear(basesOf(rows, by), splits, counts), id), needs }
}
