import { type BillLine, tokenKinds } from '../../../core/bill.ts'
import type { MeteredRow } from '../../../core/ledger.ts'
import { type Picodollars, picodollars } from '../../../core/money.ts'
import { type Bucket, billedCost, costOf, feesOf, rowsOf, tokensOf } from './bucket.ts'
import { countLines } from './fold.ts'
import { arePieces, groupKinds, type KindGroup, within } from './kinds.ts'
import { addPart, type Comparison, comparisonOf, least, type Reason, share, size } from './result.ts'
import type { TokenCell } from './tokens.ts'

export type DollarOptions = Readonly<{
  /** Requests are all that could be compared, and the bill has more of them. */
  more_requests(bucket: Bucket): boolean
  /** Tiers whose money is not on the bill. */
  unbilled_tiers: readonly string[]
  late(day: string): boolean
  renamed(bucket: Bucket): boolean
}>

/** Dollars of one group of kinds while their difference is explained. */
export type DollarCell = {
  readonly bucket: Bucket
  readonly kinds: KindGroup
  readonly provider: Picodollars
  readonly ledger: Picodollars
  readonly parts: Map<Reason, Picodollars>
  /** What the ledger says that the tokens cost which both sides have; the rest is a difference of prices. */
  common: bigint
  rest: bigint
  /** What of the rest the tokens cost that stay open: the bill's price for more than the ledger has, the ledger's for less. */
  open: bigint
  /** What may be lost to the decimals of the bill's lines. */
  readonly slack: bigint
  /** The bill states an amount, be it nothing. */
  readonly stated: boolean
  /** The ledger's fees of the model are in `ledger`, because the bill states one amount for all of it. */
  readonly with_fees: boolean
}

const take = (cell: DollarCell, reason: Reason, amount: bigint): void => {
  addPart(cell.parts, reason, amount)
  cell.rest -= amount
}

/** Half a millionth of a dollar a line, and a millionth of the amount: what facts call rounding. */
const slackOf = (lines: readonly BillLine[], provider: bigint): bigint =>
  countLines(lines) * 500_000n + size(provider) / 1_000_000n

const countsAll = ({ kinds }: BillLine): boolean => kinds.length === tokenKinds.length

const cellsOf = (bucket: Bucket): DollarCell[] => {
  const priced = bucket.lines.filter(({ cost }) => cost !== null)
  const unexplained = bucket.rows.filter(({ meter, cost_usd }) => meter === null && cost_usd !== '0')
  const groups = groupKinds([
    ...bucket.lines.map(({ kinds }) => kinds),
    ...(unexplained.length > 0 ? [tokenKinds] : []),
  ])
  const with_fees = priced.some(countsAll)
  return groups.flatMap((kinds): DollarCell[] => {
    const lines = priced.filter((line) => within(line.kinds, kinds))
    if (arePieces(kinds) && lines.length === 0) return []
    const whole = kinds.length === tokenKinds.length ? unexplained : []
    const fees = with_fees ? feesOf(bucket) : []
    const metered = rowsOf(bucket.rows, kinds)
    const rows = [...metered, ...whole, ...fees]
    const [provider, ledger] = [billedCost(lines), costOf(rows)]
    const idle = metered.length === 0 || (lines.length === 0 && metered.every(({ priced: known }) => known))
    if (idle && provider === 0n && ledger === 0n) return []
    const rest = provider - ledger
    const slack = slackOf(lines, provider)
    const stated = lines.length > 0
    const parts = new Map<Reason, Picodollars>()
    return [{ bucket, kinds, provider, ledger, parts, common: ledger, rest, open: 0n, slack, stated, with_fees }]
  })
}

type Worth = Readonly<{ tokens: bigint; cost: bigint }>

const worthOf = (rows: readonly MeteredRow[]): Worth => ({ tokens: tokensOf(rows), cost: costOf(rows) })

/** What the ledger's own tokens of a part cost: those rows of the kinds to which the reason can apply. */
const rowsBehind = (rows: readonly MeteredRow[], reason: Reason | undefined): readonly MeteredRow[] => {
  if (reason === 'aborted') return rows.filter(({ aborted, estimated }) => aborted && estimated)
  if (reason === 'estimated') return rows.filter(({ aborted, estimated }) => !aborted && estimated)
  return reason === 'boundary' ? rows.filter(({ over_midnight }) => over_midnight) : rows
}

