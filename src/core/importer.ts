import type { PriceBook } from './price.ts'
import type { Receipt } from './receipt.ts'
import type { NormalisedUsage } from './usage.ts'

export type ImportOptions = Readonly<{
  /** Payer fields to put on every receipt. */
  payer: Readonly<Partial<Pick<Receipt, 'team' | 'feature' | 'customer' | 'user' | 'environment'>>>
  provider?: string
  model?: string
  /** Column mapping of `calls`: receipt field → column name. */
  columns: Readonly<Record<string, string>>
  /** What relative times count from, µs since the epoch. */
  epoch_us: number
  /** The moment of the import, µs since the epoch: what is younger may still be written. */
  now_us: number
  book: PriceBook
  /** Reads the usage of a stored response body as the wire that carried it would; undefined when it holds none. */
  meter(wire: string, body: unknown): NormalisedUsage | undefined
}>

/** One row of a source: a receipt, or why it is none. `line` counts from 1; 0 is a whole file. */
export type Imported = Readonly<{ receipt: Receipt }> | Readonly<{ bad: string; line: number }>

export type Importer = Readonly<{
  name: string
  /** One sentence for `weir import --help`. */
  describes: string
  /** What its sources never say, and what is taken for it: told after an import. */
  unsaid?: string
  /** Reads a source file (or, for claude-code, a folder). Receipt ids depend on the content only, so importing twice is harmless. `progress` is told bytes read. */
  read(path: string, options: ImportOptions, progress: (bytes: number) => void): AsyncIterable<Imported>
}>
