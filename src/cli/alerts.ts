import { defineCommand } from 'citty'
import { type Alert, type Containment, isFound, verdicts } from '../core/alert.ts'
import { WeirError } from '../core/errors.ts'
import { verb as judgeAlert } from '../verbs/alerts-feedback.ts'
import { verb as releaseAlert } from '../verbs/alerts-release.ts'
import { verb as showAlert } from '../verbs/alerts-show.ts'
import { verb as testAlerts } from '../verbs/alerts-test.ts'
import { perform } from '../verbs/perform.ts'
import type { Context } from '../verbs/verb.ts'
import { listAlerts, listArgs } from './alerts/list.ts'
import { renderAlert, renderTried } from './alerts/render.ts'
import { secret } from './alerts/secret.ts'
import { folderArgs, now_us, windowArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'
import { moment } from './show/time.ts'

const id = { type: 'positional', required: true, description: 'The alert’s id, or the beginning of it' } as const

const show = {
  ...defineCommand({
    meta: { name: 'show', description: 'Show one alert: its numbers, its cause, example calls and deliveries.' },
    args: { id, zone: windowArgs.zone, ...folderArgs },
    run: ({ args }) =>
      withContext(args, 'weir alerts show', async (context) => {
        const sight = await perform(showAlert, { id: args.id }, context)
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
      description: 'Send a marked test alert to one channel or to all, and print what each answered.',
    },
    args: {
      channel: { type: 'positional', required: false, description: 'A channel’s name in weir.yaml; all by default' },
      ...folderArgs,
    },
    run: ({ args }) =>
      withContext(args, 'weir alerts test', async (context) => {
        const { channel } = args
        const tried = await perform(testAlerts, channel === undefined ? {} : { channel }, context)
        if (args.json) printJson(tried)
        else print(renderTried(tried, lookOf()))
        const failed = tried.filter(({ state }) => state !== 'delivered').map((one) => one.channel)
        if (failed.length > 0) throw new WeirError('internal', `not delivered to ${failed.join(', ')}`)
      }),
  }),
  examples: [
    ['weir alerts test', 'every channel'],
    ['weir alerts test pager', 'one'],
  ],
} as const

/** What becomes of what was let go: another alert may hold it still. */
const afterwards = async ({ store }: Context, { what, value, owner }: Containment): Promise<string> => {
  const { alerts } = await store()
  const others = (await alerts.containments.list(now_us())).filter(
    (one) => one.what === what && one.value === value && (what === 'key' || one.owner === owner),
  )
  if (others.length === 0) return `The ${what} ${value} may go on.`
  return `The ${what} ${value} is still held: ${others.map(({ id }) => `weir alerts release ${id}`).join(' · ')}`
}

/** What feedback changes from now on. */
const effectOf = ({ kind, owner, subject, opinion }: Alert, zone: string): string => {
  const verdict = opinion?.verdict ?? 'yes'
  if (!isFound(kind))
    return `${verdict === 'yes' ? 'noted' : 'closed'}. A budget’s alerts follow its limit: weir budgets set ${subject}`
  const until = `${moment(opinion?.until_us ?? now_us(), zone)} ${zone}`
  return {
    yes: `it was trouble: from now on ${kind} pages a little earlier for ${owner}.`,
    no: `it was no trouble: from now on ${kind} takes a quarter more for ${owner}.`,
    planned: `planned: ${kind} of ${owner} pages nobody until ${until}.`,
  }[verdict]
}

const feedback = {
  ...defineCommand({
    meta: {
      name: 'feedback',
      description:
        'Give feedback on an alert: yes (a real problem), no (a false alarm) or planned. Thresholds adapt to it.',
    },
    args: {
      id,
      verdict: { type: 'positional', required: true, description: 'yes, no or planned' },
      until: { type: 'string', valueHint: 'TIME', description: 'Of planned: until when, e.g. 2d, 2026-12-01 (a day)' },
      zone: windowArgs.zone,
      ...folderArgs,
    },
    run: ({ args }) =>
      withContext(args, 'weir alerts feedback', async (context) => {
        const { verdict, until, zone } = args
        if (!verdicts.some((one) => one === verdict))
          throw new WeirError('bad-input', `${verdict} is no verdict: say ${verdicts.join(', ')}`)
        const said = { id: args.id, verdict, zone, ...(until === undefined ? {} : { until }) }
        const alert = await perform(judgeAlert, said, context)
        if (args.json) return printJson(alert)
        const { opinion } = alert
        print(`${alert.id}: ${effectOf(alert, zone)}`)
        const { containment } = await perform(showAlert, { id: alert.id }, context)
        if (containment !== null && containment.released_us === opinion?.at_us)
          print(await afterwards(context, containment))
      }),
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
      description: 'Release a contained session or key. A running gateway follows within a second.',
    },
    args: { id, ...folderArgs },
    run: ({ args }) =>
      withContext(args, 'weir alerts release', async (context) => {
        const released = await perform(releaseAlert, { id: args.id }, context)
        if (args.json) printJson(released)
        else print(await afterwards(context, released))
      }),
  }),
  examples: [['weir alerts release al-3f9a', 'it was looked at']],
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'alerts',
      description:
        'List alerts: retry storms, runaways, spend levels, budgets, leaked keys; who was notified, and what was contained.',
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
