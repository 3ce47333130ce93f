import type { ShownKey } from '../../verbs/keys/shown.ts'
import { nothing } from '../show/format.ts'
import { type Look, paint } from '../show/look.ts'
import { type Column, table } from '../show/table.ts'
import { lifeColumns, stateColumn } from './life.ts'

const fixes = ({ team, feature, customer, environment, tags }: ShownKey): string =>
  Object.entries({ team, feature, customer, environment, ...tags })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
    .join(' ') || nothing

const scopeText = (names: readonly string[]): string => names.join(' ') || 'all'

const columns = (keys: readonly ShownKey[]): readonly Column<ShownKey>[] => [
  { head: 'id', cell: ({ id }) => id },
  { head: 'name', cell: ({ name }) => name, shrink: 10 },
  { head: 'token', cell: ({ prefix }) => prefix },
  stateColumn,
  { head: 'charged to', cell: fixes, shrink: 12 },
  { head: 'models', cell: ({ models }) => scopeText(models), shrink: 10, drop: 2 },
  { head: 'providers', cell: ({ providers }) => scopeText(providers), shrink: 10, drop: 2 },
  ...(['endpoints'] as const)
    .filter((scope) => keys.some((key) => key[scope].length > 0))
    .map((scope): Column<ShownKey> => ({ head: scope, cell: (key) => scopeText(key[scope]), shrink: 10, drop: 2 })),
  ...lifeColumns(3),
]

/** The gateway's keys; never a token, for it is not kept. */
export const renderKeys = (keys: readonly ShownKey[], look: Look): string =>
  keys.length === 0
    ? `No keys yet. Make one with: weir keys create --name NAME --team TEAM`
    : table(keys, columns(keys), look)

/** What is shown once, when a key is made. */
export const renderNewKey = (key: ShownKey & Readonly<{ token: string }>, look: Look): string => {
  const colours = paint(look)
  return [
    `${colours.bold(key.token)}`,
    '',
    `This is the only time that the key is shown; Weir keeps no copy. Id ${key.id}, charged to ${fixes(key)}.`,
    'Use it where the provider’s API key goes: OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY.',
    'The gateway takes it in keys mode (mode: keys in weir.yaml, or weir serve --mode keys).',
  ].join('\n')
}
