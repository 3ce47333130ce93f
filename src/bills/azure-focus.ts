import type { Bill, BillCharge, BillLine } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import type { Picodollars } from '../core/money.ts'
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
const quantityOf = (record: BillRecord) => {
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
  const counted = quantityOf(record)
  return [lineOf({ ...common, ...sku, tokens: counted?.tokens ?? null, rounded: counted?.rounded ?? false })]
}

/** Azure OpenAI and Foundry models on a FocusCost export; other services' rows are passed over. */
export const bill: Bill = {
  name: 'azure-focus',
  describes: 'Azure OpenAI and Foundry models on a FocusCost export (FOCUS, CSV or Parquet), by resource and meter',
  traits: {
    adapters: ['azure-openai'],
    key_variables: [],
    late_hours: { tokens: 48, money: 48 },
    own_names: true,
  },
  read: (path) =>
    readBill(path, {
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
    }),
}
