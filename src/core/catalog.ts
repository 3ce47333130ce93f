import type { PriceRow } from './price.ts'

/** A source of price rows: Weir's own dated files, a public catalogue, a customer's contract. */
export type Catalog = Readonly<{
  name: string
  /** Rows with their source; `path` is where the catalogue's file lies, for those that read one. Throws WeirError `bad-config` naming file, row and field. */
  rows(path?: string): Promise<Readonly<{ version: string; rows: readonly PriceRow[] }>>
}>
