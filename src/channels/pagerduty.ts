import type { Channel, Notice } from '../core/channel.ts'
import { cutTo, factsOf, spoken, titleOf } from '../playbook/allocate/alert/wording.ts'
import { postJson } from './shared/post.ts'

const EVENTS = 'https://events.pagerduty.com/v2/enqueue'
/** PagerDuty's limit for a summary, in characters. */
const SUMMARY = 1024

const triggerOf = ({ alert, event, at_us }: Notice) => ({
  summary: cutTo(`${titleOf(alert, event)}. ${spoken(alert, alert.message)}`, SUMMARY),
  source: alert.owner,
  severity: alert.severity,
  timestamp: new Date(at_us / 1000).toISOString(),
  component: 'weir',
  class: alert.kind,
  ...(alert.subject === undefined ? {} : { group: alert.subject }),
  custom_details: { alert: alert.id, ...Object.fromEntries(factsOf(alert)) },
})

/** PagerDuty's Events API v2 (https://developer.pagerduty.com/docs/events-api-v2-overview). One incident an alert, closed when it is over. */
export const channel: Channel = {
  fields: {
    routing_key: { kind: 'secret', needed: true, expected: 'the integration key of a service (Events API v2)' },
    url: {
      kind: 'address',
      needed: false,
      expected: 'the events address, e.g. https://events.eu.pagerduty.com/v2/enqueue',
    },
  },
  tells: ['opened', 'again', 'resolved', 'test'],
  deliver(notice, { fields }) {
    const { alert, event, at_us } = notice
    const body = {
      routing_key: fields['routing_key'],
      event_action: event === 'resolved' ? 'resolve' : 'trigger',
      dedup_key: alert.id,
      client: 'weir',
      ...(event === 'resolved' ? {} : { payload: triggerOf(notice) }),
    }
    return postJson({ url: String(fields['url'] ?? EVENTS), body: JSON.stringify(body), at_us })
  },
}
