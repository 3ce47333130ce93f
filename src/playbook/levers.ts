// Written by `npm run fix`: one line for each file.
import { lever as cacheExact } from './cache/exact.ts'
import { lever as cacheProviderPrefix } from './cache/provider-prefix.ts'
import { lever as compactHistory } from './compact/history.ts'
import { lever as compactMinify } from './compact/minify.ts'
import { lever as compactToolResults } from './compact/tool-results.ts'

export const levers = {
  'cache/exact': cacheExact,
  'cache/provider-prefix': cacheProviderPrefix,
  'compact/history': compactHistory,
  'compact/minify': compactMinify,
  'compact/tool-results': compactToolResults,
}
