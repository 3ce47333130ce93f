import { WeirError } from '../../core/errors.ts'
import type { TimeWindow } from '../../core/ledger.ts'

const units_ms = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

type Local = Readonly<{ year: number; month: number; day: number; hour: number; minute: number; second: number }>

const clocks = new Map<string, Intl.DateTimeFormat>()

/** How a field is called where somebody gives it: `--since` on the command line, `since` in a request. */
export type Field = (name: string) => string

export const asFlag: Field = (name) => `--${name}`

/** Throws WeirError `bad-input` when the zone is not an IANA name. */
const clockOf = (zone: string, name = '--zone'): Intl.DateTimeFormat => {
  const known = clocks.get(zone)
  if (known) return known
  try {
    const part = '2-digit'
    const clock = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: part,
      day: part,
      hour: part,
      minute: part,
      second: part,
    })
    clocks.set(zone, clock)
    return clock
  } catch {
    throw new WeirError(
      'bad-input',
      `${name} ${zone} is not a time zone: use an IANA name such as Europe/Berlin or UTC`,
    )
  }
}

/** Throws WeirError `bad-input` when the zone is not an IANA name. */
export const checkZone = (zone: string, name: string): void => {
  clockOf(zone, name)
}

const localOf = (at_ms: number, zone: string): Local => {
  const found: Record<string, number> = {}
  for (const { type, value } of clockOf(zone).formatToParts(at_ms)) found[type] = Number(value)
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = found
  return { year, month, day, hour, minute, second }
}

const asUtc_ms = (local: Local): number =>
  Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute, local.second)

/** The instant of a local time, ms. Twice, because the first guess may lie on the other side of a clock change. */
const instantOf = (local: Local, zone: string): number => {
  const wanted = asUtc_ms(local)
  let guess = wanted
  for (let turn = 0; turn < 2; turn += 1) guess += wanted - asUtc_ms(localOf(guess, zone))
  return guess
}

const midnight = { hour: 0, minute: 0, second: 0 }

const named = (word: string, now_ms: number, zone: string): number | undefined => {
  const now = { ...localOf(now_ms, zone), ...midnight }
  const weekday = (new Date(asUtc_ms(now)).getUTCDay() + 6) % 7
  const days = (back: number) => instantOf(localOf(asUtc_ms(now) - back * units_ms.d, 'UTC'), zone)
  const starts: Record<string, () => number> = {
    now: () => now_ms,
    today: () => days(0),
    yesterday: () => days(1),
    week: () => days(weekday),
    month: () => days(now.day - 1),
    year: () => instantOf({ ...now, month: 1, day: 1 }, zone),
    all: () => 0,
  }
  return starts[word]?.()
}

const dated = (text: string, zone: string): number | undefined => {
  const match = /^(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?(Z|[+-]\d\d:\d\d)?)?)?$/.exec(text)
  if (!match) return undefined
  const [, year, month, day = '01', hour = '00', minute = '00', second = '00', offset] = match
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  const utc = Date.parse(`${iso}${offset ?? 'Z'}`)
  // Date.parse rolls 30 February over; what does not come back as it went in is no date.
  if (Number.isNaN(utc) || (!offset && !new Date(utc).toISOString().startsWith(iso))) return undefined
  return offset ? utc : instantOf(localOf(utc, 'UTC'), zone)
}

/**
 * The start of what a user calls a time, ms since the epoch: `30m`, `24h`, `7d`, `2w` before now, `today`, `yesterday`,
 * `week`, `month`, `year`, `all`, `2026-11`, `2026-11-01`, `2026-11-01T09:30`, with or without an offset; local to `zone`.
 * Throws WeirError `bad-input` that says what is allowed.
 */
export const parseTime = (text: string, now_ms: number, zone: string, flag = '--since'): number => {
  const span = /^(\d+(?:\.\d+)?)([mhdw])$/.exec(text)
  const ago = span ? now_ms - Number(span[1]) * units_ms[span[2] as keyof typeof units_ms] : undefined
  const found = ago ?? named(text, now_ms, zone) ?? dated(text, zone)
  if (found !== undefined) return found
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
export const day = (at_us: number, zone = 'UTC'): string => {
  const { year, month, day: date } = localOf(Math.floor(at_us / 1000), zone)
  return `${year}-${two(month)}-${two(date)}`
}

/** A moment in µs as `14:02:09` in the zone. */
export const clock = (at_us: number, zone = 'UTC'): string => {
  const { hour, minute, second } = localOf(Math.floor(at_us / 1000), zone)
  return `${two(hour)}:${two(minute)}:${two(second)}`
}

/** A moment in µs as `2026-11-23 14:02:09` in the zone. */
export const moment = (at_us: number, zone = 'UTC'): string => `${day(at_us, zone)} ${clock(at_us, zone)}`
