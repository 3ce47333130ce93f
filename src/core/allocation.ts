/** What is kept of allocation: rules that say who pays, and months that were closed under them. */

/** A glob (`*` any text, `?` one character, a backslash takes the next as it is), several of which one must hold, or `null` for "has none". */
export type TagValues = string | readonly string[] | null

/**
 * When the fields are like this, set those. Fields are dimensions of a receipt; `tag:NAME` is a tag of its payer. Rules are
 * ordered: each field gets its value from the first rule that holds and sets it. Conditions read the receipt as written.
 */
export type VirtualTag = Readonly<{
  name?: string
  when: Readonly<Record<string, TagValues | Readonly<{ not: TagValues }>>>
  set: Readonly<Record<string, string | Readonly<{ from: string }>>>
}>

/** tags: rules that say who pays. splits: rules that hand shared costs on. */
export type RuleKind = 'tags' | 'splits'

/** One version of a list of rules. A version is never changed; a change is a further version. */
export type RuleSet = Readonly<{
  kind: RuleKind
  /** From 1, ascending by one. */
  version: number
  /** When it came in force, µs. It holds for the past too. */
  set_at_us: number
  /** The rules as JSON. */
  rules: string
}>

/** The statements of a month as they were handed out. Never changed: what comes later is a correction in a later month. */
export type ClosedMonth = Readonly<{
  /** The dimension whose owners were charged, e.g. `team`. */
  by: string
  /** `2026-10`, in `zone`. */
  month: string
  zone: string
  closed_at_us: number
  /** The statements and what they were computed from, as JSON. */
  document: string
  /** SHA-256 of the month before's hash and this document, hexadecimal: a chain that shows any change. */
  sha256: string
}>

/**
 * What a group of receipts cost, for statements. Money is decimal US dollars; `null` in `group` is "not tagged". Cost is all
 * receipts, corrections among them; `corrections_usd` says how much of it they are.
 */
export type OwnedRow = Readonly<{
  group: Readonly<Record<string, string | null>>
  cost_usd: string
  input_cost_usd: string
  output_cost_usd: string
  corrections_usd: string
  corrections: number
  calls: number
  attempts: number
  errors: number
  input_tokens: number
  output_tokens: number
  cache_read_tokens: number
  /** Input and output tokens served on a tier that waits for its discount: batch, flex, off-peak. */
  batch_tokens: number
  /** Output tokens of attempts that ended well; retries, cuts and failures left out. */
  useful_output_tokens: number
  unpriced_calls: number
  unmetered_calls: number
  estimated_calls: number
}>
