/** What every leak is looked for in, and how it is told. */
import type { Leak } from '../../../core/ledger.ts'
import { formatUsd, parseUsd } from '../../../core/money.ts'
import type { Row, Session } from '../engine.ts'
import { raw, type Sql, sql } from '../sql.ts'
import { count, first, numberOrNull } from '../values.ts'

export type Scope = Readonly<{
  session: Session
  /** The condition of the window and the filters. */
  where: Sql
  /** All that was spent in it, US dollars. */
  total_usd: number
  input_tokens: number
  /** How many receipt ids to show. */
  examples: number
}>

/** A prompt that was refused, or answered without a provider, is no part of what was paid for input. */
export const BILLED_INPUT = raw('corrects IS NULL AND input_tokens > 0')

/** Dollars of a leak are an apportionment, not a booking: computed in floating point, told to the picodollar's twelve decimals. */
export const estimated = (value: unknown): string => formatUsd(parseUsd((numberOrNull(value) ?? 0).toFixed(12)))

/** For a sentence: `$12,300.00` from a dollar up, three significant digits below (`$0.0042`). */
export const dollars = (value: unknown): string => {
  const amount = numberOrNull(value) ?? 0
  const size = Math.abs(amount)
  const decimals = size === 0 || size >= 1 ? 2 : Math.min(12, 2 - Math.floor(Math.log10(size)))
  return `$${amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: decimals })}`
}

/** For a sentence: `85.1 %`; what is there and rounds to nothing is `<0.1 %`. */
export const percent = (part: number, whole: number): string => {
  if (part <= 0 || whole <= 0) return '0 %'
  const tenths = Math.round((1000 * part) / whole)
  return tenths === 0 ? '<0.1 %' : `${tenths / 10} %`
}

export const tokens = (value: unknown): string => Math.round(numberOrNull(value) ?? 0).toLocaleString('en-US')

/** `1 call`, `2 calls`. */
export const plural = (value: unknown, noun: string): string =>
  `${tokens(value)} ${noun}${tokens(value) === '1' ? '' : 's'}`

/** Counts that the engine gives as text because they are wide. */
const COUNTED = /^(calls|sessions|times)$|_tokens$|_turn$/

const shown = (name: string, value: unknown): string | number | null => {
  if (name.endsWith('_usd')) return estimated(value)
  if (value === null || value === undefined) return null
  if (typeof value === 'number' || COUNTED.test(name)) return Math.round(Number(value) * 1000) / 1000
  return String(value)
}

/** A detail row: columns that end in `_usd` hold estimated dollars, others text or numbers. */
const detailOf = (row: Row): Readonly<Record<string, string | number | null>> =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, shown(name, value)]))

const LARGEST = 12

export type Search = Readonly<{
  kind: Leak['kind']
  /** Rows of (receipt_id, leak DOUBLE or DECIMAL) and whatever the detail groups by; one row a receipt. */
  found: Sql
  /** Aggregates over `found` for the finding, beside cost and calls. */
  facts?: Sql
  /** The SELECT list and grouping of the detail rows. */
  detail: Sql
  /** Largest leak first where absent. */
  detail_order?: Sql
  finding: (facts: Row, cost: number) => string
}>

/** Looks for one leak: what it costs, in how many calls, where, and which calls show it best. */
export const search = async (
  { session, total_usd, examples }: Scope,
  { kind, found, facts, detail, detail_order, finding }: Search,
): Promise<Leak> => {
  await session.run(sql`CREATE OR REPLACE TEMP TABLE found AS ${found}`)
  const summary = first(
    await session.rows(
      sql`SELECT sum(leak)::DOUBLE AS leak, count_if(leak > 0) AS calls ${facts ? sql`, ${facts}` : raw('')} FROM found`,
    ),
  )
  const cost = numberOrNull(summary['leak']) ?? 0
  const details = await session.rows(
    sql`SELECT ${detail} FROM found GROUP BY ALL ORDER BY ${detail_order ?? raw('cost_usd DESC NULLS LAST, 1, 2')} LIMIT ${LARGEST}`,
  )
  const worst = await session.rows(
    sql`SELECT receipt_id FROM found WHERE leak > 0 ORDER BY leak DESC, receipt_id LIMIT ${examples}`,
  )
  return {
    kind,
    cost_usd: estimated(cost),
    share: total_usd > 0 ? cost / total_usd : 0,
    calls: count(summary['calls']),
    finding: finding(summary, cost),
    detail: details.map(detailOf),
    examples: worst.map((row) => String(row['receipt_id'])),
  }
}
