import type { Alert, Severity } from '../../../core/alert.ts'
import type { BudgetState, BudgetUnit } from '../../../core/budget.ts'
import { DAY_US, HOUR_US } from '../../../core/date.ts'
import { formatUsd, type Picodollars, parseUsd, picodollars } from '../../../core/money.ts'
import { dollars, show } from '../detect/amounts.ts'
import type { Explanation } from '../detect/finding.ts'
import { alertId } from './make.ts'

/** A budget's counter as it stands, and what its period will have cost where that can be told. */
export type BudgetStanding = Readonly<{
  id: string
  owner: string
  unit: BudgetUnit
  /** Amounts are scaled alike, by 1e12, whatever their unit. */
  limit: bigint
  spent: bigint
  period: Readonly<{ id: string; from_us: number; to_us: number }>
  forecast?: bigint
  /** What is spent left a call of this period no room; until when, where that is known. */
  exhausted?: Readonly<{ until_us?: number }>
}>

/** An owner's name from the conditions of a scope: `team:search`, several with a blank between, none is the organisation. */
export const scopeOwner = (scope: Readonly<Record<string, string>>): string =>
  Object.keys(scope).length === 0
    ? 'organisation'
    : Object.entries(scope)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([dimension, value]) => `${dimension}:${value}`)
        .join(' ')

/** Shorter periods are limits of a rate: that one is full is no news. */
const SHORTEST_US = 22 * HOUR_US

/**
 * The standing that a budget's state shows; undefined while what was spent before the start is not counted, and for periods
 * shorter than a day.
 */
export const standingOf = (state: BudgetState, forecast?: bigint): BudgetStanding | undefined => {
  if (!state.counted) return undefined
  if (state.period && state.period.to_us - state.period.from_us < SHORTEST_US) return undefined
  const { exhausted_at_us, resets_at_us } = state
  const { from_us, to_us } = state.period ?? { from_us: 0, to_us: Number.MAX_SAFE_INTEGER }
  // A rolling window has no beginning that stays: it is told once a day that begins within it.
  const begun_us = state.period && resets_at_us === null ? Math.floor(to_us / DAY_US) * DAY_US : from_us
  return {
    id: state.budget,
    owner: scopeOwner(state.scope),
    unit: state.unit,
    limit: parseUsd(state.limit),
    spent: parseUsd(state.spent),
    period: { id: `${state.window} ${begun_us}`, from_us, to_us },
    ...(forecast === undefined ? {} : { forecast }),
    ...(exhausted_at_us === null || exhausted_at_us < begun_us
      ? {}
      : { exhausted: resets_at_us === null ? {} : { until_us: resets_at_us } }),
  }
}

/** What carries the spend, and the calls that show it, as far as it is known. */
export type Why = Readonly<{ explanation?: Explanation; evidence: readonly string[]; trend_usd: readonly string[] }>

const incidentOf = (kind: string, { id, owner, period }: BudgetStanding, percent: number): string =>
  JSON.stringify([kind, owner, id, period.id, percent])

/** Is this incident one of the budget's running period? */
export const isCurrent = (incident: string, standing: BudgetStanding): boolean => {
  const [, owner, id, period] = JSON.parse(incident) as readonly unknown[]
  return owner === standing.owner && id === standing.id && period === standing.period.id
}

type Crossed = Readonly<{
  kind: 'budget-spent' | 'budget-forecast'
  percent: number
  severity: Severity
  projected: bigint
  message: string
}>

