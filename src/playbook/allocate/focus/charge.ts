/** From the ledger's charges to the rows of a FOCUS file. Pure; every amount is exact. */
import type { Split } from '../../../core/exporter.ts'
import type { ChargeRow } from '../../../core/ledger.ts'
import type { PriceBook } from '../../../core/price.ts'
import { allocate } from './allocate-charge.ts'
import { type Charge, type Version, versions } from './columns.ts'
import { multiplyExact, scaled, unscaled } from './decimals.ts'
import { type SkuMeter, skuMeterOf } from './meters.ts'
import { developerOf, partiesOf } from './parties.ts'
import { conditionsOf, listRateOf, priceRowOf } from './sku-price.ts'

export type ChargeSettings = Readonly<{
  version: Version
  grain: 'hour' | 'day'
  /** The account that is billed, where it is one for all providers; the provider's name otherwise. */
  account?: Readonly<{ id: string; name?: string }>
  /** Write the token and model keys of the 1.5 draft without `x_`. */
  draft_keys: boolean
  adapters: Readonly<Record<string, string>>
  book: PriceBook
  splits: readonly Split[]
}>

const sizes_us = { hour: 3_600_000_000, day: 86_400_000_000 } as const

const moment = (at_us: number): string => `${new Date(at_us / 1000).toISOString().slice(0, 19)}Z`

const monthOf = (at_us: number, later: number): number => {
  const date = new Date(at_us / 1000)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later, 1) * 1000
}

const json = (entries: Readonly<Record<string, string | null | undefined>>): string | null => {
  const given = Object.entries(entries).filter(([, value]) => value !== null && value !== undefined)
  return given.length === 0 ? null : JSON.stringify(Object.fromEntries(given))
}

/** One SKU meter's part: reasoning and visible output, say, are one meter to FOCUS. */
type SkuRow = Readonly<{ row: ChargeRow; sku: SkuMeter; consumed: bigint; cost: bigint; reasoning: bigint }>

const skuRowOf = (row: ChargeRow): SkuRow => {
  const sku = skuMeterOf(row.meter)
  const quantity = row.kind === 'whole' ? String(row.receipts) : row.quantity
  const consumed = scaled(multiplyExact(quantity, sku.consumed))
  const reasoning = /\.reasoning$/.test(row.meter ?? '') ? consumed : 0n
  return { row, sku, consumed, cost: scaled(row.cost_usd), reasoning }
}

/** Rows that differ in nothing but the meter's finer class become one; order is kept. */
export const merged = (rows: readonly ChargeRow[]): readonly SkuRow[] => {
  const found = new Map<string, SkuRow>()
  for (const row of rows) {
    const one = skuRowOf(row)
    const {
      meter: _meter,
      quantity: _quantity,
      cost_usd: _cost,
      receipts: _receipts,
      context_tokens: _tokens,
      ...same
    } = row
    const key = JSON.stringify([one.sku.suffix, one.sku.consumed_unit, same])
    const other = found.get(key)
    if (other === undefined) {
      found.set(key, one)
      continue
    }
    const receipts = Math.max(row.receipts, other.row.receipts)
    const context_tokens = Math.max(row.context_tokens, other.row.context_tokens)
    found.set(key, {
      ...other,
      row: { ...other.row, receipts, context_tokens },
      consumed: one.consumed + other.consumed,
      cost: one.cost + other.cost,
      reasoning: one.reasoning + other.reasoning,
    })
  }
  return [...found.values()]
}

const periodColumns = ({ row }: SkuRow, { grain }: ChargeSettings): Charge => {
  const late = monthOf(row.billed_us, 0) > monthOf(row.used_us, 0)
  const billed = late ? row.billed_us : row.used_us
  const correction = row.kind === 'correction'
  return {
    BillingPeriodStart: moment(monthOf(billed, 0)),
    BillingPeriodEnd: moment(monthOf(billed, 1)),
    ChargePeriodStart: moment(row.used_us),
    ChargePeriodEnd: moment(row.used_us + sizes_us[grain]),
    ChargeCategory: correction ? 'Adjustment' : 'Usage',
    // Only what corrects a month that was billed is a Correction; within the month it is a further charge.
    ChargeClass: correction && late ? 'Correction' : null,
    ChargeFrequency: correction ? 'One-Time' : 'Usage-Based',
  }
}

const partyColumns = ({ row }: SkuRow, { adapters, account }: ChargeSettings): Charge => {
  const { provider, service } = partiesOf(row.provider, adapters[row.provider])
  return {
    BillingAccountId: account?.id ?? row.provider,
    BillingAccountName: account === undefined ? provider : (account.name ?? null),
    BillingCurrency: 'USD',
    InvoiceId: null,
    InvoiceIssuerName: provider,
    ServiceProviderName: provider,
    HostProviderName: provider,
    ProviderName: provider,
    PublisherName: (row.model && developerOf(row.model)) ?? provider,
    ServiceCategory: 'AI and Machine Learning',
    ServiceSubcategory: 'Generative AI',
    ServiceName: service,
    RegionId: row.region ?? row.geo,
    RegionName: row.region ?? row.geo,
  }
}

const payerColumns = ({ row }: SkuRow): Charge => {
  const { key_id, ...payer } = row.payer
  const team = payer.team ?? null
  return {
    SubAccountId: team,
    SubAccountName: team,
    Tags: json({ ...row.tags, ...payer, ...(key_id === undefined ? {} : { key_id }) }),
  }
}

