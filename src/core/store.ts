import type { Alert, AlertQuery, Containment, Delivery, Opinion } from './alert.ts'
import type { ClosedMonth, RuleKind, RuleSet } from './allocation.ts'
import type { OutcomeEvent, OutcomeKind, OutcomeQuery, OutcomesAdded, ReportedOutcome } from './outcome.ts'

/** A gateway key as it lasts. The token itself is shown once and kept only as an HMAC. */
export type KeyRecord = Readonly<{
  id: string
  name: string
  /** First characters, for display: `weir_3fA9…`. */
  prefix: string
  /** HMAC-SHA-256 of the token under the store's pepper, hexadecimal. */
  hash: string
  team?: string
  feature?: string
  customer?: string
  environment?: string
  tags: Readonly<Record<string, string>>
  /** Empty means every one. Globs with `*`. */
  models: readonly string[]
  providers: readonly string[]
  /** Operations as on the receipts, e.g. `chat`, `embeddings`. */
  endpoints: readonly string[]
  /** Of the token before the last rotation, which is good until then. */
  previous_hash?: string
  previous_until_us?: number
  created_at_us: number
  expires_at_us?: number
  revoked_at_us?: number
  /** From 1, counted up by every change. */
  revision: number
}>

/** A token of the console as it lasts. The token itself is shown once and kept only as an HMAC. */
export type ConsoleToken = Readonly<{
  id: string
  name: string
  /** First characters, for display: `weirc_3fA9…`. */
  prefix: string
  /** HMAC-SHA-256 of the token, hexadecimal. */
  hash: string
  /** The team that it reads; absent for an administrator's. */
  team?: string
  created_at_us: number
  expires_at_us?: number
  revoked_at_us?: number
}>

/** What the watch over receipts remembers: `state` as text, and the last segment of its queue that the state has seen. */
export type Watched = Readonly<{ state: string; position: number }>

/** Alerts, what of them is on its way, and what is contained. */
export type AlertStore = Readonly<{
  /** Writes alerts as they are now and what is to be told of them, all or nothing. A delivery that is there stays as it is. */
  record(alerts: readonly Alert[], deliveries: readonly Delivery[]): Promise<void>
  /** Last seen first. */
  list(query: AlertQuery): Promise<readonly Alert[]>
  /** Takes in what somebody says of an alert; false when there is none of this id. */
  judge(id: string, opinion: Opinion): Promise<boolean>
  /** Alerts that somebody judged after a moment, in the order of judging. */
  judgedSince(at_us: number): Promise<readonly Alert[]>
  /**
   * Forgets alerts that are over and were last seen before a moment, with their deliveries and ended containments, and
   * deliveries that have arrived or were refused and were made before another. What waits or is in force stays. Gives how
   * many alerts and deliveries there were.
   */
  prune(alerts_us: number, deliveries_us: number): Promise<Readonly<{ alerts: number; deliveries: number }>>
  deliveries: Readonly<{
    /** Those that wait, oldest first. */
    waiting(most: number): Promise<readonly Delivery[]>
    /** Those of an alert, oldest first. */
    of(alert_id: string): Promise<readonly Delivery[]>
    /** Writes how an attempt ended. */
    update(delivery: Delivery): Promise<void>
    /** Lets what was refused wait again, if it was made after a moment: a channel may have been set right. Gives their number. */
    retryRefused(since_us: number, next_us: number): Promise<number>
    counts(): Promise<Readonly<Record<Delivery['state'], number>>>
  }>
  containments: Readonly<{
    /** One of the same id begins anew, unless somebody has released it. */
    add(containment: Containment): Promise<void>
    /** Those that are in force at a moment; all without one. Newest first. */
    list(at_us?: number): Promise<readonly Containment[]>
    /** False when there is none of this id in force. */
    release(id: string, at_us: number): Promise<boolean>
  }>
  watched: Readonly<{
    load(): Promise<Watched | undefined>
    save(watched: Watched): Promise<void>
  }>
}>
/** A budget as it lasts: `definition` is JSON. What was spent is in receipts, and nowhere else. */
export type StoredBudget = Readonly<{
  name: string
  definition: string
  set_at_us: number
  /** From 1, counted up by every change; taking it away and making it anew goes on counting. */
  revision: number
}>

/** Everything that lasts and is not a receipt. */
export type Store = Readonly<{
  keys: Readonly<{
    add(key: KeyRecord): Promise<void>
    list(): Promise<readonly KeyRecord[]>
    /** Puts the key in the place of the one with its id and revision, and counts that up. False when it was changed meanwhile. */
    replace(key: KeyRecord): Promise<boolean>
    revoke(id: string, at_us: number): Promise<boolean>
  }>
  /** Tokens of the console. */
  tokens: Readonly<{
    add(token: ConsoleToken): Promise<void>
    list(): Promise<readonly ConsoleToken[]>
    find(hash: string): Promise<ConsoleToken | undefined>
    revoke(id: string, at_us: number): Promise<boolean>
  }>
  /** Provider credentials, sealed by the caller before they come here. */
  secrets: Readonly<{
    put(provider: string, sealed: string): Promise<void>
    all(): Promise<Readonly<Record<string, string>>>
    remove(provider: string): Promise<boolean>
  }>
  /** Business events, each once. */
  outcomes: Readonly<{
    /** Adds them all or, when the store fails, none. */
    add(events: readonly ReportedOutcome[]): Promise<OutcomesAdded>
    /** Oldest first. */
    list(query: OutcomeQuery): Promise<readonly OutcomeEvent[]>
    kinds(): Promise<readonly OutcomeKind[]>
    remove(id: string): Promise<boolean>
  }>
  /** Lists of allocation rules, every version of them. */
  rules: Readonly<{
    /**
     * Adds a version (JSON text) and gives its number. With `after`, only where that is the last version (0 for none):
     * undefined when somebody else added one meanwhile.
     */
    put(kind: RuleKind, rules: string, at_us: number, after?: number): Promise<number | undefined>
    /** Oldest first. */
    list(kind: RuleKind): Promise<readonly RuleSet[]>
  }>
  closes: Readonly<{
    /** False when that month was closed before; then nothing changes. */
    add(closed: ClosedMonth): Promise<boolean>
    /** Months of a dimension, or of all, oldest first. */
    list(by?: string): Promise<readonly ClosedMonth[]>
  }>
  alerts: AlertStore
  /** Budgets that are not in weir.yaml, as JSON of what one says there. */
  budgets: Readonly<{
    /** Counted up by every change of any budget. */
    version(): Promise<number>
    /**
     * Adds it, or changes the one of that name, and gives its revision. With `version`, only where no budget was changed
     * since: undefined otherwise. Budgets must fit one another, so none may change unseen.
     */
    put(budget: Omit<StoredBudget, 'revision'>, version?: number): Promise<number | undefined>
    /** By name. */
    list(): Promise<readonly StoredBudget[]>
    /** False when there is none of this name or, with `version`, a budget was changed since. */
    remove(name: string, version?: number): Promise<boolean>
  }>
  /** Changes whenever another process wrote. */
  revision(): Promise<number>
  close(): Promise<void>
}>
