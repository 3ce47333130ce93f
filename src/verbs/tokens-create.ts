import { z } from 'zod'
import { WeirError } from '../core/errors.ts'
import type { ConsoleToken } from '../core/store.ts'
import { consolePrefix, displayPrefix, hashToken, mintToken } from '../stores/sealing.ts'
import { newToken } from './answers/stored.ts'
import { expiryOf } from './asking/expiry.ts'
import { flag, name } from './asking/fields.ts'
import { type ShownToken, shownToken } from './tokens/shown.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'console token create',
  describes:
    'Creates a console token, for an administrator or for one team to read its own data. It is in this answer and never again.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/tokens' },
  input: z.strictObject({
    team: name('a team').optional().describe('It reads this team’s spend, and nothing else'),
    admin: flag('It may see and do everything'),
    name: name('a name').optional().describe('A name to know it by'),
    expires: name('a time such as 90d or 2027-01-01').optional().describe('When it ends; never otherwise'),
  }),
  output: newToken,
  async run({ team, admin, name: called, expires }, context): Promise<ShownToken & Readonly<{ token: string }>> {
    const { field } = context
    if (admin === (team !== undefined))
      throw new WeirError('bad-input', `say whose token it is: either ${field('team')} or ${field('admin')}`, {
        field: 'team',
      })
    const now_us = context.now_us()
    const until = expires === undefined ? undefined : expiryOf(expires, now_us, field('expires'))
    const token = mintToken(context.random, consolePrefix)
    const record: ConsoleToken = {
      id: `token_${Buffer.from(context.random(8)).toString('hex')}`,
      name: called ?? team ?? 'admin',
      prefix: displayPrefix(token, consolePrefix),
      hash: hashToken(token, context.secret('console-tokens')),
      ...(team === undefined ? {} : { team }),
      created_at_us: now_us,
      ...(until === undefined ? {} : { expires_at_us: until }),
    }
    await (await context.store({ make: true })).tokens.add(record)
    return { ...shownToken(record, now_us), token }
  },
})
