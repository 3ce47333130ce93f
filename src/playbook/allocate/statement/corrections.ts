import { formatUsd, parseUsd, picodollars } from '../../../core/money.ts'
import type { Bases, Basis } from './owners.ts'
import { bear, type OutcomeCounts, type Splits } from './splits.ts'

/** Why a closed month comes out differently now. */
export type CorrectionReason = 'late-receipts' | 're-rated' | 'tag-rules' | 'split-rules' | 'outcomes'

/** A difference to what was charged for a closed month. */
export type Correction = Readonly<{
  /** The closed month it belongs to. */
  month: string
  owner: string
  reason: CorrectionReason
  amount_usd: string
}>

/** What a closed month's charges were computed from, and the charges. */
export type Snapshot = Readonly<{
  month: string
  tags_version: number
  splits_version: number
  bases: Bases
  outcomes: OutcomeCounts
  charged: Readonly<Record<string, string>>
}>

/** A closed month as it looks now. */
export type Present = Readonly<{
  /** Under the tag rules of the snapshot … */
  as_tagged_then: Bases
  /** … and under those in force. */
  as_tagged_now: Bases
  outcomes: OutcomeCounts
  splits_then: Splits
  splits_now: Splits
}>

type Charges = ReadonlyMap<string, bigint>

const chargesOf = (bases: Bases, splits: Splits, outcomes: OutcomeCounts): Charges =>
  new Map(bear(bases, splits, outcomes).map(({ owner, total }) => [owner, total]))

const none: Basis = { cost_usd: '0', corrections_usd: '0', calls: 0, input_tokens: 0, output_tokens: 0 }

/** Everything of `now` but the corrections of receipts, which are those of `then`. */
const withoutRerating = (now: Bases, then: Bases): Bases => {
  const of = (bases: Bases, owner: string) => (Object.hasOwn(bases, owner) ? (bases[owner] ?? none) : none)
  const owners = [...new Set([...Object.keys(now), ...Object.keys(then)])]
  return Object.fromEntries(
    owners.map((owner) => [owner, { ...of(now, owner), corrections_usd: of(then, owner).corrections_usd }]),
  )
}

const differences = (before: Charges, after: Charges): [string, bigint][] =>
  [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((owner): [string, bigint] => [owner, (after.get(owner) ?? 0n) - (before.get(owner) ?? 0n)])
    .filter(([, moved]) => moved !== 0n)

/**
 * What a closed month comes to now against what was charged for it, owner by owner and reason by reason. One thing after
 * the other is brought up to date, so the corrections of an owner sum to the whole difference, to the picodollar.
 */
export const correctionsOf = (then: Snapshot, now: Present): readonly Correction[] => {
  const { as_tagged_then, as_tagged_now, splits_then, splits_now } = now
  const steps: readonly (readonly [CorrectionReason, Charges])[] = [
    ['late-receipts', chargesOf(withoutRerating(as_tagged_then, then.bases), splits_then, then.outcomes)],
    ['re-rated', chargesOf(as_tagged_then, splits_then, then.outcomes)],
    ['tag-rules', chargesOf(as_tagged_now, splits_then, then.outcomes)],
    ['split-rules', chargesOf(as_tagged_now, splits_now, then.outcomes)],
    ['outcomes', chargesOf(as_tagged_now, splits_now, now.outcomes)],
  ]
  let before: Charges = new Map(Object.entries(then.charged).map(([owner, text]) => [owner, parseUsd(text)]))
  return steps.flatMap(([reason, after]) => {
    const moved = differences(before, after)
    before = after
    return moved.map(([owner, amount]) => ({
      month: then.month,
      owner,
      reason,
      amount_usd: formatUsd(picodollars(amount)),
    }))
  })
}

/** What a month's charges are computed from, and what they come to. */
export const snapshotOf = (
  month: string,
  { bases, outcomes, splits, ...versions }: Omit<Snapshot, 'month' | 'charged'> & Readonly<{ splits: Splits }>,
): Snapshot => ({
  month,
  ...versions,
  bases,
  outcomes,
  charged: Object.fromEntries(
    [...chargesOf(bases, splits, outcomes)].map(([owner, amount]) => [owner, formatUsd(picodollars(amount))]),
  ),
})
