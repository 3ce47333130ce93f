import type { BillLine } from '../../../core/bill.ts'
import type { MeteredRow } from '../../../core/ledger.ts'
import { type Picodollars, parseUsd, picodollars, sum } from '../../../core/money.ts'
import { isPiece, type KindGroup, kindOf } from './kinds.ts'

/** Everything of one owner's model on one day, on both sides. */
export type Bucket = Readonly<{
  day: string
  owner: string | null
  model: string | null
  lines: BillLine[]
  rows: MeteredRow[]
}>

export const isTokens = ({ meter }: MeteredRow): boolean => {
  const kind = meter === null ? 'fee' : kindOf(meter)
  return kind !== 'fee' && !isPiece(kind)
}

/** Rows that are fees: what no bill counts, and pieces for which this one has no price apart. */
export const feesOf = ({ lines, rows }: Bucket): readonly MeteredRow[] => {
  const priced = new Set(lines.flatMap(({ cost, kinds }) => (cost === null ? [] : kinds)))
  return rows.filter(({ meter }) => {
    if (meter === null) return false
    const kind = kindOf(meter)
    return kind === 'fee' || (isPiece(kind) && !priced.has(kind))
  })
}

/** Rows of some kinds, of tokens or of pieces. */
export const rowsOf = (rows: readonly MeteredRow[], kinds: KindGroup): readonly MeteredRow[] =>
  rows.filter((row) => {
    const kind = row.meter === null ? 'fee' : kindOf(row.meter)
    return kind !== 'fee' && kinds.includes(kind)
  })

/** Tokens or pieces of rows; their meters count whole ones. */
export const tokensOf = (rows: readonly MeteredRow[]): bigint =>
  rows.reduce((total, { quantity }) => total + BigInt(quantity.split('.')[0] ?? '0'), 0n)

export const costOf = (rows: readonly MeteredRow[]): Picodollars => sum(rows.map(({ cost_usd }) => parseUsd(cost_usd)))

/** Tokens that lines of some kinds state. */
export const billedTokens = (lines: readonly BillLine[], kinds: KindGroup): bigint =>
  lines.reduce(
    (total, line) => total + (line.kinds.some((kind) => kinds.includes(kind)) ? (line.quantity ?? 0n) : 0n),
    0n,
  )

export const billedCost = (lines: readonly BillLine[]): Picodollars =>
  picodollars(lines.reduce((total, { cost }) => total + (cost ?? 0n), 0n))

/** The bill shows more requests than passed Weir. Undefined where it does not count them. */
export const moreRequests = ({ lines, rows }: Bucket): boolean | undefined => {
  const counted = lines.filter(({ requests }) => requests !== null)
  if (counted.length === 0) return undefined
  const billed = counted.reduce((total, { requests }) => total + (requests ?? 0), 0)
  return billed > rows.reduce((total, { attempts }) => total + attempts, 0)
}

/** Attempts whose tokens nobody reported. */
export const unseenAttempts = (rows: readonly MeteredRow[]): number =>
  rows.reduce((total, { attempts, aborted, estimated }) => total + (aborted && estimated ? attempts : 0), 0)

/** A key for what belongs together. */
export const keyOf = (...parts: readonly (string | null)[]): string => JSON.stringify(parts)

const DAY_MS = 86_400_000
const shifted = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)

export const dayAfter = (day: string): string => shifted(day, 1)
export const dayBefore = (day: string): string => shifted(day, -1)
