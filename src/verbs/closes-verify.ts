import { z } from 'zod'
import { WeirError } from '../core/errors.ts'
import { verified } from './answers/statement.ts'
import { firstBroken } from './close/month.ts'
import { defineVerb } from './verb.ts'

type Verified = Readonly<{ months: number; broken: 0 }>

export const verb = defineVerb({
  name: 'close verify',
  describes: 'Checks that no closed month was changed since. Fails with the first that was.',
  access: 'admin',
  http: { method: 'GET', path: '/v1/closes/verify' },
  input: z.strictObject({}),
  output: verified,
  async run(_, context): Promise<Verified> {
    const all = await (await context.store()).closes.list()
    const kinds = [...new Set(all.map(({ by }) => by))]
    const [first] = kinds.flatMap((by) => firstBroken(all.filter((closed) => closed.by === by)) ?? [])
    if (first === undefined) return { months: all.length, broken: 0 }
    throw new WeirError('internal', `${first.month} by ${first.by} is not what was closed: its SHA-256 does not fit`)
  },
})
