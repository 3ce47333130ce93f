import type { Bill, BillLine, BillRequest, BillRow } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { type Picodollars, parseUsd, picodollars, sum, ZERO } from '../core/money.ts'
import { askBigQuery } from './bigquery.ts'
import {
  type BillRecord,
  type Counted,
  dayOf,
  dollarsOf,
  fieldOf,
  isRecord,
  lineOf,
  neededText,
  textOf,
  tokensOf,
} from './record.ts'
import { skuOf } from './sku.ts'
import { exactJson, readBill, rowOf } from './source.ts'

const aboutModels = /vertex ai|gemini|generative language|generative ai/i

/** US dollars of an amount in the bill's currency: the export states how many of it a dollar is. */
const inDollars = (record: BillRecord, amount: Picodollars): Picodollars => {
  const currency = textOf(record, 'currency') ?? 'USD'
  if (currency === 'USD') return amount
  const rate = dollarsOf(record, 'currency_conversion_rate')
  if (rate === null || rate <= 0n)
    throw new WeirError(
      'bad-input',
      `currency is ${currency} and currency_conversion_rate is missing, so it cannot be changed to USD`,
    )
  const exact = amount * parseUsd('1')
  const half = exact < 0n ? -rate / 2n : rate / 2n
  return picodollars((exact + half) / rate)
}

/** Credits come nested, or as the text of that in a CSV. Throws `bad-input` for anything else. */
const creditsIn = (record: BillRecord): readonly BillRecord[] => {
  const found = fieldOf(record, 'credits')
  try {
    const list = typeof found === 'string' && found.trim() !== '' ? exactJson(found) : found
    if (Array.isArray(list) && list.every(isRecord)) return list
  } catch {
    // Said below.
  }
  if (found === undefined || found === null || found === '') return []
  throw new WeirError('bad-input', `credits is ${JSON.stringify(found).slice(0, 80)}, expected a list of JSON objects`)
}

const creditsOf = (record: BillRecord): Picodollars =>
  sum(creditsIn(record).map((credit) => dollarsOf(credit, 'amount') ?? ZERO))

/** What of a charge is no usage. */
const types = { tax: 'tax', adjustment: 'credit', rounding_error: 'rounding' } as const

/** The bill counts tokens one by one (`count`), whatever the unit of the price. */
const quantityOf = (record: BillRecord): Counted | null => {
  const unit = textOf(record, 'usage.unit')
  if (unit === 'count' || unit === 'requests' || unit === 'tokens') return tokensOf(record, 'usage.amount', 1n)
  return null
}

const linesOf = (record: BillRecord): readonly BillLine[] => {
  if (!aboutModels.test(textOf(record, 'service.description') ?? '')) return []
  const label = neededText(record, 'sku.description')
  const amount = dollarsOf(record, 'cost')
  if (amount === null) throw new WeirError('bad-input', 'cost is missing')
  const cost = inDollars(record, amount)
  const common = { day: dayOf(record, 'usage_start_time'), project: textOf(record, 'project.id'), label }
  const credit = inDollars(record, creditsOf(record))
  const credits = credit === 0n ? [] : [lineOf({ ...common, charge: 'credit', cost: credit })]
  const type = types[(textOf(record, 'cost_type') ?? '') as keyof typeof types]
  if (type !== undefined) return [lineOf({ ...common, charge: type, cost }), ...credits]
  const sku = skuOf(label)
  const counted = sku === undefined ? null : quantityOf(record)
  if (sku === undefined || counted === null) return [lineOf({ ...common, charge: 'fee', cost }), ...credits]
  return [lineOf({ ...common, ...sku, ...counted, cost }), ...credits]
}

/** The export's rows about models, named as in a flat file. Money and quantities are floats there, and their text is what is read. */
const queryOf = (table: string): string => `
  SELECT service.description AS service_description, sku.description AS sku_description, project.id AS project_id,
    FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%S UTC', usage_start_time) AS usage_start_time,
    CAST(usage.amount AS STRING) AS usage_amount, usage.unit AS usage_unit, CAST(cost AS STRING) AS cost, cost_type,
    currency, CAST(currency_conversion_rate AS STRING) AS currency_conversion_rate,
    TO_JSON_STRING(ARRAY(SELECT AS STRUCT CAST(credit.amount AS STRING) AS amount FROM UNNEST(credits) AS credit)) AS credits
  FROM ${table}
  WHERE usage_start_time >= @from AND usage_start_time < @to
    AND REGEXP_CONTAINS(LOWER(service.description), r'${aboutModels.source}')`

async function* fetchTable(request: BillRequest): AsyncGenerator<BillRow> {
  let row = 0
  for await (const record of askBigQuery(request, queryOf)) yield rowOf(record, ++row, linesOf)
}

/** Vertex AI and the Gemini API on the billing export; other services' rows are passed over. */
export const bill: Bill = {
  name: 'gcp-billing',
  describes:
    'Vertex AI and Gemini API on a Google Cloud billing export, by project and SKU, from BigQuery or a file (CSV, JSONL or Parquet)',
  traits: {
    adapters: ['vertex-ai', 'google'],
    address_example:
      'https://bigquery.googleapis.com/bigquery/v2/projects/PROJECT/datasets/DATASET/tables/gcp_billing_export_v1_ACCOUNT',
    keys: [{ field: 'api_key', variables: ['GOOGLE_OAUTH_ACCESS_TOKEN', 'GOOGLE_APPLICATION_CREDENTIALS'] }],
    late_hours: { tokens: 120, money: 120 },
    own_names: true,
  },
  fetch: fetchTable,
  read: (paths) =>
    readBill(paths, {
      columns: [
        'service',
        'sku',
        'usage',
        'project',
        'credits',
        'cost',
        'cost_type',
        'currency',
        'currency_conversion_rate',
        'usage_start_time',
        'service_description',
        'sku_description',
        'usage_amount',
        'usage_unit',
        'project_id',
      ],
      recognise: (record) =>
        textOf(record, 'service.description') !== null && textOf(record, 'sku.description') !== null,
      expects: 'a billing export with service.description and sku.description',
      lines: linesOf,
    }),
}
