import type { Alert, AlertKind, Containment } from '../../../core/alert.ts'
import { MINUTE_US } from '../../../core/date.ts'
import type { Receipt } from '../../../core/receipt.ts'
import type { ContainRule } from '../../../core/settings.ts'
import { ownerOf } from './owners.ts'

/** Kinds whose trouble has a session or a key that runs away. */
export const containable = ['runaway-session', 'retry-storm', 'leaked-key'] as const satisfies readonly AlertKind[]

type Running = Pick<Receipt, 'session' | 'key_id' | 'team' | 'feature'>

/** What runs away: for a leaked key the key, else the session of the call that showed it or, without one, its key. */
const target = (alert: Alert, running: Running): Pick<Containment, 'what' | 'value'> | undefined => {
  const { session, key_id } = running
  if (alert.kind !== 'leaked-key' && session !== undefined) return { what: 'session', value: session }
  return key_id === undefined ? undefined : { what: 'key', value: key_id }
}

/**
 * What a policy does about an alert. Nothing where the policy says nothing of its kind, or where neither session nor key is
 * known: a whole team is never contained.
 */
export const containmentOf = (
  alert: Alert,
  running: Running,
  rules: readonly ContainRule[],
  at_us: number,
): Containment | undefined => {
  const rule = rules.find(({ kind }) => kind === alert.kind)
  const found = rule && target(alert, running)
  if (!found) return undefined
  const { action, calls_per_minute, minutes } = rule
  return {
    id: alert.id,
    ...found,
    owner: ownerOf(running),
    action,
    ...(calls_per_minute === undefined ? {} : { calls_per_minute }),
    from_us: at_us,
    ...(minutes === undefined ? {} : { until_us: at_us + minutes * MINUTE_US }),
  }
}

/** Is a containment in force? */
export const inForce = ({ until_us, released_us }: Containment, at_us: number): boolean =>
  released_us === undefined && (until_us === undefined || at_us < until_us)

/** Containments that a call falls under, by what they hold. */
export type Held = Readonly<{ sessions: ReadonlyMap<string, number>; keys: ReadonlyMap<string, number> }>

const nameOf = (owner: string, session: string): string => JSON.stringify([owner, session])

/** Places of the containments in their list, by session and by key; where several hold one, the strictest: a stop, then the fewest calls. */
export const heldBy = (containments: readonly Containment[]): Held => {
  const pace = (at: number | undefined): number => {
    const one = at === undefined ? undefined : containments[at]
    if (!one) return Number.POSITIVE_INFINITY
    return one.action === 'stop' ? -1 : (one.calls_per_minute ?? 0)
  }
  const sessions = new Map<string, number>()
  const keys = new Map<string, number>()
  containments.forEach(({ what, owner, value }, at) => {
    const [map, name] = what === 'key' ? [keys, value] : [sessions, nameOf(owner, value)]
    if (pace(at) < pace(map.get(name))) map.set(name, at)
  })
  return { sessions, keys }
}

/** The place of the containment that a call falls under: that of its key first, as it is the wider. */
export const holding = ({ sessions, keys }: Held, payer: Running): number | undefined => {
  const { session, key_id } = payer
  const by_key = key_id === undefined ? undefined : keys.get(key_id)
  if (by_key !== undefined || session === undefined || sessions.size === 0) return by_key
  return sessions.get(nameOf(ownerOf(payer), session))
}
