// Written by `npm run fix`: one line for each file.
import { lever as cacheExact } from './cache/exact.ts'
import { lever as cacheProviderPrefix } from './cache/provider-prefix.ts'

export const levers = {
  'cache/exact': cacheExact,
  'cache/provider-prefix': cacheProviderPrefix,
}
