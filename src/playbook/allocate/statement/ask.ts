/** Asks the ledger for everything that statements are made of. */
import type { ClosedMonth, OwnedRow } from '../../../core/allocation.ts'
import type { Dimension, Filter } from '../../../core/dimension.ts'
import type { Leak, Ledger, TimeWindow } from '../../../core/ledger.ts'
import { formatUsd, parseUsd, sum } from '../../../core/money.ts'
import type { OutcomeEvent } from '../../../core/outcome.ts'
import { byName } from '../split/split.ts'
import { countOutcomes } from '../unit-cost/counts.ts'
import { costPer, shareIn } from '../unit-cost/unit-cost.ts'
import { periodOf } from '../window/window.ts'
import { askCorrections, type ClosedDocument, firstOpenMonth } from './close.ts'
import type { Correction } from './corrections.ts'
import { historyWindow, landingOf } from './landing.ts'
import { basesOf, ownerOf, UNALLOCATED } from './owners.ts'
import type { StatementPeriod } from './period.ts'
import { type Rules, splitsFor } from './rules.ts'
import { bear, type OutcomeCounts } from './splits.ts'
import { type OwnerFacts, type StatementReport, statementOf, type UnitCost } from './statement.ts'
import type { Sides } from './why.ts'

export type StatementQuestion = Readonly<{
  by: Dimension
  period: StatementPeriod
  rules: Rules
  outcomes(window: TimeWindow): Promise<readonly OutcomeEvent[]>
  /** Closed months of the dimension, oldest first. */
  closes: readonly ClosedMonth[]
  /** What an owner may spend in a month, decimal US dollars. */
  budgets: Readonly<Record<string, string>>
  /** The same for each owner without one of its own. */
  budget_each?: string
  /** Only these owners get a statement; the totals are of all. */
  owners?: readonly string[]
  now_us: number
}>

/** What an owner may spend in a month; nobody has no budget. */
const budgetOf = (
  owner: string,
  { budgets, budget_each }: Pick<StatementQuestion, 'budgets' | 'budget_each'>,
): string | null => {
  if (Object.hasOwn(budgets, owner)) return budgets[owner] ?? null
  return owner === UNALLOCATED ? null : (budget_each ?? null)
}

type Asking = Pick<Ledger, 'query'>
type Both = Readonly<{ before: readonly OwnedRow[]; now: readonly OwnedRow[] }>

/** By which dimensions movers are looked for, each beside the owner's own. */
const moving: readonly Dimension[] = ['feature', 'customer', 'model', 'team']

const askBoth = async (ledger: Asking, question: StatementQuestion, group_by: readonly Dimension[]): Promise<Both> => {
  const { period, rules } = question
  const common = { ask: 'owned', group_by, zone: period.zone, ...rules.tagging(rules.tags_version) } as const
  const [now, before] = await Promise.all([
    ledger.query({ ...common, window: period.window }),
    ledger.query({ ...common, window: period.previous }),
  ])
  return { now: now.rows, before: before.rows }
}

const ownRows = (rows: readonly OwnedRow[], by: string, owner: string): readonly OwnedRow[] =>
  rows.filter(({ group }) => ownerOf(group[by]) === owner)

const ownBoth = ({ before, now }: Both, by: string, owner: string): Both => ({
  before: ownRows(before, by, owner),
  now: ownRows(now, by, owner),
})

const askCounts = async (ledger: Asking, question: StatementQuestion, window: TimeWindow): Promise<OutcomeCounts> => {
  const { by, period, rules } = question
  const tagging = rules.tagging(rules.tags_version)
  return countOutcomes(ledger, await question.outcomes(window), { by, zone: period.zone, tagging, window })
}

/** Days of the running month and before, for its forecast; none where the period does not reach into it. */
const askDays = async (ledger: Asking, { by, period, rules, now_us }: StatementQuestion) => {
  const { zone, window: shown } = period
  const month = periodOf({ every: 'month', zone }, now_us)
  if (shown.to_us <= month.from_us || shown.from_us > now_us) return []
  const window = historyWindow(now_us, zone)
  const tagging = rules.tagging(rules.tags_version)
  return (await ledger.query({ ask: 'owned', window, group_by: [by, 'day'], zone, ...tagging })).rows
}

const askLeaks = async (
  ledger: Asking,
  { by, period, rules }: StatementQuestion,
  owner: string,
): Promise<readonly Leak[]> => {
  const values = owner === UNALLOCATED ? [null, UNALLOCATED] : [owner]
  const filters: readonly Filter[] = [{ dimension: by, values }]
  const tagging = rules.tagging(rules.tags_version)
  return (await ledger.query({ ask: 'leaks', window: period.window, filters, examples: 0, ...tagging })).leaks
}

type Charges = ReturnType<typeof bear>

const chargeOf = (charges: Charges, owner: string) => charges.find((share) => share.owner === owner)

type Costing = Readonly<{
  charges: Readonly<{ now: Charges; before: Charges }>
  counts: Readonly<{ now: OutcomeCounts; before: OutcomeCounts }>
}>

const ownCount = (counts: Readonly<Record<string, number>> | undefined, owner: string): number =>
  counts !== undefined && Object.hasOwn(counts, owner) ? (counts[owner] ?? 0) : 0

