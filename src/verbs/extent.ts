import { z } from 'zod'
import type { Extent } from '../core/ledger.ts'
import { extent } from './answers/spend.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'status',
  describes: 'What the ledger holds: receipts, calls, tokens, cost, the first and the last moment.',
  access: 'team',
  http: { method: 'GET', path: '/v1/status' },
  input: z.strictObject({}),
  output: extent,
  async run(_, context): Promise<Extent> {
    return (await context.ledger()).query({ ask: 'extent' })
  },
})
