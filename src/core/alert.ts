import type { KeyNames } from './key-names.ts'
import type { Usd } from './money.ts'

/** Trouble that is found in receipts. `level-…` is spend above what is usual over ten minutes, hours, or days. */
export const foundKinds = [
  'budget-burn',
  'retry-storm',
  'runaway-session',
  'level-burst',
  'level-hour',
  'level-day',
  'mix-shift',
  'cache-drop',
  'new-key',
  'new-model',
  'leaked-key',
  'unpriced',
  'stale-prices',
] as const

/** Everything that an alert can be about: what is found in receipts, and how far a budget is spent or will be. */
export const alertKinds = [...foundKinds, 'budget-spent', 'budget-forecast'] as const

export type FoundKind = (typeof foundKinds)[number]
/** Is it found in receipts, by thresholds that what people say of it moves? */
export const isFound = (kind: AlertKind): kind is FoundKind => (foundKinds as readonly string[]).includes(kind)

/** `test`: nothing happened; somebody tries a channel. */
export type AlertKind = (typeof alertKinds)[number] | 'test'

/** From the least grave to the gravest. */
export const severities = ['info', 'warning', 'critical'] as const
export type Severity = (typeof severities)[number]

/** `yes`: this was trouble. `no`: it was not. `planned`: it was meant to be, until a moment. */
export const verdicts = ['yes', 'no', 'planned'] as const
export type Verdict = (typeof verdicts)[number]

/** What somebody said of an alert; `until_us` belongs to `planned`. */
export type Opinion = Readonly<{ verdict: Verdict; at_us: number; until_us?: number }>

/** Trouble that somebody should know of. One alert for the same trouble, however often it is told. Money is decimal US dollars. */
export type Alert = Readonly<{
  id: string
  /** Equal for equal trouble: kind (the levels are one), owner and subject. */
  incident: string
  kind: AlertKind
  /** Who is accountable, e.g. `team:search`, `organisation`. */
  owner: string
  /** The session, key, model, prompt or budget meant; absent when it is the owner as a whole. */
  subject?: string
  severity: Severity
  state: 'open' | 'resolved'
  /** When the trouble began, was first told of, and was last seen. */
  since_us: number
  first_us: number
  last_us: number
  resolved_us?: number
  /** Once, and once more each time that it doubled. */
  told: number
  /** Beyond what is usual, so far; null when nobody knows the price. */
  spent_usd: Usd | null
  /** The same at the next local midnight (for a budget: at the end of its period), if it goes on. */
  projected_usd: Usd
  /** The value of a dimension that carries most of it; `share` from 0 to 1. */
  explained_by?: Readonly<{ dimension: string; value: string; cost_usd: Usd; share: number }>
  /** A change of cost in its parts, which sum to it. */
  change_usd?: Readonly<{ volume: Usd; mix: Usd; price: Usd }>
  /** Receipt ids to look at, at most eight. */
  calls: readonly string[]
  /** The owner's spend in the six hours before, by quarter of an hour, oldest first. */
  trend_usd: readonly string[]
  /** One sentence with its numbers. */
  message: string
  /** What people call the keys that it names, by id. */
  names?: KeyNames
  opinion?: Opinion
  /** How what ran away is contained, by the containment of the same id. Who asks is not told it of one that has ended. */
  contained?: Pick<Containment, 'what' | 'value' | 'action' | 'calls_per_minute' | 'until_us'>
}>

export type AlertQuery = Readonly<{
  ids?: readonly string[]
  incident?: string
  state?: Alert['state']
  /** Last seen at or after. */
  since_us?: number
  most?: number
}>

/** What is told of an alert: that it is there, that it has doubled, that it is over; or that a channel works. */
export type AlertEvent = 'opened' | 'again' | 'resolved' | 'test'

/** An alert on its way to a channel. The id is the same for every attempt, so that the far side can tell a repetition. */
export type Delivery = Readonly<{
  id: string
  alert_id: string
  channel: string
  event: AlertEvent
  /** As it was when it was told. */
  alert: Alert
  /** refused: the far side does not want it, and another attempt would be refused too. */
  state: 'waiting' | 'delivered' | 'refused'
  attempts: number
  created_us: number
  /** Not before. */
  next_us: number
  ended_us?: number
  /** What the far side said at the last attempt; never a secret. */
  answer?: string
}>

/** A session or key that may call no more, or only so often, for a time or until somebody releases it. */
export type Containment = Readonly<{
  /** The alert's. */
  id: string
  what: 'session' | 'key'
  value: string
  /** Sessions of other owners may have the same name. */
  owner: string
  action: 'stop' | 'throttle'
  calls_per_minute?: number
  from_us: number
  until_us?: number
  released_us?: number
}>
