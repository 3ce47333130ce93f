import { z } from 'zod'
import { token as tokenAnswer } from './answers/stored.ts'
import { type ShownToken, shownToken } from './tokens/shown.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'console token list',
  describes: 'The console’s tokens and what each may read; never a token itself.',
  access: 'admin',
  http: { method: 'GET', path: '/v1/tokens' },
  input: z.strictObject({}),
  output: z.array(tokenAnswer),
  async run(_, context): Promise<readonly ShownToken[]> {
    const store = await context.store()
    return (await store.tokens.list()).map((token) => shownToken(token, context.now_us()))
  },
})
