import type { Alert, Containment, Delivery } from '../../core/alert.ts'
import type { AlertSight, Tried } from '../../gateway/watch/verbs.ts'
import { isOfDollars, spoken } from '../../playbook/allocate/alert/wording.ts'
import type { ListedAlert } from '../../verbs/alerts-list.ts'
import { sparkline } from '../show/chart.ts'
import { clean, money, nothing, percent } from '../show/format.ts'
import { type Look, type Paint, paint } from '../show/look.ts'
import { type Column, facts, table } from '../show/table.ts'
import { clock, day, moment } from '../show/time.ts'

const severityStyle = (text: string, severity: Alert['severity'], colours: Paint): string =>
  severity === 'critical' ? colours.red(text) : severity === 'warning' ? colours.yellow(text) : text

const stateOf = ({ state, opinion, contained }: Alert): string => {
  if (opinion)
    return opinion.verdict === 'yes' ? `${state}, confirmed` : opinion.verdict === 'no' ? 'no trouble' : 'planned'
  return contained && state === 'open' ? `open, ${contained.action === 'stop' ? 'stopped' : 'throttled'}` : state
}

const projected = (alert: Alert): string => (isOfDollars(alert) ? money(alert.projected_usd) : nothing)

const aboutOf = (alert: Alert): string | undefined => alert.subject && spoken(alert, alert.subject)

const messageOf = (alert: Alert): string => clean(spoken(alert, alert.message))

const columns = (zone: string, dated: boolean): readonly Column<ListedAlert>[] => [
  { head: 'last seen', cell: ({ last_us }) => (dated ? moment(last_us, zone) : clock(last_us, zone)) },
  {
    head: 'severity',
    cell: (alert) => alert.severity,
    style: (text, alert, colours) => severityStyle(text, alert.severity, colours),
  },
  { head: 'kind', cell: (alert) => alert.kind },
  { head: 'owner', cell: (alert) => spoken(alert, alert.owner), shrink: 12 },
  { head: 'about', cell: (alert) => aboutOf(alert) ?? nothing, shrink: 10, drop: 2 },
  { head: 'so far', cell: (alert) => money(alert.spent_usd), align: 'right' },
  { head: 'if it goes on', cell: projected, align: 'right' },
  { head: 'six hours', cell: (alert) => sparkline(alert.trend_usd) || nothing, drop: 4 },
  { head: 'state', cell: (alert) => stateOf(alert), drop: 1 },
  {
    head: 'told',
    cell: ({ told_to: { delivered, deliveries } }) => (deliveries === 0 ? 'nobody' : `${delivered}/${deliveries}`),
    style: (text, { told_to: { delivered, deliveries } }, colours) =>
      delivered < deliveries ? colours.red(text) : text,
    drop: 3,
  },
  { head: 'id', cell: (alert) => alert.id, shrink: 9 },
]

/** Alerts, one a line. */
export const renderAlerts = (all: readonly ListedAlert[], zone: string, now_us: number, look: Look): string => {
  const today = day(now_us, zone)
  const dated = all.some(({ last_us }) => day(last_us, zone) !== today)
  return table(all, columns(zone, dated), look)
}

/** One alert in one line, for following. */
export const renderLine = (alert: Alert, zone: string, look: Look): string => {
  const colours = paint(look)
  const severity = severityStyle(alert.severity.padEnd(8), alert.severity, colours)
  return `${colours.dim(moment(alert.last_us, zone))}  ${severity}  ${alert.kind}  ${messageOf(alert)}  ${colours.dim(`${alert.id} ${stateOf(alert)}`)}`
}

const containmentText = (containment: Containment, zone: string): string => {
  const { what, value, action, calls_per_minute, from_us, until_us, released_us } = containment
  const done = action === 'stop' ? 'stopped' : `held to ${calls_per_minute} calls a minute`
  const end = released_us ?? until_us
  const until = end === undefined ? 'until it is released' : `until ${moment(end, zone)}`
  return `${what} ${value} ${done} from ${moment(from_us, zone)} ${until}${released_us === undefined ? '' : ' (released)'}`
}

const opinionText = ({ opinion }: Alert, zone: string): string | undefined => {
  if (!opinion) return undefined
  const until = opinion.until_us === undefined ? '' : ` until ${moment(opinion.until_us, zone)}`
  return `${opinion.verdict}${until}, said ${moment(opinion.at_us, zone)}`
}

const deliveryColumns = (zone: string): readonly Column<Delivery>[] => [
  { head: 'channel', cell: ({ channel }) => channel },
  { head: 'event', cell: ({ event }) => event },
  {
    head: 'state',
    cell: ({ state }) => state,
    style: (text, { state }, colours) => (state === 'delivered' ? colours.green(text) : colours.red(text)),
  },
  { head: 'attempts', cell: ({ attempts }) => String(attempts), align: 'right' },
  {
    head: 'when',
    cell: ({ ended_us, next_us }) =>
      ended_us === undefined ? `next ${moment(next_us, zone)}` : moment(ended_us, zone),
  },
  { head: 'answer', cell: ({ answer }) => answer ?? nothing, shrink: 12 },
]

/** Everything about one alert. */
export const renderAlert = ({ alert, deliveries, containment }: AlertSight, zone: string, look: Look): string => {
  const colours = paint(look)
  const { explained_by: by, change_usd: change } = alert
  const told =
    deliveries.length === 0
      ? colours.dim('told to nobody: weir.yaml has no channel for it')
      : table(deliveries, deliveryColumns(zone), look)
  const about = facts(
    [
      ['alert', alert.id],
      ['kind', alert.kind],
      ['severity', severityStyle(alert.severity, alert.severity, colours)],
      ['state', stateOf(alert)],
      ['owner', spoken(alert, alert.owner)],
      ['about', aboutOf(alert)],
      ['so far', money(alert.spent_usd)],
      ['if it goes on', projected(alert)],
      ['explained by', by && `${by.dimension} ${spoken(alert, by.value)}: ${money(by.cost_usd)}, ${percent(by.share)}`],
      ['change', change && `volume ${money(change.volume)}, mix ${money(change.mix)}, price ${money(change.price)}`],
      ['six hours', sparkline(alert.trend_usd) || undefined],
      ['began', moment(alert.since_us, zone)],
      ['first told', moment(alert.first_us, zone)],
      ['last seen', moment(alert.last_us, zone)],
      ['over', alert.resolved_us === undefined ? undefined : moment(alert.resolved_us, zone)],
      ['told', String(alert.told)],
      ['feedback', opinionText(alert, zone)],
      ['contained', containment ? containmentText(containment, zone) : undefined],
    ],
    look,
    0,
  )
  const calls = alert.calls.map((id) => `  weir calls ${id}`).join('\n')
  return [messageOf(alert), '', about, '', told, ...(calls === '' ? [] : ['', 'Calls to look at', calls])].join('\n')
}

/** What each channel answered to a test. */
export const renderTried = (tried: readonly Tried[], look: Look): string =>
  table(
    tried,
    [
      { head: 'channel', cell: ({ channel }) => channel },
      { head: 'type', cell: ({ type }) => type },
      {
        head: 'state',
        cell: ({ state }) => (state === 'again' ? 'failed' : state),
        style: (text, { state }, colours) => (state === 'delivered' ? colours.green(text) : colours.red(text)),
      },
      { head: 'answer', cell: ({ answer }) => answer, shrink: 16 },
    ],
    look,
  )
