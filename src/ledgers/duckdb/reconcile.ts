/** What was metered, in the shape of a provider's bill. */
import type { Answers, MeteredRow, Question } from '../../core/ledger.ts'
import { formatUsd, parseUsd, sum } from '../../core/money.ts'
import { groupingOf, where } from './dimensions.ts'
import type { Row, Session } from './engine.ts'
import { join, raw, type Sql, sql } from './sql.ts'
import { count, text, usd } from './values.ts'

type Metered = Extract<Question, { ask: 'metered' }>

const DAY_US = raw('86400000000')

/** What the rows are apart in, besides the meter. */
const alike = raw('provider, day, owner, tier, price_state, aborted, estimated, over_midnight')

const chosen = ({ window, providers, owner, filters }: Metered): Sql => {
  const names = join(
    providers.map((name) => sql`${name}`),
    ', ',
  )
  const { grouped, shown } = owner === undefined ? { grouped: raw('NULL'), shown: raw } : groupingOf(owner)
  return sql`
    SELECT provider, started_at_us // ${DAY_US} AS day, ${grouped} AS owner_group, ${shown('owner_group')}::VARCHAR AS owner,
      coalesce(model_served, model_asked) AS model, service_tier AS tier, price_state,
      outcome IN ('client-gone', 'cut', 'unknown') AS aborted, usage_source <> 'provider' AS estimated,
      ended_at_us // ${DAY_US} > started_at_us // ${DAY_US} AS over_midnight,
      (corrects IS NULL AND outcome IN ('ok', 'client-gone', 'cut', 'unknown'))::INTEGER AS attempts, cost_usd, lines
    FROM receipts WHERE ${where(window, filters)} AND provider IN (${names})`
}

/**
 * Three parts of every receipt, that sum to its cost: the whole of it, less its priced lines, and each line. What the lines
 * do not explain stays on the row without a meter: a cost that only the provider stated, a reservation, a correction.
 */
const statement = (question: Metered): Sql => sql`
  WITH chosen AS (${chosen(question)}), lined AS (
    SELECT ${alike}, model, cost_usd IS NOT NULL AND line.cost_usd IS NOT NULL AS priced, line
    FROM (SELECT *, unnest(lines) AS line FROM chosen)
  ), parts AS (
    SELECT ${alike}, model, NULL AS meter, true AS priced, 0::DECIMAL(38,6) AS quantity,
      coalesce(cost_usd, 0)::DECIMAL(38,12) AS cost, attempts FROM chosen
    UNION ALL
    SELECT ${alike}, model, NULL, true, 0, -line.cost_usd, 0 FROM lined WHERE priced
    UNION ALL
    SELECT ${alike}, coalesce(line.model, model), line.meter, priced, line.quantity::DECIMAL(38,6),
      CASE WHEN priced THEN line.cost_usd ELSE 0 END, 0 FROM lined
  )
  SELECT ${alike}, strftime(make_timestamp(day * ${DAY_US}), '%Y-%m-%d') AS date, model, meter, priced,
    sum(quantity) AS quantity, sum(cost) AS cost_usd, sum(attempts) AS attempts
  FROM parts GROUP BY ${alike}, model, meter, priced
  HAVING sum(quantity) <> 0 OR sum(cost) <> 0 OR sum(attempts) <> 0
  ORDER BY ALL`

/** A DECIMAL(38,6) in its shortest form. */
const quantity = (value: unknown): string => {
  const written = text(value) ?? '0'
  return written.includes('.') ? written.replace(/\.?0+$/, '') : written
}

const rowOf = (row: Row): MeteredRow => ({
  provider: String(row['provider']),
  day: String(row['date']),
  owner: text(row['owner']),
  model: text(row['model']),
  service_tier: text(row['tier']),
  meter: text(row['meter']),
  quantity: quantity(row['quantity']),
  cost_usd: usd(row['cost_usd']),
  priced: row['priced'] === true,
  price_state: String(row['price_state']),
  aborted: row['aborted'] === true,
  estimated: row['estimated'] === true,
  over_midnight: row['over_midnight'] === true,
  attempts: count(row['attempts']),
})

/** Receipts of some providers by UTC day, owner, model, tier and meter. The rows sum to the receipts, to the picodollar. */
export const metered = async (session: Session, question: Metered): Promise<Answers['metered']> => {
  if (question.providers.length === 0) return { rows: [], cost_usd: '0' }
  const rows = (await session.rows(statement(question))).map(rowOf)
  return { rows, cost_usd: formatUsd(sum(rows.map(({ cost_usd }) => parseUsd(cost_usd)))) }
}
