import type { Alert, Severity } from '../../../core/alert.ts'
import { formatUsd, type Picodollars } from '../../../core/money.ts'
import { dollars, show } from '../detect/amounts.ts'
import type { Explanation } from '../detect/finding.ts'
import { alertId } from './make.ts'

/** A budget as it stands: what its period has cost, and what it will have cost where that can be told. */
export type BudgetStanding = Readonly<{
  id: string
  owner: string
  limit: Picodollars
  spent: Picodollars
  period: Readonly<{ id: string; from_us: number; to_us: number }>
  forecast?: Picodollars
}>

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
  projected: Picodollars
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
    since_us: standing.period.from_us,
    first_us: at_us,
    last_us: at_us,
    told: 1,
    spent_usd: formatUsd(standing.spent),
    projected_usd: formatUsd(projected),
    ...(why.explanation ? { explained_by: { ...where, cost_usd: formatUsd(cost) } } : {}),
    calls: why.evidence,
    trend_usd: why.trend_usd,
    message,
  }
}

const severityOf = (percent: number): Severity => (percent >= 100 ? 'critical' : percent >= 80 ? 'warning' : 'info')

const spentCrossing = (standing: BudgetStanding, percents: readonly number[]): Crossed | undefined => {
  const { id, owner, limit, spent, forecast } = standing
  const crossed = percents.filter((percent) => spent * 100n >= limit * BigInt(percent))
  if (crossed.length === 0) return undefined
  const percent = Math.max(...crossed)
  const share = Math.floor(Number((spent * 1000n) / limit) / 10)
  return {
    kind: 'budget-spent',
    percent,
    severity: severityOf(percent),
    projected: forecast !== undefined && forecast > spent ? forecast : spent,
    message: `${owner} has spent ${share} % (${show(dollars(spent))}) of its budget ${id} (${show(dollars(limit))})`,
  }
}

const forecastCrossing = ({ id, owner, limit, spent, forecast }: BudgetStanding): Crossed | undefined => {
  if (forecast === undefined || forecast < limit || spent >= limit) return undefined
  return {
    kind: 'budget-forecast',
    percent: 100,
    severity: 'warning',
    projected: forecast,
    message: `${owner} will have spent ${show(dollars(forecast))} of its budget ${id} (${show(dollars(limit))}) by the end of the period; ${show(dollars(spent))} so far`,
  }
}

/**
 * The alerts that a budget owes as it stands: the highest of `percents` that its spend has reached, and the forecast beyond
 * its limit. Their ids are the same for the whole period, so that each is told once however often this is asked.
 */
export const budgetAlerts = (
  standing: BudgetStanding,
  percents: readonly number[],
  why: Why,
  at_us: number,
): readonly Alert[] => {
  if (standing.limit <= 0n) return []
  const crossed = [spentCrossing(standing, percents), forecastCrossing(standing)]
  return crossed.flatMap((one) => (one ? [alertFor(standing, one, why, at_us)] : []))
}
