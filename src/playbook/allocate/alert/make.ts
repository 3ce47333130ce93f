import type { Alert, Severity } from '../../../core/alert.ts'
import { formatUsd, ZERO } from '../../../core/money.ts'
import { hexadecimal, runningHash } from '../../measure/digest.ts'
import type { Finding } from '../detect/finding.ts'
import { incident } from '../detect/gate.ts'

/** The id of the alert that tells of an incident since a moment: the same however often it is computed. */
export const alertId = (name: string, since_us: number): string => {
  const hash = runningHash()
  hash.add(JSON.stringify([name, since_us]))
  return `al-${hexadecimal(hash.state())}`
}

const order: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 }

/** Is one as grave as the other, or graver? */
export const asGrave = (one: Severity, other: Severity): boolean => order[one] >= order[other]

const numbers = (finding: Finding, trend_usd: readonly string[]) => ({
  last_us: finding.at_us,
  spent_usd: finding.spent_usd,
  projected_usd: finding.projected_usd,
  ...(finding.explained_by ? { explained_by: finding.explained_by } : {}),
  ...(finding.change_usd ? { change_usd: finding.change_usd } : {}),
  calls: finding.evidence,
  trend_usd,
  message: finding.message,
})

/** The incident that a finding tells of. */
export const incidentOf = ({ kind, owner, subject }: Finding): string =>
  incident({ kind, owner, ...(subject === undefined ? {} : { subject }) })

/** An alert that tells of a finding for the first time. */
export const alertOf = (finding: Finding, trend_usd: readonly string[]): Alert => {
  const { kind, owner, subject, severity, since_us, at_us } = finding
  const name = incidentOf(finding)
  return {
    id: alertId(name, at_us),
    incident: name,
    kind,
    owner,
    ...(subject === undefined ? {} : { subject }),
    severity,
    state: 'open',
    since_us,
    first_us: at_us,
    told: 1,
    ...numbers(finding, trend_usd),
  }
}

/** The same alert while its trouble goes on, with the numbers as they are now. It becomes graver, never less grave. */
export const goingOn = (alert: Alert, finding: Finding, trend_usd: readonly string[]): Alert => ({
  ...alert,
  severity: asGrave(finding.severity, alert.severity) ? finding.severity : alert.severity,
  ...numbers(finding, trend_usd),
})

/** The same alert when its trouble is told again. */
export const toldAgain = (alert: Alert, finding: Finding, trend_usd: readonly string[]): Alert =>
  goingOn({ ...alert, told: alert.told + 1 }, finding, trend_usd)

/** The alert when its trouble is over. */
export const resolved = (alert: Alert, at_us: number): Alert => ({ ...alert, state: 'resolved', resolved_us: at_us })

/** An alert that says of itself that nothing happened, to try a channel with. */
export const testAlert = (at_us: number): Alert => ({
  id: alertId('test', at_us),
  incident: JSON.stringify(['test', at_us]),
  kind: 'test',
  owner: 'organisation',
  severity: 'info',
  state: 'open',
  since_us: at_us,
  first_us: at_us,
  last_us: at_us,
  told: 1,
  spent_usd: formatUsd(ZERO),
  projected_usd: formatUsd(ZERO),
  calls: [],
  trend_usd: [],
  message: 'This is a test of the channel: nothing has happened, and nobody needs to act.',
})
