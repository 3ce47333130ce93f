// Written by `npm run fix`: one line for each file.
import { lever as cacheExact } from './cache/exact.ts'
import { lever as cacheProviderPrefix } from './cache/provider-prefix.ts'
import { lever as cacheSemantic } from './cache/semantic.ts'
import { lever as compactCompress } from './compact/compress.ts'
import { lever as compactExamples } from './compact/examples.ts'
import { lever as compactHistory } from './compact/history.ts'
import { lever as compactMinify } from './compact/minify.ts'
import { lever as compactOutput } from './compact/output.ts'
import { lever as compactRetrieval } from './compact/retrieval.ts'
import { lever as compactToolResults } from './compact/tool-results.ts'
import { lever as compactTools } from './compact/tools.ts'

export const levers = {
  'cache/exact': cacheExact,
  'cache/provider-prefix': cacheProviderPrefix,
  'cache/semantic': cacheSemantic,
  'compact/compress': compactCompress,
  'compact/examples': compactExamples,
  'compact/history': compactHistory,
  'compact/minify': compactMinify,
  'compact/output': compactOutput,
  'compact/retrieval': compactRetrieval,
  'compact/tool-results': compactToolResults,
  'compact/tools': compactTools,
}
