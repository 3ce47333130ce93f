import type { Usd } from './money.ts'

/**
 * A business event that spend is divided by: a ticket resolved, a document filed, a user active. Whoever reports it names
 * whom it belongs to as far as they know it: an owner, a customer, or the session that led to it.
 */
export type OutcomeEvent = Readonly<{
  /** The reporter's own id; the same id twice is one event. */
  id: string
  /** What happened, e.g. `resolved_ticket`. */
  kind: string
  /** How many, a whole number from 0 up. */
  count: number
  /** When, µs since the epoch, UTC. */
  at_us: number
  team?: string
  feature?: string
  customer?: string
  user?: string
  environment?: string
  /** Conversation or agent run, as on the receipts. */
  session?: string
  /** What it was worth, where somebody knows. */
  value_usd?: Usd
}>

/** An outcome as it is reported. `at_assumed` says that nobody said when: its time is that of the report, which a later report does not dispute. */
export type ReportedOutcome = OutcomeEvent & Readonly<{ at_assumed?: true }>

/** `conflicts` are ids that are there already with other content: nothing is changed for them. */
export type OutcomesAdded = Readonly<{ added: number; already: number; conflicts: readonly string[] }>

/** Outcomes of a kind, [from, to) in µs; absent means all. */
export type OutcomeQuery = Readonly<{ kind?: string; from_us?: number; to_us?: number }>

export type OutcomeKind = Readonly<{ kind: string; events: number; count: number; first_us: number; last_us: number }>
