/** Cost of an outcome: fully loaded spend over what happened, by owner and over time. */
import type { OwnedRow } from '../../../core/allocation.ts'
import type { Dimension } from '../../../core/dimension.ts'
import type { Ledger, SpendRow, TimeWindow } from '../../../core/ledger.ts'
import { formatUsd, type Picodollars, parseUsd, picodollars, sum, ZERO } from '../../../core/money.ts'
import type { OutcomeEvent } from '../../../core/outcome.ts'
import { type OwnerShare, reallocate } from '../split/reallocate.ts'
import { byName } from '../split/split.ts'
import { basesOf, ownerOf } from '../statement/owners.ts'
import { type Rules, splitsFor } from '../statement/rules.ts'
import { bear, type OutcomeCounts, type Splits } from '../statement/splits.ts'
import { countByOwner, ownerOfOutcome, type SessionOwners } from './attribute.ts'
import { countOutcomes, sessionOwners } from './counts.ts'
import { askSessions } from './sessions.ts'
import { costPer, shareIn } from './unit-cost.ts'

export type UnitCostQuestion = Readonly<{
  kind: string
  by: Dimension
  window: TimeWindow
  zone: string
  /** Equal slices of the window for the trend. */
  slices: number
  rules: Rules
  /** Outcomes of a window, of every kind. */
  outcomes(window: TimeWindow): Promise<readonly OutcomeEvent[]>
}>

/** Money is decimal US dollars, exact. */
export type UnitCostRow = Readonly<{
  /** Null in the total. */
  owner: string | null
  direct_usd: string
  /** Its part of shared costs, or what it hands on as negative. */
  shared_usd: string
  cost_usd: string
  count: number
  /** Cost over count, rounded to the picodollar; null where there was no outcome. */
  each_usd: string | null
  previous_count: number
  previous_each_usd: string | null
  /** Share of output tokens that are of attempts that ended well in sessions that led to such an outcome, now or later; null where no outcome names a session. */
  token_yield: number | null
  output_tokens: number
  useful_output_tokens: number
  /** Cost of an outcome by slice, oldest first; null where a slice has none. */
  trend_usd: readonly (string | null)[]
}>

export type UnitCostReport = Readonly<{
  kind: string
  by: string
  window: TimeWindow
  zone: string
  total: UnitCostRow
  rows: readonly UnitCostRow[]
  /** Outcomes that name no owner, and no session that has one. */
  unallocated_count: number
  /** Outcomes that name a session. */
  with_session: number
  events: number
}>

type Asking = Pick<Ledger, 'query'>
type Counts = ReadonlyMap<string, number>

const lengthOf = ({ from_us, to_us }: TimeWindow): number => to_us - from_us
const beforeOf = (window: TimeWindow): TimeWindow => ({
  from_us: Math.max(0, window.from_us - lengthOf(window)),
  to_us: window.from_us,
})

/** One window: who bears what, and how many outcomes each has. */
const askWindow = async (ledger: Asking, question: UnitCostQuestion, window: TimeWindow) => {
  const { by, zone, rules, kind } = question
  const tagging = rules.tagging(rules.tags_version)
  const splits = splitsFor(rules, rules.splits_version, by)
  const { rows } = await ledger.query({ ask: 'owned', window, group_by: [by], zone, ...tagging })
  const events = await question.outcomes(window)
  const needed = events.filter((event) => event.kind === kind || splits.rules.some((rule) => goesBy(rule, event.kind)))
  const counts = await countOutcomes(ledger, needed, { by, zone, tagging, window })
  return { rows, counts, splits, shares: bear(basesOf(rows, by), splits, counts) }
}

const goesBy = (rule: Splits['rules'][number], kind: string): boolean =>
  rule.by === 'usage' && rule.metric === `outcome:${kind}`

const countsOf = (counts: OutcomeCounts, kind: string): Counts =>
  new Map(Object.hasOwn(counts, kind) ? Object.entries(counts[kind] ?? {}) : [])

/** Output tokens by owner, all and those that led to an outcome. */
const askYield = async (ledger: Asking, question: UnitCostQuestion, rows: readonly OwnedRow[]) => {
  const { by, zone, rules, window, kind } = question
  const tagging = rules.tagging(rules.tags_version)
  // A session of this window may have led to its outcome after it.
  const later = await question.outcomes({ from_us: window.from_us, to_us: Number.MAX_SAFE_INTEGER })
  const events = later.filter((event) => event.kind === kind && event.count > 0)
  const sessions = await askSessions(ledger, events, { window, by, zone, tagging })
  const tokensBy = (some: readonly OwnedRow[], field: 'output_tokens' | 'useful_output_tokens'): Counts => {
    const found = new Map<string, number>()
    for (const row of some) {
      const owner = ownerOf(row.group[by])
      found.set(owner, (found.get(owner) ?? 0) + row[field])
    }
    return found
  }
  return {
    known: events.some(({ session }) => session !== undefined),
    all: tokensBy(rows, 'output_tokens'),
    useful: tokensBy(sessions, 'useful_output_tokens'),
  }
}

const slicesOf = (events: readonly OutcomeEvent[], { window, slices, by }: UnitCostQuestion, owners: SessionOwners) => {
  const inSlice = (event: OutcomeEvent) =>
    Math.min(slices - 1, Math.floor(((event.at_us - window.from_us) * slices) / lengthOf(window)))
  return Array.from({ length: slices }, (_, slice) =>
    countByOwner(
      events.filter((event) => inSlice(event) === slice),
      by,
      owners,
    ),
  )
}

