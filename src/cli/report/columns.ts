import type { Dimension } from '../../core/dimension.ts'
import { calledKey } from '../../core/key-names.ts'
import type { SpendRow } from '../../core/ledger.ts'
import { ownerOf } from '../../playbook/allocate/statement/owners.ts'
import { isDate, type Report, type ReportRow } from '../../verbs/spend/report.ts'
import { bar, sparkline } from '../show/chart.ts'
import { change, count, moneyColumn, nothing, percent, shareOf, tokens } from '../show/format.ts'
import type { Column } from '../show/table.ts'

/** Names of dimensions as heads of columns. */
export const headOf = (dimension: string): string => dimension.replace(/^tag:/, '').replaceAll('_', ' ')

/** What stands for a payer field that a call did not carry. */
const untagged = '(none)'

/** A name as it is shown: spend without a team is the owner `unallocated`, as in `weir owners`; a key has its id behind. */
export const nameOf = (
  name: string | null | undefined,
  dimension: string,
  key_names: Report['key_names'] = {},
): string => {
  if (dimension === 'team') return ownerOf(name)
  if (name === null || name === undefined) return untagged
  return dimension === 'key_id' ? calledKey(name, key_names) : name
}

/** Cache reads as a share of all input tokens, or null where there was no input. */
export const cachedShare = (row: SpendRow): number | null => shareOf(row.cache_read_tokens, row.input_tokens)

/** Was anything spent in the window before? Where not, everything is new and nothing has moved. */
export const hasBefore = (total: SpendRow): boolean => Number(total.previous_cost_usd ?? 0) !== 0

type Of = Pick<Report, 'total' | 'key_names'>

/** One column a dimension; the total is named in the first. */
const groupColumns = (dimensions: readonly Dimension[], { total, key_names }: Of): readonly Column<ReportRow>[] =>
  dimensions.map((dimension) => ({
    head: headOf(dimension),
    cell: (row) =>
      row === total ? (dimension === dimensions[0] ? 'total' : '') : nameOf(row.group[dimension], dimension, key_names),
    shrink: 10,
    names: true,
    style: (text, row, colours) => (row !== total && row.group[dimension] === null ? colours.dim(text) : text),
  }))

/** The columns of a spend table: groups, cost with its share as a bar, input and output apart, cache, calls, movement. */
export const spendColumns = (
  dimensions: readonly Dimension[],
  rows: readonly ReportRow[],
  of: Of,
): readonly Column<ReportRow>[] => {
  const { total } = of
  const cost = moneyColumn([...rows, total].map((row) => row.cost_usd))
  const perCall = moneyColumn([...rows, total].map((row) => row.cost_per_call_usd))
  const share = (row: ReportRow) => shareOf(row.cost_usd, total.cost_usd) ?? 0
  const dated = dimensions.some(isDate)
  const compared = hasBefore(total) && !dated
  const trended = rows.some((row) => (row.trend_usd?.length ?? 0) > 1) && !dated
  const moved = (row: ReportRow) => change(row.cost_usd, row.previous_cost_usd)
  return [
    ...groupColumns(dimensions, of),
    {
      head: 'cost',
      cell: (row) => costCell(row, cost),
      align: 'right',
      style: (text, _, colours) => colours.bold(text),
    },
    {
      head: 'share',
      cell: (row) => (isUnknown(row) ? nothing : percent(shareOf(row.cost_usd, total.cost_usd))),
      align: 'right',
      drop: 3,
    },
    {
      head: '',
      cell: (row) => (row === total ? '' : bar(share(row), 8)),
      style: (text, _, colours) => colours.cyan(text),
      drop: 6,
    },
    { head: 'input', cell: (row) => (isUnknown(row) ? nothing : cost(row.input_cost_usd)), align: 'right', drop: 2 },
    { head: 'output', cell: (row) => (isUnknown(row) ? nothing : cost(row.output_cost_usd)), align: 'right', drop: 2 },
    { head: 'tokens in', cell: (row) => tokens(row.input_tokens), align: 'right', drop: 5 },
    { head: 'out', cell: (row) => tokens(row.output_tokens), align: 'right', drop: 5 },
    { head: 'cached', cell: (row) => percent(cachedShare(row)), align: 'right', drop: 4 },
    { head: 'calls', cell: (row) => count(row.calls), align: 'right', drop: 1 },
    // Arms get unequal numbers of calls, so what one costs is how they compare.
    {
      head: 'per call',
      cell: (row) => perCall(row.cost_per_call_usd),
      align: 'right',
      drop: dimensions.includes('arm') ? 1 : 5,
    },
    ...(compared
      ? [
          {
            head: 'change',
            cell: moved,
            align: 'right',
            style: (text, _, colours) =>
              text.includes('▲') ? colours.red(text) : text.includes('▼') ? colours.green(text) : colours.dim(text),
            drop: 4,
          } satisfies Column<ReportRow>,
        ]
      : []),
    ...(trended
      ? [
          {
            head: 'trend',
            cell: (row: ReportRow) => sparkline(row.trend_usd ?? []),
            drop: 7,
          } satisfies Column<ReportRow>,
        ]
      : []),
  ]
}

type Priced = Pick<SpendRow, 'cost_usd' | 'calls' | 'unpriced_calls' | 'unmetered_calls'>

/** Does nobody know what any of the group's calls cost? */
export const isUnknown = (row: Priced): boolean =>
  Number(row.cost_usd) === 0 && row.calls > 0 && row.unpriced_calls + row.unmetered_calls >= row.calls

/** An unknown cost is shown as nothing, never as 0; one that is known in part has a `+`. */
export const costCell = (row: Priced, cost: (usd: string) => string): string => {
  if (isUnknown(row)) return nothing
  return cost(row.cost_usd) + (row.unpriced_calls > 0 ? '+' : '')
}

const numbers = [
  'calls',
  'attempts',
  'errors',
  'cost_usd',
  'cost_per_call_usd',
  'input_cost_usd',
  'output_cost_usd',
  'fee_cost_usd',
  'list_cost_usd',
  'counterfactual_cost_usd',
  'previous_cost_usd',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'unpriced_calls',
  'unmetered_calls',
  'estimated_calls',
  'ttft_ms_p50',
  'duration_ms_p50',
  'duration_ms_p95',
] as const satisfies readonly (keyof ReportRow)[]

/** Every field of a spend row as a CSV column, the groups first. */
export const csvColumns = (
  dimensions: readonly Dimension[],
): Readonly<Record<string, (row: ReportRow) => string | number | null | undefined>> => ({
  ...Object.fromEntries(dimensions.map((dimension) => [dimension, (row: ReportRow) => row.group[dimension]])),
  ...Object.fromEntries(numbers.map((name) => [name, (row: ReportRow) => row[name]])),
})
