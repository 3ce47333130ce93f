// Written by `npm run fix`: one line for each file.
import { verb as call } from './call.ts'
import { verb as calls } from './calls.ts'
import { verb as extent } from './extent.ts'
import { verb as leaks } from './leaks.ts'
import { verb as spend } from './spend.ts'

export const verbs = {
  call,
  calls,
  extent,
  leaks,
  spend,
}
