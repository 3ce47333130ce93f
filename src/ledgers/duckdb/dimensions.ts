import { WeirError } from '../../core/errors.ts'
import type { Dimension, Filter, TimeWindow } from '../../core/ledger.ts'
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
} as const

const timed = {
  hour: { size_us: 3_600_000_000, part: 'hour', format: '%Y-%m-%dT%H:00' },
  day: { size_us: 86_400_000_000, part: 'day', format: '%Y-%m-%d' },
  month: { size_us: undefined, part: 'month', format: '%Y-%m' },
} as const

type Timed = keyof typeof timed

/** `grouped` is what the engine groups by, narrow and fast; `shown` turns the grouped value (in a column of that name) into text. */
export type Grouping = Readonly<{ grouped: Sql; shown: (column: string) => Sql; timed: boolean }>

const isTimed = (dimension: string): dimension is Timed => Object.hasOwn(timed, dimension)
const asIs = (column: string): Sql => raw(column)

/** Hours and days of UTC are divisions; anything else asks the engine's calendar. */
const timeGrouping = (dimension: Timed, zone: string, at: Sql): Grouping => {
  const { size_us, part, format } = timed[dimension]
  if (zone === 'UTC' && size_us !== undefined) {
    const size = raw(String(size_us))
    return {
      grouped: sql`(${at}) // ${size}`,
      shown: (column) => sql`strftime(make_timestamp(${raw(column)} * ${size}), '${raw(format)}')`,
      timed: true,
    }
  }
  return {
    grouped: sql`date_trunc('${raw(part)}', timezone(${zone}, to_timestamp((${at}) // 1000000)))`,
    shown: (column) => sql`strftime(${raw(column)}, '${raw(format)}')`,
    timed: true,
  }
}

/** How a dimension is computed. `at` is the moment, µs, by default that of the call. Throws `bad-request` for anything unknown. */
export const groupingOf = (dimension: Dimension, zone = 'UTC', at: Sql = raw('started_at_us')): Grouping => {
  if (isTimed(dimension)) return timeGrouping(dimension, zone, at)
  if (dimension.startsWith('tag:')) return { grouped: sql`tags[${dimension.slice(4)}]`, shown: asIs, timed: false }
  if (Object.hasOwn(fixed, dimension))
    return { grouped: raw(fixed[dimension as keyof typeof fixed]), shown: asIs, timed: false }
  const known = [...Object.keys(fixed), ...Object.keys(timed), 'tag:NAME'].join(', ')
  throw new WeirError(
    'bad-request',
    `Receipts cannot be grouped or filtered by ${JSON.stringify(dimension)}; known are: ${known}`,
  )
}

/** The zone, if the calendar knows it. Throws `bad-request`. */
export const checkedZone = (zone = 'UTC'): string => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
  } catch (cause) {
    throw new WeirError('bad-request', `${JSON.stringify(zone)} is no time zone; use a name such as Europe/Berlin`, {
      cause,
    })
  }
}

const condition =
  (zone: string) =>
  ({ dimension, values, negate }: Filter): Sql => {
    const { grouped, shown, timed: isTime } = groupingOf(dimension, zone)
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

/** The WHERE of a window and filters; every filter must hold. */
export const where = ({ from_us, to_us }: TimeWindow, filters: readonly Filter[] = [], zone = 'UTC'): Sql =>
  and([sql`started_at_us >= ${from_us}`, sql`started_at_us < ${to_us}`, ...filters.map(condition(zone))])
