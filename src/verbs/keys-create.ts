import { z } from 'zod'
import type { KeyRecord } from '../core/store.ts'
import { displayPrefix, hashToken, mintToken } from '../stores/sealing.ts'
import { newKey } from './answers/stored.ts'
import { expiryOf } from './asking/expiry.ts'
import { name } from './asking/fields.ts'
import { scopeFields } from './keys/fields.ts'
import { checkEndpoints } from './keys/known-endpoints.ts'
import { checkProviders } from './keys/known-providers.ts'
import { type ShownKey, shownKey } from './keys/shown.ts'
import { defineVerb } from './verb.ts'

const given = <Value extends object>(fields: Value) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Field in keyof Value]?: NonNullable<Value[Field]>
  }

export const verb = defineVerb({
  name: 'keys create',
  describes: 'Creates a key. Its token is in this answer and never again; a caller cannot change what the key fixes.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/keys' },
  input: z.strictObject({
    name: name('a name').optional().describe('A name to know it by'),
    team: name('a team').optional().describe('Charge every call to this team'),
    feature: name('a feature').optional(),
    customer: name('a customer').optional(),
    environment: name('an environment').optional(),
    tags: z.record(name('the name of a tag'), name('the value of a tag'), 'tags by name').default({}),
    ...scopeFields,
    expires: name('a time such as 90d or 2027-01-01').optional().describe('When it ends; never otherwise'),
  }),
  output: newKey,
  async run(input, context): Promise<ShownKey & Readonly<{ token: string }>> {
    const now_us = context.now_us()
    const { expires, models = [], providers = [], endpoints = [], tags, ...payer } = input
    const { team, feature, customer } = payer
    const until = expires === undefined ? undefined : expiryOf(expires, now_us, context.field('expires'))
    await checkProviders(providers, context)
    checkEndpoints(endpoints, context)
    const token = mintToken(context.random)
    const key: KeyRecord = {
      id: `key_${Buffer.from(context.random(8)).toString('hex')}`,
      ...given(payer),
      name: input.name ?? ([team, feature, customer].filter(Boolean).join('-') || 'unnamed'),
      prefix: displayPrefix(token),
      hash: hashToken(token, context.secret('token-pepper')),
      tags,
      models,
      providers,
      endpoints,
      created_at_us: now_us,
      ...(until === undefined ? {} : { expires_at_us: until }),
      revision: 1,
    }
    await (await context.store({ make: true })).keys.add(key)
    return { ...shownKey(key, now_us), token }
  },
})
