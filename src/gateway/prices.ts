import { type LoadedBook, loadBook } from '../catalogs/load.ts'
import type { Settings } from '../core/settings.ts'
import { compileBook } from '../playbook/price/book.ts'

/** Plain data: each gateway thread compiles its own book from it. */
export type Prices = LoadedBook

/**
 * The rows of every layer with their version, ready to be compiled into a book by each gateway thread. A contract's rows come from
 * the user, so the book is checked with them here, once. Throws WeirError `bad-config` naming the row.
 */
export const loadPrices = async ({ prices }: Pick<Settings, 'prices'>): Promise<Prices> => {
  const loaded = await loadBook(prices)
  if (prices.length > 0) compileBook(loaded)
  return loaded
}
