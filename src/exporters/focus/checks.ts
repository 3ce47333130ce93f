/** Everything that is checked of a file, as predicates that are true of a row that is wrong. */
import {
  type Column,
  columns,
  columnsOf,
  holdsIn,
  type Support,
  type Version,
} from '../../playbook/allocate/focus/columns.ts'
import type { Condition, Rule } from '../../playbook/allocate/focus/rule.ts'
import { rules } from '../../playbook/allocate/focus/rules.ts'
import { literal, named } from './engine.ts'
import { columnsIn, demandOf, holds, numberOf, objectOf, textOf, timeOf } from './predicate.ts'
import type { Source } from './source.ts'

export type Check = Readonly<{
  id: string
  column: string
  level: 'must' | 'should'
  says: string
  /** SQL that is true of a wrong row; absent when it is the file that is wrong. */
  wrong?: string
  /** Values that show what is wrong. */
  shows: readonly string[]
}>

export type CheckOptions = Readonly<{
  version: Version
  supports: readonly Support[]
  /** Also what the foundation's own validator stumbles over. */
  official: boolean
}>

/** Units of FOCUS: data sizes, times and counts; simple, compound (`GB-Hours`), ratio (`GB/Hour`), with a whole quantity. */
const UNIT = (() => {
  const base = '[A-Za-z][A-Za-z0-9]*( [A-Za-z][A-Za-z0-9]*)*'
  const times = '(Years|Months|Days|Hours|Minutes|Seconds|Milliseconds|Microseconds)'
  const time = '(Year|Month|Day|Hour|Minute|Second|Millisecond|Microsecond)'
  return `([1-9][0-9]* )?${base}(-${base})?(/(${time}|[1-9][0-9]* ${times}))?`
})()

/** What the official validator takes: no quantity before a compound unit. */
const OFFICIAL_UNIT =
  '([0-9]+ )?[A-Za-z][A-Za-z0-9]*( [A-Za-z][A-Za-z0-9]*)*|[A-Za-z][A-Za-z0-9]*( [A-Za-z][A-Za-z0-9]*)*-(Years|Months|Days|Hours|Minutes|Seconds)|[A-Za-z][A-Za-z0-9]*( [A-Za-z][A-Za-z0-9]*)*/([0-9]+ )?(Year|Month|Day|Hour|Minute|Second)s?'

const PLACEHOLDERS = ['', 'null', 'n/a', 'none', 'not applicable', 'undefined', 'nan']

const fullMatch = (text: string, pattern: string): string => `regexp_full_match(${text}, ${literal(pattern)})`

type Make = (what: string, says: string, wrong: string, level?: 'must' | 'should') => Check

const makeFor =
  (name: string): Make =>
  (what, says, wrong, level = 'must') => ({
    id: `${name}.${what}`,
    column: name,
    level,
    says: `${name} ${says}`,
    wrong,
    shows: [name],
  })

const decimalChecks = (source: Source, name: string, make: Make): readonly Check[] => {
  const type = source.types.get(name) ?? ''
  if (/^(DECIMAL|DOUBLE|FLOAT|U?(TINY|SMALL|BIG|HUGE)?INT)/.test(type)) return []
  if (type !== 'VARCHAR') return [make('type', `must be a decimal; the file has ${type}`, `${named(name)} IS NOT NULL`)]
  const number = numberOf(name)
  const written = fullMatch(named(name), '-?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE]-?[0-9]+)?')
  const checks = [
    make('type', 'must be a decimal', `${named(name)} IS NOT NULL AND (${number} IS NULL OR NOT isfinite(${number}))`),
    make(
      'format',
      'must be plain digits: no plus sign, no thousands separator, no currency',
      `${number} IS NOT NULL AND NOT ${written}`,
    ),
  ]
  return source.kind === 'csv'
    ? checks
    : [make('type', 'must be a decimal; the file has text', `${named(name)} IS NOT NULL`)]
}

