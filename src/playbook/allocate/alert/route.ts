import type { Alert } from '../../../core/alert.ts'
import { globMatches } from '../../../core/glob.ts'
import type { AlertRoute, QuietHours } from '../../../core/settings.ts'
import { instantOfWall, wallMinutes } from '../window/wall-clock.ts'
import { asGrave } from './make.ts'

const DAY_MINUTES = 1440

const oneHolds = (globs: readonly string[] | undefined, value: string): boolean =>
  globs === undefined || globs.some((glob) => globMatches(glob, value))

const matches = ({ match }: AlertRoute, { kind, owner, severity }: Alert): boolean =>
  oneHolds(match.kinds, kind) &&
  oneHolds(match.owners, owner) &&
  (match.severity === undefined || asGrave(severity, match.severity))

/** The end of the quiet hours that an instant falls into, µs; the instant itself where it falls into none. */
export const quietUntil = ({ from_minute, to_minute, zone }: QuietHours, at_us: number): number => {
  const wall = wallMinutes(zone, at_us)
  const minute = wall % DAY_MINUTES
  const midnight = wall - minute
  const over_midnight = from_minute > to_minute
  const quiet = over_midnight
    ? minute >= from_minute || minute < to_minute
    : minute >= from_minute && minute < to_minute
  if (!quiet) return at_us
  const end = midnight + to_minute + (over_midnight && minute >= from_minute ? DAY_MINUTES : 0)
  return Math.max(at_us, instantOfWall(zone, end))
}

/** A channel that is told, and from when on. */
export type Told = Readonly<{ channel: string; from_us: number }>

/**
 * The channels that an alert goes to: those of every route that it matches, each once, at the earliest moment that one of
 * them allows. Without routes it goes to all. Quiet hours hold back what is less than critical; nothing is dropped.
 */
export const channelsFor = (
  alert: Alert,
  { routes, channels }: Readonly<{ routes: readonly AlertRoute[]; channels: readonly string[] }>,
  at_us: number,
): readonly Told[] => {
  if (routes.length === 0) return channels.map((channel) => ({ channel, from_us: at_us }))
  const found = new Map<string, number>()
  for (const route of routes) {
    if (!matches(route, alert)) continue
    const from_us = route.quiet && alert.severity !== 'critical' ? quietUntil(route.quiet, at_us) : at_us
    for (const channel of route.channels)
      found.set(channel, Math.min(found.get(channel) ?? Number.POSITIVE_INFINITY, from_us))
  }
  return [...found].map(([channel, from_us]) => ({ channel, from_us }))
}
