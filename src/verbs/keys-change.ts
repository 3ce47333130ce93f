import { z } from 'zod'
import { key } from './answers/stored.ts'
import { expiryOf } from './asking/expiry.ts'
import { name } from './asking/fields.ts'
import { id, revision, scopeFields } from './keys/fields.ts'
import { findKey, replaceKey } from './keys/find.ts'
import { checkEndpoints } from './keys/known-endpoints.ts'
import { checkProviders } from './keys/known-providers.ts'
import { type ShownKey, shownKey } from './keys/shown.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'keys change',
  describes: 'Changes what a key may do and when it ends; what is not given stays. A running gateway follows at once.',
  access: 'admin',
  http: { method: 'PATCH', path: '/v1/keys/{id}' },
  input: z.strictObject({
    id,
    name: name('a name').optional(),
    ...scopeFields,
    expires: name('a time such as 90d or 2027-01-01, or never').optional().describe('When it ends; never: it does not'),
    revision,
  }),
  output: key,
  async run({ id: which, expires, revision: expected, ...changes }, context): Promise<ShownKey> {
    const now_us = context.now_us()
    await checkProviders(changes.providers ?? [], context)
    checkEndpoints(changes.endpoints ?? [], context)
    const store = await context.store()
    const { expires_at_us: before, ...key } = await findKey(store, which, now_us)
    const never = expires === 'never'
    const until = expires === undefined || never ? before : expiryOf(expires, now_us, context.field('expires'))
    const changed = {
      ...key,
      name: changes.name ?? key.name,
      models: changes.models ?? key.models,
      providers: changes.providers ?? key.providers,
      endpoints: changes.endpoints ?? key.endpoints,
      ...(until === undefined || never ? {} : { expires_at_us: until }),
    }
    return shownKey(await replaceKey(store, changed, expected), now_us)
  },
})
