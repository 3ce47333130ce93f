import { createHmac } from 'node:crypto'
import type { Channel, Notice } from '../core/channel.ts'
import { titleOf } from '../playbook/allocate/alert/wording.ts'
import { postJson } from './shared/post.ts'

const PREFIX = 'whsec_'
/** Bytes of a key: less is guessed. */
const SHORTEST_KEY = 8

/** A secret as the field's libraries write it, `whsec_` and base64, or any other text. */
const keyOf = (secret: string): Buffer =>
  secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret, 'utf8')

/** Node reads base64 as far as it goes: what is none would sign with a short key, or with none. */
const isKey = (secret: string): boolean =>
  keyOf(secret).length >= SHORTEST_KEY &&
  (!secret.startsWith(PREFIX) || /^[\w+/-]+={0,2}$/.test(secret.slice(PREFIX.length)))

const bodyOf = ({ id, event, alert }: Notice): string =>
  JSON.stringify({ type: `alert.${event}`, id, title: titleOf(alert, event), alert })

/**
 * JSON to any address, signed as Standard Webhooks says (https://www.standardwebhooks.com): HMAC-SHA-256 over id, timestamp
 * and body, so that it can be neither forged nor replayed later, and by its id a repetition is known.
 */
export const channel: Channel = {
  fields: {
    url: { kind: 'address', needed: true, expected: 'an address that takes POST, https or on this machine' },
    secret: {
      kind: 'secret',
      needed: true,
      expected: 'a secret shared with the receiver: whsec_ and base64, or any other text',
      fits: isKey,
    },
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
