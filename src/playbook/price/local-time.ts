import { WeirError } from '../../core/errors.ts'

/** A moment on a wall clock: whole days since 1970-01-01, minutes since midnight, 1 = Monday … 7 = Sunday. */
export type LocalTime = Readonly<{ day: number; minute: number; weekday: number }>

const DAY_MINUTES = 1440
/** Clocks of all zones move at multiples of a quarter of an hour, so an offset holds for one. */
const SLOT_MS = 900_000

type Zone = { formatter: Intl.DateTimeFormat; slot: number; offset_minutes: number }
const zones = new Map<string, Zone>()

const zoneOf = (name: string): Zone => {
  const found = zones.get(name)
  if (found) return found
  try {
    const formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
    const zone = { formatter, slot: Number.NaN, offset_minutes: 0 }
    zones.set(name, zone)
    return zone
  } catch (cause) {
    throw new WeirError(
      'bad-config',
      `unknown time zone ${JSON.stringify(name)}: use an IANA name such as Asia/Shanghai`,
      {
        cause,
      },
    )
  }
}

const measureOffset = (zone: Zone, at_ms: number): number => {
  const part: Record<string, number> = {}
  for (const { type, value } of zone.formatter.formatToParts(at_ms)) part[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute) / 60_000 - Math.floor(at_ms / 60_000)
}

/** Minutes that the zone is ahead of UTC at a moment; the last slot is remembered. Throws WeirError `bad-config` on an unknown zone. */
const offsetMinutes = (name: string, at_ms: number): number => {
  if (name === 'UTC') return 0
  const zone = zoneOf(name)
  const slot = Math.floor(at_ms / SLOT_MS)
  if (zone.slot !== slot) {
    zone.offset_minutes = measureOffset(zone, at_ms)
    zone.slot = slot
  }
  return zone.offset_minutes
}

/** The wall clock of an IANA zone at a moment (µs since the epoch), daylight saving included. */
export const localTime = (zone: string, at_us: number): LocalTime => {
  const at_ms = at_us / 1000
  const minutes = Math.floor(at_ms / 60_000) + offsetMinutes(zone, at_ms)
  const day = Math.floor(minutes / DAY_MINUTES)
  return { day, minute: minutes - day * DAY_MINUTES, weekday: ((((day + 3) % 7) + 7) % 7) + 1 }
}

/** Days since 1970-01-01 of `YYYY-MM-DD`; NaN when it is no date. */
export const dayNumber = (date: string): number => {
  const parsed = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN
  const real = !Number.isNaN(parsed) && new Date(parsed).toISOString().startsWith(date)
  return real ? parsed / 86_400_000 : Number.NaN
}

/** µs since the epoch of a date (UTC midnight) or an instant such as `2026-08-16T16:00Z`; NaN when it is neither. */
export const instant_us = (text: string): number => {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return dayNumber(text) * 86_400_000_000
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z$/.test(text) ? Date.parse(text) * 1000 : Number.NaN
}
