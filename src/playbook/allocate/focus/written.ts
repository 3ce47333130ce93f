/** Which columns Weir writes, in which order, and how a row is written in each money mode. */
import { type Charge, type ColumnType, columns, holdsIn, type Version } from './columns.ts'
import { floatProduct, floatText } from './decimals.ts'

/** Columns of FOCUS that Weir has something to say in; the rest is conditional on what it does not support. */
const standard = [
  'BilledCost',
  'BillingAccountId',
  'BillingAccountName',
  'BillingCurrency',
  'BillingPeriodEnd',
  'BillingPeriodStart',
  'ChargeCategory',
  'ChargeClass',
  'ChargeDescription',
  'ChargeFrequency',
  'ChargePeriodEnd',
  'ChargePeriodStart',
  'ConsumedQuantity',
  'ConsumedUnit',
  'ContractedCost',
  'ContractedUnitPrice',
  'EffectiveCost',
  'HostProviderName',
  'InvoiceId',
  'InvoiceIssuerName',
  'ListCost',
  'ListUnitPrice',
  'PricingCategory',
  'PricingQuantity',
  'PricingUnit',
  'ProviderName',
  'PublisherName',
  'RegionId',
  'RegionName',
  'ServiceCategory',
  'ServiceName',
  'ServiceProviderName',
  'ServiceSubcategory',
  'SkuId',
  'SkuMeter',
  'SkuPriceDetails',
  'SkuPriceId',
  'SubAccountId',
  'SubAccountName',
  'Tags',
]

/** Recommended from 1.3 on; the rest of the allocation columns comes with splits. */
const method = 'AllocatedMethodDetails'

const allocated = ['AllocatedMethodId', 'AllocatedResourceId', 'AllocatedResourceName', 'AllocatedTags']

/** What FOCUS lacks. */
const own: Readonly<Record<string, ColumnType>> = {
  x_CostSource: 'String',
  x_Estimated: 'String',
  x_InputTokens: 'Decimal',
  x_Outcome: 'String',
  x_OutputTokens: 'Decimal',
  x_PriceId: 'String',
  x_ReasoningTokens: 'Decimal',
  x_RequestCount: 'Decimal',
  x_Retried: 'String',
  x_Unpriced: 'String',
}

export type Written = Readonly<{ name: string; type: ColumnType }>

/** `decimal`: every amount exact. `float-exact`: price × quantity = cost also in floats, the exact cost beside it as text. */
export type MoneyMode = 'decimal' | 'float-exact'

/** The columns of a file. Those of splits are there only where there are splits (1.3 on). */
export const writtenColumns = (version: Version, money: MoneyMode, splits: boolean): readonly Written[] => {
  const names = [method, ...(splits ? allocated : []), ...standard]
  const focus = names.flatMap((name): Written[] => {
    const column = columns[name]
    return column && holdsIn(column, version) ? [{ name, type: column.type }] : []
  })
  const exact: Written[] = money === 'float-exact' ? [{ name: 'x_BilledCostExact', type: 'String' }] : []
  return [...focus, ...exact, ...Object.entries(own).map(([name, type]) => ({ name, type }))]
}

/**
 * The row with its money as floats: cost texts are the shortest of price × quantity as floats multiply, because validators
 * compare them so; the deviation is under 1e-15 of an amount. What is billed exactly stands in `x_BilledCostExact`.
 */
export const inFloats = (charge: Charge, written: readonly Written[]): Charge => {
  const floats = written.flatMap(({ name, type }) => {
    const value = charge[name]
    return type === 'Decimal' && value ? [[name, floatText(Number(value))] as const] : []
  })
  const product = (cost: string, price: string) => {
    const [each, quantity] = [charge[price], charge['PricingQuantity']]
    return each && quantity ? { [cost]: floatProduct(each, quantity) } : {}
  }
  return {
    ...charge,
    ...Object.fromEntries(floats),
    ...product('ListCost', 'ListUnitPrice'),
    ...product('ContractedCost', 'ContractedUnitPrice'),
    x_BilledCostExact: charge['BilledCost'] ?? null,
  }
}
