import { z } from 'zod'
import { revoked as revokedAnswer } from './answers/stored.ts'
import { name } from './asking/fields.ts'
import { oneNamed } from './keys/find.ts'
import { defineVerb } from './verb.ts'

type Revoked = Readonly<{ id: string; name: string; revoked: true }>

export const verb = defineVerb({
  name: 'console token revoke',
  describes: 'Revokes a console token, at once and for good.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/tokens/{id}/revoke' },
  input: z.strictObject({
    id: name('the id or name of a token').describe('Its id, or its name where no other has it'),
  }),
  output: revokedAnswer,
  async run({ id }, context): Promise<Revoked> {
    const store = await context.store()
    const now_us = context.now_us()
    const token = oneNamed(await store.tokens.list(), id, { what: 'token', list: 'weir console token list', now_us })
    await store.tokens.revoke(token.id, now_us)
    return { id: token.id, name: token.name, revoked: true }
  },
})
