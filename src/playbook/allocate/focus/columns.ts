/** The Cost and Usage dataset of FOCUS 1.2, 1.3 and 1.4, column by column. Rules between columns are in `rules.ts`. */
import { subcategories } from './services.ts'

export const versions = ['1.2', '1.3', '1.4'] as const
export type Version = (typeof versions)[number]
export type ColumnType = 'String' | 'Decimal' | 'DateTime' | 'Json'

/** What a data generator can support; a conditional column must be there when it does. Names after the 1.2 requirements model. */
export type Support =
  | 'availability-zone'
  | 'capacity-reservation'
  | 'commitment-discount'
  | 'contract-commitment'
  | 'commitment-program'
  | 'invoice'
  | 'multiple-pricing-categories'
  | 'multiple-sub-account-types'
  | 'multiple-billing-account-types'
  | 'negotiated-pricing'
  | 'public-price-list'
  | 'usage-measurement'
  | 'unit-pricing'
  | 'sub-account'
  | 'provisioned-resources'
  | 'resource-type'
  | 'pricing-currency'
  | 'region'
  | 'tagging'
  | 'split-cost'

export type Column = Readonly<{
  type: ColumnType
  presence: 'mandatory' | 'recommended' | Support
  /** Null is allowed. */
  nulls?: true
  values?: readonly string[]
  format?: 'currency' | 'pricing-currency' | 'unit'
  /** JSON of the form `{ "key": scalar }`; an object otherwise. */
  flat?: true
  since?: Version
  until?: Version
}>

/** A row of the dataset by column name. Decimals are plain decimal text, JSON is text, null is null. */
export type Charge = Readonly<Record<string, string | null>>

const text = (presence: Column['presence'], more: Partial<Column> = {}): Column => ({
  type: 'String',
  presence,
  ...more,
})
const decimal = (presence: Column['presence'], more: Partial<Column> = {}): Column => ({
  type: 'Decimal',
  presence,
  ...more,
})
const moment: Column = { type: 'DateTime', presence: 'mandatory' }
const json = (presence: Column['presence'], more: Partial<Column> = {}): Column => ({
  type: 'Json',
  presence,
  nulls: true,
  ...more,
})
const nulls = { nulls: true } as const
const split = { nulls: true, since: '1.3' } as const

