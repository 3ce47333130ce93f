import { setTimeout as sleep } from 'node:timers/promises'
import { type ListedAlert, verb as listedAlerts } from '../../verbs/alerts-list.ts'
import { perform } from '../../verbs/perform.ts'
import type { Context } from '../../verbs/verb.ts'
import { type FolderFlags, folderArgs, now_us, windowArgs } from '../asking.ts'
import { withContext } from '../calling.ts'
import { lookOf } from '../show/look.ts'
import { print, printJson } from '../show/output.ts'
import { renderAlerts, renderLine } from './render.ts'

export const listArgs = {
  all: { type: 'boolean', description: 'Also those that are over' },
  kind: { type: 'string', valueHint: 'KIND', description: 'Only this kind, e.g. retry-storm' },
  owner: { type: 'string', valueHint: 'OWNER', description: 'Only this owner, e.g. team:search' },
  since: { type: 'string', valueHint: 'TIME', description: 'Seen since: 24h, 7d, today, 2026-11-01' },
  zone: windowArgs.zone,
  limit: { type: 'string', valueHint: 'N', description: 'How many at most (50)' },
  follow: { type: 'boolean', description: 'Go on, and print each alert as it is told or changes, until Ctrl+C' },
  ...folderArgs,
} as const

export type ListFlags = FolderFlags &
  Readonly<{
    all?: boolean | undefined
    kind?: string | undefined
    owner?: string | undefined
    since?: string | undefined
    zone: string
    limit?: string | undefined
    follow?: boolean | undefined
    json?: boolean | undefined
  }>

const read = (context: Context, flags: ListFlags): Promise<readonly ListedAlert[]> => {
  const { all, kind, owner, since, zone, limit } = flags
  const given = Object.entries({ kind, owner, since, limit }).filter(([, value]) => value !== undefined)
  return perform(listedAlerts, { all: all === true, zone, ...Object.fromEntries(given) }, context)
}

const FOLLOW_EVERY_MS = 500

/** Prints alerts as they come or change, oldest first, until the process is asked to end. */
const follow = async (context: Context, flags: ListFlags): Promise<void> => {
  const store = await context.store()
  const seen = new Map<string, string>()
  const ended = new AbortController()
  const end = () => ended.abort()
  process.once('SIGINT', end).once('SIGTERM', end)
  let revision: number | undefined
  while (!ended.signal.aborted) {
    const now = await store.revision()
    if (now !== revision) {
      revision = now
      for (const { told_to: _, ...alert } of (await read(context, { ...flags, all: true })).toReversed()) {
        const state = JSON.stringify([alert.told, alert.state, alert.opinion, alert.contained])
        if (seen.get(alert.id) === state) continue
        seen.set(alert.id, state)
        print(flags.json ? JSON.stringify(alert) : renderLine(alert, flags.zone, lookOf()))
      }
    }
    await sleep(FOLLOW_EVERY_MS, undefined, { signal: ended.signal }).catch(() => {})
  }
}

/** The alerts that there are, from the store: the same whether a gateway runs or not. */
export const listAlerts = (flags: ListFlags): Promise<void> =>
  withContext(flags, 'weir alerts', async (context) => {
    if (flags.follow) return follow(context, flags)
    const all = await read(context, flags)
    if (flags.json) return printJson(all)
    if (all.length > 0) return print(renderAlerts(all, flags.zone, now_us(), lookOf()))
    const isOpen = !flags.all && flags.since === undefined
    return print(isOpen ? 'No open alert: weir alerts --all shows those that are over.' : 'No alert.')
  })
