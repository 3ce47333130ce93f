// Written by `npm run fix`: one line for each file.
import { catalog as genaiPrices } from './genai-prices.ts'
import { catalog as weir } from './weir.ts'

export const catalogs = {
  'genai-prices': genaiPrices,
  weir,
}