const timeChecks = (source: Source, name: string, make: Make): readonly Check[] => {
  const type = source.types.get(name) ?? ''
  if (/^(TIMESTAMP|DATE)/.test(type)) return []
  if (type !== 'VARCHAR')
    return [make('type', `must be a date and time; the file has ${type}`, `${named(name)} IS NOT NULL`)]
  const written = fullMatch(named(name), '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z')
  return [
    make('type', 'must be a date and time', `${named(name)} IS NOT NULL AND ${timeOf(name)} IS NULL`),
    make('format', 'must be YYYY-MM-DDTHH:MM:SSZ, in UTC', `${timeOf(name)} IS NOT NULL AND NOT ${written}`),
  ]
}

const jsonChecks = (source: Source, name: string, { flat }: Column, make: Make): readonly Check[] => {
  const object = objectOf(source, name)
  const values = `map_values(TRY_CAST(${object} AS MAP(VARCHAR, JSON)))`
  return [
    make('type', 'must be a JSON object', `${named(name)} IS NOT NULL AND ${object} IS NULL`),
    make('keys', 'must not name a key twice', `len(json_keys(${object})) <> len(list_distinct(json_keys(${object})))`),
    ...(flat
      ? [
          make(
            'flat',
            'must hold only text, numbers, booleans and null: no objects, no arrays',
            `len(list_filter(${values}, lambda v: json_type(v) IN ('OBJECT', 'ARRAY'))) > 0`,
          ),
        ]
      : []),
  ]
}

const textChecks = (source: Source, name: string, make: Make): readonly Check[] => {
  const type = source.types.get(name) ?? ''
  if (type !== 'VARCHAR' && !type.startsWith('ENUM'))
    return [make('type', `must be text; the file has ${type}`, `${named(name)} IS NOT NULL`)]
  const text = textOf(source, name)
  return [
    make(
      'placeholder',
      'must be null where there is no value, not a word for it',
      `lower(trim(${text})) IN (${PLACEHOLDERS.map(literal).join(', ')})`,
    ),
  ]
}

const currencies = Intl.supportedValuesOf('currency').map(literal).join(', ')

const formats: Readonly<Record<NonNullable<Column['format']>, (text: string, make: Make) => Check>> = {
  currency: (text, make) =>
    make('format', 'must be a currency code of ISO 4217, e.g. USD', `${text} NOT IN (${currencies})`),
  'pricing-currency': (text, make) =>
    make(
      'format',
      'must be a currency code of ISO 4217 or the name of a virtual currency',
      `NOT ${fullMatch(text, `[A-Z]{3}|${UNIT}`)}`,
    ),
  unit: (text, make) =>
    make(
      'format',
      'should be a unit of FOCUS, e.g. Tokens, 1000000 Tokens, GB-Hours',
      `NOT ${fullMatch(text, UNIT)}`,
      'should',
    ),
}

const columnChecks = (source: Source, name: string, column: Column): readonly Check[] => {
  const make = makeFor(name)
  const byType = {
    Decimal: () => decimalChecks(source, name, make),
    DateTime: () => timeChecks(source, name, make),
    Json: () => jsonChecks(source, name, column, make),
    String: () => textChecks(source, name, make),
  }
  const text = textOf(source, name)
  const { values, format, nulls } = column
  const listed = values && values.length > 8 ? 'must be one that FOCUS lists' : `must be one of ${values?.join(', ')}`
  return [
    ...(nulls ? [] : [make('null', 'must not be null', `${named(name)} IS NULL`)]),
    ...byType[column.type](),
    ...(values ? [make('values', listed, `${text} NOT IN (${values.map(literal).join(', ')})`)] : []),
    ...(format ? [formats[format](text, make)] : []),
  ]
}

const presenceOf = (name: string, { presence }: Column, { version, supports }: CheckOptions): Check | undefined => {
  const needed = presence === 'mandatory' || supports.some((support) => support === presence)
  if (!needed && presence !== 'recommended') return undefined
  const why = presence === 'mandatory' || presence === 'recommended' ? '' : ` (${presence} is supported)`
  return {
    id: `${name}.present`,
    column: name,
    level: needed ? 'must' : 'should',
    says: `${name} ${needed ? 'must' : 'should'} be a column of a FOCUS ${version} file${why}`,
    shows: [],
  }
}

