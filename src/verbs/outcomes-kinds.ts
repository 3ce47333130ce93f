import { z } from 'zod'
import type { OutcomeKind } from '../core/outcome.ts'
import { outcomeKinds } from './answers/stored.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'outcomes list',
  describes: 'The kinds of outcomes that were reported, with how many.',
  access: 'team',
  http: { method: 'GET', path: '/v1/outcomes/kinds' },
  input: z.strictObject({}),
  output: outcomeKinds,
  async run(_, context): Promise<readonly OutcomeKind[]> {
    return (await context.store()).outcomes.kinds()
  },
})
