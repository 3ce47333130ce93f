import { z } from 'zod'
import { type Tried, tryChannels } from '../gateway/watch/verbs.ts'
import { tried } from './answers/alert.ts'
import { name } from './asking/fields.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'alerts test',
  describes: 'Sends a marked test alert to one channel or to all, and returns what each answered.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/alerts/test' },
  input: z.strictObject({ channel: name('the name of a channel').optional().describe('One channel; all otherwise') }),
  output: tried,
  async run({ channel }, context): Promise<readonly Tried[]> {
    const { channels } = await context.settings()
    return tryChannels(channels, { at_us: context.now_us(), ...(channel === undefined ? {} : { name: channel }) })
  },
})
