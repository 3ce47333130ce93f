import { formatUsd, type Picodollars } from '../../core/money.ts'
import type { Alignment } from '../../playbook/allocate/reconcile/models.ts'
import type { Reconciliation } from '../../playbook/allocate/reconcile/reconcile.ts'
import { type Compared, type Comparison, type Reason, reasons, size } from '../../playbook/allocate/reconcile/result.ts'
import type { BadRow } from './collect.ts'

export type Reconciled = Readonly<{
  source: string
  from: string
  to: string
  result: Reconciliation
  /** Lines of the bill that could be read, those alike counted as one. */
  read: number
  /** Parts of the bill that came in two pages, and counted once. */
  again: number
  bad: number
  bad_rows: readonly BadRow[]
}>

/** What still counts as reconciled: 0.1 % of the tokens, 0.5 % of the dollars; in millionths. */
const tolerance = { tokens: 1_000n, cost: 5_000n } as const
const MILLION = 1_000_000n

/** Part of a whole as a number for people; where there is no whole, anything is all of it. */
export const shareIn = (part: bigint, whole: bigint): number =>
  whole === 0n ? (part === 0n ? 0 : 1) : Number(size(part)) / Number(size(whole))

const exceeds = (part: bigint, whole: bigint, millionths: bigint): boolean =>
  size(part) * MILLION > size(whole) * millionths

/** Is more of the tokens, of a kind of pieces or of the dollars unexplained than so many millionths of the bill? */
export const isOpen = (
  { tokens, pieces, cost, open_tokens, open_cost }: Reconciliation,
  millionths?: bigint,
): boolean =>
  pieces.some(({ compared, open }) => exceeds(open, compared.provider, millionths ?? tolerance.tokens)) ||
  exceeds(open_tokens, tokens?.provider ?? 0n, millionths ?? tolerance.tokens) ||
  exceeds(open_cost, cost?.provider ?? 0n, millionths ?? tolerance.cost)

/** A bill of which the ledger has nothing is explained by bypass to the last token, and yet nothing of it was checked. */
export const isUnseen = ({ tokens, pieces, cost }: Reconciliation): boolean => {
  const sides = [tokens, cost, ...pieces.map(({ compared }) => compared)].filter((one) => one !== undefined)
  return sides.some(({ provider }) => provider > 0n) && sides.every(({ ledger }) => ledger === 0n)
}

/** A bill that does not have most of what is in the ledger yet is explained by lateness, and yet hardly any of it was checked. */
export const isEarly = ({ tokens, cost }: Reconciliation): boolean => {
  const one = tokens ?? cost
  return one !== undefined && 2n * size(one.parts.get('late') ?? 0n) > size(one.ledger)
}

/** Was enough of a bill compared for a verdict on it? */
export const isCompared = (result: Reconciliation): boolean => !(isUnseen(result) || isEarly(result))

/** Ledger over provider; null where the bill states nothing of the kind. */
export const coverageOf = (compared: Comparison<bigint> | undefined): number | null =>
  compared === undefined || compared.provider === 0n ? null : Number(compared.ledger) / Number(compared.provider)

const named = <T>(parts: ReadonlyMap<Reason, bigint>, write: (amount: bigint) => T) =>
  Object.fromEntries(reasons.flatMap((reason) => (parts.has(reason) ? [[reason, write(parts.get(reason) ?? 0n)]] : [])))

const countAnswer = ({ provider, ledger, parts, residual }: Comparison<bigint>) => ({
  provider: Number(provider),
  ledger: Number(ledger),
  difference: Number(provider - ledger),
  parts: named(parts, Number),
  residual: Number(residual),
})

const costAnswer = ({ provider, ledger, parts, residual }: Comparison<Picodollars>) => ({
  provider_usd: formatUsd(provider),
  ledger_usd: formatUsd(ledger),
  difference_usd: formatUsd((provider - ledger) as Picodollars),
  parts_usd: named(parts, (amount) => formatUsd(amount as Picodollars)),
  residual_usd: formatUsd(residual),
})

const sides = ({ tokens, pieces, cost }: Pick<Compared, 'tokens' | 'pieces' | 'cost'>) => ({
  ...(tokens === undefined ? {} : { tokens: countAnswer(tokens) }),
  ...(pieces === undefined ? {} : { pieces: countAnswer(pieces) }),
  ...(cost === undefined ? {} : { cost: costAnswer(cost) }),
})

/** The answer for machines: counts are numbers, money is exact decimal text. */
export const answerOf = ({ source, from, to, result, again, bad, bad_rows }: Reconciled) => ({
  source,
  from,
  to,
  reconciled: !isOpen(result) && isCompared(result) && bad === 0,
  total: sides({ ...(result.tokens && { tokens: result.tokens }), ...(result.cost && { cost: result.cost }) }),
  pieces: result.pieces.map(({ kind, compared, open }) => ({ kind, ...countAnswer(compared), open: Number(open) })),
  coverage_tokens: coverageOf(result.tokens),
  coverage_usd: coverageOf(result.cost),
  open_tokens: Number(result.open_tokens),
  open_usd: formatUsd(result.open_cost),
  open_tokens_share: result.tokens === undefined ? null : shareIn(result.open_tokens, result.tokens.provider),
  open_usd_share: result.cost === undefined ? null : shareIn(result.open_cost, result.cost.provider),
  aligned: result.alignments satisfies readonly Alignment[],
  suspected: result.suspected,
  repeated: again,
  bad,
  bad_rows,
  lines: result.compared.map((one) => ({
    day: one.day,
    owner: one.owner,
    model: one.model,
    kinds: one.kinds.length > 0 ? one.kinds : [one.about],
    ...sides(one),
  })),
})

const usd = (amount: bigint | undefined): string | null =>
  amount === undefined ? null : formatUsd(amount as Picodollars)

const numberOf = (amount: bigint | undefined): number | null => (amount === undefined ? null : Number(amount))

/** Every line and every reason as a column. */
export const csvColumns: Readonly<Record<string, (line: Compared) => string | number | null>> = {
  day: ({ day }) => day,
  owner: ({ owner }) => owner,
  model: ({ model }) => model,
  kinds: ({ about, kinds }) => (kinds.length > 0 ? kinds.join('+') : about),
  provider_tokens: ({ tokens }) => numberOf(tokens?.provider),
  ledger_tokens: ({ tokens }) => numberOf(tokens?.ledger),
  ...Object.fromEntries(
    reasons.map((reason) => [`${reason}_tokens`, ({ tokens }: Compared) => numberOf(tokens?.parts.get(reason))]),
  ),
  residual_tokens: ({ tokens }) => numberOf(tokens?.residual),
  provider_usd: ({ cost }) => usd(cost?.provider),
  ledger_usd: ({ cost }) => usd(cost?.ledger),
  ...Object.fromEntries(
    reasons.map((reason) => [`${reason}_usd`, ({ cost }: Compared) => usd(cost?.parts.get(reason))]),
  ),
  residual_usd: ({ cost }) => usd(cost?.residual),
  provider_pieces: ({ pieces }) => numberOf(pieces?.provider),
  ledger_pieces: ({ pieces }) => numberOf(pieces?.ledger),
  residual_pieces: ({ pieces }) => numberOf(pieces?.residual),
}
