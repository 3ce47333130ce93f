import type { Bill, BillCharge, BillLine, BillRequest, TokenKind } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { type ExportForm, rowsOfExport } from './manifests.ts'
import {
  type BillRecord,
  dayOf,
  dollarsOf,
  lineOf,
  needDollars,
  neededText,
  textOf,
  tokensOf,
  unitOf,
} from './record.ts'
import { s3 } from './s3.ts'
import { readBill } from './source.ts'

type Meter = Readonly<{ model: string; kinds: readonly TokenKind[]; tier: string | null }>

const kindsOf = (type: string): readonly TokenKind[] => {
  const word = type.toLowerCase().replaceAll('-', '')
  if (word.startsWith('cacheread')) return ['cache_read']
  if (word.startsWith('cachewrite1h')) return ['cache_write_1h']
  if (word.startsWith('cachewrite')) return ['cache_write', 'cache_write_1h']
  return word.startsWith('output') ? ['output'] : ['input']
}

/** `USE1-Claude4.6Sonnet-cache-read-input-token-count-cross-region-global`: region, model, kind, then tier or route. */
const pattern =
  /^(?:[A-Z]{2,4}\d?-)?(.+?)-(?:mantle-)?(cache-read-input|cache-write(?:-\w+)?-input|input|output)-(?:tokens|token-count)(?:-(.+))?$/i

/** Models sold through the marketplace: the kind is in the usage type, the model in the product's name. */
const sold = /(CacheRead|CacheWrite(?:1h)?)?(Input|Output)TokenCount/i

const meterOf = (usage_type: string, product: string | null): Meter | undefined => {
  const [, name, type, rest = ''] = pattern.exec(usage_type) ?? []
  if (name !== undefined && type !== undefined) {
    const tier = /^(batch|flex|priority)/.exec(rest)?.[1] ?? null
    // A global profile is a model of its own price, and its id says `global.` too.
    return { model: rest.includes('global') ? `${name} global` : name, kinds: kindsOf(type), tier }
  }
  const found = sold.exec(usage_type)
  if (found === null || product === null) return undefined
  const model = product.replace(/\s*\(Amazon Bedrock Edition\)\s*/i, '')
  const tier = /batch/i.test(usage_type) ? 'batch' : null
  return {
    model: /global/i.test(usage_type) ? `${model} global` : model,
    kinds: kindsOf(`${found[1] ?? ''}${found[2]}`),
    tier,
  }
}

const charges: Readonly<Record<string, BillCharge>> = {
  Usage: 'usage',
  DiscountedUsage: 'usage',
  SavingsPlanCoveredUsage: 'usage',
  Tax: 'tax',
  Credit: 'credit',
  Refund: 'credit',
  EdpDiscount: 'discount',
  PrivateRateDiscount: 'discount',
  BundledDiscount: 'discount',
  SavingsPlanNegation: 'discount',
}

const productOf = (record: BillRecord): string | null =>
  textOf(record, 'product_product_name', 'product.product_name', 'line_item_line_item_description')

const isBedrock = (record: BillRecord): boolean =>
  /^AmazonBedrock/.test(textOf(record, 'line_item_product_code') ?? '') ||
  /amazon bedrock/i.test(productOf(record) ?? '')

