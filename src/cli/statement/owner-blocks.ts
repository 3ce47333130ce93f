import { parseUsd, picodollars } from '../../core/money.ts'
import type { CorrectionReason } from '../../playbook/allocate/statement/corrections.ts'
import type { StatementPeriod } from '../../playbook/allocate/statement/period.ts'
import type { Statement } from '../../playbook/allocate/statement/statement.ts'
import { leakNames } from '../leaks/render.ts'
import { change, count, exactMoney, money, nothing, percent, plural, shareOf, tokens } from '../show/format.ts'
import { type Block, paragraph, section, tableOf } from './page.ts'

const reasons: Readonly<Record<CorrectionReason, string>> = {
  'late-receipts': 'calls that came in late',
  're-rated': 'calls priced again',
  'tag-rules': 'virtual tags changed',
  'split-rules': 'splits changed',
  outcomes: 'outcomes came in late',
}

const signed = (usd: string): string => (usd.startsWith('-') || Number(usd) === 0 ? money(usd) : `+${money(usd)}`)

/** Direct cost, shared cost and corrections, exact, where there is more than direct cost. */
export const accountBlocks = (one: Statement): Block[] => {
  if (one.shared.length === 0 && one.corrections.length === 0) return []
  const shared = one.shared.map(({ from, cost_usd }) =>
    from === one.owner
      ? ['handed on to those who share it', exactMoney(cost_usd)]
      : [`its part of ${from}`, exactMoney(cost_usd)],
  )
  const rows = [['its own calls', exactMoney(one.direct_usd)], ...shared]
  if (one.corrections.length === 0)
    return [section('Account'), tableOf(['', ' amount'], [...rows, ['total', exactMoney(one.total_usd)]], true)]
  const late = one.corrections.map(({ month, reason, amount_usd }) => [
    `correction of ${month}: ${reasons[reason]}`,
    exactMoney(amount_usd),
  ])
  return [
    section('Account'),
    tableOf(['', ' amount'], [...rows, ...late, ['to charge', exactMoney(one.charge_usd)]], true),
  ]
}

const causes = {
  volume_usd: 'volume: more or fewer calls',
  mix_usd: 'mix: other models, longer or shorter calls',
  price_usd: 'price: other rates, more or less from cache',
  shared_usd: 'its part of shared costs',
} as const

const names = Object.keys(causes) as (keyof typeof causes)[]

/** Why it changed, and what moved most. */
export const whyBlocks = (one: Statement): Block[] => {
  if (one.change_usd === '0') return []
  const rows = names.filter((name) => one.why[name] !== '0').map((name) => [causes[name], signed(one.why[name])])
  const why =
    one.previous_usd === '0' ? [] : [tableOf(['why', ' change'], [...rows, ['in all', signed(one.change_usd)]], true)]
  const movers = one.movers.map((mover) => [
    `${mover.dimension} ${mover.name ?? '(not tagged)'}`,
    signed(mover.moved_usd),
    money(mover.before_usd),
    money(mover.now_usd),
  ])
  const moved = movers.length === 0 ? [] : [tableOf(['top movers', ' moved', ' before', ' now'], movers)]
  return why.length + moved.length === 0 ? [] : [section('What changed'), ...why, ...moved]
}

/** A month that is over against its budget; of a week there is nothing to say but the budget. */
const keptText = ({ direct_usd }: Statement, budget_usd: string, every: StatementPeriod['every']): string => {
  if (every === 'week') return `Budget ${money(budget_usd)} a month.`
  const over = picodollars(parseUsd(direct_usd) - parseUsd(budget_usd))
  const left = over > 0n ? `${money(over)} over it` : `${money(picodollars(-over))} left`
  return `${percent(shareOf(direct_usd, budget_usd))} of the budget of ${money(budget_usd)} was spent; ${left}.`
}

