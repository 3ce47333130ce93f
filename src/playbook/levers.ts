// Written by `npm run fix`: one line for each file.
import { lever as cacheExact } from './cache/exact.ts'

export const levers = {
  'cache/exact': cacheExact,
}
