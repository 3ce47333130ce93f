/** What weir.yaml says of channels and alerts, and what is said of mistakes in it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadSettings } from '../../src/config.ts'
import { providers } from '../../src/providers/index.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'weir-alert-config-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

const load = (yaml: string, env: Record<string, string> = {}, stored_channels = {}) => {
  writeFileSync(join(cwd, 'weir.yaml'), yaml)
  return loadSettings({ cwd, env, providers, stored_channels })
}
const problems = (yaml: string): string[] => {
  try {
    load(yaml)
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad-config' })
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
  }
  return []
}

test('a secret that is too short, or no key at all, is refused by its field and not shown', () => {
  const hook = (secret: string) => `channels:\n  hook: { type: webhook, url: https://a.example, secret: "${secret}" }\n`
  expect(problems(hook('sh0rt'))).toEqual([
    'line 2, channels.hook.secret: the value (not shown) is shorter than 8 characters; expected a secret shared with the receiver: whsec_ and base64, or any other text',
  ])
  for (const none of ['whsec_', 'whsec_!!!!!!!!!!!!!!!!', 'whsec_YQ=='])
    expect(problems(hook(none))).toEqual([
      expect.stringMatching(/^line 2, channels\.hook\.secret: the value \(not shown\)/),
    ])
  expect(problems(hook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'))).toEqual([])
  expect(problems('channels:\n  pager: { type: pagerduty, routing_key: abc }\n')[0]).toContain('shorter than 8')
})

test('channels, routes, quiet hours, thresholds and containment are read, secrets from environment and store', () => {
  const { channels, alerts } = load(
    `
channels:
  ops: { type: slack, url: "\${SLACK}" }
  pager: { type: pagerduty }
  mail: { type: email, host: smtp.example.com, port: 465, from: weir@example.com, to: [a@example.com] }
alerts:
  zone: Europe/Berlin
  off: [new-model]
  floors: { level-hour: 20, retry-storm: 0.5 }
  cooldowns: { level-day: 60 }
  budget_percents: [90, 100]
  keep_days: 500
  routes:
    - match: { severity: critical }
      channels: [pager]
    - match: { kinds: [budget-*], owners: ["team:*"] }
      channels: [ops, mail]
      quiet: { from: "22:00", to: "07:30" }
  contain:
    retry-storm: { action: throttle, calls_per_minute: 5, minutes: 60 }
`,
    { SLACK: 'https://hooks.slack.com/services/T/B/x' },
    { pager: { routing_key: 'from-the-store' } },
  )
  expect(channels).toEqual([
    { name: 'ops', type: 'slack', fields: { url: 'https://hooks.slack.com/services/T/B/x' } },
    { name: 'pager', type: 'pagerduty', fields: { routing_key: 'from-the-store' } },
    {
      name: 'mail',
      type: 'email',
      fields: { host: 'smtp.example.com', port: 465, from: 'weir@example.com', to: ['a@example.com'] },
    },
  ])
  expect(alerts).toEqual({
    watch: true,
    zone: 'Europe/Berlin',
    off: ['new-model'],
    floors: { 'level-hour': '20', 'retry-storm': '0.5' },
    cooldowns: { 'level-day': 60 },
    budget_percents: [90, 100],
    keep_days: 500,
    keep_deliveries_days: 30,
    routes: [
      { match: { severity: 'critical' }, channels: ['pager'] },
      {
        match: { kinds: ['budget-*'], owners: ['team:*'] },
        channels: ['ops', 'mail'],
        quiet: { from_minute: 1320, to_minute: 450, zone: 'Europe/Berlin' },
      },
    ],
    contain: [{ kind: 'retry-storm', action: 'throttle', calls_per_minute: 5, minutes: 60 }],
  })
})

describe('a mistake names its field and what to do', () => {
  test.each([
    [
      'channels: { ops: { type: slak, url: x } }',
      /channels\.ops\.type: there is no channel of the type slak; did you mean slack\?/,
    ],
    ['channels: { ops: { url: x } }', /channels\.ops\.type: found nothing; expected the type of a channel/],
    ['channels: { ops: { type: slack } }', /channels\.ops\.url: found nothing; .*weir alerts secret ops --field url/],
    [
      'channels: { ops: { type: slack, uri: x, url: "https://x" } }',
      /channels\.ops\.uri: a slack channel has no such field; did you mean url\?/,
    ],
    [
      'channels: { ops: { type: slack, url: "http://example.com/x" } }',
      /channels\.ops\.url: the value \(not shown\) is not what is expected/,
    ],
    ['channels: { ops: { type: webhook, url: "ftp://x", secret: s3cret-words } }', /channels\.ops\.url: the value/],
    [
      'channels: { m: { type: email, host: h, port: 99999, from: a@b.example, to: "\\"B, C\\" <b@b.example>" } }',
      /channels\.m\.port: the value/,
    ],
    [
      'channels: { m: { type: email, host: h, from: a@b.example, to: [c@d.example, root] } }',
      /channels\.m\.to: the value \(not shown\) is not what is expected: an address, name@domain, or a list/,
    ],
    [
      'channels: { m: { type: email, host: h, from: a@b.example, to: [] } }',
      /channels\.m\.to: found an empty list; expected one text at least/,
    ],
    [
      'alerts: { routes: [{ channels: [ops] }] }',
      /alerts\.routes\[0\]\.channels\[0\]: there is no channel ops; channels: names none/,
    ],
    [
      'alerts: { off: [retry-strom] }',
      /alerts\.off\[0\]: found "retry-strom"; expected one of budget-burn, retry-storm/,
    ],
    ['alerts: { zone: Europe/Berln }', /alerts\.zone: found Europe\/Berln; expected a time zone/],
    ['alerts: { floors: { level-hour: -1 } }', /alerts\.floors\.level-hour: found -1; expected US dollars/],
    [
      'alerts: { contain: { retry-storm: { action: throttle } } }',
      /alerts\.contain\.retry-storm\.calls_per_minute: found nothing/,
    ],
    [
      'alerts: { contain: { level-hour: { action: stop } } }',
      /alerts\.contain\.level-hour: there is no such field; known here: runaway-session, retry-storm, leaked-key/,
    ],
    ['alerts: { rotes: [] }', /alerts\.rotes: there is no such field; did you mean routes\?/],
  ])('%s', (yaml, expected) => {
    expect(problems(yaml)).toEqual([expect.stringMatching(expected)])
  })

  test('a kind that a route names and nobody knows', () => {
    const yaml =
      'channels: { w: { type: webhook, url: "http://127.0.0.1:1", secret: s3cret-words } }\nalerts: { routes: [{ match: { kinds: [storm] }, channels: [w] }] }'
    expect(problems(yaml)).toEqual([
      expect.stringMatching(/alerts\.routes\[0\]\.match\.kinds\[0\]: there is no kind of alert storm/),
    ])
  })

  test('no message repeats what stands in a channel’s field', () => {
    const canary = 'c4nary-s3cret'
    const text = [
      ...problems(`channels: { ops: { type: slack, url: "http://x/${canary}" } }`),
      ...problems(`channels: { p: { type: pagerduty, routing_key: { a: ${canary} } } }`),
      ...problems(`channels: { p: { type: pagerduty, routing_key: [[${canary}]] } }`),
    ].join('\n')
    expect(text.split('\n')).toHaveLength(3)
    expect(text).not.toContain(canary)
  })
})
