/** What a rule between columns can say, and the forms in which most of them come. */
import type { Version } from './columns.ts'

/** Of one row. `not` holds for null too, and for a column that the file does not have. */
export type Condition =
  | Readonly<{ column: string; null: boolean }>
  | Readonly<{ column: string; is: readonly string[] }>
  | Readonly<{ column: string; not: readonly string[] }>

/** What must hold where the conditions do. Objects that are `apart` have no entry in common. Comparisons hold where a side is null: nulls have rules of their own. */
export type Demand =
  | Condition
  | Readonly<{ product: readonly [string, string]; equals: string }>
  | Readonly<{ equal: readonly [string, string] }>
  | Readonly<{ before: readonly [string, string] }>
  | Readonly<{ column: string; least: number }>
  | Readonly<{ column: string; shape: 'allocated-method' | 'commitment-programs' | 'sku-keys' }>
  | Readonly<{ pair: 'service-subcategory' }>
  | Readonly<{ apart: readonly [string, string] }>
  | Readonly<{ one: string; for: string }>

export type Rule = Readonly<{
  /** `COLUMN.what`, stable. */
  id: string
  column: string
  level: 'must' | 'should'
  says: string
  when?: readonly Condition[]
  demand: Demand
  since?: Version
  until?: Version
}>

export const category = (...is: readonly string[]): Condition => ({ column: 'ChargeCategory', is })
export const uncorrected: Condition = { column: 'ChargeClass', not: ['Correction'] }
export const billed: readonly Condition[] = [category('Usage', 'Purchase'), uncorrected]
export const isNull = (column: string): Condition => ({ column, null: true })
export const isGiven = (column: string): Condition => ({ column, null: false })

/** Null on taxes, given on usage and purchases unless they correct. */
export const priced = (column: string): readonly Rule[] => [
  {
    id: `${column}.null-on-tax`,
    column,
    level: 'must',
    says: `${column} must be null when ChargeCategory is Tax`,
    when: [category('Tax')],
    demand: isNull(column),
  },
  {
    id: `${column}.given-on-usage`,
    column,
    level: 'must',
    says: `${column} must not be null on Usage and Purchase, unless ChargeClass is Correction`,
    when: billed,
    demand: isGiven(column),
  },
]

export const nullWith = (column: string, of: string, more: Partial<Rule> = {}): Rule => ({
  id: `${column}.null-without-${of}`,
  column,
  level: 'must',
  says: `${column} must be null when ${of} is null`,
  when: [isNull(of)],
  demand: isNull(column),
  ...more,
})

export const givenWith = (column: string, of: string, more: Partial<Rule> = {}): Rule => ({
  id: `${column}.given-with-${of}`,
  column,
  level: 'must',
  says: `${column} must not be null when ${of} is not null`,
  when: [isGiven(of)],
  demand: isGiven(column),
  ...more,
})

export const together = (column: string, of: string, more: Partial<Rule> = {}): readonly Rule[] => [
  nullWith(column, of, more),
  givenWith(column, of, more),
]

export const product = (column: string, price: string): Rule => ({
  id: `${column}.product`,
  column,
  level: 'must',
  says: `${column} must be ${price} × PricingQuantity, unless ChargeClass is Correction`,
  when: [uncorrected],
  demand: { product: [price, 'PricingQuantity'], equals: column },
})

export const notNegative = (column: string): Rule => ({
  id: `${column}.not-negative`,
  column,
  level: 'must',
  says: `${column} must not be negative`,
  demand: { column, least: 0 },
})

export const creditAsBilled = (column: string, price: string): Rule => ({
  id: `${column}.credit`,
  column,
  level: 'must',
  says: `${column} of a Credit without a unit price must be its BilledCost`,
  when: [category('Credit'), { column: price, null: true }],
  demand: { equal: [column, 'BilledCost'] },
})

export const order = (end: string, start: string): Rule => ({
  id: `${end}.order`,
  column: end,
  level: 'must',
  says: `${end} is exclusive and must lie after ${start}`,
  demand: { before: [start, end] },
})
