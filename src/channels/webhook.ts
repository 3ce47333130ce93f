import { createHmac } from 'node:crypto'
import type { Channel, Notice } from '../core/channel.ts'
import { titleOf } from '../playbook/allocate/alert/wording.ts'
import { postJson } from './shared/post.ts'

/** A secret as the field's libraries write it, `whsec_` and base64, or any other text. */
const keyOf = (secret: string): Buffer =>
  secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret, 'utf8')

const bodyOf = ({ id, event, alert }: Notice): string =>
  JSON.stringify({ type: `alert.${event}`, id, title: titleOf(alert, event), alert })

/**
 * JSON to any address, signed as Standard Webhooks says (https://www.standardwebhooks.com): HMAC-SHA-256 over id, timestamp
 * and body, so that it can be neither forged nor replayed later, and by its id a repetition is known.
 */
export const channel: Channel = {
  fields: {
    url: { kind: 'address', needed: true, expected: 'an address that takes POST, https or on this machine' },
    secret: { kind: 'secret', needed: true, expected: 'a secret shared with the receiver, e.g. whsec_…' },
  },
  tells: ['opened', 'again', 'resolved', 'test'],
  deliver(notice, { fields }) {
    const body = bodyOf(notice)
    const seconds = Math.floor(notice.at_us / 1e6)
    const signature = createHmac('sha256', keyOf(String(fields['secret'])))
      .update(`${notice.id}.${seconds}.${body}`)
      .digest('base64')
    const headers = {
      'webhook-id': notice.id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': `v1,${signature}`,
    }
    return postJson({ url: String(fields['url']), body, headers, at_us: notice.at_us })
  },
}
