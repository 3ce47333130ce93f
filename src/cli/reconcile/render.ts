import { tokenKinds } from '../../core/bill.ts'
import { formatUsd, type Picodollars } from '../../core/money.ts'
import { type Compared, type Comparison, openIn, size, sumOf } from '../../playbook/allocate/reconcile/result.ts'
import { coverageOf, isEarly, isOpen, isUnseen, type Reconciled, shareIn } from '../../verbs/reconcile/answer.ts'
import { bar } from '../show/chart.ts'
import { moneyColumn, nothing, percent, plural } from '../show/format.ts'
import { type Look, type Paint, paint } from '../show/look.ts'
import { type Column, facts, table } from '../show/table.ts'
import { count, signed, usd } from './amounts.ts'
import { explainedTable, explanations } from './why.ts'

/** By what the lines are summed up for people. */
export const views = ['model', 'day', 'owner', 'line'] as const
export type View = (typeof views)[number]

const kindNames = {
  input: 'input',
  cache_read: 'cache read',
  cache_write: 'cache write',
  cache_write_1h: 'cache write 1h',
  output: 'output',
  image: 'images',
  second: 'seconds',
  character: 'characters',
  request: 'requests',
} as const

const writes = ['cache_write', 'cache_write_1h'] as const

/** `input + writes`, `all input`, `all`: kinds that a bill counts together, short enough for a column. */
const kindOf = ({ about, kinds }: Compared): string => {
  if (kinds.length === 0) return about
  if (kinds.length === tokenKinds.length) return 'all'
  if (kinds.length === tokenKinds.length - 1 && !kinds.includes('output')) return 'all input'
  if (!writes.every((kind) => kinds.includes(kind))) return kinds.map((kind) => kindNames[kind]).join(' + ')
  const others = kinds.filter((kind) => kind !== 'cache_write' && kind !== 'cache_write_1h')
  return [...others.map((kind) => kindNames[kind]), others.length === 0 ? 'cache write' : 'writes'].join(' + ')
}

const right = 'right' as const

type Line = Readonly<{
  names: readonly string[]
  /** Tokens, or pieces where the line is of one kind of them. */
  tokens: Comparison<bigint> | undefined
  cost: Comparison<Picodollars> | undefined
  open: Readonly<{ tokens: bigint; cost: bigint }>
}>

const namesOf = (line: Compared, view: View): readonly string[] => {
  const model = line.model ?? nothing
  switch (view) {
    case 'model':
      return [model, kindOf(line)]
    case 'day':
      return [line.day]
    case 'owner':
      return [line.owner ?? nothing]
    case 'line':
      return [line.day, ...(line.owner === null ? [] : [line.owner]), model, kindOf(line)]
  }
}

const headsOf = (view: View, lines: readonly Compared[]): readonly string[] => {
  if (view === 'model') return ['model', 'kind']
  if (view !== 'line') return [view]
  return lines.some(({ owner }) => owner !== null) ? ['day', 'owner', 'model', 'kind'] : ['day', 'model', 'kind']
}

/** Days and owners add kinds up, and pieces cannot be added to tokens. */
const ofOneKind = (view: View): boolean => view === 'model' || view === 'line'

const linesOf = (compared: readonly Compared[], view: View): Line[] => {
  const groups = Map.groupBy(compared, (line) => JSON.stringify(namesOf(line, view)))
  return [...groups.values()].map((group): Line => {
    const tokens = group.flatMap((line) => line.tokens ?? (ofOneKind(view) ? (line.pieces ?? []) : []))
    const costs = group.flatMap(({ cost }) => cost ?? [])
    const open = { tokens: openIn(tokens), cost: openIn(costs) }
    return { names: namesOf(group[0] as Compared, view), tokens: sumOf(tokens), cost: sumOf(costs), open }
  })
}

