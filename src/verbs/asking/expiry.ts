import { WeirError } from '../../core/errors.ts'
import { parseTime } from './time.ts'

const span_ms = { d: 86_400_000, h: 3_600_000, w: 604_800_000 } as const

/** The moment, µs, that `30d`, `12h` from now or a date says. Throws WeirError `bad-input` when it is not in the future. */
export const expiryOf = (text: string, now_us: number, field: string, zone = 'UTC'): number => {
  const span = /^(\d+)([dhw])$/.exec(text)
  const at = span
    ? now_us + Number(span[1]) * span_ms[span[2] as keyof typeof span_ms] * 1000
    : parseTime(text, now_us / 1000, zone, field) * 1000
  if (at > now_us) return at
  throw new WeirError('bad-input', `${field} ${text} is not in the future`)
}