/** Tokens that only the ledger has, at what the ledger says they cost. A cost that no meter explains is spread over all. */
const ledgerWorth = (cell: DollarCell, kinds: KindGroup, reason: Reason | undefined, tokens: bigint): bigint => {
  const all = worthOf(rowsOf(cell.bucket.rows, cell.kinds))
  const spread = cell.ledger - all.cost
  const own = worthOf(rowsBehind(rowsOf(cell.bucket.rows, kinds), reason))
  return share(own.cost, tokens, own.tokens) + share(spread, tokens, all.tokens)
}

/** Tokens that only the provider has, at what the bill says they cost; by the ledger's prices where one amount is for several kinds. */
const providerWorth = (cell: DollarCell, tokens: readonly TokenCell[], one: TokenCell, amount: bigint): bigint => {
  const [only, ...others] = tokens
  if (only === one && others.length === 0) return share(cell.provider, amount, one.compared.provider)
  const weights = tokens.map(({ kinds, compared }) => {
    const { tokens: counted, cost } = worthOf(rowsOf(cell.bucket.rows, kinds).filter(({ priced }) => priced))
    return { kinds, rate: counted === 0n ? undefined : { counted, cost }, provider: compared.provider }
  })
  const all = weights.reduce((total, { provider }) => total + provider, 0n)
  if (weights.some(({ rate, provider }) => rate === undefined && provider > 0n) || cell.ledger === 0n)
    return share(cell.provider, amount, all)
  const valued = weights.map(({ kinds, rate, provider }) => ({
    kinds,
    value: rate === undefined ? 0n : share(rate.cost, provider, rate.counted),
  }))
  const whole = valued.reduce((total, { value }) => total + value, 0n)
  const own = valued.find(({ kinds }) => kinds === one.kinds)?.value ?? 0n
  return share(share(cell.provider, own, whole), amount, one.compared.provider)
}

/** A difference of tokens explains one of dollars: each part at what its side says that its tokens cost. */
const explainByTokens = (cell: DollarCell, tokens: readonly TokenCell[]): void => {
  for (const one of tokens) {
    for (const [reason, amount] of one.compared.parts) {
      if (amount > 0n) take(cell, reason, providerWorth(cell, tokens, one, amount))
      else {
        const worth = ledgerWorth(cell, one.kinds, reason, -amount)
        take(cell, reason, -worth)
        cell.common -= worth
      }
    }
    const { residual } = one.compared
    cell.open +=
      residual > 0n ? providerWorth(cell, tokens, one, residual) : -ledgerWorth(cell, one.kinds, undefined, -residual)
  }
}

/** Tokens on both sides that the ledger has no price for: the bill says what they cost. */
const explainUnpriced = (cell: DollarCell, tokens: readonly TokenCell[]): void => {
  const lacking = rowsOf(cell.bucket.rows, cell.kinds).filter(
    ({ priced, price_state }) => !priced && price_state !== 'stated',
  )
  if (lacking.length === 0 || cell.rest <= 0n) return
  const billed = tokens.reduce((total, { compared }) => total + compared.provider, 0n)
  const unpriced = tokensOf(lacking)
  const worth = cell.common === 0n ? cell.rest : share(cell.provider, least(unpriced, billed), billed)
  take(cell, 'unpriced', least(cell.rest, worth))
}

/** A reservation stands for the cost of a call whose end was not seen; the bill has what it really cost, or nothing. */
const explainReserved = (cell: DollarCell): void => {
  if (cell.rest >= 0n || cell.kinds.length !== tokenKinds.length) return
  const reserved = costOf(
    cell.bucket.rows.filter(({ meter, aborted, estimated }) => meter === null && aborted && estimated),
  )
  const worth = least(reserved, -cell.rest)
  if (worth <= 0n) return
  take(cell, 'aborted', -worth)
  cell.common -= worth
}

/** Tokens of a tier that is billed elsewhere are on this bill without money. */
const explainUnbilled = (cell: DollarCell, { unbilled_tiers }: DollarOptions): void => {
  const rows = rowsOf(cell.bucket.rows, cell.kinds).filter((row) => unbilled_tiers.includes(row.service_tier ?? ''))
  const worth = least(costOf(rows), cell.rest < 0n ? -cell.rest : 0n)
  take(cell, 'tier', -worth)
  cell.common -= worth
}

const tierOf = (tier: string | null): string => (tier === null || /^(default|standard|auto)$/.test(tier) ? '' : tier)