/** Reasons, largest first, and `open` where something is left. */
const named = (compared: Comparison<bigint> | undefined, open: bigint): string => {
  const parts: readonly (readonly [string, bigint])[] = [...(compared?.parts ?? []), ['open', open]]
  return parts
    .filter(([, amount]) => amount !== 0n)
    .toSorted(([, one], [, other]) => (size(one) < size(other) ? 1 : -1))
    .map(([reason]) => reason)
    .join(', ')
}

/** Why the dollars of a line differ; where they do not, why its tokens do. */
const whyOf = ({ tokens, cost, open }: Line): string => named(cost, open.cost) || named(tokens, open.tokens)

const coverageColumns = (of: (line: Line) => Comparison<bigint> | undefined): readonly Column<Line>[] => [
  {
    head: 'coverage',
    cell: (line) => percent(coverageOf(of(line))),
    align: 'right',
    style: (text, line, colours) => ((coverageOf(of(line)) ?? 1) < 0.995 ? colours.yellow(text) : text),
  },
  {
    head: '',
    cell: (line) => bar(coverageOf(of(line)) ?? 0, 8),
    style: (text, _, colours) => colours.cyan(text),
    drop: 5,
  },
]

const columnsOf = (heads: readonly string[], lines: readonly Line[], counted: string): readonly Column<Line>[] => {
  const has = { tokens: lines.some(({ tokens }) => tokens), cost: lines.some(({ cost }) => cost) }
  const amounts = lines.flatMap(({ cost }) => (cost ? [formatUsd(cost.provider), formatUsd(cost.ledger)] : []))
  const column = moneyColumn(amounts)
  const dollars = (amount: Picodollars | undefined): string =>
    amount === undefined ? nothing : column(formatUsd(amount))
  const tokenColumns: readonly Column<Line>[] = [
    { head: counted, cell: ({ tokens }) => (tokens ? count(tokens.provider) : nothing), align: right, drop: 2 },
    { head: 'Weir', cell: ({ tokens }) => (tokens ? count(tokens.ledger) : nothing), align: right, drop: 2 },
    ...coverageColumns(({ tokens }) => tokens),
  ]
  const costColumns: readonly Column<Line>[] = [
    { head: 'billed', cell: ({ cost }) => dollars(cost?.provider), align: right },
    { head: 'Weir', cell: ({ cost }) => dollars(cost?.ledger), align: right },
    ...(has.tokens ? [] : coverageColumns(({ cost }) => cost)),
    {
      head: 'difference',
      cell: ({ cost }) => (cost ? signed(cost.provider - cost.ledger, usd) : nothing),
      align: right,
      drop: 1,
    },
  ]
  return [
    ...heads.map((head, at): Column<Line> => ({ head, cell: ({ names }) => names[at] ?? '', shrink: 10 })),
    ...(has.tokens ? tokenColumns : []),
    ...(has.cost ? costColumns : []),
    {
      head: 'why',
      cell: whyOf,
      shrink: 8,
      style: (text, line, colours) => (/\b(open|bypass)\b/.test(whyOf(line)) ? colours.red(text) : colours.dim(text)),
    },
  ]
}

const ways = {
  given: 'as you say',
  dated: 'without its date',
  'price book': 'by the price book',
  words: 'the same words and numbers',
}

/** Spend that Weir never saw is the finding that matters most, so it stands beside the verdict. */
const bypassText = ({ result: { tokens, cost } }: Reconciled, colours: Paint): string[] => {
  const [unseen, whole] = [cost ?? tokens, (cost ?? tokens)?.provider ?? 0n]
  const bypass = unseen?.parts.get('bypass') ?? 0n
  if (bypass <= 0n) return []
  const amount = cost === undefined ? plural(Number(bypass), 'token') : usd(bypass)
  return [`  ${colours.yellow('!')} ${amount} (${percent(shareIn(bypass, whole))} of the bill) never passed Weir`]
}

