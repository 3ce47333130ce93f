import { z } from 'zod'
import { WeirError } from '../core/errors.ts'
import { removedOutcome } from './answers/stored.ts'
import { name } from './asking/fields.ts'
import { defineVerb } from './verb.ts'

type Removed = Readonly<{ id: string; removed: true }>

export const verb = defineVerb({
  name: 'outcomes remove',
  describes: 'Removes an outcome that was recorded by mistake.',
  access: 'admin',
  http: { method: 'DELETE', path: '/v1/outcomes/{id}' },
  input: z.strictObject({ id: name('the id of an outcome') }),
  output: removedOutcome,
  async run({ id }, context): Promise<Removed> {
    if (await (await context.store()).outcomes.remove(id)) return { id, removed: true }
    throw new WeirError('not-found', `the outcome ${id} is not there; weir outcomes list --kind NAME shows ids`)
  },
})
