import type { FoundKind, Severity } from '../../../core/alert.ts'
import type { Picodollars, Usd } from '../../../core/money.ts'

export type Kind = FoundKind

/** The value of a dimension that carries most of the excess. `share` of the excess, 0 to 1. */
export type Explanation = Readonly<{ dimension: string; value: string; cost: Picodollars; share: number }>

/** A change of cost and its parts; they sum to it, to the picodollar. */
export type Change = Readonly<{ volume: Picodollars; mix: Picodollars; price: Picodollars }>

/** What a detector raises before cool-down, floor and feedback have judged it. */
export type Candidate = Readonly<{
  kind: Kind
  owner: string
  /** The session, key, model, prompt … meant; absent when it is the owner as a whole. */
  subject?: string
  since_us: number
  /** Dollars so far beyond what is usual; null when nobody knows the price. */
  excess: Picodollars | null
  /** What each further hour adds if it goes on. */
  hourly: Picodollars
  /** How far beyond the threshold, 1 = at it. */
  score: number
  explanation?: Explanation
  change?: Change
  evidence: readonly string[]
  /** One sentence with its numbers. */
  message: string
  /** Hears when the trouble is known by now: what is told of need not be raised with every call. */
  trace?: { told_us: number }
}>

/** What an alert says. Money is decimal US dollars. */
export type Finding = Readonly<{
  /** The same for the same trouble: kind, owner and subject. */
  key: string
  kind: Kind
  owner: string
  subject?: string
  at_us: number
  since_us: number
  severity: Severity
  /** Beyond what is usual, so far; null when nobody knows the price. */
  spent_usd: Usd | null
  /** The same at the next local midnight, if it goes on. */
  projected_usd: Usd
  score: number
  explained_by?: Readonly<{ dimension: string; value: string; cost_usd: Usd; share: number }>
  change_usd?: Readonly<{ volume: Usd; mix: Usd; price: Usd }>
  /** Receipt ids to look at, at most eight. */
  evidence: readonly string[]
  /** The trouble was reported before and has at least doubled. */
  again: boolean
  message: string
}>

/** The key under which trouble is told apart. */
export const keyOf = ({ kind, owner, subject }: Pick<Candidate, 'kind' | 'owner' | 'subject'>): string =>
  JSON.stringify(subject === undefined ? [kind, owner] : [kind, owner, subject])
