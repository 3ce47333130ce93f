import { setTimeout as sleep } from 'node:timers/promises'
import { nearest } from '../../config/suggest.ts'
import { type Alert, alertKinds } from '../../core/alert.ts'
import { WeirError } from '../../core/errors.ts'
import type { Store } from '../../core/store.ts'
import { type FolderFlags, folderArgs, windowArgs } from '../asking.ts'
import { withStore } from '../keys/vault.ts'
import { countFlag } from '../numbers.ts'
import { lookOf } from '../show/look.ts'
import { print, printJson } from '../show/output.ts'
import { parseWindow } from '../show/time.ts'
import { type Listed, renderAlerts, renderLine } from './render.ts'

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

const checkKind = (kind: string | undefined): void => {
  if (kind === undefined || (alertKinds as readonly string[]).includes(kind)) return
  const meant = nearest(kind, alertKinds)
  throw new WeirError(
    'bad-input',
    `--kind ${kind}: ${meant ? `did you mean ${meant}?` : `use one of ${alertKinds.join(', ')}`}`,
  )
}

const read = async (store: Store, flags: ListFlags): Promise<readonly Alert[]> => {
  const { since, zone, kind, owner } = flags
  const all = await store.alerts.list({
    ...(flags.all || since !== undefined ? {} : { state: 'open' as const }),
    ...(since === undefined ? {} : { since_us: parseWindow({ since, until: undefined, zone }, Date.now()).from_us }),
  })
  const wanted = all.filter(
    (alert) => (kind === undefined || alert.kind === kind) && (owner === undefined || alert.owner === owner),
  )
  return wanted.slice(0, countFlag('--limit', flags.limit, 50))
}

const listed = async (store: Store, alert: Alert): Promise<Listed> => {
  const deliveries = await store.alerts.deliveries.of(alert.id)
  return {
    alert,
    deliveries: deliveries.length,
    delivered: deliveries.filter(({ state }) => state === 'delivered').length,
  }
}

const FOLLOW_EVERY_MS = 500

/** Prints alerts as they come or change, oldest first, until the process is asked to end. */
const follow = async (store: Store, flags: ListFlags): Promise<void> => {
  const seen = new Map<string, string>()
  const ended = new AbortController()
  const end = () => ended.abort()
  process.once('SIGINT', end).once('SIGTERM', end)
  let revision: number | undefined
  while (!ended.signal.aborted) {
    const now = await store.revision()
    if (now !== revision) {
      revision = now
      for (const alert of (await read(store, { ...flags, all: true })).toReversed()) {
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
export const listAlerts = (flags: ListFlags): Promise<void> => {
  checkKind(flags.kind)
  return withStore(flags, async (store) => {
    if (flags.follow) return follow(store, flags)
    const all = await Promise.all((await read(store, flags)).map((alert) => listed(store, alert)))
    if (flags.json) return printJson(all.map(({ alert, ...told }) => ({ ...alert, told_to: told })))
    if (all.length > 0) return print(renderAlerts(all, flags.zone, lookOf()))
    const which = flags.all || flags.since !== undefined ? 'No alert' : 'No open alert'
    return print(`${which}${!flags.all ? ': weir alerts --all shows those that are over' : ''}.`)
  })
}
