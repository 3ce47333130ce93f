import type { OwnedRow } from '../../../core/allocation.ts'
import { DAY_US } from '../../../core/date.ts'
import type { TimeWindow } from '../../../core/ledger.ts'
import { formatUsd, type Picodollars, parseUsd, picodollars, ZERO } from '../../../core/money.ts'
import { localTime } from '../../price/local-time.ts'
import { type Forecast, forecastPeriod } from '../forecast/forecast.ts'
import { periodOf } from '../window/window.ts'

/** Where the month will land: the owner's own cost, without its part of shared ones. Decimal US dollars. */
export type Landing = Readonly<{
  month: string
  spent_usd: string
  expected_usd: string
  low_usd: string
  high_usd: string
  /** Probability that the month ends between low and high, 0 to 1. */
  coverage: number
  /** Complete days of history it rests on. */
  days: number
}>

const DAY_MINUTES = 1440
const HISTORY_DAYS = 84

/** The time whose days a forecast of the running month is made from. */
export const historyWindow = (now_us: number, zone: string): TimeWindow => {
  const { from_us } = periodOf({ every: 'month', zone }, now_us)
  return { from_us: from_us - HISTORY_DAYS * DAY_US, to_us: now_us + 1 }
}

const dayNumber = (date: string): number => Math.floor(Date.parse(`${date}T00:00:00Z`) / 86_400_000)

/** The forecast of a period that runs at `now_us`, from rows by local `day`; null where nothing was spent. */
export const forecastOf = (
  rows: readonly Pick<OwnedRow, 'group' | 'cost_usd'>[],
  period: TimeWindow,
  now_us: number,
  zone: string,
): Forecast | null => {
  const costs = new Map<number, Picodollars>()
  for (const { group, cost_usd } of rows) {
    const day = group['day']
    if (day === null || day === undefined) continue
    const number = dayNumber(day)
    costs.set(number, picodollars((costs.get(number) ?? 0n) + parseUsd(cost_usd)))
  }
  if ([...costs.values()].every((cost) => cost === 0n)) return null
  const { day: today, minute } = localTime(zone, now_us)
  const first_day = Math.min(today, ...costs.keys())
  return forecastPeriod(
    {
      first_day,
      costs: Array.from({ length: today - first_day }, (_, at) => costs.get(first_day + at) ?? ZERO),
      today: { cost: costs.get(today) ?? ZERO, elapsed: minute / DAY_MINUTES },
    },
    { from_day: localTime(zone, period.from_us).day, to_day: localTime(zone, period.to_us).day },
  )
}

/** Where the month that runs at `now_us` will land, from rows by local `day`; null where nothing was spent. */
export const landingOf = (rows: readonly OwnedRow[], now_us: number, zone: string): Landing | null => {
  const month = periodOf({ every: 'month', zone }, now_us)
  const forecast = forecastOf(rows, month, now_us, zone)
  if (forecast === null) return null
  return {
    month: month.id.slice(month.id.indexOf(':') + 1),
    spent_usd: formatUsd(forecast.spent),
    expected_usd: formatUsd(forecast.expected),
    low_usd: formatUsd(forecast.low),
    high_usd: formatUsd(forecast.high),
    coverage: forecast.coverage,
    days: forecast.days,
  }
}
