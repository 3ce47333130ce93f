import type { OwnedRow } from '../../../core/allocation.ts'
import type { Leak } from '../../../core/ledger.ts'
import { formatUsd, type Picodollars, parseUsd, picodollars, sum } from '../../../core/money.ts'
import type { Mover } from '../movers.ts'
import type { OwnerShare } from '../split/reallocate.ts'
import { shareIn } from '../unit-cost/unit-cost.ts'
import type { Correction } from './corrections.ts'
import type { Landing } from './landing.ts'
import type { StatementPeriod } from './period.ts'
import { explainChange, moversOf, type Sides, type Why } from './why.ts'

/** What an outcome cost: fully loaded, so with the owner's part of shared costs; null where there was none. */
export type UnitCost = Readonly<{
  kind: string
  count: number
  each_usd: string | null
  previous_count: number
  previous_each_usd: string | null
}>

export type Waste = Readonly<{ kind: Leak['kind']; cost_usd: string; share: number; finding: string }>

/** One owner's account of a period. Money is decimal US dollars, exact. */
export type Statement = Readonly<{
  owner: string
  /** What the owner's own receipts cost. */
  direct_usd: string
  /** What it bears of others' cost, by shared owner; what it hands on is negative under its own name. */
  shared: readonly Readonly<{ from: string; cost_usd: string }>[]
  /** Direct and shared. The totals of all owners sum to the receipts. */
  total_usd: string
  /** Of all owners' total, 0 to 1. */
  share: number | null
  previous_usd: string
  change_usd: string
  /** Why the direct cost changed, and by how much the shared cost did: they sum to the change. */
  why: Why & Readonly<{ shared_usd: string }>
  movers: readonly Mover[]
  /** What came too late for months that were closed. */
  corrections: readonly Correction[]
  /** What is to be charged: the total and the corrections. */
  charge_usd: string
  forecast: Landing | null
  budget_usd: string | null
  unit_costs: readonly UnitCost[]
  calls: number
  attempts: number
  errors: number
  input_tokens: number
  output_tokens: number
  /** Share of input tokens that came from a provider's cache. */
  cache_share: number | null
  previous_cache_share: number | null
  /** Share of tokens served at a discount for waiting: batch, flex, off-peak. */
  batch_share: number | null
  /** Receipts in this period that correct the price of earlier ones, and what they add. */
  rerated: Readonly<{ receipts: number; cost_usd: string }>
  /** Where money leaked; kinds overlap. */
  waste: readonly Waste[]
  /** Share of calls whose cost is known, and those whose is not. */
  coverage: Readonly<{
    share: number | null
    unpriced_calls: number
    unmetered_calls: number
    estimated_calls: number
  }>
}>

export type StatementReport = Readonly<{
  by: string
  period: StatementPeriod
  /** The sum of the receipts, and of the statements' totals. */
  total_usd: string
  previous_usd: string
  corrections_usd: string
  charge_usd: string
  unallocated: Readonly<{ cost_usd: string; share: number | null }>
  rules: Readonly<{ tags_version: number; splits_version: number }>
  closed: Readonly<{ closed_at_us: number; sha256: string }> | null
  statements: readonly Statement[]
}>

/** Everything that one owner's statement is made of. */
export type OwnerFacts = Readonly<{
  owner: string
  all: Picodollars
  now: OwnerShare | undefined
  before: OwnerShare | undefined
  /** Groups by provider and model. */
  models: Readonly<{ before: readonly OwnedRow[]; now: readonly OwnedRow[] }>
  sides: readonly Sides[]
  corrections: readonly Correction[]
  forecast: Landing | null
  budget_usd: string | null
  unit_costs: readonly UnitCost[]
  leaks: readonly Leak[]
}>

const total = (rows: readonly OwnedRow[], field: NumberField): number =>
  rows.reduce((sum_so_far, row) => sum_so_far + row[field], 0)
type NumberField = { [K in keyof OwnedRow]: OwnedRow[K] extends number ? K : never }[keyof OwnedRow]

const usd = (amount: bigint): string => formatUsd(picodollars(amount))

const sharedOf = (share: OwnerShare | undefined): bigint => (share?.total ?? 0n) - (share?.direct ?? 0n)

const wasteOf = (leaks: readonly Leak[]): readonly Waste[] =>
  leaks
    .filter(({ cost_usd }) => parseUsd(cost_usd) > 0n)
    .map(({ kind, cost_usd, share, finding }) => ({ kind, cost_usd, share, finding }))

const usageOf = ({ before, now }: OwnerFacts['models']) => {
  const [input, output] = [total(now, 'input_tokens'), total(now, 'output_tokens')]
  const [calls, unpriced, unmetered] = [
    total(now, 'calls'),
    total(now, 'unpriced_calls'),
    total(now, 'unmetered_calls'),
  ]
  return {
    calls,
    attempts: total(now, 'attempts'),
    errors: total(now, 'errors'),
    input_tokens: input,
    output_tokens: output,
    cache_share: shareIn(total(now, 'cache_read_tokens'), input),
    previous_cache_share: shareIn(total(before, 'cache_read_tokens'), total(before, 'input_tokens')),
    batch_share: shareIn(total(now, 'batch_tokens'), input + output),
    rerated: {
      receipts: total(now, 'corrections'),
      cost_usd: formatUsd(sum(now.map(({ corrections_usd }) => parseUsd(corrections_usd)))),
    },
    coverage: {
      share: shareIn(Math.max(0, calls - unpriced - unmetered), calls),
      unpriced_calls: unpriced,
      unmetered_calls: unmetered,
      estimated_calls: total(now, 'estimated_calls'),
    },
  }
}

/** The statement of one owner. */
export const statementOf = (facts: OwnerFacts): Statement => {
  const { owner, all, now, before, models, corrections } = facts
  const [is, was] = [now?.total ?? 0n, before?.total ?? 0n]
  const late = corrections.reduce((so_far, { amount_usd }) => so_far + parseUsd(amount_usd), 0n)
  return {
    owner,
    direct_usd: usd(now?.direct ?? 0n),
    shared: Object.entries(now?.shared ?? {}).map(([from, cost]) => ({ from, cost_usd: usd(cost) })),
    total_usd: usd(is),
    share: shareIn(Number(is), Number(all)),
    previous_usd: usd(was),
    change_usd: usd(is - was),
    why: { ...explainChange(models.before, models.now), shared_usd: usd(sharedOf(now) - sharedOf(before)) },
    movers: moversOf(facts.sides),
    corrections,
    charge_usd: usd(is + late),
    forecast: facts.forecast,
    budget_usd: facts.budget_usd,
    unit_costs: facts.unit_costs,
    ...usageOf(models),
    waste: wasteOf(facts.leaks),
  }
}
