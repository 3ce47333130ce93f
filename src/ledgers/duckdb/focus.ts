/** Charges for a FOCUS file: receipts by hour or day, meter, price and payer, exact to the picodollar. */
import type { Answers, ChargeDimension, ChargeRow, Question } from '../../core/ledger.ts'
import { plainDecimal } from '../../playbook/price/decimal.ts'
import { groupingOf, where } from './dimensions.ts'
import type { Row, Session } from './engine.ts'
import { unpriced } from './measures.ts'
import { join, raw, type Sql, sql } from './sql.ts'
import { count, first, text, usd } from './values.ts'

type Asked = Extract<Question, { ask: 'focus' }>

const sizes_us = { hour: 3_600_000_000, day: 86_400_000_000 } as const

/** Equal tags in another order are the same tags. */
const TAGS = raw('CAST(to_json(map_from_entries(list_sort(map_entries(tags)))) AS VARCHAR)')

const dimensionSql = (dimension: ChargeDimension): Sql => (dimension === 'tags' ? TAGS : groupingOf(dimension).grouped)

/** What all parts of a receipt share, and what charges are grouped by. */
const shared = [
  'used_us',
  'billed_us',
  'provider',
  'price_state',
  'region',
  'geo',
  'service_tier',
  'speed',
  'outcome',
  'retried',
  'estimated',
  'contracted',
]

/**
 * A line explains its cost when it is quantity × rate, rounded once. What a provider declined to do is not billed, and
 * lines of a correction are differences, unless it brings the price that its receipt lacked.
 */
const EXPLAINED = raw(`CASE
  WHEN cost_usd IS NULL OR (corrects IS NOT NULL AND coalesce(original_state, '') <> 'unpriced') THEN []
  ELSE list_filter(coalesce(lines, []), lambda x: x.kind <> 'declined' AND x.quantity > 0 AND x.cost_usd IS NOT NULL
    AND x.rate_usd IS NOT NULL
    AND abs(x.quantity * CAST(x.rate_usd AS DOUBLE) / 1e6 - CAST(x.cost_usd AS DOUBLE)) <= 1e-12 + 1e-13 * abs(CAST(x.cost_usd AS DOUBLE)))
  END`)

const partsOf = ({ window, grain, by, filters }: Asked): Sql => {
  const size = raw(String(sizes_us[grain]))
  const dimensions = join(
    by.map((dimension, at) => sql`, ${dimensionSql(dimension)} AS ${raw(`d${at}`)}`),
    '',
  )
  return sql`
    WITH chosen AS (
      SELECT receipt_id, corrects, started_at_us, provider, coalesce(model_served, model_asked) AS model, lines, cost_usd,
        price_state, region, geo, service_tier, speed, outcome, attempt > 1 AS retried,
        usage_source = 'estimated' AS estimated,
        coalesce(list_cost_usd <> cost_usd, false) AND price_state = 'priced' AS contracted,
        coalesce(input_tokens, 0) AS input_tokens, coalesce(output_tokens, 0) AS output_tokens,
        ${raw(unpriced(true))} AS is_unpriced ${dimensions}
      FROM receipts WHERE ${where(window, filters)}
    ), originals AS (
      SELECT receipt_id AS original_id, any_value(started_at_us) AS original_us, any_value(price_state) AS original_state
      FROM spending WHERE receipt_id IN (SELECT corrects FROM chosen WHERE corrects IS NOT NULL) GROUP BY receipt_id
    ), parted AS (
      SELECT *, coalesce(original_us, started_at_us) // ${size} * ${size} AS used_us,
        started_at_us // ${size} * ${size} AS billed_us, ${EXPLAINED} AS explained
      FROM chosen LEFT JOIN originals ON corrects = original_id
    )`
}