const unitCostsOf = ({ charges, counts }: Costing, owner: string): readonly UnitCost[] =>
  [...new Set([...Object.keys(counts.now), ...Object.keys(counts.before)])].sort().flatMap((kind) => {
    const [is, was] = [ownCount(counts.now[kind], owner), ownCount(counts.before[kind], owner)]
    if (is === 0 && was === 0) return []
    const each = (some: Charges, count: number) => costPer(chargeOf(some, owner)?.total ?? parseUsd('0'), count)
    return [
      {
        kind,
        count: is,
        each_usd: each(charges.now, is),
        previous_count: was,
        previous_each_usd: each(charges.before, was),
      },
    ]
  })

const ownerNames = (costing: Costing, corrections: readonly Correction[], question: StatementQuestion) => {
  const { now, before } = costing.charges
  const all = [...now, ...before].filter(({ direct, total }) => direct !== 0n || total !== 0n).map(({ owner }) => owner)
  const names = new Set([...now.map(({ owner }) => owner), ...all, ...corrections.map(({ owner }) => owner)])
  for (const owner of Object.keys(question.budgets)) names.add(owner)
  const cost = (owner: string) => chargeOf(now, owner)?.total ?? 0n
  return [...names].sort((one, other) => {
    const [a, b] = [cost(one), cost(other)]
    return a === b ? byName(one, other) : a > b ? -1 : 1
  })
}

const lateIn = async (ledger: Asking, question: StatementQuestion) => {
  const { by, period, rules, closes, outcomes } = question
  const carries = period.every === 'month' && firstOpenMonth(closes) === period.name
  if (!carries || closes.at(-1)?.zone !== period.zone) return { corrections: [], snapshots: [] }
  return askCorrections(ledger, closes, { by, zone: period.zone, rules, outcomes })
}

const costingOf = async (ledger: Asking, question: StatementQuestion): Promise<Costing> => {
  const { by, rules, period } = question
  const owned = await askBoth(ledger, question, [by])
  const counts = {
    now: await askCounts(ledger, question, period.window),
    before: await askCounts(ledger, question, period.previous),
  }
  const splits = splitsFor(rules, rules.splits_version, by)
  const charges = {
    now: bear(basesOf(owned.now, by), splits, counts.now),
    before: bear(basesOf(owned.before, by), splits, counts.before),
  }
  return { charges, counts }
}

const sumOf = (charges: Charges) => sum(charges.map(({ total }) => total))

const totalsOf = ({ charges }: Costing, corrections: readonly Correction[]) => {
  const total = sumOf(charges.now)
  const late = sum(corrections.map(({ amount_usd }) => parseUsd(amount_usd)))
  const nobody = chargeOf(charges.now, UNALLOCATED)?.total ?? parseUsd('0')
  return {
    total_usd: formatUsd(total),
    previous_usd: formatUsd(sumOf(charges.before)),
    corrections_usd: formatUsd(late),
    charge_usd: formatUsd(sum([total, late])),
    unallocated: { cost_usd: formatUsd(nobody), share: shareIn(Number(nobody), Number(total)) },
  }
}

export type AskedStatements = Readonly<{ report: StatementReport; snapshots: ClosedDocument['snapshots'] }>

/**
 * The statements of a period, one an owner, dearest first. Their totals sum to the receipts; corrections of closed months
 * are in the first open month's. Throws WeirError `bad-input` where splits cannot be applied.
 */
export const askStatements = async (ledger: Asking, question: StatementQuestion): Promise<AskedStatements> => {
  const { by, rules, period, now_us } = question
  const costing = await costingOf(ledger, question)
  const late = await lateIn(ledger, question)
  const names = ownerNames(costing, late.corrections, question)
  const chosen = names.filter((owner) => question.owners?.includes(owner) ?? true)
  const models = await askBoth(ledger, question, [by, 'provider', 'model'])
  const sides: (Sides & Both)[] = []
  for (const dimension of moving.filter((one) => one !== by)) {
    sides.push({ dimension, ...(dimension === 'model' ? models : await askBoth(ledger, question, [by, dimension])) })
  }
  const days = await askDays(ledger, question)
  const all = sumOf(costing.charges.now)
  const statements = []
  for (const owner of chosen) {
    const facts: OwnerFacts = {
      owner,
      all,
      now: chargeOf(costing.charges.now, owner),
      before: chargeOf(costing.charges.before, owner),
      models: ownBoth(models, by, owner),
      sides: sides.map(({ dimension, ...both }) => ({ dimension, ...ownBoth(both, by, owner) })),
      corrections: late.corrections.filter((correction) => correction.owner === owner),
      forecast: landingOf(ownRows(days, by, owner), now_us, period.zone),
      budget_usd: budgetOf(owner, question),
      unit_costs: unitCostsOf(costing, owner),
      leaks: chargeOf(costing.charges.now, owner)?.direct ? await askLeaks(ledger, question, owner) : [],
    }
    statements.push(statementOf(facts))
  }
  const { tags_version, splits_version } = rules
  return {
    report: {
      by,
      period,
      ...totalsOf(costing, late.corrections),
      rules: { tags_version, splits_version },
      closed: null,
      statements,
    },
    snapshots: late.snapshots,
  }
}
