import type { PriceRow } from '../core/price.ts'
import { catalog as genaiPrices } from './genai-prices.ts'
import { versionOf, catalog as weir } from './weir.ts'

/** All rows of a book with its version: plain data, so it can be sent to a worker thread and compiled there. */
export type LoadedBook = Readonly<{ version: string; rows: readonly PriceRow[] }>

/**
 * Loads the price book: the customer's contract prices, then our own files, then the public catalogue for breadth. The
 * version is a hash of all rows. Throws WeirError `bad-config` naming file, row and field.
 */
export const loadBook = async (contract: readonly PriceRow[] = []): Promise<LoadedBook> => {
  const [own, breadth] = await Promise.all([weir.rows(), genaiPrices.rows()])
  const agreed = contract.map((row): PriceRow => ({ ...row, layer: 'contract' }))
  return {
    version: versionOf([...agreed, { id: `${own.version}+${breadth.version}` } as PriceRow]),
    rows: [...agreed, ...own.rows, ...breadth.rows],
  }
}