/** Tokens of each tier that is not the usual one. */
const byTier = (counted: Iterable<readonly [string | null, bigint]>): string => {
  const tiers = new Map<string, bigint>()
  for (const [tier, tokens] of counted)
    if (tierOf(tier) !== '' && tokens !== 0n) tiers.set(tierOf(tier), (tiers.get(tierOf(tier)) ?? 0n) + tokens)
  return JSON.stringify([...tiers].sort().map(([tier, tokens]) => [tier, tokens.toString()]))
}

/** The bill says that other tiers served the tokens than the ledger does. Bills that state no tier say nothing. */
const tiersDiffer = ({ bucket, kinds }: DollarCell): boolean => {
  const lines = bucket.lines.filter((line) => line.quantity !== null && line.kinds.some((kind) => kinds.includes(kind)))
  if (lines.every(({ tier }) => tier === null)) return false
  const billed = byTier(lines.map(({ tier, quantity }) => [tier, quantity ?? 0n]))
  return billed !== byTier(rowsOf(bucket.rows, kinds).map((row) => [row.service_tier, tokensOf([row])]))
}

/** What all of the rest is, if one thing explains all of it. */
const reasonFor = (cell: DollarCell, tokens: readonly TokenCell[], options: DollarOptions): Reason | undefined => {
  if (size(cell.rest) <= cell.slack) return 'rounding'
  if (cell.rest < 0n && options.late(cell.bucket.day)) return 'late'
  // Money without tokens on the bill, and nothing in the ledger that it could be for.
  if (tokens.length === 0 && cell.ledger === 0n) return 'bypass'
  if (cell.rest > 0n && options.more_requests(cell.bucket)) return 'bypass'
  return tiersDiffer(cell) ? 'tier' : undefined
}

const explain = (cell: DollarCell, tokens: readonly TokenCell[], options: DollarOptions): void => {
  if (options.renamed(cell.bucket)) {
    take(cell, 'alias', cell.rest)
    return
  }
  explainByTokens(cell, tokens)
  explainUnpriced(cell, tokens)
  explainReserved(cell)
  explainUnbilled(cell, options)
  const reason = reasonFor(cell, tokens, options)
  if (reason === undefined) return
  if (reason === 'late') cell.common += cell.rest
  take(cell, reason, cell.rest)
  cell.open = 0n
}

const billion = 1_000_000_000n

/** What the tokens that both sides have cost by the ledger, and how much more by the bill. */
const sharedOf = ({ common, rest, open }: DollarCell): Readonly<{ ledger: bigint; more: bigint }> => ({
  ledger: open < 0n ? common + open : common,
  more: rest - open,
})

/**
 * What is left, where the bill's price is the same part of the ledger's in every cell of a model, is a discount (or a
 * surcharge). One cell alone shows nothing of the kind; neither does a ratio that varies by more than a thousandth, nor a bill
 * that is silent. Of tokens that stay open the dollars stay open, too.
 */
const explainDiscounts = (cells: readonly DollarCell[]): void => {
  const models = Map.groupBy(
    cells.filter((cell) => cell.stated && sharedOf(cell).ledger > 0n && !cell.parts.has('tier')),
    ({ bucket }) => bucket.model,
  )
  for (const group of models.values()) {
    if (group.length < 2 || group.every((cell) => sharedOf(cell).more === 0n)) continue
    const ranges = group.map((cell) => {
      const { ledger, more } = sharedOf(cell)
      const ratio = share(billion, ledger + more, ledger)
      const about = size(ratio) / 2000n + share(billion, cell.slack, ledger)
      return { low: ratio - about, high: ratio + about }
    })
    const same = ranges.every(({ low }) => ranges.every(({ high }) => low <= high))
    if (same) for (const cell of group) take(cell, 'discount', sharedOf(cell).more)
  }
}

/** Compares the dollars of buckets. `tokens` are their token cells, which explain what they can before prices do. */
export const compareDollars = (
  buckets: readonly Bucket[],
  tokens: readonly TokenCell[],
  options: DollarOptions,
): DollarCell[] => {
  const byBucket = Map.groupBy(tokens, ({ bucket }) => bucket)
  const cells = buckets.flatMap(cellsOf)
  for (const cell of cells)
    explain(
      cell,
      (byBucket.get(cell.bucket) ?? []).filter(({ kinds }) => within(kinds, cell.kinds)),
      options,
    )
  explainDiscounts(cells)
  return cells
}

export const dollarsOf = ({ provider, ledger, parts }: DollarCell): Comparison<Picodollars> =>
  comparisonOf(picodollars(provider), picodollars(ledger), parts)
