import { whole } from '../../config/fields.ts'
import { name as named } from '../asking/fields.ts'

export const name = named('the name of a budget').describe('Its name')

export const revision = whole(0, Number.MAX_SAFE_INTEGER)
  .optional()
  .describe(
    'The revision that the change was made from (or the header If-Match; 0 for a budget that is not there): refused where it is at another',
  )
