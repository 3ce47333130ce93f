import type { KeyRecord } from '../../core/store.ts'
import { nothing } from '../show/format.ts'
import { type Look, paint } from '../show/look.ts'
import { type Column, table } from '../show/table.ts'
import { day } from '../show/time.ts'

/** Is the key in force, run out, or taken back? */
export const keyState = (key: KeyRecord, now_us: number): 'active' | 'expired' | 'revoked' => {
  if (key.revoked_at_us !== undefined && key.revoked_at_us <= now_us) return 'revoked'
  return key.expires_at_us !== undefined && key.expires_at_us <= now_us ? 'expired' : 'active'
}

const fixes = ({ team, feature, customer, environment, tags }: KeyRecord): string =>
  Object.entries({ team, feature, customer, environment, ...tags })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
    .join(' ') || nothing

const columns = (now_us: number): readonly Column<KeyRecord>[] => [
  { head: 'id', cell: ({ id }) => id },
  { head: 'name', cell: ({ name }) => name, shrink: 10 },
  { head: 'token', cell: ({ prefix }) => prefix },
  {
    head: 'state',
    cell: (key) => keyState(key, now_us),
    style: (text, key, colours) => (keyState(key, now_us) === 'active' ? colours.green(text) : colours.red(text)),
  },
  { head: 'charged to', cell: fixes, shrink: 12 },
  { head: 'models', cell: ({ models }) => models.join(' ') || 'all', shrink: 10, drop: 2 },
  { head: 'providers', cell: ({ providers }) => providers.join(' ') || 'all', shrink: 10, drop: 2 },
  { head: 'made', cell: ({ created_at_us: at }) => day(at), drop: 3 },
  { head: 'expires', cell: ({ expires_at_us: at }) => (at === undefined ? 'never' : day(at)), drop: 1 },
]

/** The gateway's keys; never a token, for it is not kept. */
export const renderKeys = (keys: readonly KeyRecord[], now_us: number, look: Look): string =>
  keys.length === 0
    ? `No keys yet. Make one with: weir keys create --name NAME --team TEAM`
    : table(keys, columns(now_us), look)

/** What is shown once, when a key is made. */
export const renderNewKey = (key: KeyRecord, token: string, look: Look): string => {
  const colours = paint(look)
  return [
    `${colours.bold(token)}`,
    '',
    `This is the only time that the key is shown; Weir keeps no copy. Id ${key.id}, charged to ${fixes(key)}.`,
    'Use it where the provider’s API key goes: OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY.',
    'The gateway takes it in keys mode (mode: keys in weir.yaml, or weir serve --mode keys).',
  ].join('\n')
}
