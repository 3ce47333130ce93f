/**
 * Rules between the columns of a row (and a few between rows) as data, from the requirements of FOCUS 1.2 to 1.4. What a
 * column must be by itself (presence, type, nulls, values, format) follows from `columns.ts`.
 */
import {
  category,
  creditAsBilled,
  givenWith,
  isGiven,
  isNull,
  notNegative,
  nullWith,
  order,
  priced,
  product,
  type Rule,
  together,
  uncorrected,
} from './rule.ts'

const costs: readonly Rule[] = [
  product('ListCost', 'ListUnitPrice'),
  product('ContractedCost', 'ContractedUnitPrice'),
  creditAsBilled('ListCost', 'ListUnitPrice'),
  creditAsBilled('ContractedCost', 'ContractedUnitPrice'),
  ...['ListUnitPrice', 'ContractedUnitPrice'].flatMap((column) => [...priced(column), notNegative(column)]),
  notNegative('PricingCurrencyListUnitPrice'),
  notNegative('PricingCurrencyContractedUnitPrice'),
  {
    id: 'EffectiveCost.prepaid',
    column: 'EffectiveCost',
    level: 'must',
    says: 'EffectiveCost must be 0 on a Purchase that covers future charges (one with a CommitmentDiscountId)',
    when: [category('Purchase'), isGiven('CommitmentDiscountId')],
    demand: { column: 'EffectiveCost', is: ['0'] },
  },
]

const quantities: readonly Rule[] = [
  ...priced('PricingQuantity'),
  ...together('PricingUnit', 'PricingQuantity'),
  {
    id: 'ConsumedQuantity.usage-only',
    column: 'ConsumedQuantity',
    level: 'must',
    says: 'ConsumedQuantity must be null when ChargeCategory is not Usage',
    when: [category('Purchase', 'Tax', 'Credit', 'Adjustment')],
    demand: isNull('ConsumedQuantity'),
  },
  {
    id: 'ConsumedQuantity.unused',
    column: 'ConsumedQuantity',
    level: 'must',
    says: 'ConsumedQuantity must be null on the unused part of a commitment discount',
    when: [category('Usage'), { column: 'CommitmentDiscountStatus', is: ['Unused'] }],
    demand: isNull('ConsumedQuantity'),
  },
  {
    id: 'ConsumedQuantity.given-on-usage',
    column: 'ConsumedQuantity',
    level: 'must',
    says: 'ConsumedQuantity must not be null on Usage, unless it is Unused or ChargeClass is Correction',
    when: [category('Usage'), { column: 'CommitmentDiscountStatus', not: ['Unused'] }, uncorrected],
    demand: isGiven('ConsumedQuantity'),
  },
  ...together('ConsumedUnit', 'ConsumedQuantity'),
]

const skus: readonly Rule[] = [
  ...priced('SkuId'),
  ...priced('SkuPriceId'),
  ...priced('PricingCategory'),
  nullWith('SkuMeter', 'SkuId'),
  givenWith('SkuMeter', 'SkuId', { level: 'should', says: 'SkuMeter should not be null when SkuId is not null' }),
  nullWith('SkuPriceDetails', 'SkuPriceId'),
  {
    id: 'SkuPriceDetails.keys',
    column: 'SkuPriceDetails',
    level: 'must',
    says: 'a key of SkuPriceDetails must be one that FOCUS defines, or begin with x_',
    demand: { column: 'SkuPriceDetails', shape: 'sku-keys' },
  },
  {
    id: 'SkuPriceId.one-sku',
    column: 'SkuPriceId',
    level: 'must',
    says: 'a SkuPriceId must belong to one and only one SkuId',
    demand: { one: 'SkuId', for: 'SkuPriceId' },
  },
  {
    id: 'SkuPriceDetails.same',
    column: 'SkuPriceDetails',
    level: 'should',
    says: 'rows of one SkuPriceId should have the same SkuPriceDetails',
    demand: { one: 'SkuPriceDetails', for: 'SkuPriceId' },
  },
  ...(['PricingQuantity', 'ListUnitPrice', 'ContractedUnitPrice', 'PricingCategory'] as const).map((column) =>
    nullWith(column, 'SkuPriceId', {
      level: 'should',
      since: '1.4',
      says: `${column} should be null when SkuPriceId is null`,
    }),
  ),
]

