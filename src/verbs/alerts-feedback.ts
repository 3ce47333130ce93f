import { z } from 'zod'
import { choice } from '../config/fields.ts'
import { type Alert, verdicts } from '../core/alert.ts'
import { DAY_US } from '../core/date.ts'
import { judgeAlert } from '../gateway/watch/verbs.ts'
import { id } from './alerts/fields.ts'
import { alert as alertAnswer } from './answers/alert.ts'
import { expiryOf } from './asking/expiry.ts'
import { name, windowFields } from './asking/fields.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'alerts feedback',
  describes:
    'Records feedback on an alert: yes (a real problem), no (a false alarm), or planned until a time. Thresholds adapt to it; a running gateway follows within a second.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/alerts/{id}/feedback' },
  input: z.strictObject({
    id,
    verdict: choice(verdicts),
    until: name('a time such as 2d or 2026-12-01').optional().describe('Of planned: until when; a day otherwise'),
    zone: windowFields.zone,
  }),
  output: alertAnswer,
  async run({ id: which, verdict, until, zone }, context): Promise<Alert> {
    const at_us = context.now_us()
    const given = until === undefined ? undefined : expiryOf(until, at_us, context.field('until'), zone)
    const until_us = verdict === 'planned' ? (given ?? at_us + DAY_US) : given
    const { alerts } = await context.store()
    return judgeAlert(alerts, which, { verdict, at_us, ...(until_us === undefined ? {} : { until_us }) })
  },
})
