import { z } from 'zod'
import { whole } from '../config/fields.ts'
import type { Answers } from '../core/ledger.ts'
import { leaks } from './answers/spend.ts'
import { readFilters } from './asking/dimension.ts'
import { whereFields, windowFields } from './asking/fields.ts'
import { type NamedWindow, windowIn } from './asking/window.ts'
import { defineVerb } from './verb.ts'

type Leaks = Readonly<{ window: NamedWindow }> & Answers['leaks']

export const verb = defineVerb({
  name: 'leaks',
  describes: 'Avoidable spend by kind, each in dollars with example calls. Kinds overlap, so they do not add up.',
  access: 'team',
  http: { method: 'GET', path: '/v1/leaks' },
  input: z.strictObject({
    ...windowFields,
    ...whereFields,
    examples: whole(0, 100).default(3).describe('Calls named for each leak'),
  }),
  output: leaks,
  async run({ where, examples, ...asked }, context): Promise<Leaks> {
    const { field } = context
    const filters = readFilters(where, field('where'))
    const ledger = await context.ledger()
    const window = await windowIn(ledger, { ...asked, usual: '30d', now_us: context.now_us(), field })
    return { window, ...(await ledger.query({ ask: 'leaks', window: window.window, filters, examples })) }
  },
})
