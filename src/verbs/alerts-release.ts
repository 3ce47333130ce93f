import { z } from 'zod'
import type { Containment } from '../core/alert.ts'
import { releaseAlert } from '../gateway/watch/verbs.ts'
import { id } from './alerts/fields.ts'
import { containment } from './answers/alert.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'alerts release',
  describes: 'Releases a contained session or key. A running gateway follows within a second.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/alerts/{id}/release' },
  input: z.strictObject({ id }),
  output: containment,
  async run({ id: which }, context): Promise<Containment> {
    const { alerts } = await context.store()
    return releaseAlert(alerts, which, context.now_us())
  },
})
