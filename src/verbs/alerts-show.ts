import { z } from 'zod'
import { type AlertSight, showAlert } from '../gateway/watch/verbs.ts'
import { id } from './alerts/fields.ts'
import { alertSight } from './answers/alert.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'alerts show',
  describes: 'One alert: its numbers, cause, example calls, containment and deliveries.',
  access: 'team',
  http: { method: 'GET', path: '/v1/alerts/{id}' },
  input: z.strictObject({ id }),
  output: alertSight,
  async run({ id: which }, context): Promise<AlertSight> {
    const { alerts } = await context.store()
    return showAlert(alerts, which, context.now_us())
  },
})
