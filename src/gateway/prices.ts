import { catalogs } from '../catalogs/index.ts'
import type { Catalog } from '../core/catalog.ts'
import type { PriceRow } from '../core/price.ts'
import type { Settings } from '../core/settings.ts'

/** Rows of every layer with their version, ready to be compiled into a book by each gateway thread. */
export type Prices = Readonly<{ rows: readonly PriceRow[]; version: string }>

/** Reads Weir's own prices and the catalogue for breadth, and puts the contract's rows on top. Throws WeirError `bad-config` naming file, row and field. */
export const loadPrices = async (settings: Pick<Settings, 'prices'>): Promise<Prices> => {
  const sources: readonly Catalog[] = [catalogs.weir, catalogs['genai-prices']]
  const loaded = await Promise.all(sources.map((catalog) => catalog.rows()))
  const contract =
    settings.prices.length === 0 ? [] : [`contract:${settings.prices.map(({ id }) => id).join('|').length}`]
  const versions = sources.map(({ name }, index) => `${name}:${loaded[index]?.version ?? ''}`)
  return {
    rows: [...settings.prices, ...loaded.flatMap(({ rows }) => rows)],
    version: [...contract, ...versions].join('+'),
  }
}
