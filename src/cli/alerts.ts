import { defineCommand } from 'citty'
import { type Verdict, verdicts } from '../core/alert.ts'
import { WeirError } from '../core/errors.ts'
import { readMoment } from '../verbs/outcomes/moment.ts'
import { listAlerts, listArgs } from './alerts/list.ts'
import { renderAlert, renderTried } from './alerts/render.ts'
import { secret } from './alerts/secret.ts'
import { folderArgs, now_us, windowArgs } from './asking.ts'
import { withStore } from './keys/vault.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'
import { moment } from './show/time.ts'

const id = { type: 'positional', required: true, description: 'The alert’s id, or the beginning of it' } as const

const show = {
  ...defineCommand({
    meta: { name: 'show', description: 'One alert: numbers, cause, calls to look at, and who was told.' },
    args: { id, zone: windowArgs.zone, ...folderArgs },
    run: ({ args }) =>
      withStore(args, async (store) => {
        const { showAlert } = await import('../gateway/watch/verbs.ts')
        const sight = await showAlert(store.alerts, args.id)
        if (args.json) printJson(sight)
        else print(renderAlert(sight, args.zone, lookOf()))
      }),
  }),
  examples: [['weir alerts show al-3f9a', 'by the beginning of its id']],
} as const

const test = {
  ...defineCommand({
    meta: {
      name: 'test',
      description: 'Send a marked test alert to one channel or to all, and say what the far side answered.',
    },
    args: {
      channel: { type: 'positional', required: false, description: 'A channel’s name in weir.yaml; all otherwise' },
      ...folderArgs,
    },
    run: async ({ args }) => {
      const { readSettings } = await import('./serve/settings.ts')
      const { tryChannels } = await import('../gateway/watch/verbs.ts')
      const { channels } = await readSettings({ config: args.config, data: args.data })
      const { channel: name } = args
      const tried = await tryChannels(channels, { at_us: now_us(), ...(name === undefined ? {} : { name }) })
      if (args.json) printJson(tried)
      else print(renderTried(tried, lookOf()))
      const failed = tried.filter(({ state }) => state !== 'delivered').map(({ channel }) => channel)
      if (failed.length > 0) throw new WeirError('internal', `not delivered to ${failed.join(', ')}`)
    },
  }),
  examples: [
    ['weir alerts test', 'every channel'],
    ['weir alerts test pager', 'one'],
  ],
} as const

const isVerdict = (text: string): text is Verdict => (verdicts as readonly string[]).includes(text)

const spans_us = { h: 3_600_000_000, d: 86_400_000_000, w: 604_800_000_000 } as const

/** `2d` from now, or a time. */
const until_us = (text: string | undefined, now: number, zone: string): number | undefined => {
  if (text === undefined) return undefined
  const [, number, unit] = /^(\d+)([hdw])$/.exec(text) ?? []
  if (number !== undefined) return now + Number(number) * spans_us[unit as keyof typeof spans_us]
  return readMoment(text, { zone, name: '--until', now_us: now })
}

const feedback = {
  ...defineCommand({
    meta: {
      name: 'feedback',
      description: 'Say what an alert was: yes (trouble), no (none), or planned. Thresholds follow it.',
    },
    args: {
      id,
      verdict: { type: 'positional', required: true, description: 'yes, no or planned' },
      until: { type: 'string', valueHint: 'TIME', description: 'Of planned: until when, e.g. 2d, 2026-12-01 (a day)' },
      zone: windowArgs.zone,
      ...folderArgs,
    },
    run: ({ args }) => {
      const { verdict, zone } = args
      if (!isVerdict(verdict)) throw new WeirError('bad-input', `${verdict}: say yes, no or planned`)
      return withStore(args, async (store) => {
        const { judgeAlert } = await import('../gateway/watch/verbs.ts')
        const at_us = now_us()
        const given = until_us(args.until, at_us, zone)
        const until = verdict === 'planned' ? (given ?? at_us + spans_us.d) : given
        const opinion = { verdict, at_us, ...(until === undefined ? {} : { until_us: until }) }
        const alert = await judgeAlert(store.alerts, args.id, opinion)
        const says = {
          yes: `it was trouble: from now on ${alert.kind} pages a little earlier for ${alert.owner}`,
          no: `it was none: from now on ${alert.kind} takes a quarter more for ${alert.owner}`,
          planned: `planned: ${alert.kind} of ${alert.owner} pages nobody until ${moment(until ?? at_us, zone)} ${zone}`,
        }
        if (args.json) printJson(alert)
        else print(`${alert.id}: ${says[verdict]}.`)
      })
    },
  }),
  examples: [
    ['weir alerts feedback al-3f9a no', 'it was no trouble'],
    ['weir alerts feedback al-3f9a planned --until 2d', 'a migration, for two days'],
  ],
} as const

const release = {
  ...defineCommand({
    meta: {
      name: 'release',
      description: 'Let a session or key that was contained go on. A running gateway does within a second.',
    },
    args: { id, ...folderArgs },
    run: ({ args }) =>
      withStore(args, async (store) => {
        const { releaseAlert } = await import('../gateway/watch/verbs.ts')
        const released = await releaseAlert(store.alerts, args.id, now_us())
        if (args.json) printJson(released)
        else print(`The ${released.what} ${released.value} may go on.`)
      }),
  }),
  examples: [['weir alerts release al-3f9a', 'it was looked at']],
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'alerts',
      description:
        'Where trouble was found: storms, runaways, levels, budgets, leaks of keys; who was told, what was contained.',
    },
    args: listArgs,
    subCommands: { show, test, feedback, release, secret },
    run: ({ args }) => listAlerts(args),
  }),
  examples: [
    ['weir alerts', 'what is open'],
    ['weir alerts --all --since 7d --owner team:search', 'a team’s last week'],
    ['weir alerts --follow', 'as they come'],
    ['weir alerts test', 'do the channels work?'],
    ['weir alerts feedback al-3f9a no', 'that was nothing'],
  ],
} as const
