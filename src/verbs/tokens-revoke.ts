import { z } from 'zod'
import { WeirError } from '../core/errors.ts'
import { revoked as revokedAnswer } from './answers/stored.ts'
import { name } from './asking/fields.ts'
import { keyState } from './keys/shown.ts'
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
    const named = (await store.tokens.list()).filter((token) => token.id === id || token.name === id)
    const [token, ...more] = named.filter((one) => keyState(one, now_us) !== 'revoked')
    if (token === undefined) {
      const why = named.length > 0 ? 'was revoked before' : 'is not there; weir console token list shows all'
      throw new WeirError('not-found', `the token ${id} ${why}`)
    }
    if (more.length > 0) {
      const ids = [token, ...more].map((one) => one.id).join(', ')
      throw new WeirError('bad-input', `${more.length + 1} tokens are named ${id}; name one by its id: ${ids}`)
    }
    await store.tokens.revoke(token.id, now_us)
    return { id: token.id, name: token.name, revoked: true }
  },
})
