/** Spans of time, µs. A day is 24 hours: the days of a calendar are a matter of their zone. */
export const MINUTE_US = 60_000_000
export const HOUR_US = 60 * MINUTE_US
export const DAY_US = 24 * HOUR_US

/**
 * Begins the text with a day of the calendar, as in 2026-02-28? Engines take 2026-02-30 for the second of March, and 01/11/2026 for
 * a day in January, which for most of the world is one in November.
 */
export const beginsWithDay = (text: string): boolean => {
  const day = /^\d{4}-\d\d-\d\d/.exec(text)?.[0]
  if (day === undefined) return false
  const at_ms = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(at_ms) && new Date(at_ms).toISOString().startsWith(day)
}
