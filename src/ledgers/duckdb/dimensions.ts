import type { Dimension, Filter } from '../../core/dimension.ts'
import { WeirError } from '../../core/errors.ts'
import type { TimeWindow } from '../../core/ledger.ts'
import { type Calendar, calendarOf, utc, written } from './calendar.ts'
import { and, join, raw, type Sql, sql } from './sql.ts'

/** The closed table of what can be grouped and filtered by: no name of a caller ever becomes SQL. */
const fixed = {
  team: 'team',
  feature: 'feature',
  customer: 'customer',
  user: '"user"',
  environment: 'environment',
  key_id: 'key_id',
  session: 'session',
  agent: 'agent',
  model_asked: 'model_asked',
  model: 'coalesce(model_served, model_asked)',
  provider: 'provider',
  endpoint: 'endpoint',
  wire: 'wire',
  service_tier: 'service_tier',
  outcome: 'outcome',
  origin: 'origin',
  experiment: 'experiment',
  arm: 'arm',
} as const

const timed = {
  hour: { size_us: 3_600_000_000, format: '%Y-%m-%dT%H:00' },
  day: { size_us: 86_400_000_000, format: '%Y-%m-%d' },
  month: { size_us: undefined, format: '%Y-%m' },
} as const

type Timed = keyof typeof timed

/** `grouped` is what the engine groups by, narrow and fast; `shown` turns the grouped value (in a column of that name) into text. */
export type Grouping = Readonly<{ grouped: Sql; shown: (column: string) => Sql; timed: boolean }>

const isTimed = (dimension: string): dimension is Timed => Object.hasOwn(timed, dimension)
const asIs = (column: string): Sql => raw(column)

/** Hours and days are divisions, which is fast; months ask the engine. */
const timeGrouping = (dimension: Timed, { local }: Calendar, at: Sql): Grouping => {
  const { size_us, format } = timed[dimension]
  if (size_us !== undefined) {
    const grouped = sql`(${local(at)}) // ${raw(String(size_us))}`
    return { grouped, shown: (column) => written(column, size_us, format), timed: true }
  }
  const grouped = sql`date_trunc('month', make_timestamp(${local(at)}))`
  return { grouped, shown: (column) => raw(`strftime(${column}, '${format}')`), timed: true }
}

/** How a dimension is computed. `at` is the moment, µs, by default that of the call. Throws `bad-request` for anything unknown. */
export const groupingOf = (dimension: Dimension, calendar = utc, at: Sql = raw('started_at_us')): Grouping => {
  if (isTimed(dimension)) return timeGrouping(dimension, calendar, at)
  if (dimension.startsWith('tag:')) return { grouped: sql`tags[${dimension.slice(4)}]`, shown: asIs, timed: false }
  if (Object.hasOwn(fixed, dimension))
    return { grouped: raw(fixed[dimension as keyof typeof fixed]), shown: asIs, timed: false }
  const known = [...Object.keys(fixed), ...Object.keys(timed), 'tag:NAME'].join(', ')
  throw new WeirError(
    'bad-request',
    `Receipts cannot be grouped or filtered by ${JSON.stringify(dimension)}; known are: ${known}`,
  )
}

const condition =
  (calendar: Calendar) =>
  ({ dimension, values, negate }: Filter): Sql => {
    const { grouped, shown, timed: isTime } = groupingOf(dimension, calendar)
    const value = isTime ? shown(grouped.text) : grouped
    const expression = isTime ? { text: value.text, values: [...grouped.values, ...value.values] } : value
    const named = values.filter((one) => one !== null)
    const either = [
      ...(named.length > 0
        ? [
            sql`coalesce(${expression} IN (${join(
              named.map((one) => sql`${one}`),
              ', ',
            )}), false)`,
          ]
        : []),
      ...(values.includes(null) ? [sql`${expression} IS NULL`] : []),
    ]
    const match = either.length > 0 ? sql`(${join(either, ' OR ')})` : raw('false')
    return negate ? sql`NOT ${match}` : match
  }

/** Every filter must hold. */
export const filtered = (filters: readonly Filter[] = [], calendar = utc): Sql => and(filters.map(condition(calendar)))

/** The WHERE of a window and filters, in which hours, days and months are those of the zone. */
export const where = (window: TimeWindow, filters: readonly Filter[] = [], zone?: string): Sql =>
  and([
    sql`started_at_us >= ${window.from_us}`,
    sql`started_at_us < ${window.to_us}`,
    filtered(filters, calendarOf(zone, window)),
  ])
