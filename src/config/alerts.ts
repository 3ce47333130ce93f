import { channels as kinds } from '../channels/index.ts'
import { type AlertKind, alertKinds } from '../core/alert.ts'
import type { Channel, ChannelField, Destination } from '../core/channel.ts'
import { globMatches } from '../core/glob.ts'
import type { AlertRoute, AlertSettings, ContainRule } from '../core/settings.ts'
import { known } from './assemble.ts'
import { defaultSettings } from './defaults.ts'
import type { Tell } from './document.ts'
import { isLoopback } from './fields.ts'
import type { File } from './schema.ts'
import { hint } from './suggest.ts'

/** Secret fields by the name of the channel, as the store keeps them. */
export type StoredSecrets = Readonly<Record<string, Readonly<Record<string, string>>>>

type Value = Destination['fields'][string]

const isAddress = (value: Value): boolean => {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const { protocol, hostname, username, password } = new URL(value)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

const isText = (value: Value): boolean => typeof value === 'string' && value !== ''

const fits: Readonly<Record<ChannelField['kind'], (value: Value) => boolean>> = {
  address: isAddress,
  'secret-address': isAddress,
  secret: isText,
  text: isText,
  texts: (value) => isText(value) || (Array.isArray(value) && value.every(isText)),
  port: (value) => Number.isInteger(Number(value)) && Number(value) > 0 && Number(value) <= 65_535,
  flag: (value) => typeof value === 'boolean',
}

/** A secret of fewer characters stands in ordinary words: it could not be kept out of what a far side answers. */
export const SHORTEST_SECRET = 8

/** Is a field of a channel one that is never shown? */
export const isSecretField = ({ kind }: ChannelField): boolean => kind === 'secret' || kind === 'secret-address'

const howToSet = (name: string, field: string, { kind }: ChannelField): string =>
  kind === 'secret' || kind === 'secret-address'
    ? `; write ${field}: \${NAME} and set the environment variable, or keep it sealed with: weir alerts secret ${name} --field ${field}`
    : ''

/** What is wrong with a field's value, without the value; undefined for a good one. */
export const fieldProblem = (value: Value, wanted: ChannelField): string | undefined => {
  if (isSecretField(wanted) && String(value).length < SHORTEST_SECRET)
    return `the value (not shown) is shorter than ${SHORTEST_SECRET} characters; expected ${wanted.expected}`
  const good = fits[wanted.kind](value) && (wanted.fits?.(String(value)) ?? true)
  return good ? undefined : `the value (not shown) is not what is expected: ${wanted.expected}`
}

const checkField = (name: string, field: string, value: Value | undefined, wanted: ChannelField, tell: Tell): void => {
  const missing = `found nothing; expected ${wanted.expected}${howToSet(name, field, wanted)}`
  const problem = value === undefined ? (wanted.needed ? missing : undefined) : fieldProblem(value, wanted)
  if (problem !== undefined) tell(['channels', name, field], problem)
}

/** Channels with their fields, those of the store beneath those of the file; what is wrong is told by field. */
export const channelsOf = (file: File, stored: StoredSecrets, tell: Tell): Destination[] =>
  Object.entries(file.channels ?? {}).flatMap(([name, { type, ...written }]): Destination[] => {
    const channel: Channel | undefined = (kinds as Readonly<Record<string, Channel>>)[type]
    if (!channel) {
      tell(['channels', name, 'type'], `there is no channel of the type ${type}; ${hint(type, Object.keys(kinds))}`)
      return []
    }
    const fields: Record<string, Value> = { ...stored[name], ...(known(written) as Record<string, Value>) }
    for (const field of Object.keys(fields)) {
      if (Object.hasOwn(channel.fields, field)) continue
      tell(
        ['channels', name, field],
        `a ${type} channel has no such field; ${hint(field, Object.keys(channel.fields))}`,
      )
    }
    for (const [field, wanted] of Object.entries(channel.fields)) checkField(name, field, fields[field], wanted, tell)
    return [{ name, type, fields }]
  })

const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

type Route = NonNullable<NonNullable<File['alerts']>['routes']>[number]

const minuteOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))

const routeOf = (route: Route, usual_zone: string): AlertRoute => {
  const { match, channels, quiet } = route
  const hours = quiet && {
    from_minute: minuteOf(quiet.from),
    to_minute: minuteOf(quiet.to),
    zone: quiet.zone ?? usual_zone,
  }
  return { match: known(match), channels, ...(hours ? { quiet: hours } : {}) }
}

const checkRoute = (route: Route, at: number, names: readonly string[], tell: Tell): void => {
  const path = ['alerts', 'routes', at] as const
  route.channels.forEach((name, i) => {
    if (names.includes(name)) return
    const meant = names.length === 0 ? 'channels: names none' : hint(name, names)
    tell([...path, 'channels', i], `there is no channel ${name}; ${meant}`)
  })
  route.match.kinds?.forEach((glob, i) => {
    if (alertKinds.some((kind) => globMatches(glob, kind))) return
    tell(
      [...path, 'match', 'kinds', i],
      `there is no kind of alert ${glob}; ${hint(glob, alertKinds) || `known here: ${alertKinds.join(', ')}`}`,
    )
  })
  const zone = route.quiet?.zone
  if (zone !== undefined && !isZone(zone))
    tell([...path, 'quiet', 'zone'], `found ${zone}; expected a time zone such as Europe/Berlin`)
}

const containOf = (file: File, tell: Tell): ContainRule[] =>
  Object.entries(file.alerts?.contain ?? {}).flatMap(([kind, rule]): ContainRule[] => {
    if (!rule) return []
    if (rule.action === 'throttle' && rule.calls_per_minute === undefined)
      tell(['alerts', 'contain', kind, 'calls_per_minute'], 'found nothing; expected how many calls a minute may go on')
    return [{ kind: kind as AlertKind, ...known(rule) }]
  })

/** Settings of alerts; what is wrong is told by field. */
export const alertsOf = (file: File, names: readonly string[], tell: Tell): AlertSettings => {
  const given = file.alerts ?? {}
  const { routes = [], contain: _, floors, cooldowns, ...plain } = given
  const zone = given.zone ?? defaultSettings.alerts.zone
  if (!isZone(zone)) tell(['alerts', 'zone'], `found ${zone}; expected a time zone such as Europe/Berlin`)
  for (const [at, route] of routes.entries()) checkRoute(route, at, names, tell)
  return {
    ...defaultSettings.alerts,
    ...known(plain),
    floors: known(floors ?? {}),
    cooldowns: known(cooldowns ?? {}),
    routes: routes.map((route) => routeOf(route, zone)),
    contain: containOf(file, tell),
  }
}