const budgetText = ({ forecast, budget_usd }: Statement): string => {
  if (budget_usd === null || forecast === null) return ''
  const spent = `${percent(shareOf(forecast.spent_usd, budget_usd))} of the budget of ${money(budget_usd)} is spent`
  const over = picodollars(parseUsd(forecast.expected_usd) - parseUsd(budget_usd))
  return over > 0n ? ` ${spent}; the forecast is ${money(over)} over it.` : ` ${spent}; the forecast keeps within it.`
}

/** Where the month will land, and the budget. */
export const forecastBlocks = (one: Statement, every: StatementPeriod['every']): Block[] => {
  const { forecast, budget_usd } = one
  if (forecast === null)
    return budget_usd === null ? [] : [section('Budget'), paragraph(keptText(one, budget_usd, every))]
  const { month, spent_usd, expected_usd, low_usd, high_usd, coverage, days } = forecast
  const range = `between ${money(low_usd)} and ${money(high_usd)} with ${percent(coverage)} probability, from ${plural(days, 'day')}`
  // Intervals are tested from three days of history on: docs/anomalies.md.
  const trust = days < 3 ? `at the pace of so far: ${plural(days, 'whole day')} is too little for an interval` : range
  const text = `${month}: ${money(spent_usd)} so far, about ${money(expected_usd)} at its end (${trust}).`
  return [section('Month-end forecast'), paragraph(text + budgetText(one))]
}

/** What each outcome cost. */
export const unitCostBlocks = ({ unit_costs }: Statement): Block[] => {
  if (unit_costs.length === 0) return []
  const rows = unit_costs.map(({ kind, count: n, each_usd, previous_each_usd }) => [
    kind,
    count(n),
    money(each_usd),
    each_usd === null ? nothing : change(each_usd, previous_each_usd),
  ])
  return [section('Cost of an outcome'), tableOf(['outcome', ' count', ' each', ' change'], rows)]
}

/** Calls and tokens, how much came from caches and batches, and how much of it is known. */
export const usageBlocks = (one: Statement): Block[] => {
  if (one.calls === 0) return []
  const { coverage, rerated } = one
  const unknown = [
    [coverage.unpriced_calls, 'without a price'],
    [coverage.unmetered_calls, 'without a meter'],
    [coverage.estimated_calls, 'estimated'],
  ] as const
  const doubts = unknown.filter(([calls]) => calls > 0).map(([calls, what]) => `${count(calls)} ${what}`)
  const cached = one.previous_cache_share === null ? '' : ` (${percent(one.previous_cache_share)} before)`
  const rows = [
    ['calls', `${count(one.calls)}, ${plural(one.errors, 'error')}`],
    ['tokens', `${tokens(one.input_tokens)} in, ${tokens(one.output_tokens)} out`],
    ...(one.cache_share === null ? [] : [['from cache', `${percent(one.cache_share)} of input${cached}`]]),
    ...(one.batch_share === null ? [] : [['batch', `${percent(one.batch_share)} of tokens`]]),
    [
      'coverage',
      `${percent(coverage.share)} of calls have a known cost${doubts.length > 0 ? `: ${doubts.join(', ')}` : ''}`,
    ],
    ...(rerated.receipts > 0
      ? [['priced again', `${plural(rerated.receipts, 'receipt')}, ${signed(rerated.cost_usd)}`]]
      : []),
  ]
  return [section('Use'), tableOf(['', ''], rows)]
}

/** Where money leaked. */
export const wasteBlocks = ({ waste }: Statement): Block[] => {
  if (waste.length === 0) return []
  const rows = waste.map(({ kind, cost_usd, share }) => [leakNames[kind], money(cost_usd), percent(share)])
  return [
    section('Where it leaks'),
    tableOf(['kind', ' cost', ' of spend'], rows),
    ...waste.map(({ kind, finding }) => paragraph(`${leakNames[kind]}: ${finding}`)),
    paragraph('One dollar can leak in several ways at once, so these do not add up to a saving.'),
  ]
}
