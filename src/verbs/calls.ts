import { z } from 'zod'
import { choice } from '../config/fields.ts'
import type { Receipt } from '../core/receipt.ts'
import { namedWindow } from './answers/fields.ts'
import { receipt as receiptAnswer } from './answers/receipt.ts'
import { readFilters } from './asking/dimension.ts'
import { limit, name, whereFields, windowFields } from './asking/fields.ts'
import { type NamedWindow, windowIn } from './asking/window.ts'
import { defineVerb } from './verb.ts'

type Calls = Readonly<{ window: NamedWindow; receipts: readonly Receipt[] }>

export const verb = defineVerb({
  name: 'calls',
  describes: 'Receipts of a window, one an attempt, newest or dearest first, a page at a time.',
  access: 'team',
  http: { method: 'GET', path: '/v1/calls' },
  input: z.strictObject({
    ...windowFields,
    ...whereFields,
    limit: limit(25, 10_000),
    order: choice(['newest', 'dearest']).default('newest'),
    after: name('a receipt id').optional().describe('The last receipt id of the page before'),
  }),
  output: z.strictObject({ window: namedWindow, receipts: z.array(receiptAnswer) }),
  async run({ where, limit: most, order, after, ...asked }, context): Promise<Calls> {
    const { field } = context
    const filters = readFilters(where, field('where'))
    const ledger = await context.ledger()
    const window = await windowIn(ledger, { ...asked, usual: '30d', now_us: context.now_us(), field })
    const page = after === undefined ? {} : { after }
    const question = { ask: 'calls', window: window.window, filters, limit: most, order, ...page } as const
    return { window, ...(await ledger.query(question)) }
  },
})
