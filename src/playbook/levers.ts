// Written by `npm run fix`: one line for each file.
import { lever as cacheExact } from './cache/exact.ts'
import { lever as cacheSemantic } from './cache/semantic.ts'

export const levers = {
  'cache/exact': cacheExact,
  'cache/semantic': cacheSemantic,
}