const alertFor = (standing: BudgetStanding, crossed: Crossed, why: Why, at_us: number): Alert => {
  const { kind, percent, severity, projected, message } = crossed
  const name = incidentOf(kind, standing, percent)
  const { cost, ...where } = why.explanation ?? { cost: 0n as Picodollars, dimension: '', value: '', share: 0 }
  return {
    id: alertId(name, standing.period.from_us),
    incident: name,
    kind,
    owner: standing.owner,
    subject: standing.id,
    severity,
    state: 'open',
    // A lifetime has no beginning.
    since_us: standing.period.from_us === 0 ? at_us : standing.period.from_us,
    first_us: at_us,
    last_us: at_us,
    told: 1,
    spent_usd: standing.unit === 'usd' ? formatUsd(picodollars(standing.spent)) : null,
    projected_usd: formatUsd(picodollars(standing.unit === 'usd' ? projected : 0n)),
    ...(why.explanation ? { explained_by: { ...where, cost_usd: formatUsd(cost) } } : {}),
    calls: why.evidence,
    trend_usd: why.trend_usd,
    message,
  }
}

/** An amount of a budget in a sentence: `$12.40`, `120000 tokens`. */
const amount = (unit: BudgetUnit, value: bigint): string =>
  unit === 'usd' ? show(dollars(value)) : `${value / 10n ** 12n} ${unit}`

const severityOf = (percent: number): Severity => (percent >= 100 ? 'critical' : percent >= 80 ? 'warning' : 'info')

/** A hard budget is never spent to the last token: what leaves calls no room counts as all of it. */
const reached = ({ limit, spent, exhausted }: BudgetStanding): bigint => (exhausted && spent < limit ? limit : spent)

const noRoom = ({ exhausted }: BudgetStanding): string => {
  if (!exhausted) return ''
  const { until_us } = exhausted
  const until = until_us === undefined ? '' : ` until ${new Date(until_us / 1000).toISOString().slice(0, 16)}Z`
  return `, and has no room for more calls${until}`
}

/** What a period will have cost: as forecast, else at its pace so far. A lifetime has none. */
const expected = ({ spent, forecast, period: { from_us, to_us } }: BudgetStanding, at_us: number): bigint => {
  if (forecast !== undefined && forecast > spent) return forecast
  return from_us === 0 || at_us <= from_us ? spent : (spent * BigInt(to_us - from_us)) / BigInt(at_us - from_us)
}

const spentCrossing = (standing: BudgetStanding, percents: readonly number[], at_us: number): Crossed | undefined => {
  const { id, owner, unit, limit, spent } = standing
  const crossed = percents.filter((percent) => reached(standing) * 100n >= limit * BigInt(percent))
  if (crossed.length === 0) return undefined
  const percent = Math.max(...crossed)
  const share = Math.floor(Number((spent * 1000n) / limit) / 10)
  return {
    kind: 'budget-spent',
    percent,
    severity: severityOf(percent),
    projected: expected(standing, at_us),
    message: `${owner} has spent ${share} % (${amount(unit, spent)}) of its budget ${id} (${amount(unit, limit)})${noRoom(standing)}`,
  }
}

const forecastCrossing = (standing: BudgetStanding): Crossed | undefined => {
  const { id, owner, unit, limit, spent, forecast } = standing
  if (forecast === undefined || forecast < limit || reached(standing) >= limit) return undefined
  return {
    kind: 'budget-forecast',
    percent: 100,
    severity: 'warning',
    projected: forecast,
    message: `${owner} will have spent ${amount(unit, forecast)} of its budget ${id} (${amount(unit, limit)}) by the end of the period; ${amount(unit, spent)} so far`,
  }
}

/**
 * The alerts that a budget owes as it stands: the highest of `percents` that its spend has reached (all of them where it has
 * no room left for a call), and the forecast beyond
 * its limit. Their ids are the same for the whole period, so that each is told once however often this is asked.
 */
export const budgetAlerts = (
  standing: BudgetStanding,
  percents: readonly number[],
  why: Why,
  at_us: number,
): readonly Alert[] => {
  if (standing.limit <= 0n) return []
  const crossed = [spentCrossing(standing, percents, at_us), forecastCrossing(standing)]
  return crossed.flatMap((one) => (one ? [alertFor(standing, one, why, at_us)] : []))
}
