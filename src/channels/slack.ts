import type { Channel, Notice } from '../core/channel.ts'
import { cutTo, factsOf, nextStep, spoken, titleOf } from '../playbook/allocate/alert/wording.ts'
import { postJson } from './shared/post.ts'

/** Slack's limits for blocks, in characters. */
const HEADER = 150
const TEXT = 3000
const FIELD = 2000
const FIELDS = 10

/** The three characters that Slack reads as markup, so that no name can mention anybody or show a link; within a length, and none cut in half. */
const escaped = (text: string, most: number): string =>
  cutTo(text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'), most).replace(
    /&[a-z]{0,3}…$/,
    '…',
  )

const marks = { info: ':large_blue_circle:', warning: ':large_orange_circle:', critical: ':red_circle:' } as const

const bodyOf = ({ alert, event }: Notice) => {
  const title = `${marks[alert.severity]} ${titleOf(alert, event)}`
  const fields = factsOf(alert).slice(0, FIELDS)
  const section = { type: 'section', text: { type: 'mrkdwn', text: escaped(spoken(alert, alert.message), TEXT) } }
  return {
    text: escaped(`${title}: ${spoken(alert, alert.message)}`, TEXT),
    blocks: [
      { type: 'header', text: { type: 'plain_text', emoji: true, text: cutTo(title, HEADER) } },
      section,
      {
        type: 'section',
        fields: fields.map(([name, value]) => ({
          type: 'mrkdwn',
          text: `*${name}*\n${escaped(value, FIELD - name.length - 3)}`,
        })),
      },
      { type: 'context', elements: [{ type: 'mrkdwn', text: `\`${nextStep(alert)}\`` }] },
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
