import { z } from 'zod'
import type { Receipt } from '../core/receipt.ts'
import { receipt as receiptAnswer } from './answers/receipt.ts'
import { name } from './asking/fields.ts'
import { findCall } from './calls/find.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'calls ID',
  describes: 'One call in full: the receipts of its attempts and corrections, with every line priced.',
  access: 'team',
  http: { method: 'GET', path: '/v1/calls/{id}' },
  input: z.strictObject({
    id: name('the id of a call or receipt, or the beginning of a call’s').describe(
      'A call’s or receipt’s id, the provider’s id of a response, or the beginning of a call’s id',
    ),
  }),
  output: z.array(receiptAnswer),
  async run({ id }, context): Promise<readonly Receipt[]> {
    return findCall(await context.ledger(), id)
  },
})
