import type { Filter } from './dimension.ts'
import type { ChargeDimension, Ledger, TimeWindow } from './ledger.ts'
import type { PriceBook } from './price.ts'

/** One owner's part of a shared charge. `owner` names who takes it (`{ team: 'search' }`), `weight` is a decimal. */
export type Share = Readonly<{ owner: Readonly<Record<string, string>>; weight: string }>

/** A rule that splits charges of a payer among others in proportion to weights. The first rule that matches holds. */
export type Split = Readonly<{
  /** The rule with its version, e.g. `shared-platform-v2`. */
  id: string
  /** Payer fields and tags that must all be equal; null means not tagged. */
  when: Readonly<Record<string, string | null>>
  /** Only charges that are billed in the calendar month (UTC) that begins then, µs; of any month otherwise. */
  month_us?: number
  shares: readonly Share[]
}>

export type ExportOptions = Readonly<{
  ledger: Pick<Ledger, 'query'>
  window: TimeWindow
  grain: 'hour' | 'day'
  /** Payer fields that are kept apart; each makes more rows. */
  by: readonly ChargeDimension[]
  filters: readonly Filter[]
  /** Says what conditions a price has, and the list price beside a contract's. */
  book: PriceBook
  /** The adapter behind each configured provider's name. */
  adapters: Readonly<Record<string, string>>
  splits: readonly Split[]
  /** Also rows for what has no price yet, at no cost and marked so. */
  unpriced: boolean
  /** When the file is made, µs since the epoch. */
  now_us: number
  /** What this exporter alone knows, e.g. the version of its format. Throws `bad-input` naming what it does not understand. */
  settings: Readonly<Record<string, string>>
}>

export type Exported = Readonly<{
  rows: number
  /** Sum of the rows and of the receipts, exact. */
  cost_usd: string
  /** Receipts without a price, which are no part of that sum. */
  unpriced: number
  /** Every file that was written. */
  files: readonly string[]
}>

/** A file format for charges, for tools that read bills. */
export type Exporter = Readonly<{
  name: string
  /** One sentence for help. */
  describes: string
  /** Writes to `path`, or to standard output when it is `-`; a file that is there is replaced when the new one is whole. `progress` is told the share that is done, 0 to 1. */
  write(path: string, options: ExportOptions, progress: (share: number, rows: number) => void): Promise<Exported>
}>
