import { MINUTE_US } from '../../core/date.ts'
import type { Store } from '../../core/store.ts'
import { ownersOf } from '../../playbook/allocate/alert/owners.ts'
import { type Budgets, observeAlike, observeEach, spendTrend } from '../../playbook/allocate/detect/detect.ts'
import type { Finding } from '../../playbook/allocate/detect/finding.ts'
import type { DetectSettings } from '../../playbook/allocate/detect/settings.ts'
import {
  gather,
  gathered,
  type Said,
  type Sighting,
  type Strand,
  say,
  seenOf,
} from '../../playbook/allocate/detect/strand.ts'
import { rulesOf } from '../../playbook/allocate/statement/rules.ts'
import { readTagRules } from '../../playbook/allocate/tags/read.ts'
import { compileTagRules, type TagRules } from '../../playbook/allocate/tags/rules.ts'
import type { Log } from '../log.ts'
import type { Prices } from '../prices.ts'
import type { BudgetWatch, Burning } from './budget-watch.ts'
import type { Memory } from './memory.ts'
import type { Found } from './record.ts'

export type FinderOptions = Readonly<{ store: Store; prices: Prices; log: Log; budgets?: BudgetWatch }>

export type Finder = Readonly<{
  /** One look at a receipt: what the detectors find in it, and in those of the minute before it. Throws nothing. */
  find(strand: Strand, one: Sighting): readonly Found[]
  /** What is found in the receipts that were gathered since and count together. Throws nothing. */
  flush(): readonly Found[]
  /** Reads the rules in force for who pays. */
  read(): Promise<void>
}>

/** When the prices of a receipt were last compared with their source: the oldest of its rows. */
const checkedAt = ({ rows }: Prices) => {
  const moments = new Map(rows.map(({ id, checked_at }) => [id, Date.parse(checked_at ?? '') * 1000]))
  return ({ alike }: Strand): number | undefined => {
    let oldest: number | undefined
    for (const row of alike.price_rows) {
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

const nothing: readonly Found[] = []
const notBurning: Burning = { budgets: new Map(), shapes: [] }

/** What is in force: who pays by the rules, and which budgets burn. Another object whenever either changes. */
type InForce = Readonly<{ tags: TagRules | undefined; burning: Burning; budgets: Budgets }>

/** Looks at receipts with their payers as the rules in force say them. */
export const finder = (options: FinderOptions, memory: Memory, settings: DetectSettings): Finder => {
  const { store, prices, budgets, log } = options
  const checked_at_us = checkedAt(prices)
  let rules: InForce = { tags: undefined, burning: notBurning, budgets: notBurning.budgets }
  let waiting: Strand[] = []
  let minute = 0

  const inForce = (): InForce => {
    const burning = budgets?.burning() ?? notBurning
    if (burning !== rules.burning) rules = { ...rules, burning, budgets: burning.budgets }
    return rules
  }
  const saidOf = (strand: Strand, by: InForce): Said => {
    const { alike } = strand
    const paid = by.tags ? { ...alike, ...by.tags.apply(alike).values } : alike
    const owners = ownersOf(paid, by.burning.shapes, by.budgets)
    return { paid, owners, prices_checked_at_us: checked_at_us(strand), by }
  }
  const shown = (findings: readonly Finding[], { alike }: Strand): readonly Found[] =>
    findings.map((finding) => ({
      finding,
      receipt: alike,
      trend_usd: spendTrend(memory.detection, finding.owner),
    }))
  const failed = (receipt: string, error: unknown): void =>
    log.trouble('a receipt could not be watched', { receipt, error: (error as Error).name })

  const flush = (): readonly Found[] => {
    const now = waiting
    waiting = []
    let found: Found[] | undefined
    for (const strand of now) {
      const { said } = strand
      if (!said) continue
      const together = gathered(strand, said)
      try {
        const findings = observeAlike(memory.detection, together, settings, rules.budgets)
        if (findings.length > 0) found = [...(found ?? []), ...shown(findings, strand)]
      } catch (error) {
        failed(together.id, error)
      }
    }
    return found ?? nothing
  }
  const look = (strand: Strand, one: Sighting): readonly Found[] => {
    const by = inForce()
    const names = strand.names && strand.said?.by === by ? strand.names : say(strand, saidOf(strand, by))
    const findings = observeEach(memory.detection, seenOf(strand, one), names, settings)
    if (strand.sums.calls === 0) waiting.push(strand)
    gather(strand, one)
    return findings.length === 0 ? nothing : shown(findings, strand)
  }
  return {
    find(strand, one) {
      if (!strand.spends) return nothing
      const now = Math.floor(one.at_us / MINUTE_US)
      const before = now === minute ? nothing : flush()
      minute = now
      try {
        const found = look(strand, one)
        return before.length === 0 ? found : [...before, ...found]
      } catch (error) {
        failed(one.id, error)
        return before
      }
    },
    flush,
    async read() {
      rules = { ...rules, tags: await rulesIn(store) }
    },
  }
}
