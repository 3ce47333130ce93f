import { z } from 'zod'
import { displayPrefix, hashToken, mintToken } from '../stores/sealing.ts'
import { newKey } from './answers/stored.ts'
import { expiryOf } from './asking/expiry.ts'
import { name } from './asking/fields.ts'
import { id, revision } from './keys/fields.ts'
import { findKey, replaceKey } from './keys/find.ts'
import { type ShownKey, shownKey } from './keys/shown.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'keys rotate',
  describes:
    'Gives a key a new token, shown once. The old token stays valid for a grace time, so that callers can change over; the key’s id stays the same on receipts.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/keys/{id}/rotate' },
  input: z.strictObject({
    id,
    grace: name('a span such as 24h or 7d, or 0 for none')
      .default('24h')
      .describe('How long the old token is still good: 24h, 7d; 0 ends it at once'),
    revision,
  }),
  output: newKey,
  async run({ id: which, grace, revision: expected }, context): Promise<ShownKey & Readonly<{ token: string }>> {
    const now_us = context.now_us()
    const store = await context.store()
    const key = await findKey(store, which, now_us)
    const until = grace === '0' ? now_us : expiryOf(grace, now_us, context.field('grace'))
    const token = mintToken(context.random)
    const rotated = {
      ...key,
      prefix: displayPrefix(token),
      hash: hashToken(token, context.secret('token-pepper')),
      previous_hash: key.hash,
      previous_until_us: until,
    }
    return { ...shownKey(await replaceKey(store, rotated, expected), now_us), token }
  },
})
