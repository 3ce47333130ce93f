import type { Store } from '../../core/store.ts'
import { ownersOf } from '../../playbook/allocate/alert/owners.ts'
import { observe, spendTrend } from '../../playbook/allocate/detect/detect.ts'
import { observationOf } from '../../playbook/allocate/detect/observation.ts'
import type { DetectSettings } from '../../playbook/allocate/detect/settings.ts'
import type { Watched } from '../../playbook/allocate/detect/watched.ts'
import { rulesOf } from '../../playbook/allocate/statement/rules.ts'
import { readTagRules } from '../../playbook/allocate/tags/read.ts'
import { compileTagRules, type TagRules } from '../../playbook/allocate/tags/rules.ts'
import type { Log } from '../log.ts'
import type { Prices } from '../prices.ts'
import type { BudgetWatch } from './budget-watch.ts'
import type { Memory } from './memory.ts'
import type { Found } from './record.ts'

export type FinderOptions = Readonly<{ store: Store; prices: Prices; log: Log; budgets?: BudgetWatch }>

export type Finder = Readonly<{
  /** One look at a receipt: what the detectors find in it. Throws nothing. */
  find(receipt: Watched): readonly Found[]
  /** Reads the rules in force for who pays. */
  read(): Promise<void>
}>

/** When the prices of a receipt were last compared with their source: the oldest of its rows. */
const checkedAt = ({ rows }: Prices) => {
  const moments = new Map(rows.map(({ id, checked_at }) => [id, Date.parse(checked_at ?? '') * 1000]))
  return ({ price_rows }: Watched): number | undefined => {
    let oldest: number | undefined
    for (const row of price_rows) {
      const at_us = moments.get(row) ?? Number.NaN
      if (at_us < (oldest ?? Number.POSITIVE_INFINITY)) oldest = at_us
    }
    return oldest
  }
}

const rulesIn = async ({ rules }: Store): Promise<TagRules | undefined> => {
  const known = rulesOf(await rules.list('tags'), [])
  const { rules: tags } = readTagRules(known.tagging(known.tags_version).tags)
  return tags.length === 0 ? undefined : compileTagRules(tags)
}

/** Looks at receipts with their payers as the rules in force say them. */
export const finder = (options: FinderOptions, memory: Memory, settings: DetectSettings): Finder => {
  const { store, prices, budgets, log } = options
  const checked_at_us = checkedAt(prices)
  let tags: TagRules | undefined

  const look = (receipt: Watched): readonly Found[] => {
    const { detection } = memory
    const paid = tags ? { ...receipt, ...tags.apply(receipt).values } : receipt
    const { shapes, budgets: burning } = budgets?.burning() ?? {}
    const prices_checked_at_us = checked_at_us(receipt)
    const call = observationOf(paid, { owners: ownersOf(paid, shapes, burning), prices_checked_at_us })
    if (!call) return []
    const findings = observe(detection, call, settings, burning)
    return findings.map((finding) => ({ finding, receipt, trend_usd: spendTrend(detection, finding.owner) }))
  }
  return {
    find(receipt) {
      try {
        return look(receipt)
      } catch (error) {
        log.event('a receipt could not be watched', { receipt: receipt.receipt_id, error: (error as Error).name })
        return []
      }
    },
    async read() {
      tags = await rulesIn(store)
    },
  }
}
