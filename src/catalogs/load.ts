import type { PriceRow } from '../core/price.ts'
import { versionOf } from './folder.ts'
import { keepRows, type PackageRows } from './kept.ts'

/** All rows of a book with its version: plain data, so it can be sent to a worker thread and compiled there. */
export type LoadedBook = Readonly<{ version: string; rows: readonly PriceRow[] }>

const readCatalogs = async (): Promise<PackageRows> => {
  const [{ catalog: weir }, { catalog: genaiPrices }] = await Promise.all([
    import('./weir.ts'),
    import('./genai-prices.ts'),
  ])
  const [own, breadth] = await Promise.all([weir.rows(), genaiPrices.rows()])
  return { version: `${own.version}+${breadth.version}`, rows: [...own.rows, ...breadth.rows] }
}

/**
 * Loads the price book: the customer's contract prices, then our own files, then the public catalogue for breadth. The
 * version is a hash of all rows. Throws WeirError `bad-config` naming file, row and field.
 */
export const loadBook = async (contract: readonly PriceRow[] = []): Promise<LoadedBook> => {
  const brought = await keepRows(readCatalogs)
  const agreed = contract.map((row): PriceRow => ({ ...row, layer: 'contract' }))
  return {
    version: versionOf([...agreed, { id: brought.version } as PriceRow]),
    rows: [...agreed, ...brought.rows],
  }
}
