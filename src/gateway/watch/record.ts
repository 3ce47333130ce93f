import type { Alert, AlertEvent, Delivery } from '../../core/alert.ts'
import { namesOf } from '../../core/key-names.ts'
import type { Settings } from '../../core/settings.ts'
import type { AlertStore, Store } from '../../core/store.ts'
import { containmentOf } from '../../playbook/allocate/alert/contain.ts'
import { alertOf, incidentOf, toldAgain } from '../../playbook/allocate/alert/make.ts'
import { channelsFor } from '../../playbook/allocate/alert/route.ts'
import type { Finding } from '../../playbook/allocate/detect/finding.ts'
import type { Alike } from '../../playbook/allocate/detect/strand.ts'
import { channelOf } from './tell.ts'
import { asTheyStand } from './verbs.ts'

/** A finding with what is known of the receipt that showed it, and its owner's spend of the last hours. */
export type Found = Readonly<{ finding: Finding; receipt: Alike; trend_usd: readonly string[] }>

type Told = Readonly<{ alert: Alert; event: AlertEvent }>

export type RecordOptions = Readonly<{
  store: AlertStore
  keys: Pick<Store['keys'], 'list'>
  settings: Pick<Settings, 'channels' | 'alerts'>
  now_us: () => number
}>

const namesFor = ({ channels }: RecordOptions['settings'], event: AlertEvent): readonly string[] =>
  channels.filter(({ type }) => channelOf(type)?.tells.includes(event)).map(({ name }) => name)

/** What is owed to the channels of an alert. The ids are the same however often this is computed. */
export const deliveriesFor = ({ alert, event }: Told, { settings, now_us }: RecordOptions): readonly Delivery[] => {
  const at_us = now_us()
  const names = namesFor(settings, event)
  const told = channelsFor(alert, { routes: settings.alerts.routes, channels: names }, at_us)
  const number = event === 'opened' || event === 'again' ? alert.told : event
  return told
    .filter(({ channel }) => names.includes(channel))
    .map(({ channel, from_us }) => ({
      id: `${alert.id}.${number}.${channel}`,
      alert_id: alert.id,
      channel,
      event,
      alert,
      state: 'waiting',
      attempts: 0,
      created_us: at_us,
      next_us: from_us,
    }))
}

/**
 * What a finding makes of the alert of its incident: a new one, or the open one told again. Undefined where the alert has
 * seen it already: the watch looks at receipts again after it was killed.
 */
const toldOf = ({ finding, trend_usd }: Found, latest: Alert | undefined): Told | undefined => {
  if (latest && finding.at_us <= latest.last_us) return undefined
  if (latest?.state === 'open') return { alert: toldAgain(latest, finding, trend_usd), event: 'again' }
  return { alert: alertOf(finding, trend_usd), event: 'opened' }
}

/** Contains what runs away where the policy says so; the alert says that it is, and not where somebody has released it before. */
const contained = async (alert: Alert, receipt: Alike, { store, settings, now_us }: RecordOptions): Promise<Alert> => {
  const at_us = now_us()
  const containment = containmentOf(alert, receipt, settings.alerts.contain, at_us)
  if (!containment) return alert
  await store.containments.add(containment)
  const { id: _, owner: __, from_us: ___, ...held } = containment
  const [standing = alert] = await asTheyStand(store, [{ ...alert, contained: held }], at_us)
  return standing
}

const keyIds = /\bkey_[0-9a-f]{16}\b/g

/** With what people call its keys: an id alone tells nobody whose key it is. */
const named = async (alert: Alert, { keys }: RecordOptions): Promise<Alert> => {
  const ids = new Set(JSON.stringify(alert).match(keyIds))
  if (ids.size === 0) return alert
  return { ...alert, names: namesOf(await keys.list(), ids) }
}

/** Writes what a finding tells, if it tells anything new. Gives whether it did. */
export const recordFinding = async (found: Found, options: RecordOptions): Promise<boolean> => {
  const { store, settings } = options
  if (settings.alerts.off.includes(found.finding.kind)) return false
  const [latest] = await store.list({ incident: incidentOf(found.finding), most: 1 })
  const told = toldOf(found, latest)
  if (!told) return false
  const alert = await named(await contained(told.alert, found.receipt, options), options)
  await store.record([alert], deliveriesFor({ alert, event: told.event }, options))
  return true
}

/** Writes an alert that is told once, whenever it is found. Gives whether it is new. */
export const recordOnce = async (alert: Alert, options: RecordOptions): Promise<boolean> => {
  if (options.settings.alerts.off.includes(alert.kind)) return false
  const [known] = await options.store.list({ ids: [alert.id], most: 1 })
  if (known) return false
  const told = await named(alert, options)
  await options.store.record([told], deliveriesFor({ alert: told, event: 'opened' }, options))
  return true
}

/** Writes that an alert's trouble is over. */
export const recordResolved = (alert: Alert, options: RecordOptions): Promise<void> =>
  options.store.record([alert], deliveriesFor({ alert, event: 'resolved' }, options))
