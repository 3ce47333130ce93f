import { type Picodollars, parseUsd, ZERO } from '../../../core/money.ts'
import type { Receipt } from '../../../core/receipt.ts'
import { push } from './bounded.ts'
import type { Cell, Watched } from './watched.ts'

/** Receipt ids that are kept to show trouble by. */
export const EVIDENCE = 8

/**
 * An attempt as the detectors see it: who pays, what for, how much. Never a prompt. Or several alike, of one minute and one
 * payer, session, target and end: then amounts, tokens and cells are their sums, and the rest is that of the last.
 */
export type Observation = Readonly<{
  /** Receipt id: the evidence. */
  id: string
  /** How many attempts it stands for; one where it says nothing. */
  calls?: number
  /** Receipt ids of the last of several, at most eight. */
  ids?: readonly string[]
  /** When the cost became known, µs since the epoch. */
  at_us: number
  /** Who is watched for this call, the accountable one first, then wider ones, e.g. `['team:search', 'organisation']`. */
  owners: readonly string[]
  /** Null while nobody knows the price. */
  cost: Picodollars | null
  /** The most it may have cost; it stands in for an unknown cost. */
  ceiling: Picodollars
  failed: boolean
  provider: string
  model: string
  key?: string | undefined
  user?: string | undefined
  customer?: string | undefined
  feature?: string | undefined
  agent?: string | undefined
  session?: string | undefined
  /** Equal for equal requests. */
  fingerprint?: string | undefined
  input_tokens: number
  cache_read_tokens: number
  cells: readonly Cell[]
  /** When the prices used were last compared with their source. */
  prices_checked_at_us?: number | undefined
}>

/** What a receipt does not say about its call. */
export type Beside = Readonly<{
  owners: readonly string[]
  prices_checked_at_us?: number | undefined
}>

/** The evidence of a call behind what there is, the last eight. A list that begins is no longer than it must be: many never grow. */
export const withEvidence = (evidence: string[], { id, ids }: Pick<Observation, 'id' | 'ids'>): string[] => {
  if (evidence.length === 0) return ids === undefined ? [id] : [...ids]
  if (ids === undefined) push(evidence, id, EVIDENCE)
  else for (const one of ids) push(evidence, one, EVIDENCE)
  return evidence
}

/** Ends of attempts that failed. */
export const failures: ReadonlySet<Receipt['outcome']> = new Set(['error', 'cut', 'unknown'])

/** Reads a receipt; undefined for corrections of the past and for calls that were refused, which spend nothing now. */
export const observationOf = (receipt: Watched, beside: Beside): Observation | undefined => {
  if (receipt.corrects !== undefined || receipt.outcome === 'refused') return undefined
  const unknown = receipt.price_state === 'unpriced' && receipt.cost_usd === undefined
  return {
    id: receipt.receipt_id,
    at_us: receipt.ended_at_us,
    owners: beside.owners,
    cost: unknown ? null : parseUsd(receipt.cost_usd ?? '0'),
    ceiling: receipt.reserved_usd === undefined ? ZERO : parseUsd(receipt.reserved_usd),
    failed: failures.has(receipt.outcome),
    provider: receipt.provider,
    model: receipt.model_served ?? receipt.model_asked ?? 'unknown',
    key: receipt.key_id,
    user: receipt.user,
    customer: receipt.customer,
    feature: receipt.feature,
    agent: receipt.agent,
    session: receipt.session,
    fingerprint: receipt.fingerprint_exact,
    input_tokens: receipt.input_tokens ?? 0,
    cache_read_tokens: receipt.cache_read_tokens ?? 0,
    cells: receipt.cells,
    prices_checked_at_us: beside.prices_checked_at_us,
  }
}
