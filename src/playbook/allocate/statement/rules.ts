import type { RuleSet, VirtualTag } from '../../../core/allocation.ts'
import { noSplits, readSplits, type Splits } from './splits.ts'

/** What a question to the ledger carries of the rules; none is said too, so that nobody adds those in force. */
export type Tagging = Readonly<{ tags: readonly VirtualTag[] }>

/** The rules in force, by version; version 0 is no rules. Any earlier version can be had too. */
export type Rules = Readonly<{
  tags_version: number
  splits_version: number
  tagging(version: number): Tagging
  splits(version: number): Splits
}>

const latest = (sets: readonly RuleSet[]): number => sets.at(-1)?.version ?? 0

/** The rules of the store's lists, oldest version first. */
export const rulesOf = (tags: readonly RuleSet[], splits: readonly RuleSet[]): Rules => {
  const at = (sets: readonly RuleSet[], version: number): unknown => {
    const found = sets.find((set) => set.version === version)
    return found === undefined ? undefined : (JSON.parse(found.rules) as unknown)
  }
  return {
    tags_version: latest(tags),
    splits_version: latest(splits),
    tagging: (version) => ({ tags: (at(tags, version) ?? []) as readonly VirtualTag[] }),
    splits: (version) => {
      const found = at(splits, version)
      return found === undefined ? noSplits : readSplits(found)
    },
  }
}

/** The splits of a dimension; those of another do not concern its owners. */
export const splitsFor = (rules: Rules, version: number, by: string): Splits => {
  const splits = rules.splits(version)
  return splits.dimension === by ? splits : { dimension: by, rules: [] }
}
