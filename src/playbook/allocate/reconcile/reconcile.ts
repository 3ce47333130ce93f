import { type BillLine, type BillTraits, type PieceKind, pieceKinds, tokenKinds } from '../../../core/bill.ts'
import type { MeteredRow } from '../../../core/ledger.ts'
import { type Picodollars, picodollars } from '../../../core/money.ts'
import { type Bucket, billedCost, costOf, dayBefore, feesOf, isTokens, keyOf, tokensOf } from './bucket.ts'
import { compareDollars, dollarsOf } from './dollars.ts'
import { arePieces, type KindGroup } from './kinds.ts'
import { type Alignment, alignModels, type ModelNames } from './models.ts'
import { addPart, type Compared, type Comparison, comparisonOf, openIn, type Reason, size, sumOf } from './result.ts'
import { compareTokens, type TokenCell } from './tokens.ts'

export type ReconcileOptions = Readonly<{
  /** Days [from, to) that are compared, UTC; of the day before, rows of calls over midnight are looked at. */
  from: string
  to: string
  now_ms: number
  late_hours: BillTraits['late_hours']
  unbilled_tiers?: readonly string[]
  /** Which side of the bill tells owners apart, and whose each is; without it everything has one owner. */
  owners?: Readonly<{ by: 'project' | 'key'; names: Readonly<Record<string, string>> }>
  models: Pick<ModelNames, 'given' | 'known' | 'own_names'>
}>

export type Reconciliation = Readonly<{
  compared: readonly Compared[]
  /** Absent where the bill states none. */
  tokens?: Comparison<bigint>
  /** What the bill counts by the piece, each kind with what is open of it. */
  pieces: readonly Readonly<{ kind: PieceKind; compared: Comparison<bigint>; open: bigint }>[]
  cost?: Comparison<Picodollars>
  /** Sum of the residuals' sizes: what is open on one line does not make up for another. */
  open_tokens: bigint
  open_cost: Picodollars
  alignments: readonly Alignment[]
  /** Pairs of names with the same tokens on the same days: told as `alias`, for a person to confirm. */
  suspected: readonly Readonly<{ name: string; model: string }>[]
}>

const dayMs = 86_400_000
const endOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) + dayMs

const inside =
  ({ from, to }: ReconcileOptions) =>
  ({ day }: Readonly<{ day: string }>): boolean =>
    day >= from && day < to

const ownerOf = (line: BillLine, { owners }: ReconcileOptions): string | null => {
  if (owners === undefined) return null
  const id = owners.by === 'project' ? line.project : line.key
  return id === null ? null : (owners.names[id] ?? id)
}

/** Lines and rows by day, owner and model. What is no usage has no model: it is compared apart. */
const gather = (
  lines: readonly BillLine[],
  rows: readonly MeteredRow[],
  names: ReturnType<typeof alignModels>,
  options: ReconcileOptions,
): Bucket[] => {
  const buckets = new Map<string, Bucket>()
  const bucketOf = (day: string, owner: string | null, model: string | null): Bucket => {
    const key = keyOf(day, owner, model)
    const found = buckets.get(key) ?? { day, owner, model, lines: [], rows: [] }
    buckets.set(key, found)
    return found
  }
  for (const line of lines) {
    const model = line.model === null ? null : names.bill(line.model)
    if (line.charge === 'usage') bucketOf(line.day, ownerOf(line, options), model).lines.push(line)
  }
  for (const row of rows) {
    const model = row.model === null ? null : names.ledger(row.model)
    bucketOf(row.day, options.owners === undefined ? null : row.owner, model).rows.push(row)
  }
  return [...buckets.values()]
}

/** Rows of the day before the window, by owner and model as buckets have them. */
const beforeWindow = (
  metered: readonly MeteredRow[],
  names: ReturnType<typeof alignModels>,
  options: ReconcileOptions,
): ((bucket: Bucket) => readonly MeteredRow[]) => {
  const day = dayBefore(options.from)
  const rows = metered.filter((row) => row.day === day && row.over_midnight)
  const buckets = gather([], rows, names, options)
  const found = new Map(buckets.map((bucket) => [keyOf(bucket.owner, bucket.model), bucket.rows]))
  return ({ owner, model }) => found.get(keyOf(owner, model)) ?? []
}

type Series = { owner: string | null; model: string; days: Map<string, bigint>; side: 'bill' | 'ledger' | 'both' }

const seriesOf = (buckets: readonly Bucket[]): Series[] => {
  const found = new Map<string, Series>()
  for (const { day, owner, model, lines, rows } of buckets) {
    if (model === null) continue
    const billed = lines.reduce((total, { quantity }) => total + (quantity ?? 0n), 0n)
    const metered = tokensOf(rows.filter(isTokens))
    const side = lines.length === 0 ? 'ledger' : rows.length === 0 ? 'bill' : 'both'
    const series = found.get(keyOf(owner, model)) ?? { owner, model, days: new Map(), side }
    if (series.side !== side) series.side = 'both'
    if (billed + metered > 0n) series.days.set(day, billed + metered)
    found.set(keyOf(owner, model), series)
  }
  return [...found.values()].filter(({ side, days }) => side !== 'both' && days.size > 0)
}

