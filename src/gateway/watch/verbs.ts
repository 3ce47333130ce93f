import type { Alert, Containment, Delivery, Opinion } from '../../core/alert.ts'
import type { Delivered, Destination } from '../../core/channel.ts'
import { WeirError } from '../../core/errors.ts'
import type { AlertStore } from '../../core/store.ts'
import { testAlert } from '../../playbook/allocate/alert/make.ts'
import { tell } from './tell.ts'

/** Alerts as they stand: contained are those whose containment is in force, and no longer those that were released. */
export const asTheyStand = async (
  { containments }: AlertStore,
  alerts: readonly Alert[],
  at_us: number,
): Promise<readonly Alert[]> => {
  if (!alerts.some(({ contained }) => contained)) return alerts
  const held = new Set((await containments.list(at_us)).map(({ id }) => id))
  return alerts.map((alert) => {
    if (!alert.contained || held.has(alert.id)) return alert
    const { contained: _, ...free } = alert
    return free
  })
}

/** An alert with everything that belongs to it. */
export type AlertSight = Readonly<{
  alert: Alert
  deliveries: readonly Delivery[]
  containment: Containment | null
}>

/** The alert of an id, or of the beginning of one that no other has. Throws WeirError `not-found` or `bad-input`. */
export const findAlert = async (store: AlertStore, id: string): Promise<Alert> => {
  const [exact] = await store.list({ ids: [id], most: 1 })
  if (exact) return exact
  const found = id.length < 4 ? [] : (await store.list({})).filter((one) => one.id.startsWith(id))
  const [only] = found
  if (only === undefined) throw new WeirError('not-found', `there is no alert ${id}; weir alerts shows all`)
  if (found.length === 1) return only
  const some = found.slice(0, 5).map((one) => one.id)
  throw new WeirError('bad-input', `${found.length} alerts begin with ${id}: ${some.join(', ')}`)
}

/** An alert with its deliveries and its containment, as it stands. Throws WeirError `not-found`. */
export const showAlert = async (store: AlertStore, id: string, at_us: number): Promise<AlertSight> => {
  const alert = await findAlert(store, id)
  const [standing = alert] = await asTheyStand(store, [alert], at_us)
  const containments = await store.containments.list()
  return {
    alert: standing,
    deliveries: await store.deliveries.of(alert.id),
    containment: containments.find((one) => one.id === alert.id) ?? null,
  }
}

/**
 * Takes in what somebody says of an alert. A running gateway hears it within a second, another when it starts: thresholds
 * change, and what is no trouble is over; what was contained for it goes on. Throws WeirError `not-found`, and `bad-input` for a plan that ends in the past.
 */
export const judgeAlert = async (store: AlertStore, id: string, opinion: Opinion): Promise<Alert> => {
  const { verdict, at_us, until_us } = opinion
  if (verdict !== 'planned' && until_us !== undefined)
    throw new WeirError('bad-input', 'until belongs to planned: until when the spend is meant')
  if (until_us !== undefined && until_us <= at_us) throw new WeirError('bad-input', 'until is not in the future')
  const alert = await findAlert(store, id)
  await store.judge(alert.id, opinion)
  if (verdict !== 'yes') await store.containments.release(alert.id, at_us)
  const [standing = alert] = await asTheyStand(store, [alert], at_us)
  return { ...standing, opinion }
}

/** Lets what an alert has contained go on; a running gateway does so within a second. Throws WeirError `not-found`. */
export const releaseAlert = async (store: AlertStore, id: string, at_us: number): Promise<Containment> => {
  const { alert, containment } = await showAlert(store, id, at_us)
  if (containment === null) throw new WeirError('not-found', `nothing was contained for the alert ${alert.id}`)
  if (await store.containments.release(alert.id, at_us)) return { ...containment, released_us: at_us }
  const when = new Date((containment.released_us ?? containment.until_us ?? at_us) / 1000).toISOString()
  throw new WeirError('not-found', `the ${containment.what} ${containment.value} goes on already, since ${when}`)
}

export type Tried = Readonly<{ channel: string; type: string }> & Delivered

/** Sends a marked test alert to one channel or to all, and gives what each answered. Throws WeirError `not-found` for a channel that is not configured. */
export const tryChannels = async (
  destinations: readonly Destination[],
  { name, at_us }: Readonly<{ name?: string; at_us: number }>,
): Promise<readonly Tried[]> => {
  const meant = destinations.filter((one) => name === undefined || one.name === name)
  if (meant.length === 0) {
    const names = destinations.map((one) => one.name)
    const known = names.length === 0 ? 'weir.yaml configures none (channels:)' : `known here: ${names.join(', ')}`
    throw new WeirError('not-found', `there is no channel${name === undefined ? '' : ` ${name}`}; ${known}`)
  }
  const alert = testAlert(at_us)
  return Promise.all(
    meant.map(async (to) => {
      const notice = { id: `${alert.id}.test.${to.name}`, event: 'test', alert, at_us } as const
      return { channel: to.name, type: to.type, ...(await tell(notice, to, destinations)) }
    }),
  )
}