/** A record of a report of before 2.0 (`lineItem/UsageType`, `pricing/unit`) under the names of 2.0. */
const renamed = (record: BillRecord): BillRecord => {
  if (!('lineItem/UsageType' in record)) return record
  const named = Object.entries(record).filter(([name]) => /^(lineItem|pricing|product)\//.test(name))
  const today = (name: string) =>
    name
      .replaceAll('/', '_')
      .replace(/([a-z])([A-Z])/g, '$1_$2')
      .toLowerCase()
  return Object.fromEntries(named.map(([name, value]) => [today(name), value]))
}

const linesOf = (written: BillRecord): readonly BillLine[] => {
  const record = renamed(written)
  if (!isBedrock(record)) return []
  needDollars(record, 'line_item_currency_code')
  const cost = dollarsOf(record, 'line_item_unblended_cost')
  if (cost === null) throw new WeirError('bad-input', 'line_item_unblended_cost is missing')
  const charge = charges[textOf(record, 'line_item_line_item_type') ?? 'Usage'] ?? 'fee'
  const common = {
    day: dayOf(record, 'line_item_usage_start_date'),
    project: textOf(record, 'line_item_usage_account_id'),
    key: textOf(record, 'line_item_iam_principal'),
    cost,
  }
  // Taxes and credits may name no usage.
  const described = textOf(record, 'line_item_usage_type', 'line_item_line_item_description')
  if (charge !== 'usage') return [lineOf({ ...common, charge, label: described ?? charge })]
  const label = neededText(record, 'line_item_usage_type')
  const meter = meterOf(label, productOf(record))
  if (meter === undefined) return [lineOf({ ...common, charge: 'fee', label })]
  // Amounts are in pricing units (thousands of tokens, mostly); where the report leaves that column out, only money is known.
  const unit = unitOf(textOf(record, 'pricing_unit'))
  const counted = unit === undefined ? null : tokensOf(record, 'line_item_usage_amount', unit)
  return [lineOf({ ...common, label, ...meter, ...counted })]
}

const read: Bill['read'] = (paths) =>
  readBill(paths, {
    columns: [
      'line_item_product_code',
      'line_item_usage_type',
      'line_item_usage_amount',
      'line_item_unblended_cost',
      'line_item_currency_code',
      'line_item_line_item_type',
      'line_item_line_item_description',
      'line_item_usage_start_date',
      'line_item_usage_account_id',
      'line_item_iam_principal',
      'pricing_unit',
      'product_product_name',
      'product',
    ],
    recognise: (record) => textOf(renamed(record), 'line_item_usage_type', 'line_item_line_item_type') !== null,
    expects: 'a Cost and Usage Report with the line_item columns',
    lines: linesOf,
  })

/** The first days of a month and of the next. */
const monthOf = (month: string): Readonly<{ from: string; to: string }> => {
  const next = new Date(`${month}-01`)
  next.setUTCMonth(next.getUTCMonth() + 1)
  return { from: `${month}-01`, to: next.toISOString().slice(0, 10) }
}

/** A Data Export in its bucket (https://docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html). */
const formIn = ({ bucket, folder }: ReturnType<typeof s3>): ExportForm => ({
  prefix: `${folder}/metadata/`,
  daysOf: (name) => {
    const month = /\/metadata\/BILLING_PERIOD=(\d{4}-\d\d)\/(?:.+\/)?[^/]*Manifest\.json$/i.exec(name)?.[1]
    return month === undefined ? undefined : monthOf(month)
  },
  filesOf: ({ dataFiles }, name) =>
    (Array.isArray(dataFiles) ? dataFiles : []).map((file) => {
      const [, owner = bucket, key = String(file)] = /^s3:\/\/([^/]+)\/(.+)$/.exec(String(file)) ?? []
      if (owner === bucket) return key
      throw new WeirError('bad-input', `${name} names files in the bucket ${owner}; only ${bucket} is read`)
    }),
})

const fetchExport = (request: BillRequest) => {
  const storage = s3(request)
  return rowsOfExport(request, storage, formIn(storage), read)
}

/** Bedrock's lines of a Cost and Usage Report, 2.0 or before; those of other services are passed over. */
export const bill: Bill = {
  name: 'aws-cur',
  describes:
    'Amazon Bedrock on an AWS Cost and Usage Report (2.0 or legacy, CSV or Parquet), by account, principal and usage type, from its bucket or a file',
  traits: {
    adapters: ['aws-bedrock'],
    address_example: 'https://BUCKET.s3.us-east-1.amazonaws.com/PREFIX/EXPORT-NAME',
    keys: [
      { field: 'access_key_id', variables: ['AWS_ACCESS_KEY_ID'] },
      { field: 'secret_access_key', variables: ['AWS_SECRET_ACCESS_KEY'] },
      { field: 'session_token', variables: ['AWS_SESSION_TOKEN'], optional: true },
    ],
    late_hours: { tokens: 48, money: 48 },
    own_names: true,
  },
  fetch: fetchExport,
  read,
}