/** A model of the bill alone and one of the ledger alone with the same tokens on every day, and no third like them. */
const suspectAliases = (buckets: readonly Bucket[]): readonly (readonly [bill: Series, ledger: Series])[] => {
  const alike = Map.groupBy(seriesOf(buckets), ({ owner, days }) =>
    keyOf(owner, ...[...days].sort().map(([day, tokens]) => `${day} ${tokens}`)),
  )
  return [...alike.values()].flatMap((group) => {
    const [one, other, ...more] = group
    if (one === undefined || other === undefined || more.length > 0 || one.side === other.side) return []
    return [one.side === 'bill' ? ([one, other] as const) : ([other, one] as const)]
  })
}

/** Tokens and dollars on one line where both are of the same kinds. */
const joined = (cells: readonly TokenCell[], dollars: ReturnType<typeof compareDollars>): Compared[] => {
  const key = ({ bucket, kinds }: Pick<TokenCell, 'bucket' | 'kinds'>) =>
    keyOf(bucket.day, bucket.owner, bucket.model, kinds.join('+'))
  const costs = new Map(dollars.map((cell) => [key(cell), cell]))
  const head = ({ bucket, kinds }: Pick<TokenCell, 'bucket' | 'kinds'>) => {
    const { day, owner, model } = bucket
    return { day, owner, model, kinds, about: arePieces(kinds) ? 'pieces' : 'tokens' } as const
  }
  const lines = cells.map((cell): Compared => {
    const cost = costs.get(key(cell))
    costs.delete(key(cell))
    const counted = arePieces(cell.kinds) ? { pieces: cell.compared } : { tokens: cell.compared }
    return { ...head(cell), ...counted, ...(cost === undefined ? {} : { cost: dollarsOf(cost) }) }
  })
  return [...lines, ...[...costs.values()].map((cell): Compared => ({ ...head(cell), cost: dollarsOf(cell) }))]
}

/** What is billed by the piece, by day and owner: the bill's lines beside the fees of the ledger's receipts. */
const compareFees = (
  lines: readonly BillLine[],
  rows: readonly MeteredRow[],
  options: ReconcileOptions,
  late: (day: string) => boolean,
): Compared[] => {
  const keyed = [
    ...lines.map((line) => ({ day: line.day, owner: ownerOf(line, options), line, row: undefined })),
    ...rows.map((row) => ({
      day: row.day,
      owner: options.owners === undefined ? null : row.owner,
      line: undefined,
      row,
    })),
  ]
  const groups = Map.groupBy(keyed, ({ day, owner }) => keyOf(day, owner))
  return [...groups.values()].flatMap((group): Compared[] => {
    const [first] = group
    if (first === undefined) return []
    const provider = billedCost(group.flatMap(({ line }) => line ?? []))
    const ledger = costOf(group.flatMap(({ row }) => row ?? []))
    if (provider === 0n && ledger === 0n) return []
    const rest = provider - ledger
    const reason: Reason = rest < 0n && late(first.day) ? 'late' : size(rest) <= 500_000n ? 'rounding' : 'fee'
    const parts = new Map<Reason, Picodollars>()
    addPart(parts, reason, rest)
    const cost = comparisonOf(provider, ledger, parts)
    return [{ day: first.day, owner: first.owner, model: null, kinds: [], about: 'fee', cost }]
  })
}

/** Money that the bill takes or gives apart from any use: the charge's own name explains it. */
const otherCharges = (lines: readonly BillLine[], options: ReconcileOptions): Compared[] =>
  lines.flatMap((line): Compared[] => {
    const { charge, cost, day } = line
    if (charge === 'usage' || charge === 'fee' || cost === null || cost === 0n) return []
    const compared = comparisonOf(cost, picodollars(0n), new Map<Reason, Picodollars>([[charge, cost]]))
    return [{ day, owner: ownerOf(line, options), model: null, kinds: [], about: charge, cost: compared }]
  })

const inOrder = (one: Compared, other: Compared): number => {
  const keys = ({ day, owner, model, kinds, about }: Compared) =>
    [day, owner ?? '', model === null ? '\uffff' : model, about, kinds.join('+')].join('\u0000')
  return keys(one) < keys(other) ? -1 : 1
}

/** Fees that no model's line on the bill covers. */
const feesApart = (buckets: readonly Bucket[], covered: ReadonlySet<Bucket>): readonly MeteredRow[] =>
  buckets.flatMap((bucket) => (covered.has(bucket) ? [] : feesOf(bucket)))

