/** What a budget limits. usd: what calls cost. tokens: input and output together. calls: calls that were sent to a provider. */
export type BudgetUnit = 'usd' | 'tokens' | 'calls'

/**
 * What calls are told apart by. `key` is a Weir key's id, `session` a conversation or an agent's run, `model` the model that
 * the call asks for, `provider` the one it goes to. `tag:NAME` is a tag of the payer.
 */
export type ScopeDimension =
  | 'team'
  | 'feature'
  | 'key'
  | 'customer'
  | 'user'
  | 'session'
  | 'agent'
  | 'environment'
  | 'model'
  | 'provider'
  | `tag:${string}`

/** In a scope: every value of the dimension has a counter of its own. */
export const EACH = 'each'

/** Conditions that must all hold; `*` is any text. No condition at all is the whole organisation. */
export type Scope = Readonly<Partial<Record<ScopeDimension, string>>>

export type BudgetEvery = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year'

/** When a budget resets: by the calendar of a time zone, as a rolling window, or never. */
export type BudgetWindow =
  | Readonly<{ every: BudgetEvery; zone: string }>
  | Readonly<{ last_us: number }>
  | Readonly<{ lifetime: true }>

/** Where calls go instead when the budget is exhausted. */
export type FallBack = Readonly<{ provider: string; model?: string }>

/** Who may spend how much in which time. What was spent is not here: a changed limit keeps it. */
export type Budget = Readonly<{
  name: string
  scope: Scope
  /** Decimal US dollars; whole tokens and calls. One at least. */
  limits: Readonly<{ usd?: string; tokens?: number; calls?: number }>
  window: BudgetWindow
  /** hard: never overrun. soft: calls go on, and say that it is. */
  kind: 'hard' | 'soft'
  /** Of a hard one that has no room for a call. */
  when_exhausted: 'refuse' | readonly FallBack[]
  /** Calls whose worst case nobody can know: tools that the provider runs, endpoints without a meter. */
  unbounded: 'refuse' | 'allow'
}>

/**
 * One counter of a budget as it stands. Amounts are decimal US dollars, or whole tokens or calls, as text.
 * `spent + reserved + left = limit` while nothing is overrun; a soft budget's `left` may be negative.
 */
export type BudgetState = Readonly<{
  budget: string
  kind: Budget['kind']
  unit: BudgetUnit
  /** The conditions, with the value in the place of `each`; `each` itself while nobody has spent. */
  scope: Readonly<Record<string, string>>
  /** `month`, `last 24h`, `lifetime`. */
  window: string
  /** IANA zone of a calendar window. */
  zone: string | null
  /** [from, to) in µs, UTC; null for a lifetime. For a rolling window the stretch that counts now. */
  period: Readonly<{ from_us: number; to_us: number }> | null
  limit: string
  spent: string
  /** What calls under way may cost at most. */
  reserved: string
  left: string
  /** Spent and reserved as a share of the limit; above 1 where a soft budget is overrun. */
  share: number
  /** When the calendar window resets, µs since the epoch; null for a rolling window and a lifetime. */
  resets_at_us: number | null
  /** When what was spent last left no room for a call, to the minute, since the gateway started; null: never. */
  exhausted_at_us: number | null
  /** False until what was spent before the start is counted; amounts are too small until then. */
  counted: boolean
}>

/** The state of every budget; of those with a counter for each value the ones that spent most. */
export type BudgetStates = () => Promise<readonly BudgetState[]>
