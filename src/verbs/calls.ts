import { z } from 'zod'
import { choice } from '../config/fields.ts'
import { WeirError } from '../core/errors.ts'
import type { Receipt } from '../core/receipt.ts'
import { namedWindow } from './answers/fields.ts'
import { receipt as receiptAnswer } from './answers/receipt.ts'
import { readFilters } from './asking/dimension.ts'
import { limit, name, whereFields, windowFields } from './asking/fields.ts'
import { type NamedWindow, windowIn } from './asking/window.ts'
import { type Asking, defineVerb } from './verb.ts'

/** A page after a receipt that is not there would look like the end. Throws WeirError `bad-input`. */
const checkCursor = async (ledger: Asking, after: string, field: string): Promise<void> => {
  const { receipts } = await ledger.query({ ask: 'call', id: after })
  if (receipts.some(({ receipt_id }) => receipt_id === after)) return
  throw new WeirError(
    'bad-input',
    `${field} ${after}: there is no receipt of this id; give the receipt_id that the page before ended with`,
  )
}

type Calls = Readonly<{ window: NamedWindow; receipts: readonly Receipt[] }>

export const verb = defineVerb({
  name: 'calls',
  describes: 'Receipts of a window, one per attempt, newest or most expensive first, paged.',
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
    if (after !== undefined) await checkCursor(ledger, after, field('after'))
    const window = await windowIn(ledger, { ...asked, usual: '30d', now_us: context.now_us(), field })
    const page = after === undefined ? {} : { after }
    const question = { ask: 'calls', window: window.window, filters, limit: most, order, ...page } as const
    return { window, ...(await ledger.query(question)) }
  },
})
