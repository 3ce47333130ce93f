/** Rules as SQL over the view `focus`: what a row looks like that breaks them. */
import { columns } from '../../playbook/allocate/focus/columns.ts'
import type { Condition, Demand } from '../../playbook/allocate/focus/rule.ts'
import { draftSkuKeys, skuKeys } from '../../playbook/allocate/focus/rules.ts'
import { subcategories } from '../../playbook/allocate/focus/services.ts'
import { literal, named } from './engine.ts'
import type { Source } from './source.ts'

const TEXTS = new Set(['VARCHAR', 'JSON'])

/** A column's value as text. */
export const textOf = ({ types }: Source, name: string): string => {
  const type = types.get(name) ?? 'VARCHAR'
  if (TEXTS.has(type)) return named(name)
  return /^(MAP|STRUCT)|\[\]$/.test(type)
    ? `CAST(to_json(${named(name)}) AS VARCHAR)`
    : `CAST(${named(name)} AS VARCHAR)`
}

export const numberOf = (name: string): string => `TRY_CAST(${named(name)} AS DOUBLE)`
export const timeOf = (name: string): string => `TRY_CAST(${named(name)} AS TIMESTAMPTZ)`

const listOf = (values: readonly string[]): string => `(${values.map(literal).join(', ')})`

const isOneOf = (source: Source, column: string, values: readonly string[]): string =>
  columns[column]?.type === 'Decimal'
    ? `${numberOf(column)} IN (${values.map(Number).join(', ')})`
    : `${textOf(source, column)} IN ${listOf(values)}`

/** The columns that a condition or demand cannot do without; an absent column is never one of `not`. */
export const columnsIn = (part: Condition | Demand): readonly string[] => {
  if ('product' in part) return [...part.product, part.equals]
  if ('equal' in part) return part.equal
  if ('before' in part) return part.before
  if ('apart' in part) return part.apart
  if ('one' in part) return [part.one, part.for]
  if ('pair' in part) return ['ServiceCategory', 'ServiceSubcategory']
  return [part.column]
}

/** A condition as SQL that is never null. */
export const holds = (source: Source, condition: Condition): string => {
  const { column } = condition
  if (!source.types.has(column)) return 'not' in condition ? 'true' : 'false'
  if ('null' in condition) return `${named(column)} IS ${condition.null ? '' : 'NOT '}NULL`
  const values = 'is' in condition ? condition.is : condition.not
  const match = `coalesce(${isOneOf(source, column, values)}, false)`
  return 'is' in condition ? match : `NOT ${match}`
}

/** Only well-formed objects are looked into; whether they are well formed is another rule. */
export const objectOf = (source: Source, column: string): string => {
  const text = textOf(source, column)
  return `CASE WHEN json_valid(${text}) THEN CASE WHEN json_type(${text}) = 'OBJECT' THEN CAST(${text} AS JSON) END END`
}

const NUMBERS = `('UBIGINT', 'BIGINT', 'DOUBLE')`

/** Every entry of the array under `list` has `key`, of one of the types. */
const entriesHave = (object: string, list: string, key: string, types: string): string => {
  const found = `json_extract(${object}, '$.${list}[*].${key}')`
  return `json_type(${object}, '$.${list}') = 'ARRAY' AND json_array_length(${object}, '$.${list}') > 0
    AND len(list_filter(${found}, lambda v: json_type(v) IN ${types})) = json_array_length(${object}, '$.${list}')`
}

const shapes = {
  'allocated-method': (object: string) =>
    `${entriesHave(object, 'Elements', 'AllocatedRatio', NUMBERS)}
      AND len(json_extract(${object}, '$.Elements[*].UsageQuantity')) <= len(json_extract(${object}, '$.Elements[*].UsageUnit'))
      AND len(list_filter(flatten(list_transform(json_extract(${object}, '$.Elements[*]'), lambda e: json_keys(e))),
        lambda k: NOT starts_with(k, 'x_') AND k NOT IN ('AllocatedRatio', 'UsageUnit', 'UsageQuantity'))) = 0`,
  'commitment-programs': (object: string) => entriesHave(object, 'CommitmentPrograms', 'ProgramType', `('VARCHAR')`),
  'sku-keys': (object: string) =>
    `len(list_filter(json_keys(${object}), lambda k: NOT starts_with(k, 'x_') AND k NOT IN ${listOf([...skuKeys, ...draftSkuKeys])})) = 0`,
} as const

const pairs = listOf(
  Object.entries(subcategories).flatMap(([parent, names]) => names.map((name) => `${parent}/${name}`)),
)

/**
 * Products are compared with a tolerance, because files hold floats: 1e-9 of a unit of currency, or 1e-12 of the amount.
 * `exactly`: as floats, without one.
 */
const productOf = ({ product: [a, b], equals }: Extract<Demand, { product: unknown }>, exactly: boolean): string => {
  const [x, y, result] = [numberOf(a), numberOf(b), numberOf(equals)]
  if (exactly) return `${x} * ${y} = ${result}`
  return `abs(${x} * ${y} - ${result}) <= greatest(1e-9, 1e-12 * abs(${result}))`
}

/** A demand on one row as SQL, null where it says nothing. `one … for …` is about many rows and is asked for elsewhere. */
export const demandOf = (source: Source, demand: Exclude<Demand, { one: string }>, exactly = false): string => {
  if ('product' in demand) return productOf(demand, exactly)
  if ('equal' in demand) {
    const [a, b] = demand.equal.map(numberOf)
    return `abs(${a} - ${b}) <= greatest(1e-9, 1e-12 * abs(${a}))`
  }
  if ('before' in demand) return `${timeOf(demand.before[0])} < ${timeOf(demand.before[1])}`
  if ('apart' in demand) {
    const [a, b] = demand.apart.map(
      (column) => `map_entries(TRY_CAST(${objectOf(source, column)} AS MAP(VARCHAR, JSON)))`,
    )
    return `len(list_intersect(${a}, ${b})) = 0`
  }
  if ('least' in demand) return `${numberOf(demand.column)} >= ${demand.least}`
  if ('shape' in demand) {
    const object = objectOf(source, demand.column)
    return `(${object}) IS NULL OR coalesce(${shapes[demand.shape](object)}, false)`
  }
  if ('pair' in demand)
    return `concat(${textOf(source, 'ServiceCategory')}, '/', ${textOf(source, 'ServiceSubcategory')}) IN ${pairs}`
  return holds(source, demand)
}
