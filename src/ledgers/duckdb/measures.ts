/** What is counted and summed of a set of receipts: one list, so that every view counts alike. */
import type { Session } from './engine.ts'
import { type countNames, measureNames, moneyNames } from './names.ts'
import { type Sql, sql } from './sql.ts'

const FAILED = `(outcome IN ('error', 'cut', 'unknown', 'refused') OR coalesce(http_status, 0) >= 400)`

/** A receipt that is about an attempt; a correction changes money and nothing else. */
export const ORIGINAL = 'corrects IS NULL'

/** Receipts that nobody had to answer: they are calls, but no attempts at a provider. */
const NO_ATTEMPT = `('refused', 'cached', 'deferred')`

/** An unpriced receipt stays one until a correction brings its price. */
const UNPRICED = `price_state = 'unpriced' AND ${ORIGINAL}`
export const unpriced = (corrected: boolean): string =>
  corrected
    ? `(${UNPRICED} AND receipt_id NOT IN (SELECT corrects FROM spending WHERE corrects IS NOT NULL AND price_state IN ('priced', 'stated')))`
    : `(${UNPRICED})`

/** A call is counted at its first attempt, so that the calls of all groups sum to the calls of all receipts. */
export const CALL = `${ORIGINAL} AND attempt <= 1`

const counts = (corrected: boolean): Record<(typeof countNames)[number], string> => ({
  calls: `count_if(${CALL})`,
  attempts: `count_if(${ORIGINAL} AND outcome NOT IN ${NO_ATTEMPT})`,
  errors: `count_if(${ORIGINAL} AND ${FAILED})`,
  unpriced_calls: `count_if(${unpriced(corrected)})`,
  unmetered_calls: `count_if(${ORIGINAL} AND price_state = 'unmetered')`,
  estimated_calls: `count_if(${ORIGINAL} AND usage_source = 'estimated')`,
  input_tokens: 'sum(input_tokens)',
  output_tokens: 'sum(output_tokens)',
  cache_read_tokens: 'sum(cache_read_tokens)',
  cache_write_tokens: 'sum(cache_write_tokens)',
  reasoning_tokens: 'sum(reasoning_tokens)',
})

const money = moneyNames.map((name) => [name, `sum(${name})`] as const)

type Measure = (typeof measureNames)[number]

/** The aggregates, named. With `only`, an extra condition on every one of them. `corrected`: the ledger holds corrections. */
export const measures = (corrected: boolean, only?: Sql, names: readonly Measure[] = measureNames): Sql => {
  const known = [...Object.entries(counts(corrected)), ...money]
  const all = known.filter(([name]) => (names as readonly string[]).includes(name))
  const parts = all.map(([name, aggregate]) => `${aggregate}${only ? ` FILTER (${only.text})` : ''} AS ${name}`)
  return { text: parts.join(', '), values: only ? all.flatMap(() => only.values) : [] }
}

/** Sums of sums: of the roll-up's rows, or for a total over groups. */
export const totals = (only?: Sql, names: readonly Measure[] = measureNames): Sql => ({
  text: names.map((name) => `sum(${name})${only ? ` FILTER (${only.text})` : ''} AS ${name}`).join(', '),
  values: only ? names.flatMap(() => only.values) : [],
})

/** Corrections are rare; only where there are some must unpriced receipts be looked up in them. */
export const hasCorrections = async (session: Session): Promise<boolean> =>
  (
    await session.rows(sql`
      SELECT 1 FROM (SELECT corrects FROM packed UNION ALL SELECT corrects FROM spelt) WHERE corrects IS NOT NULL LIMIT 1`)
  ).length > 0