const statementOf = (asked: Asked): Sql => {
  const dimensions = asked.by.map((_, at) => `d${at}`)
  const common = raw([...shared, ...dimensions].join(', '))
  const part = (kind: string, line: string, tokens: string) =>
    `SELECT ${kind} AS kind, receipt_id, ${line}, input_tokens AS context_tokens, ${tokens}, `
  const metered = 'line.model AS model, line.meter AS meter, CAST(line.quantity AS DECIMAL(38,6)) AS quantity'
  const noTokens = '0 AS input_tokens, 0 AS output_tokens'
  return sql`
    ${partsOf(asked)}, parts AS (
      ${raw(part("'metered'", `${metered}, line.rate_usd AS rate_usd, line.price_row AS price_row, line.cost_usd AS cost_usd`, noTokens))}
        ${common} FROM (SELECT *, unnest(explained) AS line FROM parted)
      UNION ALL
      ${raw(
        part(
          "CASE WHEN corrects IS NULL THEN 'whole' ELSE 'correction' END",
          'model, NULL, 0, NULL, NULL, cost_usd - explained_usd',
          'input_tokens, output_tokens',
        ),
      )}
        ${common} FROM (SELECT *, coalesce(list_sum(list_transform(explained, lambda x: x.cost_usd)), 0) AS explained_usd FROM parted)
        WHERE cost_usd IS NOT NULL AND cost_usd <> explained_usd
      UNION ALL
      ${raw(part("'unpriced'", `${metered}, NULL, NULL, 0`, noTokens))}
        ${common} FROM (SELECT *, unnest(lines) AS line FROM parted WHERE is_unpriced) WHERE line.quantity > 0
    )
    SELECT kind, model, meter, rate_usd, price_row, ${common}, sum(quantity) AS quantity, sum(cost_usd) AS cost_usd,
      count(DISTINCT receipt_id) AS receipts, max(context_tokens) AS context_tokens,
      sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
    FROM parts GROUP BY kind, model, meter, rate_usd, price_row, ${common}
    ORDER BY used_us, provider, model, meter, kind, price_row, rate_usd, ${raw([...dimensions, ...shared].join(', '))}`
}

const rowOf = (row: Row, by: readonly ChargeDimension[]): ChargeRow => {
  const at = (dimension: ChargeDimension) => text(row[`d${by.indexOf(dimension)}`])
  const fields = by.filter((dimension) => dimension !== 'tags')
  const tags = by.includes('tags') ? at('tags') : null
  return {
    kind: row['kind'] as ChargeRow['kind'],
    used_us: count(row['used_us']),
    billed_us: count(row['billed_us']),
    provider: String(row['provider']),
    model: text(row['model']),
    meter: text(row['meter']),
    quantity: plainDecimal(String(row['quantity'])),
    rate_usd: text(row['rate_usd']),
    price_row: text(row['price_row']),
    price_state: String(row['price_state']),
    cost_usd: usd(row['cost_usd']),
    region: text(row['region']),
    geo: text(row['geo']),
    service_tier: text(row['service_tier']),
    speed: text(row['speed']),
    outcome: String(row['outcome']),
    retried: row['retried'] === true,
    estimated: row['estimated'] === true,
    contracted: row['contracted'] === true,
    receipts: count(row['receipts']),
    context_tokens: count(row['context_tokens']),
    input_tokens: count(row['input_tokens']),
    output_tokens: count(row['output_tokens']),
    payer: Object.fromEntries(fields.map((dimension) => [dimension, at(dimension)])),
    tags: tags === null ? {} : (JSON.parse(tags) as Record<string, string>),
  }
}

/** Answers with the charges of a window. Their cost is the sum of its receipts, to the picodollar. */
export const focus = async (session: Session, asked: Asked): Promise<Answers['focus']> => {
  const total = first(
    await session.rows(sql`
      SELECT sum(cost_usd) AS cost_usd, count_if(${raw(unpriced(true))}) AS unpriced
      FROM spending WHERE ${where(asked.window, asked.filters)}`),
  )
  const rows = await session.rows(statementOf(asked))
  return {
    rows: rows.map((row) => rowOf(row, asked.by)),
    cost_usd: usd(total['cost_usd']),
    unpriced: count(total['unpriced']),
  }
}
