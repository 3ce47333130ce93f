import type { Bill, BillCharge, BillLine, BillRequest } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import type { Picodollars } from '../core/money.ts'
import { blobs } from './blobs.ts'
import { dayAfter } from './exports.ts'
import { type ExportForm, rowsOfExport } from './manifests.ts'
import {
  type BillRecord,
  type Counted,
  dayOf,
  dollarsOf,
  lineOf,
  needDollars,
  neededText,
  textOf,
  tokensOf,
  unitOf,
} from './record.ts'
import { skuOf } from './sku.ts'
import { readBill } from './source.ts'

const aboutModels = (record: BillRecord): boolean =>
  textOf(record, 'ServiceCategory') === 'AI and Machine Learning' ||
  /openai|foundry|cognitive|ai services/i.test(textOf(record, 'x_SkuMeterCategory', 'ServiceName') ?? '')

/** What was billed, in US dollars: Azure states that beside the billing currency. */
const costOf = (record: BillRecord): Picodollars => {
  const stated = dollarsOf(record, 'x_BilledCostInUsd')
  if (stated !== null) return stated
  needDollars(record, 'BillingCurrency')
  const cost = dollarsOf(record, 'BilledCost')
  if (cost === null) throw new WeirError('bad-input', 'BilledCost is missing')
  return cost
}

const charges: Readonly<Record<string, BillCharge>> = {
  Usage: 'usage',
  Credit: 'credit',
  Tax: 'tax',
  Adjustment: 'credit',
}

/** Consumed tokens where the row counts those; else the priced quantity in its unit (`1K`, `1M`). */
const quantityOf = (record: BillRecord): Counted | null => {
  const consumed = unitOf(textOf(record, 'ConsumedUnit'))
  if (consumed !== undefined) return tokensOf(record, 'ConsumedQuantity', consumed)
  const priced = unitOf(textOf(record, 'PricingUnit', 'x_PricingUnitDescription'), true)
  return priced === undefined ? null : tokensOf(record, 'PricingQuantity', priced)
}

const linesOf = (record: BillRecord): readonly BillLine[] => {
  if (!aboutModels(record)) return []
  const label = textOf(record, 'x_SkuMeterName', 'SkuMeter') ?? neededText(record, 'ChargeDescription')
  const common = {
    day: dayOf(record, 'ChargePeriodStart'),
    project: textOf(record, 'ResourceId', 'SubAccountId'),
    key: textOf(record, 'SubAccountId'),
    cost: costOf(record),
    label,
  }
  const charge = charges[textOf(record, 'ChargeCategory') ?? 'Usage'] ?? 'fee'
  if (charge !== 'usage') return [lineOf({ ...common, charge })]
  const sku = skuOf(label)
  if (sku === undefined) return [lineOf({ ...common, charge: 'fee' })]
  return [lineOf({ ...common, ...sku, ...quantityOf(record) })]
}

const read: Bill['read'] = (paths) =>
  readBill(paths, {
    columns: [
      'ServiceCategory',
      'ServiceName',
      'x_SkuMeterCategory',
      'x_SkuMeterName',
      'SkuMeter',
      'ChargeDescription',
      'ChargePeriodStart',
      'ResourceId',
      'SubAccountId',
      'ChargeCategory',
      'BilledCost',
      'x_BilledCostInUsd',
      'BillingCurrency',
      'ConsumedQuantity',
      'ConsumedUnit',
      'PricingQuantity',
      'PricingUnit',
      'x_PricingUnitDescription',
    ],
    recognise: (record) => 'ChargePeriodStart' in record && ('BilledCost' in record || 'x_BilledCostInUsd' in record),
    expects: 'a FocusCost export with ChargePeriodStart and BilledCost',
    lines: linesOf,
  })

/** `20261101` as `2026-11-01`. */
const dayIn = (digits: string): string => digits.replace(/(\d{4})(\d\d)(\d\d)/, '$1-$2-$3')

/** A scheduled export in its container (https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-improved-exports). */
const formIn = ({ folder }: ReturnType<typeof blobs>): ExportForm => ({
  prefix: `${folder}/`,
  daysOf: (name) => {
    const [, first, last] = /\/(\d{8})-(\d{8})\/(?:.+\/)?_?manifest\.json$/i.exec(name) ?? []
    return first === undefined || last === undefined ? undefined : { from: dayIn(first), to: dayAfter(dayIn(last)) }
  },
  filesOf: (manifest, name) => {
    const type = textOf(manifest, 'exportConfig.type')
    if (type !== null && type !== 'FocusCost')
      throw new WeirError('bad-input', `${name} is of an export of ${type}; azure-focus reads one of FocusCost`)
    const files = manifest['blobs']
    return (Array.isArray(files) ? files : []).map((file) => neededText(file as BillRecord, 'blobName'))
  },
})

const fetchExport = (request: BillRequest) => {
  const storage = blobs(request)
  return rowsOfExport(request, storage, formIn(storage), read)
}

/** Azure OpenAI and Foundry models on a FocusCost export; other services' rows are passed over. */
export const bill: Bill = {
  name: 'azure-focus',
  describes:
    'Azure OpenAI and Foundry models on a FocusCost export (FOCUS, CSV or Parquet), by resource and meter, from its container or a file',
  traits: {
    adapters: ['azure-openai'],
    address_example: 'https://ACCOUNT.blob.core.windows.net/CONTAINER/FOLDER/EXPORT-NAME',
    keys: [{ field: 'api_key', variables: ['AZURE_STORAGE_SAS_TOKEN'] }],
    late_hours: { tokens: 48, money: 48 },
    own_names: true,
  },
  fetch: fetchExport,
  read,
}
