/** What a SkuPriceId stands for: the conditions of a price, without amounts, dates and contracts. */
import type { ChargeRow } from '../../../core/ledger.ts'
import type { PriceBook, PriceRow } from '../../../core/price.ts'
import type { Meter, NormalisedUsage, ServiceTier } from '../../../core/usage.ts'
import { usageOfMeter } from '../../price/one-meter.ts'
import { price } from '../../price/price.ts'

export type Conditions = Readonly<{
  /** What the SkuPriceId ends with; `ondemand` where there are no conditions. */
  suffix: string
  /** Keys of SkuPriceDetails. */
  details: Readonly<Record<string, string>>
}>

const indexes = new WeakMap<PriceBook, ReadonlyMap<string, PriceRow>>()

/** The row of a book that a receipt names; undefined where the book has lost it or the receipt names none. */
export const priceRowOf = (book: PriceBook, id: string | null): PriceRow | undefined => {
  if (id === null) return undefined
  const index = indexes.get(book) ?? new Map([...book.all()].map((row) => [row.id, row]))
  indexes.set(book, index)
  return index.get(id)
}

const slug = (text: string) => text.toLowerCase().replace(/[^a-z0-9]+/g, '-')
const pascal = (name: string) => name.replace(/(^|[_-])(\w)/g, (_, __, letter: string) => letter.toUpperCase())

const bandNames = { '>': 'over', '>=': 'from', '<': 'under', '<=': 'up-to' } as const

const clockText = (minutes: number): string =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join('')

type Entry = readonly [key: string, value: string, suffix: string]

const modeEntries = (tier: string | null, speed: string | null, batch: boolean): Entry[] => [
  ...(batch || tier === 'batch' ? [['Batch', 'true', 'batch'] as const] : []),
  ...(tier === null || tier === 'standard' || tier === 'batch' ? [] : [['ServiceTier', tier, slug(tier)] as const]),
  ...(speed === null || speed === 'standard' ? [] : [['Speed', speed, slug(speed)] as const]),
]

const rowEntries = (row: PriceRow): Entry[] => {
  const { context, window } = row
  const band = context && `${bandNames[context.operator]}-${context.tokens}`
  const hours = window?.minutes.map(([from, to]) => `${clockText(from)}-${clockText(to)}`).join(',')
  const days = window?.weekdays === undefined ? '' : ` ${window.weekdays.join('')}`
  return [
    ...modeEntries(row.tier ?? null, row.speed ?? null, row.batch === true),
    ...(row.region === undefined ? [] : [['PriceRegion', row.region, slug(row.region)] as const]),
    ...(row.geo === undefined ? [] : [['PriceGeo', row.geo, slug(row.geo)] as const]),
    ...(context && band ? [['ContextBand', `${context.operator}${context.tokens}`, band] as const] : []),
    ...(window && hours
      ? [['Hours', `${hours}${days} ${window.zone}`, slug(`${hours}${days}-${window.zone}`)] as const]
      : []),
    ...Object.entries(row.attrs ?? {}).map(([key, value]) => [pascal(key), value, slug(`${key}-${value}`)] as const),
  ]
}

/** The conditions of a charge's price: those of its row, or where that is not known, how the call was served. */
export const conditionsOf = (charge: ChargeRow, row: PriceRow | undefined): Conditions => {
  const entries = row ? rowEntries(row) : modeEntries(charge.service_tier, charge.speed, false)
  const covered = row === undefined && charge.kind === 'metered' && Number(charge.rate_usd) === 0
  const all = covered ? [...entries, ['Covered', 'true', 'covered'] as const] : entries
  return {
    suffix: all.map(([, , suffix]) => suffix).join('-') || 'ondemand',
    details: Object.fromEntries(all.map(([key, value]) => [`x_${key}`, value])),
  }
}

const usageOf = (charge: ChargeRow, meter: string): NormalisedUsage =>
  usageOfMeter(meter as Meter, 1, {
    context_tokens: charge.context_tokens,
    ...(charge.region === null ? {} : { region: charge.region }),
    ...(charge.geo === null ? {} : { geo: charge.geo }),
    ...(charge.service_tier === null ? {} : { service_tier: charge.service_tier as ServiceTier }),
    ...(charge.speed === null ? {} : { speed: charge.speed as 'standard' | 'fast' }),
  })

/**
 * The list rate beside a contract's, US dollars per million units: what the book says without contracts, in the context
 * band of the largest prompt. The contract's own rate where the book knows none.
 */
export const listRateOf = (
  charge: ChargeRow,
  row: PriceRow | undefined,
  book: PriceBook,
  provider: string,
): string | null => {
  const { rate_usd, meter, model } = charge
  if (!charge.contracted || row?.layer !== 'contract' || meter === null || model === null) return rate_usd
  const usage = usageOf(charge, meter)
  const priced = price({ provider: row.provider || provider, model, at_us: charge.used_us, usage }, book, {
    layers: ['weir', 'catalog'],
  })
  return priced.lines[0]?.rate ?? rate_usd
}
