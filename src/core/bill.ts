import type { Picodollars } from './money.ts'

/**
 * Kinds of tokens that bills tell apart; every token is of exactly one. `cache_write` is the write of five minutes, or one
 * whose life is not said; reasoning is output; tokens of sound and pictures count with those of text.
 */
export type TokenKind = 'input' | 'cache_read' | 'cache_write' | 'cache_write_1h' | 'output'

/**
 * What some reports count instead of tokens: pictures made, seconds heard, characters spoken; requests, where the two sides
 * count nothing else alike.
 */
export type PieceKind = 'image' | 'second' | 'character' | 'request'

/** What an amount of a line is of. */
export type Kind = TokenKind | PieceKind

/**
 * What a line charges for. usage: tokens, or pieces that a report counts. fee: what is billed by the piece (searches,
 * sessions, storage). discount and credit: money taken off. tax: added by law. rounding: what the provider adds or takes to
 * meet its own total.
 */
export type BillCharge = 'usage' | 'fee' | 'discount' | 'credit' | 'tax' | 'rounding'

/** One line of a provider's bill or usage report. Null is "the bill does not say". */
export type BillLine = Readonly<{
  /** Day (UTC) as the provider cuts it, `2026-11-01`. */
  day: string
  /** Project, workspace or account at the provider. */
  project: string | null
  /** API key or principal at the provider. */
  key: string | null
  /** The model as the provider's bill names it. */
  model: string | null
  tier: string | null
  charge: BillCharge
  /**
   * Kinds that the line counts together; one where the bill tells them apart. Pieces are never counted together with tokens.
   * Empty for what is neither.
   */
  kinds: readonly Kind[]
  /** How many of its kinds, tokens or pieces. Null on a line that states money only. */
  tokens: bigint | null
  /** The bill stated a fraction of a token (it counts in thousands), so the count was rounded. */
  rounded: boolean
  /** Requests that the line stands for; null where the bill does not count them, or counts them on another line. */
  requests: number | null
  /** US dollars; null on a line that states tokens only. */
  cost: Picodollars | null
  /** How many lines of the bill this one sums up; 1 where it is absent. */
  count?: number
  /** What the bill itself calls it. */
  label: string
}>

/** One row of a source: its lines (none for what is not about models), or what is wrong with it. `line` counts from 1. */
export type BillRow = Readonly<{ lines: readonly BillLine[] }> | Readonly<{ bad: string; line: number }>

/** The only way in which a source reaches its provider. */
export type BillWorld = Readonly<{
  /** A GET that follows no redirect. */
  get(
    url: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<Readonly<{ status: number; header(name: string): string | null; text: string }>>
  wait(ms: number): Promise<void>
  now_ms(): number
}>

export type BillRequest = Readonly<{
  base_url: string
  /** A key that may read the organisation's usage; never repeated in an error. */
  api_key: string
  /** Days [from, to), `2026-11-01`, UTC. */
  from: string
  to: string
  world: BillWorld
  /** Told after each page. */
  progress(pages: number): void
}>

export type BillTraits = Readonly<{
  /** Adapters whose calls are on this bill. */
  adapters: readonly string[]
  base_url?: string
  /** Environment variables in which the key is looked for. */
  key_variables: readonly string[]
  /** Hours after the end of a day until the provider's tokens and money of that day stand. */
  late_hours: Readonly<{ tokens: number; money: number }>
  /** The bill has names of its own for models (`Claude4.6Sonnet`) rather than their ids. */
  own_names: boolean
  /** Tiers whose money is not on the bill, only their tokens. */
  unbilled_tiers?: readonly string[]
}>

/** Where a provider says what it charges: an API, a file that it gives, or both. */
export type Bill = Readonly<{
  name: string
  /** One sentence for help. */
  describes: string
  traits: BillTraits
  /** Reads the live report. Throws WeirError `forbidden`, `rate-limited`, `provider-unreachable` or `bad-input`. */
  fetch?(request: BillRequest): AsyncIterable<BillRow>
  /** Reads a downloaded file. Throws WeirError `bad-input` when it is none of this source. */
  read(path: string): AsyncIterable<BillRow>
}>