/** In the order of the specification, which is that of the alphabet. */
export const columns: Readonly<Record<string, Column>> = {
  AllocatedMethodDetails: json('recommended', { since: '1.3' }),
  AllocatedMethodId: text('split-cost', split),
  AllocatedResourceId: text('split-cost', split),
  AllocatedResourceName: text('split-cost', split),
  AllocatedTags: json('split-cost', { since: '1.3', flat: true }),
  AvailabilityZone: text('availability-zone', nulls),
  BilledCost: decimal('mandatory'),
  BillingAccountId: text('mandatory'),
  BillingAccountName: text('mandatory', nulls),
  BillingAccountType: text('multiple-billing-account-types', nulls),
  BillingCurrency: text('mandatory', { format: 'currency' }),
  BillingPeriodEnd: moment,
  BillingPeriodStart: moment,
  CapacityReservationId: text('capacity-reservation', nulls),
  CapacityReservationStatus: text('capacity-reservation', { nulls: true, values: ['Used', 'Unused'] }),
  ChargeCategory: text('mandatory', { values: ['Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment'] }),
  ChargeClass: text('mandatory', { nulls: true, values: ['Correction'] }),
  ChargeDescription: text('mandatory', nulls),
  ChargeFrequency: text('recommended', { values: ['One-Time', 'Recurring', 'Usage-Based'] }),
  ChargePeriodEnd: moment,
  ChargePeriodStart: moment,
  CommitmentDiscountCategory: text('commitment-discount', { nulls: true, values: ['Spend', 'Usage'] }),
  CommitmentDiscountId: text('commitment-discount', nulls),
  CommitmentDiscountName: text('commitment-discount', nulls),
  CommitmentDiscountQuantity: decimal('commitment-discount', nulls),
  CommitmentDiscountStatus: text('commitment-discount', { nulls: true, values: ['Used', 'Unused'] }),
  CommitmentDiscountType: text('commitment-discount', nulls),
  CommitmentDiscountUnit: text('commitment-discount', { nulls: true, format: 'unit' }),
  CommitmentProgramEligibilityDetails: json('commitment-program', { since: '1.4' }),
  ConsumedQuantity: decimal('usage-measurement', nulls),
  ConsumedUnit: text('usage-measurement', { nulls: true, format: 'unit' }),
  ContractApplied: json('contract-commitment', { since: '1.3' }),
  ContractedCost: decimal('mandatory'),
  ContractedUnitPrice: decimal('negotiated-pricing', nulls),
  EffectiveCost: decimal('mandatory'),
  HostProviderName: text('mandatory', { since: '1.3' }),
  InvoiceDetailId: text('invoice', { nulls: true, since: '1.4' }),
  InvoiceId: text('recommended', nulls),
  InvoiceIssuerName: text('mandatory'),
  ListCost: decimal('mandatory'),
  ListUnitPrice: decimal('public-price-list', nulls),
  PricingCategory: text('multiple-pricing-categories', {
    nulls: true,
    values: ['Standard', 'Dynamic', 'Committed', 'Other'],
  }),
  PricingCurrency: text('pricing-currency', { format: 'pricing-currency' }),
  PricingCurrencyContractedUnitPrice: decimal('pricing-currency', nulls),
  PricingCurrencyEffectiveCost: decimal('pricing-currency'),
  PricingCurrencyListUnitPrice: decimal('pricing-currency', nulls),
  PricingQuantity: decimal('mandatory', nulls),
  PricingUnit: text('mandatory', { nulls: true, format: 'unit' }),
  ProviderName: text('mandatory', { until: '1.3' }),
  PublisherName: text('mandatory', { until: '1.3' }),
  RegionId: text('region', nulls),
  RegionName: text('region', nulls),
  ResourceId: text('provisioned-resources', nulls),
  ResourceName: text('provisioned-resources', nulls),
  ResourceType: text('resource-type', nulls),
  ServiceCategory: text('mandatory', { values: Object.keys(subcategories) }),
  ServiceName: text('mandatory'),
  ServiceProviderName: text('mandatory', { since: '1.3' }),
  ServiceSubcategory: text('recommended', { values: Object.values(subcategories).flat() }),
  SkuId: text('unit-pricing', nulls),
  SkuMeter: text('unit-pricing', nulls),
  SkuPriceDetails: json('unit-pricing', { flat: true }),
  SkuPriceId: text('unit-pricing', nulls),
  SubAccountId: text('sub-account', nulls),
  SubAccountName: text('sub-account', nulls),
  SubAccountType: text('multiple-sub-account-types', nulls),
  Tags: json('tagging', { flat: true }),
}

/** Does a column or rule belong to a version? */
export const holdsIn = ({ since, until }: Readonly<{ since?: Version; until?: Version }>, version: Version): boolean =>
  (since === undefined || version >= since) && (until === undefined || version <= until)

/** The columns of a version. */
export const columnsOf = (version: Version): ReadonlyMap<string, Column> =>
  new Map(Object.entries(columns).filter(([, column]) => holdsIn(column, version)))

/** The version that a file's columns speak for: the newest in which each of them exists, or the one that its own columns name. */
export const detectVersion = (names: readonly string[]): Version => {
  const has = (name: string) => names.includes(name)
  const old = has('ProviderName') || has('PublisherName')
  const renamed = has('ServiceProviderName') || has('HostProviderName')
  if (has('InvoiceDetailId') || has('CommitmentProgramEligibilityDetails')) return '1.4'
  if (!old) return '1.4'
  return renamed || names.some((name) => columns[name]?.since === '1.3') ? '1.3' : '1.2'
}