const piecesOf = (compared: readonly Compared[]): Reconciliation['pieces'] =>
  pieceKinds.flatMap((kind) => {
    const all = compared.flatMap(({ kinds, pieces }) => (pieces !== undefined && kinds.includes(kind) ? [pieces] : []))
    const sum = sumOf(all)
    return sum === undefined ? [] : [{ kind, compared: sum, open: openIn(all) }]
  })

/** Buckets of which requests are all that could be compared, and the bill has more of them. */
const moreOf = (cells: readonly TokenCell[]): ((bucket: Bucket) => boolean) => {
  const more = cells.filter(({ kinds, compared }) => kinds.includes('request') && compared.parts.has('bypass'))
  const buckets = new Set(more.map(({ bucket }) => bucket))
  return (bucket) => buckets.has(bucket)
}

/** Does the bill count such kinds? One without any line says that nothing was used. */
const countsIn = (lines: readonly BillLine[]): ((kinds: KindGroup) => boolean) => {
  const counted = new Set(lines.flatMap(({ quantity, kinds }) => (quantity === null ? [] : kinds)))
  const tokens = lines.length === 0 || tokenKinds.some((kind) => counted.has(kind))
  return (kinds) => (arePieces(kinds) ? kinds.some((kind) => counted.has(kind)) : tokens)
}

/** Money for pieces under a name that no count has: whose it is cannot be said, so that it stays a fee. */
const feesUnnamed = (
  lines: readonly BillLine[],
  rows: readonly MeteredRow[],
  names: ReturnType<typeof alignModels>,
): readonly BillLine[] => {
  const counted = new Set([
    ...lines.flatMap(({ model, quantity }) => (model === null || quantity === null ? [] : [names.bill(model)])),
    ...rows.flatMap(({ model }) => (model === null ? [] : [names.ledger(model)])),
  ])
  return lines.map((line) =>
    arePieces(line.kinds) && !(line.model !== null && counted.has(names.bill(line.model)))
      ? { ...line, charge: 'fee', model: null, kinds: [] }
      : line,
  )
}

/**
 * Compares what a provider bills with what the ledger metered: by day, owner, model and kind of token, tokens first, then
 * dollars. Each difference is explained by what the two sides show; what nothing explains is the residual. For every line
 * and the totals: provider - ledger = named parts + residual, exactly.
 */
export const reconcile = (
  bill: readonly BillLine[],
  metered: readonly MeteredRow[],
  options: ReconcileOptions,
): Reconciliation => {
  const lines = bill.filter(inside(options))
  const rows = metered.filter(inside(options))
  const named = (all: readonly Readonly<{ model: string | null }>[]) =>
    new Set(all.flatMap(({ model }) => (model === null ? [] : [model])))
  const names = alignModels({ bill: named(lines), ledger: named(rows), ...options.models })
  const named_lines = feesUnnamed(lines, rows, names)
  const buckets = gather(named_lines, rows, names, options)
  const pairs = suspectAliases(buckets)
  const renamedKeys = new Set(pairs.flat().map(({ owner, model }) => keyOf(owner, model)))
  const renamed = ({ owner, model }: Bucket) => model !== null && renamedKeys.has(keyOf(owner, model))
  const late = (hours: number) => (day: string) => options.now_ms < endOf(day) + hours * 3_600_000
  const { tokens: tokens_late, money: money_late } = options.late_hours
  // A bill without any line says that nothing was used and nothing is owed.
  const states_cost = lines.length === 0 || lines.some(({ cost }) => cost !== null)
  const edges = { first: options.from, last: dayBefore(options.to), before: beforeWindow(metered, names, options) }
  const cells = compareTokens(buckets, { late: late(tokens_late), renamed, counts: countsIn(lines), ...edges })
  const dollar_options = {
    late: late(money_late),
    renamed,
    unbilled_tiers: options.unbilled_tiers ?? [],
    more_requests: moreOf(cells),
  }
  const dollars = states_cost ? compareDollars(buckets, cells, dollar_options) : []
  const covered = new Set(dollars.filter(({ with_fees }) => with_fees).map(({ bucket }) => bucket))
  const fees = named_lines.filter(({ charge }) => charge === 'fee')
  const compared = [
    ...joined(cells, dollars),
    ...(states_cost ? compareFees(fees, feesApart(buckets, covered), options, late(money_late)) : []),
    ...otherCharges(lines, options),
  ].sort(inOrder)
  const tokenSides = compared.flatMap(({ tokens }) => tokens ?? [])
  const costSides = compared.flatMap(({ cost }) => cost ?? [])
  const [tokens, cost] = [sumOf(tokenSides), sumOf(costSides)]
  return {
    compared,
    ...(tokens === undefined ? {} : { tokens }),
    ...(cost === undefined ? {} : { cost }),
    pieces: piecesOf(compared),
    open_tokens: openIn(tokenSides),
    open_cost: picodollars(openIn(costSides)),
    alignments: names.alignments,
    suspected: pairs.map(([one, other]) => ({ name: one.model, model: other.model })),
  }
}