/** Spend of each slice by owner, shared costs handed on within the slice. */
const borneBySlice = (rows: readonly SpendRow[], { by, slices }: UnitCostQuestion, splits: Splits) =>
  Array.from({ length: slices }, (_, slice) => {
    const costs = new Map<string, Picodollars>()
    for (const { group, trend_usd = [] } of rows) {
      const owner = ownerOf(group[by])
      costs.set(owner, picodollars((costs.get(owner) ?? 0n) + parseUsd(trend_usd[slice] ?? '0')))
    }
    // What follows usage follows it over the whole window, and has no slices: it is shown by spend.
    const rules = splits.rules.map((rule) => (rule.by === 'usage' ? withoutMetric(rule) : rule))
    return new Map(reallocate(costs, rules).map(({ owner, total }) => [owner, total]))
  })

const withoutMetric = (rule: Splits['rules'][number]): Splits['rules'][number] => ({
  from: rule.from,
  ...('to' in rule && rule.to !== undefined ? { to: rule.to } : {}),
  by: 'spend',
})

const askTrend = async (ledger: Asking, question: UnitCostQuestion, splits: Splits) => {
  const { by, zone, rules, window, slices, kind } = question
  const tagging = rules.tagging(rules.tags_version)
  const spend = await ledger.query({ ask: 'spend', window, group_by: [by], zone, slices, ...tagging })
  const events = (await question.outcomes(window)).filter((event) => event.kind === kind)
  const owners = await sessionOwners(ledger, events, { by, zone, tagging, window })
  const counts = slicesOf(events, question, owners)
  const costs = borneBySlice(spend.rows, question, splits)
  return {
    events,
    unowned: events.filter((event) => ownerOfOutcome(event, by, owners) === ownerOf(null)),
    of: (owner: string) =>
      counts.map((count, slice) => costPer(costs[slice]?.get(owner) ?? ZERO, count.get(owner) ?? 0)),
    total: counts.map((count, slice) => {
      const all = [...count.values()].reduce((so_far, n) => so_far + n, 0)
      return costPer(sum(costs[slice]?.values() ?? []), all)
    }),
  }
}

const total = (counts: Counts): number => [...counts.values()].reduce((so_far, n) => so_far + n, 0)

type Side = Readonly<{ shares: readonly OwnerShare[]; counts: Counts }>
type Figures = Readonly<{
  now: Side
  before: Side
  yields: Awaited<ReturnType<typeof askYield>>
}>

const rowOf = (owner: string, { now, before, yields }: Figures, trend_usd: UnitCostRow['trend_usd']): UnitCostRow => {
  const share = now.shares.find((one) => one.owner === owner)
  const was = before.shares.find((one) => one.owner === owner)
  const [cost, direct] = [share?.total ?? ZERO, share?.direct ?? ZERO]
  const [count, previous_count] = [now.counts.get(owner) ?? 0, before.counts.get(owner) ?? 0]
  const [output_tokens, useful] = [yields.all.get(owner) ?? 0, yields.useful.get(owner) ?? 0]
  return {
    owner,
    direct_usd: formatUsd(direct),
    shared_usd: formatUsd(picodollars(cost - direct)),
    cost_usd: formatUsd(cost),
    count,
    each_usd: costPer(cost, count),
    previous_count,
    previous_each_usd: costPer(was?.total ?? ZERO, previous_count),
    token_yield: yields.known ? shareIn(useful, output_tokens) : null,
    output_tokens,
    useful_output_tokens: useful,
    trend_usd,
  }
}

const totalRow = ({ now, before, yields }: Figures, trend_usd: UnitCostRow['trend_usd']): UnitCostRow => {
  const cost = sum(now.shares.map((share) => share.total))
  const [count, previous_count] = [total(now.counts), total(before.counts)]
  const [output_tokens, useful] = [total(yields.all), total(yields.useful)]
  return {
    owner: null,
    direct_usd: formatUsd(cost),
    shared_usd: '0',
    cost_usd: formatUsd(cost),
    count,
    each_usd: costPer(cost, count),
    previous_count,
    previous_each_usd: costPer(sum(before.shares.map((share) => share.total)), previous_count),
    token_yield: yields.known ? shareIn(useful, output_tokens) : null,
    output_tokens,
    useful_output_tokens: useful,
    trend_usd,
  }
}

const dearest = (one: UnitCostRow, other: UnitCostRow): number => {
  const [a, b] = [parseUsd(one.cost_usd), parseUsd(other.cost_usd)]
  return a === b ? byName(one.owner ?? '', other.owner ?? '') : a > b ? -1 : 1
}

/** What an outcome of a kind cost in a window. The cost of the owners sums to the receipts, and their outcomes to all outcomes. */
export const askUnitCost = async (ledger: Asking, question: UnitCostQuestion): Promise<UnitCostReport> => {
  const { kind, by, window, zone } = question
  const now = await askWindow(ledger, question, window)
  const before = await askWindow(ledger, question, beforeOf(window))
  const figures: Figures = {
    now: { shares: now.shares, counts: countsOf(now.counts, kind) },
    before: { shares: before.shares, counts: countsOf(before.counts, kind) },
    yields: await askYield(ledger, question, now.rows),
  }
  const trend = await askTrend(ledger, question, now.splits)
  const owners = new Set([...now.shares.map(({ owner }) => owner), ...figures.now.counts.keys()])
  return {
    kind,
    by,
    window,
    zone,
    total: totalRow(figures, trend.total),
    rows: [...owners].map((owner) => rowOf(owner, figures, trend.of(owner))).sort(dearest),
    unallocated_count: trend.unowned.reduce((so_far, { count }) => so_far + count, 0),
    with_session: trend.events.filter(({ session }) => session !== undefined).length,
    events: trend.events.length,
  }
}
