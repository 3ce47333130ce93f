import { WeirError } from '../../../core/errors.ts'
import { formatUsd, parseUsd, type Usd } from '../../../core/money.ts'
import type { OutcomeEvent } from '../../../core/outcome.ts'

/** What a row, a form or a request says of an outcome. */
export const outcomeFields = [
  'id',
  'kind',
  'count',
  'at',
  'team',
  'feature',
  'customer',
  'user',
  'environment',
  'session',
  'value_usd',
] as const

export type OutcomeField = (typeof outcomeFields)[number]
export type OutcomeDraft = Readonly<Partial<Record<OutcomeField, string | undefined>>>

const payers = ['team', 'feature', 'customer', 'user', 'environment', 'session'] as const

const LONGEST = 256
/** Sums of many counts must be whole numbers, too. */
const MOST = 1_000_000_000_000

const bad = (field: OutcomeField, message: string): WeirError => new WeirError('bad-input', `${field}: ${message}`)

const kindOf = (text: string | undefined): string => {
  if (text === undefined || text === '') throw bad('kind', 'say what happened, e.g. resolved_ticket')
  if (/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(text)) return text
  throw bad('kind', `${JSON.stringify(text)} is no name: letters, digits, _ . and -, at most 64, a letter first`)
}

const countOf = (text: string | undefined): number => {
  if (text === undefined || text === '') return 1
  const count = Number(text)
  if (/^\d+$/.test(text) && count <= MOST) return count
  throw bad('count', `${JSON.stringify(text)} is not a whole number from 0 to ${MOST}`)
}

const worthOf = (text: string | undefined): { value_usd?: Usd } => {
  if (text === undefined || text === '') return {}
  try {
    return { value_usd: formatUsd(parseUsd(text)) }
  } catch {
    throw bad('value_usd', `${JSON.stringify(text)} is not an amount of US dollars`)
  }
}

const payerOf = (draft: OutcomeDraft): Partial<Record<(typeof payers)[number], string>> =>
  Object.fromEntries(
    payers.flatMap((field) => {
      const text = draft[field]
      if (text === undefined || text === '') return []
      if (text.length > LONGEST) throw bad(field, `longer than ${LONGEST} characters`)
      return [[field, text] as const]
    }),
  )

/**
 * An outcome from what was said of it. `at_us` reads its time, and is asked only where one is said; `id` makes one where
 * none is. Throws WeirError `bad-input` naming the field.
 */
export const readOutcome = (
  draft: OutcomeDraft,
  { at_us, now_us, id }: Readonly<{ at_us: (text: string) => number; now_us: number; id: () => string }>,
): OutcomeEvent => {
  const own = draft.id ?? ''
  if (own.length > LONGEST) throw bad('id', `longer than ${LONGEST} characters`)
  const at = draft.at ?? ''
  return {
    id: own === '' ? id() : own,
    kind: kindOf(draft.kind),
    count: countOf(draft.count),
    at_us: at === '' ? now_us : at_us(at),
    ...payerOf(draft),
    ...worthOf(draft.value_usd),
  }
}
