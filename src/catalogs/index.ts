// Written by `npm run fix`: one line for each file.
import { catalog as genaiPrices } from './genai-prices.ts'
import { catalog as litellm } from './litellm.ts'
import { catalog as modelsDev } from './models-dev.ts'
import { catalog as portkey } from './portkey.ts'
import { catalog as weir } from './weir.ts'

export const catalogs = {
  'genai-prices': genaiPrices,
  litellm,
  'models-dev': modelsDev,
  portkey,
  weir,
}
