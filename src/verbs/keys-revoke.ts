import { z } from 'zod'
import { revoked as revokedAnswer } from './answers/stored.ts'
import { id } from './keys/fields.ts'
import { findKey } from './keys/find.ts'
import { defineVerb } from './verb.ts'

type Revoked = Readonly<{ id: string; name: string; revoked: true }>

export const verb = defineVerb({
  name: 'keys revoke',
  describes: 'Revokes a key for good. A running gateway refuses it at once.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/keys/{id}/revoke' },
  input: z.strictObject({ id }),
  output: revokedAnswer,
  async run({ id: which }, context): Promise<Revoked> {
    const store = await context.store()
    const key = await findKey(store, which, context.now_us())
    await store.keys.revoke(key.id, context.now_us())
    return { id: key.id, name: key.name, revoked: true }
  },
})
