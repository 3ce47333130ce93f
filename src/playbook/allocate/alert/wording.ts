import type { Alert, AlertEvent, AlertKind } from '../../../core/alert.ts'
import { calledKey } from '../../../core/key-names.ts'
import { parseUsd, type Usd } from '../../../core/money.ts'
import { dollars, show } from '../detect/amounts.ts'

const names: Readonly<Record<AlertKind, string>> = {
  'budget-burn': 'The budget burns too fast',
  'budget-spent': 'The budget is being used up',
  'budget-forecast': 'The budget will not last',
  'retry-storm': 'Retry storm',
  'runaway-session': 'Runaway session',
  'level-burst': 'Spend has jumped',
  'level-hour': 'Spend is above its usual level',
  'level-day': 'Daily spend is above its usual level',
  'mix-shift': 'Calls have become dearer',
  'cache-drop': 'The prompt cache is missed',
  'new-key': 'A new key spends',
  'new-model': 'A new model spends',
  'leaked-key': 'A key may have leaked',
  unpriced: 'Calls without a price',
  'stale-prices': 'Prices are stale',
  test: 'A test',
}

const begin: Readonly<Record<AlertEvent, string>> = { opened: '', again: 'Still: ', resolved: 'Over: ', test: '' }

const money = (usd: Usd | null): string => (usd === null ? 'unknown' : show(dollars(parseUsd(usd))))

/** What it is, with the name of the budget where it is about one. */
const nameOf = ({ kind, subject }: Alert): string =>
  subject === undefined ? names[kind] : names[kind].replace('The budget', () => `The budget ${subject}`)

/** A text of an alert as people read it: keys by their names, with the ids behind. */
export const spoken = ({ names: known = {} }: Alert, text: string): string =>
  Object.keys(known).reduce((said, id) => said.replaceAll(id, () => calledKey(id, known)), text)

/** One line that says what, whose and how much. */
export const titleOf = (alert: Alert, event: AlertEvent): string => {
  if (event === 'test') return 'Weir test alert: nothing has happened'
  const spent = alert.spent_usd === null ? '' : `, ${money(alert.spent_usd)} so far`
  return spoken(alert, `${begin[event]}${nameOf(alert)}: ${alert.owner}${spent}`)
}

type Fact = readonly [name: string, value: string]

const explained = ({ explained_by }: Alert): readonly Fact[] =>
  explained_by
    ? [['explained by', `${explained_by.dimension} ${explained_by.value} (${Math.round(explained_by.share * 100)} %)`]]
    : []

const changed = ({ change_usd }: Alert): readonly Fact[] =>
  change_usd
    ? [['change', `volume ${change_usd.volume}, mix ${change_usd.mix}, price ${change_usd.price} US dollars`]]
    : []

const minuteOf = (at_us: number): string => `${new Date(at_us / 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`

const contained = ({ id, contained: held }: Alert): readonly Fact[] => {
  if (!held) return []
  const { what, value, action, calls_per_minute, until_us } = held
  const how = action === 'stop' ? 'is stopped' : `may send ${calls_per_minute} calls a minute`
  const until = until_us === undefined ? '' : ` until ${minuteOf(until_us)}`
  return [['contained', `the ${what} ${value} ${how}${until}; to let it go on: weir alerts release ${id}`]]
}

/** Is it about dollars? A budget of tokens or calls is not. */
export const isOfDollars = ({ kind, spent_usd }: Alert): boolean => kind !== 'budget-spent' || spent_usd !== null

const facts = (alert: Alert): readonly Fact[] => [
  ['owner', alert.owner],
  ...(isOfDollars(alert)
    ? ([
        ['so far', money(alert.spent_usd)],
        ['if it goes on', money(alert.projected_usd)],
      ] as const)
    : []),
  ['severity', alert.severity],
  ...explained(alert),
  ...changed(alert),
  ...contained(alert),
  ['since', minuteOf(alert.since_us)],
  ...(alert.calls.length > 0 ? [['calls', alert.calls.join(', ')] as const] : []),
]

/** What there is to know besides the message, as names and values. */
export const factsOf = (alert: Alert): readonly Fact[] =>
  facts(alert).map(([name, value]) => [name, spoken(alert, value)])

/** What somebody who reads an alert can do next. */
export const nextStep = ({ id, kind }: Alert): string =>
  kind === 'test' ? 'weir alerts' : `weir alerts show ${id} · weir alerts feedback ${id} yes|no|planned`

/** A text of at most so many characters, whole ones: half of a pair would be no text, and is refused by some far sides. */
export const cutTo = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text
