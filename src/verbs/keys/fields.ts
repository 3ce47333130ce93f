import { z } from 'zod'
import { whole } from '../../config/fields.ts'
import { name } from '../asking/fields.ts'

const list = (what: string) => z.array(name(what), `a list of ${what}s`).max(200, 'at most 200 of them')

/** What a key may do: an empty list means everything. */
export const scopeFields = {
  models: list('model name').optional().describe('Models it may ask for, * for any text, e.g. gpt-5*'),
  providers: list('provider').optional().describe('Providers it may use'),
  endpoints: list('endpoint')
    .optional()
    .describe('Operations it may call, as on the receipts: chat, messages, embeddings, …'),
} as const

export const id = name('the id or name of a key').describe('The key’s id, or its name where no other has it')
export const revision = whole(1, Number.MAX_SAFE_INTEGER)
  .optional()
  .describe('The revision that the change was made from (or the header If-Match): refused where the key is at another')
