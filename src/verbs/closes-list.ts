import { z } from 'zod'
import { close as closeAnswer } from './answers/statement.ts'
import { name } from './asking/fields.ts'
import { type ShownClose, shownClose } from './close/month.ts'
import { chargeableBy } from './statement/gather.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'close list',
  describes: 'The months that are closed, with what was charged and the hash that chains them.',
  access: 'admin',
  http: { method: 'GET', path: '/v1/closes' },
  input: z.strictObject({ by: name('who the owners are').optional().describe('Only those by this, e.g. team') }),
  output: z.array(closeAnswer),
  async run({ by }, context): Promise<readonly ShownClose[]> {
    const store = await context.store()
    const whose = by === undefined ? undefined : chargeableBy(by, context.field('by'))
    return (await store.closes.list(whose)).map(shownClose)
  },
})