const verdictOf = ({ result, bad }: Reconciled, colours: Paint): string => {
  if (isOpen(result)) return colours.red('✗ not reconciled')
  if (isUnseen(result)) return colours.yellow('! nothing of this bill is in the ledger, so nothing was compared')
  if (isEarly(result))
    return colours.yellow('! most of it is not on the bill yet, so little was compared: ask again later')
  if (bad > 0) return colours.yellow('! a part of the bill could not be read, so not all of it was compared')
  return colours.green('✓ reconciled')
}

const headText = (shown: Reconciled, look: Look, colours: Paint): string => {
  const { result, source, from, to } = shown
  const { tokens, pieces, cost, open_tokens, open_cost } = result
  const side = <Amount extends bigint>(one: Comparison<Amount> | undefined, write: (amount: bigint) => string) =>
    one === undefined
      ? undefined
      : `provider ${write(one.provider)} · Weir ${write(one.ledger)} · coverage ${percent(coverageOf(one))} ${bar(coverageOf(one) ?? 0, 16)}`
  const open = [
    ...(tokens === undefined
      ? []
      : [`${plural(Number(open_tokens), 'token')} (${percent(shareIn(open_tokens, tokens.provider))})`]),
    ...pieces.flatMap(({ kind, compared, open: left }) =>
      left === 0n ? [] : [`${count(left)} ${kindNames[kind]} (${percent(shareIn(left, compared.provider))})`],
    ),
    ...(cost === undefined ? [] : [`${usd(open_cost)} (${percent(shareIn(open_cost, cost.provider))})`]),
  ]
  const verdict = verdictOf(shown, colours)
  const allowed = colours.dim('(open may be 0.1 % of tokens, 0.5 % of dollars)')
  const last = new Date(Date.parse(to) - 86_400_000).toISOString().slice(0, 10)
  return [
    `${colours.title('Reconciliation')} ${source} ${colours.dim(`${from} – ${last} UTC`)}`,
    '',
    facts(
      [
        ['tokens', side(tokens, count)],
        ...pieces.map(({ kind, compared }) => [kindNames[kind], side(compared, count)] as const),
        ['dollars', side(cost, usd)],
        ['open', open.join(', ')],
      ],
      look,
    ),
    `  ${verdict} ${allowed}`,
    ...bypassText(shown, colours),
  ].join('\n')
}

/** The reconciliation as text: totals with coverage, a table of the lines, why they differ, and which names were taken for one. */
export const renderReconciled = (shown: Reconciled, view: View, look: Look): string => {
  const colours = paint(look)
  const { compared, alignments, suspected } = shown.result
  if (compared.length === 0)
    return `Neither the bill nor the ledger has anything from ${shown.from} to before ${shown.to}.`
  const lines = linesOf(compared, view)
  const counted = ofOneKind(view) && shown.result.pieces.length > 0 ? 'count' : 'tokens'
  const title = view === 'model' ? 'By model and kind of token' : view === 'line' ? 'Every line' : `By ${view}`
  const aligned = alignments.map(({ name, model, by }) => `  ${name} = ${model} ${colours.dim(`(${ways[by]})`)}`)
  const guessed = suspected.map(
    ({ name, model }) => `  ${name} has the tokens of ${model}: ${colours.dim(`--model "${name}=${model}"`)}`,
  )
  return [
    headText(shown, look, colours),
    `${colours.bold(title)}\n${table(lines, columnsOf(headsOf(view, compared), lines, counted), look, { indent: 2 })}`,
    ...(explanations(shown).length === 0 ? [] : [`${colours.bold('Why they differ')}\n${explainedTable(shown, look)}`]),
    ...(aligned.length === 0 ? [] : [`${colours.bold('Names taken for one')}\n${aligned.join('\n')}`]),
    ...(guessed.length === 0 ? [] : [`${colours.bold('Names that may be one')}\n${guessed.join('\n')}`]),
  ].join('\n\n')
}
