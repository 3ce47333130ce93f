import type { Picodollars } from './money.ts'
import type { Credentials } from './provider.ts'

/** Kinds of tokens that went in. */
export const inputKinds = ['input', 'cache_read', 'cache_write', 'cache_write_1h'] as const

/**
 * Kinds of tokens that bills tell apart. They are coarser than the token classes of usage, and each class is of exactly one kind:
 * `cache_write` is the write of five minutes, or one whose life is not said; reasoning is output; tokens of sound and pictures
 * count with those of text.
 */
export const tokenKinds = [...inputKinds, 'output'] as const

export type TokenKind = (typeof tokenKinds)[number]

/**
 * What some reports count instead of tokens: pictures made, seconds heard, characters spoken; requests, where the two sides
 * count nothing else alike.
 */
export const pieceKinds = ['image', 'second', 'character', 'request'] as const

export type PieceKind = (typeof pieceKinds)[number]

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
  quantity: bigint | null
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

/**
 * One row of a source: its lines (none for what is not about models), or what is wrong with it; `line` counts from 1. Where a bill
 * comes in pages, also the day of one part that has no lines, or how many parts an earlier page had, which are not read again.
 */
export type BillRow =
  | Readonly<{ lines: readonly BillLine[]; day?: string; again?: number }>
  | Readonly<{ bad: string; line: number; file?: string }>

/** What is asked of a provider: a GET, or a POST where there is a body. No redirect is followed. */
export type BillAsk = Readonly<{
  url: string
  headers: Readonly<Record<string, string>>
  body?: string
  /** A file that takes the answer, if it is 200; `text` is empty then. */
  into?: string
}>

export type BillAnswer = Readonly<{ status: number; header(name: string): string | null; text: string }>

/** The only way in which a source reaches its provider. */
export type BillWorld = Readonly<{
  ask(asked: BillAsk): Promise<BillAnswer>
  wait(ms: number): Promise<void>
  now_ms(): number
}>

export type BillRequest = Readonly<{
  base_url: string
  /** What may read the organisation's usage; never repeated in an error. */
  credentials: Credentials
  /** Days [from, to), `2026-11-01`, UTC. */
  from: string
  to: string
  world: BillWorld
  /** Told after each page, or file. */
  progress(pages: number): void
}>

/** A credential that a source is asked with, and the environment variables in which it is looked for. */
export type BillKey = Readonly<{ field: keyof Credentials; variables: readonly string[]; optional?: true }>

export type BillTraits = Readonly<{
  /** Adapters whose calls are on this bill. */
  adapters: readonly string[]
  base_url?: string
  /** What an address reads like, where each organisation has its own. */
  address_example?: string
  keys: readonly BillKey[]
  /** Hours after the end of a day until the provider's tokens and money of that day stand. */
  late_hours: Readonly<{ tokens: number; money: number }>
  /** The bill has names of its own for models (`Claude4.6Sonnet`) rather than their ids. */
  own_names: boolean
  /** Tiers whose money is not on the bill, only their tokens. */
  unbilled_tiers?: readonly string[]
}>

/** Where a provider says what it charges: an API or an export that can be asked, and a file that it gives. */
export type Bill = Readonly<{
  name: string
  /** One sentence for help. */
  describes: string
  traits: BillTraits
  /** Reads the report where it is. Throws WeirError `forbidden`, `rate-limited`, `provider-unreachable` or `bad-input`. */
  fetch(request: BillRequest): AsyncIterable<BillRow>
  /** Reads downloaded files, together one bill. Throws WeirError `bad-input` when one is none of this source. */
  read(paths: readonly string[]): AsyncIterable<BillRow>
}>