/** A correction has no SKU: it is money alone, so that no quantity is counted twice. */
const unmetered = (cost: string): Charge => ({
  BilledCost: cost,
  EffectiveCost: cost,
  ListCost: cost,
  ContractedCost: cost,
})

const unitPrices = ({ row, sku }: SkuRow, settings: ChargeSettings, adapter: string) => {
  if (row.kind === 'whole') return { list: '1', contracted: '1' }
  if (row.kind === 'unpriced') return { list: '0', contracted: '0' }
  const listed = listRateOf(row, priceRowOf(settings.book, row.price_row), settings.book, adapter)
  const each = (rate: string | null) => multiplyExact(rate ?? '0', sku.price)
  return { list: each(listed), contracted: each(row.rate_usd) }
}

const costColumns = (one: SkuRow, settings: ChargeSettings, adapter: string): Charge => {
  const { row, sku } = one
  const cost = unscaled(one.cost)
  if (row.kind === 'correction') return unmetered(cost)
  const consumed = unscaled(one.consumed)
  const priced = row.kind === 'whole' ? cost : multiplyExact(consumed, sku.priced)
  const { list, contracted } = unitPrices(one, settings, adapter)
  return {
    BilledCost: cost,
    EffectiveCost: cost,
    ListUnitPrice: list,
    ListCost: multiplyExact(list, priced),
    ContractedUnitPrice: contracted,
    ContractedCost: multiplyExact(contracted, priced),
    PricingQuantity: priced,
    PricingUnit: sku.pricing_unit,
    ConsumedQuantity: consumed,
    ConsumedUnit: sku.consumed_unit,
    PricingCategory: 'Standard',
  }
}

const skuColumns = ({ row, sku }: SkuRow, { book, draft_keys }: ChargeSettings, adapter: string): Charge => {
  if (row.kind === 'correction') return {}
  const model = row.model ?? 'unknown'
  const conditions = conditionsOf(row, priceRowOf(book, row.price_row))
  const suffix = row.kind === 'unpriced' ? 'unpriced' : conditions.suffix
  const SkuId = `${adapter}/${model}-${sku.suffix}`
  const key = (name: string) => (draft_keys ? name : `x_${name}`)
  return {
    SkuId,
    SkuMeter: sku.name,
    SkuPriceId: `${SkuId}-${suffix}`,
    SkuPriceDetails: json({
      [key('ModelDeveloper')]: developerOf(model),
      [key('ModelId')]: row.model,
      [key('TokenDirection')]: sku.direction,
      [key('TokenCacheAction')]: sku.cache,
      x_CacheTtl: sku.cache_ttl,
      x_Modality: sku.modality,
      ...(row.kind === 'unpriced' ? {} : conditions.details),
    }),
  }
}

const costSource = ({ kind, outcome, price_state }: ChargeRow): string => {
  if (kind === 'metered') return 'Price Book'
  if (kind === 'correction') return 'Correction'
  if (kind === 'unpriced') return 'None'
  if (price_state === 'stated') return 'Provider'
  return outcome === 'unknown' ? 'Reservation' : 'Other'
}

const ownColumns = ({ row, reasoning }: SkuRow): Charge => {
  const whole = row.kind === 'whole'
  return {
    x_CostSource: costSource(row),
    x_PriceId: row.price_row,
    x_Unpriced: String(row.kind === 'unpriced'),
    x_Estimated: String(row.estimated),
    x_Outcome: row.outcome,
    x_Retried: String(row.retried),
    x_RequestCount: String(row.receipts),
    x_ReasoningTokens: reasoning === 0n ? null : unscaled(reasoning),
    x_InputTokens: whole ? String(row.input_tokens) : null,
    x_OutputTokens: whole ? String(row.output_tokens) : null,
  }
}

const descriptionOf = ({ row, sku }: SkuRow, service: string): string => {
  const model = row.model ?? 'an unnamed model'
  if (row.kind === 'correction') return `Correction of earlier charges for ${model} by ${service}`
  return `${sku.name} for ${model} by ${service}${row.service_tier === null ? '' : ` (${row.service_tier})`}`
}

const chargeOf = (one: SkuRow, settings: ChargeSettings): Charge => {
  const adapter = settings.adapters[one.row.provider]
  const origin = adapter === undefined || adapter === 'openai-compatible' ? one.row.provider : adapter
  const parties = partyColumns(one, settings)
  return {
    ...parties,
    ...periodColumns(one, settings),
    ChargeDescription: descriptionOf(one, parties['ServiceName'] ?? ''),
    ...costColumns(one, settings, origin),
    ...skuColumns(one, settings, origin),
    ...payerColumns(one),
    ...ownColumns(one),
  }
}

/** Does a split hold for a charge: of this payer, in this month? */
const concerns = ({ when, month_us }: Split, { payer, tags, billed_us }: ChargeRow): boolean =>
  (month_us === undefined || month_us === monthOf(billed_us, 0)) &&
  Object.entries(when).every(
    ([name, value]) => ((payer as Readonly<Record<string, string | null>>)[name] ?? tags[name] ?? null) === value,
  )

/** The rows of a FOCUS file for the ledger's charges. The sum of BilledCost is the sum of the charges' cost. */
export const chargesOf = (rows: readonly ChargeRow[], settings: ChargeSettings): readonly Charge[] =>
  merged(rows).flatMap((one) => {
    const charge = chargeOf(one, settings)
    const split = settings.splits.find((each) => concerns(each, one.row))
    return split === undefined ? [charge] : allocate(charge, split)
  })

/** Reads a version. Undefined when FOCUS has none of that name that is written here. */
export const versionOf = (text: string): Version | undefined => versions.find((version) => version === text)
