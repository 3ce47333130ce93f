import { type Reason, reasons, size } from '../../playbook/allocate/reconcile/result.ts'
import { type Reconciled, shareIn } from '../../verbs/reconcile/answer.ts'
import { bar } from '../show/chart.ts'
import { percent } from '../show/format.ts'
import type { Look } from '../show/look.ts'
import { type Column, table } from '../show/table.ts'
import { count, signed, usd } from './amounts.ts'

const right = 'right' as const

const meanings: Readonly<Record<Reason | 'open', string>> = {
  bypass: 'spend that never passed Weir',
  late: 'the provider does not have that day in full yet',
  boundary: 'calls over midnight, counted on the other day',
  alias: 'one model under two names: confirm it with --model',
  unpriced: 'metered, but no price is known: weir report names them',
  aborted: 'the client went or the end was not seen: our count',
  estimated: 'counted by tokenizer, as no usage was reported',
  tier: 'another service tier, or one billed elsewhere',
  discount: 'the same part off (or on) every price',
  fee: 'billed by the piece, not by the token',
  credit: 'credits, refunds and adjustments',
  tax: 'taxes',
  rounding: 'decimals that the bill does not show',
  open: 'nothing on either side explains it',
}

type Sums = Readonly<{ tokens: bigint; cost: bigint }>
type Explained = Readonly<{ reason: Reason | 'open'; net: Sums; whole: Sums }>

export const explanations = ({ result }: Reconciled): readonly Explained[] => {
  const { tokens, cost, open_tokens, open_cost } = result
  const named = reasons.map((reason): Explained => {
    const net = { tokens: tokens?.parts.get(reason) ?? 0n, cost: cost?.parts.get(reason) ?? 0n }
    return { reason, net, whole: { tokens: size(net.tokens), cost: size(net.cost) } }
  })
  const rest = { tokens: tokens?.residual ?? 0n, cost: cost?.residual ?? 0n }
  const open = { reason: 'open', net: rest, whole: { tokens: open_tokens, cost: open_cost } } as const
  return [...named, open].filter(({ whole }) => whole.tokens !== 0n || whole.cost !== 0n)
}

/** Why the two sides differ: each reason with its tokens and dollars. */
export const explainedTable = (shown: Reconciled, look: Look): string => {
  const rows = explanations(shown)
  const { tokens, cost } = shown.result
  const sized = ({ whole }: Explained): bigint => (cost === undefined ? whole.tokens : whole.cost)
  const all = rows.reduce((total, row) => total + sized(row), 0n)
  const columns: readonly Column<Explained>[] = [
    {
      head: 'why',
      cell: ({ reason }) => reason,
      style: (text, { reason }, colours) => (reason === 'open' || reason === 'bypass' ? colours.red(text) : text),
    },
    ...(tokens === undefined
      ? []
      : [
          {
            head: 'tokens',
            cell: ({ net, whole }: Explained) => signed(net.tokens, count, whole.tokens),
            align: right,
          },
        ]),
    ...(cost === undefined
      ? []
      : [{ head: 'dollars', cell: ({ net, whole }: Explained) => signed(net.cost, usd, whole.cost), align: right }]),
    { head: 'share', cell: (row) => percent(shareIn(sized(row), all)), align: 'right', drop: 1 },
    {
      head: '',
      cell: (row) => bar(shareIn(sized(row), all), 8),
      style: (text, _, colours) => colours.cyan(text),
      drop: 2,
    },
    {
      head: 'what it is',
      cell: ({ reason }) => meanings[reason],
      shrink: 16,
      style: (text, _, colours) => colours.dim(text),
    },
  ]
  return table(rows, columns, look, { indent: 2 })
}
