import { WeirError } from '../../core/errors.ts'
import { parseTime, spanOf } from './time.ts'

const MOST_YEARS = 100
const YEAR_US = 366 * 86_400_000_000

/** A date, and no word for a time that is past. */
const DATE = /^\d{4}-/

/**
 * The moment, µs, that `30d`, `12h`, `30m` from now or a date says. Throws WeirError `bad-input` when it is not in the
 * future, or in none that anybody lives to see.
 */
export const expiryOf = (text: string, now_us: number, field: string, zone = 'UTC'): number => {
  const span = spanOf(text)
  if (span === undefined && !DATE.test(text))
    throw new WeirError(
      'bad-input',
      `${field} ${text} is no time to come: use 30m, 12h, 30d, 2w, 2027-01-31 or 2027-01-31T09:30`,
    )
  const at = span === undefined ? parseTime(text, now_us / 1000, zone, field) * 1000 : Math.round(now_us + span * 1000)
  if (at <= now_us) throw new WeirError('bad-input', `${field} ${text} is not in the future`)
  if (at - now_us <= MOST_YEARS * YEAR_US) return at
  throw new WeirError('bad-input', `${field} ${text} is more than ${MOST_YEARS} years from now`)
}
