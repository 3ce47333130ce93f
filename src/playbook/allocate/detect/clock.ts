import { HOUR_US } from '../../../core/date.ts'
import { localTime } from '../../price/local-time.ts'
import { periodOf } from '../window/window.ts'
import type { Alike } from './seasonal.ts'

/** The local day that runs: its number counts days since 1970-01-01, [from, to) are instants. */
export type Day = Readonly<{ number: number; from_us: number; to_us: number }>

export const dayAt = (zone: string, at_us: number): Day => {
  const { from_us, to_us } = periodOf({ every: 'day', zone }, at_us)
  return { number: localTime(zone, from_us + HOUR_US / 2).day, from_us, to_us }
}

const isWeekend = (zone: string, at_us: number): boolean => localTime(zone, at_us).weekday >= 6

/** Whether a moment so many hours before another is on the same kind of day, workday or weekend. */
export const alikeAt =
  (zone: string, at_us: number): Alike =>
  (back) =>
    isWeekend(zone, at_us - back * HOUR_US) === isWeekend(zone, at_us)
