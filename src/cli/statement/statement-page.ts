import type { StatementPeriod } from '../../playbook/allocate/statement/period.ts'
import type { Statement, StatementReport } from '../../playbook/allocate/statement/statement.ts'
import { change, money, moneyColumn, percent } from '../show/format.ts'
import { day, moment } from '../show/time.ts'
import { accountBlocks, forecastBlocks, unitCostBlocks, usageBlocks, wasteBlocks, whyBlocks } from './owner-blocks.ts'
import { type Block, heading, type Page, paragraph, tableOf, title } from './page.ts'

const periodName = ({ every, name }: StatementPeriod): string => (every === 'month' ? name : `week of ${name}`)

/** What the report is called: of one owner, or of all. */
export const titleOf = ({ by, period, statements }: StatementReport): string => {
  const [only, ...more] = statements
  const whose = only !== undefined && more.length === 0 ? `Statement of ${by} ${only.owner}` : `Statements by ${by}`
  return `${whose} · ${periodName(period)}`
}

const periodText = ({ window, zone, complete, ends_us }: StatementPeriod): string => {
  const span = `${day(window.from_us, zone)} to ${day((complete ? ends_us : window.to_us) - 1, zone)}, ${zone}`
  return complete ? span : `${span}, still running until ${day(ends_us - 1, zone)}`
}

const rulesText = ({ rules, closed, period }: StatementReport): string => {
  const { tags_version: tags, splits_version: splits } = rules
  const under = [tags > 0 ? `virtual tags version ${tags}` : '', splits > 0 ? `splits version ${splits}` : '']
    .filter((text) => text !== '')
    .join(' and ')
  const basis = under === '' ? '' : ` Under ${under}.`
  if (closed === null) return basis
  return `${basis} Closed on ${moment(closed.closed_at_us, period.zone)}, SHA-256 ${closed.sha256}.`
}

const before = ({ every }: StatementPeriod): string => `the ${every} before`

/** What is said where there is no statement: of a closed month, what was so when it was closed. */
export const nobodyText = ({ period, closed }: StatementReport): string =>
  closed === null
    ? `Nobody spent anything in ${period.every === 'week' ? 'the ' : ''}${periodName(period)}, nor in ${before(period)}.`
    : `Nobody had spent anything in ${periodName(period)} when it was closed.`

const overviewBlocks = (report: StatementReport): Block[] => {
  const { by, statements, total_usd, previous_usd, charge_usd, corrections_usd } = report
  const cost = moneyColumn(statements.map((one) => one.total_usd))
  const late = corrections_usd !== '0' || statements.some(({ corrections }) => corrections.length > 0)
  const row = (one: Statement): string[] => [
    one.owner,
    cost(one.total_usd),
    percent(one.share),
    change(one.total_usd, one.previous_usd),
    ...(late ? [money(one.charge_usd)] : []),
  ]
  const sum = ['all', cost(total_usd), '', change(total_usd, previous_usd), ...(late ? [money(charge_usd)] : [])]
  const heads = [by, ' spend', ' share', ' change', ...(late ? [' to charge'] : [])]
  return [tableOf(heads, [...statements.map(row), sum], true)]
}

const ownerBlocks = (one: Statement, report: StatementReport): Block[] => {
  const { period, total_usd } = report
  const moved = change(one.total_usd, one.previous_usd)
  const against =
    one.previous_usd === '0'
      ? `nothing in ${before(period)}`
      : `${moved} against ${before(period)} (${money(one.previous_usd)})`
  return [
    paragraph(`${money(one.total_usd)}, ${percent(one.share)} of ${money(total_usd)} in all; ${against}.`),
    ...accountBlocks(one),
    ...whyBlocks(one),
    ...forecastBlocks(one, period.every),
    ...unitCostBlocks(one),
    ...usageBlocks(one),
    ...wasteBlocks(one),
  ]
}

/** Everything that statements say, as a page: an overview where there are several, then each owner's. */
export const pageOf = (report: StatementReport): Page => {
  const { statements, unallocated, total_usd, period } = report
  const several = statements.length !== 1
  const nobody = `Unallocated: ${money(unallocated.cost_usd)}, ${percent(unallocated.share ?? 0)} of ${money(total_usd)}.`
  return [
    title(titleOf(report)),
    paragraph(`${periodText(period)}.${rulesText(report)} ${nobody}`),
    ...(several ? overviewBlocks(report) : []),
    ...statements.flatMap((one) => [...(several ? [heading(one.owner)] : []), ...ownerBlocks(one, report)]),
  ]
}
