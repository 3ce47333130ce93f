import { z } from 'zod'
import { choice } from '../config/fields.ts'
import { type Alert, alertKinds } from '../core/alert.ts'
import { asTheyStand } from '../gateway/watch/verbs.ts'
import { listedAlerts } from './answers/alert.ts'
import { flag, limit, name, windowFields } from './asking/fields.ts'
import { checkZone, parseWindow } from './asking/time.ts'
import { defineVerb } from './verb.ts'

/** An alert with how many of its deliveries have arrived. */
export type ListedAlert = Alert & Readonly<{ told_to: Readonly<{ deliveries: number; delivered: number }> }>

export const verb = defineVerb({
  name: 'alerts',
  describes: 'Lists alerts, last seen first; open ones unless others are asked for.',
  access: 'team',
  http: { method: 'GET', path: '/v1/alerts' },
  input: z.strictObject({
    all: flag('Also those that are over'),
    kind: choice(alertKinds).optional().describe('Only this kind'),
    owner: name('an owner such as team:search').optional().describe('Only this owner, e.g. team:search'),
    since: windowFields.since.describe('Seen since: 24h, 7d, today, 2026-11-01; also those that are over'),
    zone: windowFields.zone,
    limit: limit(50, 1000),
  }),
  output: listedAlerts,
  async run({ all, kind, owner, since, zone, limit: most }, context): Promise<readonly ListedAlert[]> {
    checkZone(zone, context.field('zone'))
    const { alerts } = await context.store()
    const since_us =
      since === undefined
        ? {}
        : { since_us: parseWindow({ since, until: undefined, zone }, context.now_us() / 1000, context.field).from_us }
    const state = all || since !== undefined ? {} : { state: 'open' as const }
    const wanted = (await alerts.list({ ...state, ...since_us }))
      .filter((alert) => (kind === undefined || alert.kind === kind) && (owner === undefined || alert.owner === owner))
      .slice(0, most)
    const standing = await asTheyStand(alerts, wanted, context.now_us())
    return Promise.all(
      standing.map(async (alert) => {
        const deliveries = await alerts.deliveries.of(alert.id)
        const delivered = deliveries.filter((one) => one.state === 'delivered').length
        return { ...alert, told_to: { deliveries: deliveries.length, delivered } }
      }),
    )
  },
})
