import { z } from 'zod'
import { alertKinds, foundKinds, severities } from '../core/alert.ts'
import { containable } from '../playbook/allocate/alert/contain.ts'
import { choice, decimal, flag, text, whole } from './fields.ts'

const names = 'a name of letters, digits, dots, dashes and underscores'

const value = z.union(
  [z.string(), z.number(), z.boolean(), z.array(z.string()).min(1, 'one text at least')],
  'text, a number, true or false, or a list of texts',
)

/** Channels by name; which fields one has is its type's to say. */
export const channels = z.record(
  z.string().regex(/^[A-Za-z0-9][\w.-]*$/, names),
  z.object({ type: text('the type of a channel, e.g. slack') }, 'a channel: { type: ..., ... }').catchall(value),
  'channels by name',
)

const zone = text('a time zone, e.g. Europe/Berlin')
const clock = z.string('a time such as "22:00"').regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time such as "22:00"')
const list = (of: string) => z.array(text(of), `a list: ${of}`).min(1, `one at least: ${of}`)

const route = z.strictObject(
  {
    match: z
      .strictObject(
        {
          kinds: list('a kind of alert, where * stands for anything').optional(),
          owners: list('an owner such as team:search, where * stands for anything').optional(),
          severity: choice(severities).optional(),
        },
        'what the alerts have in common, e.g. { kinds: [budget-*], severity: warning }',
      )
      .default({}),
    channels: list('the name of a channel'),
    quiet: z.strictObject({ from: clock, to: clock, zone: zone.optional() }, 'hours: { from, to, zone }').optional(),
  },
  'a route: { match: ..., channels: [...] }',
)

const rule = z.strictObject(
  {
    action: choice(['stop', 'throttle']),
    calls_per_minute: whole(1, 60_000, 'calls a minute').optional(),
    minutes: whole(1, 527_040, 'minutes').optional(),
  },
  'what is done: { action: throttle, calls_per_minute: 5, minutes: 60 }',
)

/** A value for each kind that is named. */
const byKind = <K extends string, S extends z.ZodType>(kinds: readonly K[], of: S, expected: string) =>
  z.strictObject(
    Object.fromEntries(kinds.map((kind) => [kind, of.optional()])) as Record<K, z.ZodOptional<S>>,
    expected,
  )

/** What weir.yaml says of alerts. */
export const alerts = z.strictObject(
  {
    watch: flag.optional(),
    zone: zone.optional(),
    off: z.array(z.enum(alertKinds, `one of ${alertKinds.join(', ')}`), 'a list of kinds').optional(),
    floors: byKind(foundKinds, decimal('US dollars, e.g. 20'), 'US dollars by kind').optional(),
    cooldowns: byKind(foundKinds, whole(1, 527_040, 'minutes'), 'minutes by kind').optional(),
    session_multiple: z.number('a number from 1.1 to 100').min(1.1).max(100).optional(),
    session_ceiling: decimal('US dollars, e.g. 25').optional(),
    storm_repeats: whole(3, 60, 'equal requests within two minutes').optional(),
    learning_days: whole(0, 365, 'days').optional(),
    stale_after_days: whole(1, 3650, 'days').optional(),
    keep_days: whole(31, 36_500, 'days').optional(),
    keep_deliveries_days: whole(8, 36_500, 'days').optional(),
    budget_percents: z.array(whole(1, 1000, 'percent'), 'a list of percents, e.g. [50, 80, 100]').optional(),
    routes: z.array(route, 'a list of routes').optional(),
    contain: byKind(containable, rule, 'what is done, by kind').optional(),
  },
  'settings of alerts, e.g. { zone: Europe/Berlin, routes: [...] }',
)
