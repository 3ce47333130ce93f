import { WeirError } from '../../core/errors.ts'
import type { TimeWindow } from '../../core/ledger.ts'
import { dateOf, dayIn, instantOfWall, monthOf } from '../../playbook/allocate/window/wall-clock.ts'
import { localTime } from '../../playbook/price/local-time.ts'

const DAY_MINUTES = 1440
const MINUTE_MS = 60_000
const units_ms = { m: MINUTE_MS, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** How a field is called where somebody gives it: `--since` on the command line, `since` in a request. */
export type Field = (name: string) => string

export const asFlag: Field = (name) => `--${name}`

/** Throws WeirError `bad-input` when the zone is not an IANA name. */
export const checkZone = (zone: string, name = '--zone'): void => {
  try {
    localTime(zone, 0)
  } catch {
    throw new WeirError(
      'bad-input',
      `${name} ${zone} is not a time zone: use an IANA name such as Europe/Berlin or UTC`,
    )
  }
}

/** The length of a span such as `30m`, `24h`, `7d` or `2w`, ms; undefined for what is none. */
export const spanOf = (text: string): number | undefined => {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([mhdw])$/.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * units_ms[unit as keyof typeof units_ms]
}

/** The instant, ms, at which whole local days since 1970-01-01 begin. */
const dayStart = (day: number, zone: string): number => instantOfWall(zone, day * DAY_MINUTES) / 1000

const named = (word: string, now_ms: number, zone: string): number | undefined => {
  const { day, weekday } = localTime(zone, now_ms * 1000)
  const { year, month } = monthOf(day)
  const starts: Record<string, () => number> = {
    now: () => now_ms,
    today: () => dayStart(day, zone),
    yesterday: () => dayStart(day - 1, zone),
    week: () => dayStart(day - weekday + 1, zone),
    month: () => dayStart(dayIn(year, month, 1), zone),
    year: () => dayStart(dayIn(year, 1, 1), zone),
    all: () => 0,
  }
  return Object.hasOwn(starts, word) ? starts[word]?.() : undefined
}

const dated = (text: string, zone: string): number | undefined => {
  const match = /^(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?(Z|[+-]\d\d:\d\d)?)?)?$/.exec(text)
  if (!match) return undefined
  const [, year, month, day = '01', hour = '00', minute = '00', second = '00', offset] = match
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  const utc = Date.parse(`${iso}${offset ?? 'Z'}`)
  // Date.parse rolls 30 February over; what does not come back as it went in is no date.
  if (Number.isNaN(utc) || (!offset && !new Date(utc).toISOString().startsWith(iso))) return undefined
  return offset ? utc : instantOfWall(zone, Math.floor(utc / MINUTE_MS)) / 1000 + Number(second) * 1000
}

/**
 * The start of what a user calls a time, ms since the epoch: `30m`, `24h`, `7d`, `2w` before now, `today`, `yesterday`,
 * `week`, `month`, `year`, `all`, `2026-11`, `2026-11-01`, `2026-11-01T09:30`, with or without an offset; local to `zone`.
 * Throws WeirError `bad-input` that says what is allowed.
 */
export const parseTime = (text: string, now_ms: number, zone: string, flag = '--since'): number => {
  const span = spanOf(text)
  if (span === undefined) checkZone(zone)
  const found = span === undefined ? (named(text, now_ms, zone) ?? dated(text, zone)) : now_ms - span
  // Nothing was called before 1970.
  if (found !== undefined) return Math.max(0, found)
  throw new WeirError(
    'bad-input',
    `${flag} ${text} is not a time: use 24h, 7d, 2w, today, yesterday, week, month, year, all, ` +
      '2026-11, 2026-11-01 or 2026-11-01T09:30',
  )
}

/** The window that `--since` and `--until` say; until now by default. Throws WeirError `bad-input`, also when it is empty. */
export const parseWindow = (
  flags: Readonly<{ since: string; until?: string | undefined; zone?: string | undefined }>,
  now_ms: number,
  field: Field = asFlag,
): TimeWindow => {
  const zone = flags.zone ?? 'UTC'
  checkZone(zone, field('zone'))
  const from = parseTime(flags.since, now_ms, zone, field('since'))
  const to = flags.until === undefined ? now_ms + 1 : parseTime(flags.until, now_ms, zone, field('until'))
  if (to <= from) {
    const ends = flags.until === undefined ? 'which is not yet' : `and ${field('until')} ${flags.until} is not after it`
    throw new WeirError('bad-input', `the window is empty: it starts at ${field('since')} ${flags.since}, ${ends}`, {
      field: flags.until === undefined ? 'since' : 'until',
    })
  }
  return { from_us: Math.round(from * 1000), to_us: Math.round(to * 1000) }
}

const two = (number: number) => String(number).padStart(2, '0')

/** A moment in µs as `2026-11-23` in the zone. */
export const day = (at_us: number, zone = 'UTC'): string => dateOf(localTime(zone, at_us).day)

/** A moment in µs as `14:02:09` in the zone. */
export const clock = (at_us: number, zone = 'UTC'): string => {
  const { minute } = localTime(zone, at_us)
  const second = Math.floor(at_us / 1e6) - Math.floor(at_us / 60e6) * 60
  return [Math.floor(minute / 60), minute % 60, second].map(two).join(':')
}

/** A moment in µs as `2026-11-23 14:02:09` in the zone. */
export const moment = (at_us: number, zone = 'UTC'): string => `${day(at_us, zone)} ${clock(at_us, zone)}`
