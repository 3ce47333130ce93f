import type { Ledger, TimeWindow } from '../../core/ledger.ts'
import { asFlag, type Field, parseWindow } from './time.ts'

/** A window with the words that say which it is. */
export type NamedWindow = Readonly<{ window: TimeWindow; name: string; zone: string }>

export type WindowWords = Readonly<{
  since?: string | undefined
  until?: string | undefined
  zone?: string | undefined
}>

const words: Readonly<Record<string, string>> = {
  today: 'today',
  yesterday: 'since yesterday',
  week: 'this week',
  month: 'this month',
  year: 'this year',
  all: 'all time',
}
const spans: Readonly<Record<string, string>> = { m: 'minutes', h: 'hours', d: 'days', w: 'weeks' }

const nameOf = (since: string, until: string | undefined): string => {
  const span = /^(\d+(?:\.\d+)?)([mhdw])$/.exec(since)
  if (until !== undefined || /^\d{4}-/.test(since)) return ''
  const spelt = spans[span?.[2] ?? ''] ?? ''
  if (span) return Number(span[1]) === 1 ? `last ${spelt.slice(0, -1)}` : `last ${span[1]} ${spelt}`
  return words[since] ?? `since ${since}`
}

export type WindowAsked = WindowWords & Readonly<{ usual: string; now_us: number; field?: Field }>

/**
 * The window that the words say. Without `since` it is the `usual` one, and where nothing happened in that, all that the
 * ledger holds, so that an imported past is not answered with nothing. Throws WeirError `bad-input` naming the field.
 */
export const windowIn = async (ledger: Pick<Ledger, 'query'>, asked: WindowAsked): Promise<NamedWindow> => {
  const { until, zone = 'UTC', usual, now_us, field = asFlag } = asked
  const since = asked.since ?? usual
  const window = parseWindow({ since, until, zone }, now_us / 1000, field)
  if (since === 'all' || (asked.since === undefined && until === undefined)) {
    const { first_us, last_us } = await ledger.query({ ask: 'extent' })
    const outside = last_us !== null && (since === 'all' || last_us < window.from_us || (first_us ?? 0) >= window.to_us)
    if (first_us !== null && last_us !== null && outside) {
      return { window: { from_us: first_us, to_us: last_us + 1 }, name: 'all time', zone }
    }
  }
  return { window, name: nameOf(since, until), zone }
}