const commitments: readonly Rule[] = [
  ...['CommitmentDiscountCategory', 'CommitmentDiscountType'].flatMap((column) =>
    together(column, 'CommitmentDiscountId'),
  ),
  nullWith('CommitmentDiscountName', 'CommitmentDiscountId'),
  nullWith('CommitmentDiscountStatus', 'CommitmentDiscountId'),
  givenWith('CommitmentDiscountStatus', 'CommitmentDiscountId', {
    says: 'CommitmentDiscountStatus must not be null on Usage with a CommitmentDiscountId',
    when: [isGiven('CommitmentDiscountId'), category('Usage')],
  }),
  nullWith('CommitmentDiscountQuantity', 'CommitmentDiscountId'),
  ...together('CommitmentDiscountUnit', 'CommitmentDiscountQuantity'),
  {
    id: 'PricingCategory.committed',
    column: 'PricingCategory',
    level: 'must',
    says: 'PricingCategory must be Committed on Usage with a CommitmentDiscountId',
    when: [category('Usage'), isGiven('CommitmentDiscountId'), uncorrected],
    demand: { column: 'PricingCategory', is: ['Committed'] },
  },
  nullWith('CapacityReservationStatus', 'CapacityReservationId'),
  givenWith('CapacityReservationStatus', 'CapacityReservationId', {
    says: 'CapacityReservationStatus must not be null on Usage with a CapacityReservationId',
    when: [isGiven('CapacityReservationId'), category('Usage')],
  }),
  {
    id: 'CommitmentProgramEligibilityDetails.shape',
    column: 'CommitmentProgramEligibilityDetails',
    level: 'must',
    says: 'CommitmentProgramEligibilityDetails must be {"CommitmentPrograms": [{"ProgramType": "…"}, …]}',
    since: '1.4',
    demand: { column: 'CommitmentProgramEligibilityDetails', shape: 'commitment-programs' },
  },
]

const accounts: readonly Rule[] = [
  ...together('SubAccountName', 'SubAccountId'),
  ...together('SubAccountType', 'SubAccountId'),
  ...together('BillingAccountType', 'BillingAccountId'),
  ...together('RegionName', 'RegionId'),
  nullWith('ResourceName', 'ResourceId'),
  ...together('ResourceType', 'ResourceId'),
  nullWith('InvoiceDetailId', 'InvoiceId', { since: '1.4' }),
  {
    id: 'ServiceSubcategory.parent',
    column: 'ServiceSubcategory',
    level: 'must',
    says: 'ServiceSubcategory must be one of its ServiceCategory',
    demand: { pair: 'service-subcategory' },
  },
]

const periods: readonly Rule[] = [
  order('ChargePeriodEnd', 'ChargePeriodStart'),
  order('BillingPeriodEnd', 'BillingPeriodStart'),
  {
    id: 'ChargePeriodStart.in-billing-period',
    column: 'ChargePeriodStart',
    level: 'should',
    says: 'Usage that corrects nothing should lie before the end of its billing period',
    when: [category('Usage'), uncorrected],
    demand: { before: ['ChargePeriodStart', 'BillingPeriodEnd'] },
  },
  {
    id: 'ChargeFrequency.purchase',
    column: 'ChargeFrequency',
    level: 'must',
    says: 'ChargeFrequency must not be Usage-Based on a Purchase',
    when: [category('Purchase')],
    demand: { column: 'ChargeFrequency', not: ['Usage-Based'] },
  },
]

const splits: readonly Rule[] = [
  ...['AllocatedResourceId', 'AllocatedTags', 'AllocatedMethodDetails'].map((column) =>
    nullWith(column, 'AllocatedMethodId', { since: '1.3' }),
  ),
  // The part of a charge that is left to nobody has a method and no resource: only a recommendation, as no row says that it is that part.
  givenWith('AllocatedResourceId', 'AllocatedMethodId', {
    since: '1.3',
    level: 'should',
    says: 'AllocatedResourceId should not be null when AllocatedMethodId is not null, but on the part that is not allocated',
  }),
  ...together('AllocatedResourceName', 'AllocatedResourceId', { since: '1.3' }),
  {
    id: 'AllocatedTags.apart',
    column: 'AllocatedTags',
    level: 'should',
    says: 'AllocatedTags should not repeat what is in Tags',
    since: '1.3',
    demand: { apart: ['AllocatedTags', 'Tags'] },
  },
  {
    id: 'AllocatedMethodDetails.shape',
    column: 'AllocatedMethodDetails',
    level: 'must',
    says: 'AllocatedMethodDetails must be {"Elements": [{"AllocatedRatio": number, …}, …]}, with a UsageUnit where there is a UsageQuantity; keys of one’s own begin with x_',
    since: '1.3',
    demand: { column: 'AllocatedMethodDetails', shape: 'allocated-method' },
  },
]

export const rules: readonly Rule[] = [
  ...costs,
  ...quantities,
  ...skus,
  ...commitments,
  ...accounts,
  ...periods,
  ...splits,
]

/** Keys of SkuPriceDetails that FOCUS defines (1.1 on). */
export const skuKeys: readonly string[] = [
  'CoreCount',
  'DiskMaxIops',
  'DiskSpace',
  'DiskType',
  'GpuCount',
  'InstanceType',
  'InstanceSeries',
  'MemorySize',
  'NetworkMaxIops',
  'NetworkMaxThroughput',
  'OperatingSystem',
  'Redundancy',
  'StorageClass',
]

/** Keys of the 1.5 draft, which the foundation's own examples of token billing already use. They are let pass. */
export const draftSkuKeys: readonly string[] = [
  'ModelDeveloper',
  'ModelFamily',
  'ModelId',
  'ModelVersion',
  'TokenDirection',
  'TokenCacheAction',
]