/** Columns that are not FOCUS's begin with `x_`; none comes twice. */
const nameChecks = ({ names }: Source, known: ReadonlyMap<string, Column>, version: Version): readonly Check[] =>
  [...new Set(names)].flatMap((name): Check[] => {
    const file = (what: string, level: Check['level'], says: string): Check => ({
      id: `columns.${what}`,
      column: name,
      level,
      says,
      shows: [],
    })
    const twice = names.filter((one) => one === name).length > 1
    return [
      ...(twice ? [file('twice', 'must', `${name} must be there once`)] : []),
      ...(known.has(name) || name.startsWith('x_')
        ? []
        : [file('custom', 'must', `${name} is no column of FOCUS ${version}: a column of one's own begins with x_`)]),
      ...(name.startsWith('x_') && !/^x_[A-Z][A-Za-z0-9]*$/.test(name)
        ? [file('case', 'should', `${name} should be x_ and then PascalCase`)]
        : []),
    ]
  })

/** "X is null" holds on every row of a file that may do without X; of one that may not, only that is told. */
const holdsThroughout = (source: Source, condition: Condition): boolean =>
  'null' in condition &&
  condition.null &&
  !source.types.has(condition.column) &&
  columns[condition.column]?.presence !== 'mandatory'

/** A rule on one row, if the file has the columns that it is about. */
const ruleCheck = (source: Source, rule: Rule, exactly = false): readonly Check[] => {
  const { id, column, level, says, demand } = rule
  if ('one' in demand) return []
  const when = (rule.when ?? []).filter((condition) => !holdsThroughout(source, condition))
  const needed = [...columnsIn(demand), ...when.filter((one) => !('not' in one)).flatMap(columnsIn), column]
  if (needed.some((name) => !source.types.has(name))) return []
  const conditions = when.map((condition) => holds(source, condition))
  const wrong = [...conditions, `NOT coalesce(${demandOf(source, demand, exactly)}, true)`].join(' AND ')
  return [{ id, column, level, says, wrong, shows: [...new Set([...needed, 'ChargeCategory'])] }]
}

/** The traps of the official validator: it multiplies floats and compares them exactly, and knows no DECIMAL in Parquet. */
const officialChecks = (source: Source): readonly Check[] => {
  const products = rules.flatMap((rule) =>
    'product' in rule.demand
      ? ruleCheck(source, { ...rule, id: `official.${rule.id}`, says: `${rule.says}, also as floats multiply` }, true)
      : [],
  )
  const decimals = [...source.types].flatMap(([name, type]) =>
    type.startsWith('DECIMAL') && !name.startsWith('x_')
      ? [{ ...makeFor(name)('official.type', `is ${type} in Parquet; the validator knows DOUBLE`, 'true') }]
      : [],
  )
  const units = ['PricingUnit', 'ConsumedUnit', 'CommitmentDiscountUnit'].flatMap((name) =>
    source.types.has(name)
      ? [
          makeFor(name)(
            'official.format',
            'is a unit that the validator does not know',
            `NOT ${fullMatch(textOf(source, name), OFFICIAL_UNIT)}`,
          ),
        ]
      : [],
  )
  return [...products, ...decimals, ...units]
}

/** All checks of a file that look at one row, or at its columns. */
export const checksOf = (source: Source, options: CheckOptions): readonly Check[] => {
  const known = columnsOf(options.version)
  const present = [...known].filter(([name]) => source.types.has(name))
  const missing = [...known].filter(([name]) => !source.types.has(name))
  return [
    ...missing.flatMap(([name, column]) => presenceOf(name, column, options) ?? []),
    ...nameChecks(source, known, options.version),
    ...present.flatMap(([name, column]) => columnChecks(source, name, column)),
    ...rules.filter((rule) => holdsIn(rule, options.version)).flatMap((rule) => ruleCheck(source, rule)),
    ...(options.official ? officialChecks(source) : []),
  ]
}
