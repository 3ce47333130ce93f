import { z } from 'zod'
import { alertKinds, severities, verdicts } from '../../core/alert.ts'
import { count, texts, time, usd } from './fields.ts'

const held = {
  what: z.enum(['session', 'key']),
  value: z.string(),
  action: z.enum(['stop', 'throttle']),
  calls_per_minute: z.number().exactOptional(),
  until_us: time.exactOptional(),
} as const

const alertFields = {
  id: z.string(),
  incident: z.string(),
  kind: z.enum([...alertKinds, 'test']),
  owner: z.string(),
  subject: z.string().exactOptional(),
  severity: z.enum(severities),
  state: z.enum(['open', 'resolved']),
  since_us: time,
  first_us: time,
  last_us: time,
  resolved_us: time.exactOptional(),
  told: count,
  spent_usd: usd.nullable(),
  projected_usd: usd,
  explained_by: z
    .strictObject({ dimension: z.string(), value: z.string(), cost_usd: usd, share: z.number() })
    .exactOptional(),
  change_usd: z.strictObject({ volume: usd, mix: usd, price: usd }).exactOptional(),
  calls: texts,
  trend_usd: texts,
  message: z.string(),
  names: z.record(z.string(), z.string()).exactOptional(),
  opinion: z.strictObject({ verdict: z.enum(verdicts), at_us: time, until_us: time.exactOptional() }).exactOptional(),
  contained: z.strictObject(held).exactOptional(),
} as const

export const alert = z.strictObject(alertFields)

export const listedAlerts = z.array(
  z.strictObject({ ...alertFields, told_to: z.strictObject({ deliveries: count, delivered: count }) }),
)

const delivery = z.strictObject({
  id: z.string(),
  alert_id: z.string(),
  channel: z.string(),
  event: z.enum(['opened', 'again', 'resolved', 'test']),
  alert,
  state: z.enum(['waiting', 'delivered', 'refused']),
  attempts: count,
  created_us: time,
  next_us: time,
  ended_us: time.exactOptional(),
  answer: z.string().exactOptional(),
})

export const containment = z.strictObject({
  id: z.string(),
  ...held,
  owner: z.string(),
  from_us: time,
  released_us: time.exactOptional(),
})

export const alertSight = z.strictObject({
  alert,
  deliveries: z.array(delivery),
  containment: containment.nullable(),
})

export const tried = z.array(
  z.strictObject({
    channel: z.string(),
    type: z.string(),
    state: z.enum(['delivered', 'again', 'refused']),
    answer: z.string(),
    wait_ms: z.number().exactOptional(),
  }),
)
