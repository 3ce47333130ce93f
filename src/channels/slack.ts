import type { Channel, Notice } from '../core/channel.ts'
import { factsOf, nextStep, titleOf } from '../playbook/allocate/alert/wording.ts'
import { postJson } from './shared/post.ts'

/** Slack's limits for blocks, in characters. */
const HEADER = 150
const TEXT = 3000
const FIELD = 2000
const FIELDS = 10

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

/** The three characters that Slack reads as markup, so that no name can mention anybody or show a link. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const marks = { info: ':large_blue_circle:', warning: ':large_orange_circle:', critical: ':red_circle:' } as const

const bodyOf = ({ alert, event }: Notice) => {
  const title = `${marks[alert.severity]} ${titleOf(alert, event)}`
  const fields = factsOf(alert).slice(0, FIELDS)
  const section = { type: 'section', text: { type: 'mrkdwn', text: cut(escaped(alert.message), TEXT) } }
  return {
    text: cut(escaped(`${title}: ${alert.message}`), TEXT),
    blocks: [
      { type: 'header', text: { type: 'plain_text', emoji: true, text: cut(title, HEADER) } },
      section,
      {
        type: 'section',
        fields: fields.map(([name, value]) => ({
          type: 'mrkdwn',
          text: cut(`*${escaped(name)}*\n${escaped(value)}`, FIELD),
        })),
      },
      { type: 'context', elements: [{ type: 'mrkdwn', text: cut(`\`${nextStep(alert)}\``, FIELD) }] },
    ],
  }
}

/** An incoming webhook of Slack (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). Slack cannot tell a repetition. */
export const channel: Channel = {
  fields: {
    url: { kind: 'secret-address', needed: true, expected: 'the address of an incoming webhook' },
  },
  tells: ['opened', 'again', 'test'],
  deliver: (notice, { fields }) =>
    postJson({ url: String(fields['url']), body: JSON.stringify(bodyOf(notice)), at_us: notice.at_us }),
}
