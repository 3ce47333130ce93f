import { z } from 'zod'
import type { OutcomeEvent } from '../core/outcome.ts'
import { outcome as outcomeAnswer } from './answers/stored.ts'
import { limit, name, windowFields } from './asking/fields.ts'
import { parseWindow } from './asking/time.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'outcomes list --kind',
  describes: 'Outcomes of a kind in a window, the latest so many, oldest first.',
  access: 'team',
  http: { method: 'GET', path: '/v1/outcomes' },
  input: z.strictObject({
    kind: name('the kind of an outcome').optional(),
    since: windowFields.since,
    until: windowFields.until,
    zone: windowFields.zone,
    limit: limit(50, 100_000),
  }),
  output: z.array(outcomeAnswer),
  async run({ kind, since = 'all', until, zone, limit: most }, context): Promise<readonly OutcomeEvent[]> {
    const window = parseWindow({ since, until, zone }, context.now_us() / 1000, context.field)
    const store = await context.store()
    const all = await store.outcomes.list({ ...(kind === undefined ? {} : { kind }), ...window })
    return all.slice(-most)
  },
})
