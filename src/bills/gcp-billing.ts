import type { Bill, BillLine } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { type Picodollars, parseUsd, picodollars } from '../core/money.ts'
import { type BillRecord, dayOf, dollarsOf, fieldOf, lineOf, neededText, textOf, tokensOf } from './record.ts'
import { skuOf } from './sku.ts'
import { exactJson, readBill } from './source.ts'

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

/** Credits come nested, or as the text of that in a CSV. */
const creditsOf = (record: BillRecord): Picodollars => {
  const found = fieldOf(record, 'credits')
  const list = typeof found === 'string' && found.trim() !== '' ? exactJson(found) : found
  if (!Array.isArray(list)) return picodollars(0n)
  const total = list.reduce((sum: bigint, one) => sum + (dollarsOf(one as BillRecord, 'amount') ?? 0n), 0n)
  return picodollars(total)
}

/** How a charge that is no use is called here. */
const types = { tax: 'tax', adjustment: 'credit', rounding_error: 'rounding' } as const

/** The bill counts tokens one by one (`count`), whatever the unit of the price. */
const quantityOf = (record: BillRecord) => {
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

/** Vertex AI and the Gemini API on the billing export; other services' rows are passed over. */
export const bill: Bill = {
  name: 'gcp-billing',
  describes: 'Vertex AI and Gemini API on a Google Cloud billing export (CSV, JSONL or Parquet), by project and SKU',
  traits: {
    adapters: ['vertex-ai', 'google'],
    key_variables: [],
    late_hours: { tokens: 120, money: 120 },
    own_names: true,
  },
  read: (path) =>
    readBill(path, {
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
