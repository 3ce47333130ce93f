import { z } from 'zod'
import { key as keyAnswer } from './answers/stored.ts'
import { type ShownKey, shownKey } from './keys/shown.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'keys list',
  describes: 'The gateway’s keys with their payer and their scopes; never a token.',
  access: 'team',
  http: { method: 'GET', path: '/v1/keys' },
  input: z.strictObject({}),
  output: z.array(keyAnswer),
  async run(_, context): Promise<readonly ShownKey[]> {
    const store = await context.store()
    return (await store.keys.list()).map((key) => shownKey(key, context.now_us()))
  },
})
