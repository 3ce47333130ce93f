import type { UnitCostReport, UnitCostRow } from '../../playbook/allocate/unit-cost/ask.ts'
import { type NamedWindow, windowBefore, windowTitle } from '../asking.ts'
import { sparkline } from '../show/chart.ts'
import { change, count, money, moneyColumn, nothing, percent, plural, tokens } from '../show/format.ts'
import { type Look, paint } from '../show/look.ts'
import { type Column, facts, table } from '../show/table.ts'

/** A slice without an outcome has no cost of one: a gap, not a zero. */
export const trendText = (trend_usd: readonly (string | null)[]): string => {
  const known = [...sparkline(trend_usd.map((usd) => usd ?? '0'))]
  return trend_usd.every((usd) => usd === null)
    ? ''
    : trend_usd.map((usd, at) => (usd === null ? '·' : known[at])).join('')
}

const moved = ({ each_usd, previous_each_usd }: UnitCostRow): string =>
  each_usd === null || previous_each_usd === null ? nothing : change(each_usd, previous_each_usd)

const columns = ({ by, rows, kind, total }: UnitCostReport): readonly Column<UnitCostRow>[] => {
  const cost = moneyColumn([total, ...rows].map(({ cost_usd }) => cost_usd))
  const each = moneyColumn([total, ...rows].map(({ each_usd }) => each_usd))
  const shared = rows.some(({ shared_usd }) => shared_usd !== '0')
  const part: Column<UnitCostRow> = {
    head: 'of it shared',
    cell: (row) => (row.owner === null ? '' : money(row.shared_usd)),
    align: 'right',
    drop: 2,
  }
  return [
    { head: by, cell: ({ owner }) => owner ?? 'all', shrink: 10, names: true },
    { head: 'cost', cell: ({ cost_usd }) => cost(cost_usd), align: 'right' },
    ...(shared ? [part] : []),
    { head: kind, cell: (row) => count(row.count), align: 'right', shrink: 5 },
    {
      head: 'each',
      cell: ({ each_usd }) => each(each_usd),
      align: 'right',
      style: (text, _, colours) => colours.bold(text),
    },
    { head: 'change', cell: moved, align: 'right', drop: 3 },
    { head: 'token yield', cell: ({ token_yield }) => percent(token_yield), align: 'right', drop: 1 },
    { head: 'trend', cell: ({ trend_usd }) => trendText(trend_usd), drop: 4 },
  ]
}

const yieldText = ({ total, kind }: UnitCostReport): string => {
  if (total.token_yield === null) return `not known: no ${kind} names the session that led to it`
  const { useful_output_tokens: useful, output_tokens: all } = total
  return `${percent(total.token_yield)}: ${tokens(useful)} of ${tokens(all)} output tokens are in sessions that led to one`
}

/** Cost of an outcome: in all, by owner, how it moved, and how much of what was generated led to one. */
export const renderPer = (report: UnitCostReport, window: NamedWindow, look: Look): string => {
  const colours = paint(look)
  const { total, kind, rows, unallocated_count: nobody } = report
  const now = change(total.each_usd ?? '0', total.previous_each_usd)
  const against =
    total.each_usd === null || total.previous_each_usd === null
      ? colours.dim(total.previous_count === 0 ? `no ${kind} in ${windowBefore(window)}` : '')
      : `${now.startsWith('▲') ? colours.red(now) : colours.green(now)} ${colours.dim(`against ${windowBefore(window)}`)}`
  const head =
    total.each_usd === null ? `no ${kind}, so none has a cost` : `${colours.bold(money(total.each_usd))} each`
  const unowned = nobody > 0 ? `, ${count(nobody)} of them without an owner` : ''
  return [
    `${colours.title(`Cost of a ${kind}`)} ${colours.dim(windowTitle(window))}`,
    '',
    `  ${[head, against, colours.cyan(trendText(total.trend_usd))].filter((text) => text !== '').join('  ')}`,
    facts(
      [
        ['cost', `${money(total.cost_usd)}, every call of the window`],
        ['outcomes', `${count(total.count)}${unowned}, from ${plural(report.events, 'report')}`],
        ['token yield', yieldText(report)],
      ],
      look,
    ),
    '',
    colours.bold(`By ${report.by}`),
    table(rows, columns(report), look, { foot: total, indent: 2 }),
  ].join('\n')
}

/** Every field of a row as a CSV column. */
export const perColumns = (by: string): Readonly<Record<string, (row: UnitCostRow) => string | number | null>> => ({
  [by]: ({ owner }) => owner,
  cost_usd: ({ cost_usd }) => cost_usd,
  direct_usd: ({ direct_usd }) => direct_usd,
  shared_usd: ({ shared_usd }) => shared_usd,
  count: (row) => row.count,
  each_usd: ({ each_usd }) => each_usd,
  previous_count: ({ previous_count }) => previous_count,
  previous_each_usd: ({ previous_each_usd }) => previous_each_usd,
  token_yield: ({ token_yield }) => token_yield,
  output_tokens: ({ output_tokens }) => output_tokens,
  useful_output_tokens: ({ useful_output_tokens }) => useful_output_tokens,
})
