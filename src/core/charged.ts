/** What tells the counters of budgets apart: dimensions of a receipt as it was written, virtual tags aside. */
export type ChargedDimension =
  | 'team'
  | 'feature'
  | 'key_id'
  | 'customer'
  | 'user'
  | 'session'
  | 'agent'
  | 'environment'
  | 'model_asked'
  | 'provider'
  | `tag:${string}`

/** What receipts charge to budgets. */
export type ChargedQuestion = Readonly<{
  ask: 'charged'
  /** [from, to) in µs, UTC. */
  window: Readonly<{ from_us: number; to_us: number }>
  by: readonly ChargedDimension[]
  /** Cuts the window in slices that begin on whole multiples of this since the epoch, µs. */
  slice_us?: number
  /** Receipts that do not count: they will be charged by those who write them. */
  except?: readonly string[]
  /** Only what did not come through this gateway's journal: imports and corrections. */
  imported?: boolean
  /** Only groups that were active since, µs. */
  alive_since_us?: number
  /** US dollars per million tokens for what has no price, and the output that stands for one that nobody saw. */
  ceiling: Readonly<{ input: string; output: string }>
  output_tokens: number
}>

/** One group, which may come in several rows. `slice` is the number of the slice. Money is decimal US dollars. */
export type ChargedRow = Readonly<{
  group: Readonly<Record<string, string | null>>
  slice: number | null
  usd: string
  tokens: number
  calls: number
}>
