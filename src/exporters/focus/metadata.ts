import { columns, type Support } from '../../playbook/allocate/focus/columns.ts'
import type { MoneyMode, Written } from '../../playbook/allocate/focus/written.ts'

export type MetadataOptions = Readonly<{
  file: string
  version: string
  money: MoneyMode
  grain: 'hour' | 'day'
  written: readonly Written[]
  rows: number
  cost_usd: string
  unpriced: number
  from_us: number
  to_us: number
  now_us: number
}>

/** What Weir supports, so that a reader knows which conditional columns to expect. */
const supported = (written: readonly Written[]): readonly Support[] => {
  const found = written.flatMap(({ name }) => {
    const presence = columns[name]?.presence
    return presence === undefined || presence === 'mandatory' || presence === 'recommended' ? [] : [presence]
  })
  return [...new Set(found)].sort()
}

const grains_us = { hour: 3_600_000_000, day: 86_400_000_000 } as const

const moment = (at_us: number): string => `${new Date(at_us / 1000).toISOString().slice(0, 19)}Z`

/** The whole hours or days that hold a period, as charge periods are never less. */
const periodOf = ({ from_us, to_us, grain }: MetadataOptions) => {
  const grain_us = grains_us[grain]
  return {
    TimePeriodStart: moment(Math.floor(from_us / grain_us) * grain_us),
    TimePeriodEnd: moment(Math.ceil(to_us / grain_us) * grain_us),
  }
}

/** FOCUS metadata of a file: who made it, when, its schema, and what the sums must come to. */
export const metadataOf = (options: MetadataOptions) => ({
  DataGenerator: 'Weir',
  FocusVersion: options.version,
  Dataset: 'CostAndUsage',
  File: options.file,
  CreationDate: moment(options.now_us),
  TimeGranularity: options.grain === 'hour' ? 'Hourly' : 'Daily',
  ...periodOf(options),
  Supports: supported(options.written),
  ColumnDefinition: options.written.map(({ name, type }) => ({
    ColumnName: name,
    DataType: type === 'DateTime' ? 'Date/Time' : type === 'Json' ? 'JSON' : type,
    ...(type === 'Decimal' && options.money === 'decimal' ? { NumericPrecision: 38, NumberScale: 12 } : {}),
  })),
  Rows: options.rows,
  BilledCostTotal: options.cost_usd,
  UnpricedReceipts: options.unpriced,
})
