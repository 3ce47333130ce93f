import type { Chosen, Lever, LeverMode, LeverPolicy, Schema, Setting } from '../core/lever.ts'
import { known } from './assemble.ts'
import type { Path, Tell } from './document.ts'
import { checkMatch, type Names } from './match.ts'
import type { File } from './schema.ts'
import { hint } from './suggest.ts'

type Levers = Readonly<Record<string, Lever>>
type Written = NonNullable<File['levers']>
type Entry = LeverPolicy['levers'][string]

const modes: readonly LeverMode[] = ['off', 'observe', 'on']

const suggested = (message: string, name: string, names: readonly string[]): string => {
  // `ttl` is too far from `ttl_s` by its letters, as `exact` is from `cache/exact`, and yet what was meant.
  const longer = names.find((known) => known.startsWith(`${name}_`) || known.endsWith(`/${name}`))
  const meant = longer === undefined ? hint(name, names) : `did you mean ${longer}?`
  return meant === '' ? message : `${message}; ${meant}`
}

const unit = (setting: Extract<Setting, { type: 'number' }>): string =>
  setting.unit === undefined ? '' : ` ${setting.unit}`

/** What a setting takes, in words, for messages and the reference. */
export const takes = (setting: Setting): string => {
  if (setting.type === 'flag') return 'true or false'
  if (setting.type === 'texts') return 'a list of texts'
  if (setting.type === 'text') return setting.one_of ? `one of ${setting.one_of.join(', ')}` : 'text'
  const { least, most } = setting
  if (least !== undefined && most !== undefined) return `a number from ${least} to ${most}${unit(setting)}`
  if (least !== undefined) return `a number of at least ${least}${unit(setting)}`
  return most === undefined ? `a number${unit(setting)}` : `a number of at most ${most}${unit(setting)}`
}

const holds = (setting: Setting, value: unknown): boolean => {
  if (setting.type === 'flag') return typeof value === 'boolean'
  if (setting.type === 'texts') return Array.isArray(value) && value.every((text) => typeof text === 'string')
  if (setting.type === 'text') return typeof value === 'string' && (setting.one_of?.includes(value) ?? true)
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = setting
  return typeof value === 'number' && value >= least && value <= most
}

/** The values of a schema's settings where nothing is configured. */
export const defaultsOf = (schema: Schema): Chosen =>
  Object.fromEntries(Object.entries(schema).map(([name, setting]) => [name, setting.default])) as Chosen

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

const settingsOf = (lever: Lever, given: Readonly<Record<string, unknown>>, path: Path, tell: Tell): Chosen => {
  const chosen: Record<string, unknown> = { ...defaultsOf(lever.settings) }
  const names = Object.keys(lever.settings)
  for (const [name, value] of Object.entries(given)) {
    const setting = Object.hasOwn(lever.settings, name) ? lever.settings[name] : undefined
    if (!setting) tell([...path, name], suggested(`${lever.name} has no setting ${name}`, name, [...names, 'mode']))
    else if (!holds(setting, value)) tell([...path, name], `found ${shown(value)}; expected ${takes(setting)}`)
    else chosen[name] = value
  }
  return chosen as Chosen
}

const modeOf = (value: unknown): LeverMode | undefined => {
  if (value === true) return 'on'
  if (value === false) return 'off'
  return modes.find((mode) => mode === value)
}

const entryOf = (lever: Lever, written: Written[string], path: Path, tell: Tell): Entry => {
  const fields: Readonly<Record<string, unknown>> = typeof written === 'object' ? written : { mode: written }
  const { mode: said = 'on', ...rest } = fields
  const mode = modeOf(said)
  if (mode === undefined)
    tell(typeof written === 'object' ? [...path, 'mode'] : path, `found ${shown(said)}; expected off, observe or on`)
  return { mode: mode ?? 'off', settings: settingsOf(lever, rest, path, tell) }
}

const leversOf = (written: Written, levers: Levers, path: Path, tell: Tell): LeverPolicy['levers'] => {
  const names = Object.keys(levers)
  const entries = Object.entries(written).flatMap(([name, given]): [string, Entry][] => {
    const lever = Object.hasOwn(levers, name) ? levers[name] : undefined
    if (lever) return [[name, entryOf(lever, given, [...path, name], tell)]]
    tell([...path, name], suggested(`there is no lever ${name}`, name, names))
    return []
  })
  return Object.fromEntries(entries)
}

/** What is said without a holdout of its own holds nobody out. */
const NO_HOLDOUT = { holdout: 0, experiment: 'levers' }

/** Policies in the file's order, and last what `levers` says for every call. Tells unknown levers, settings and names in a match, and values that do not fit. */
export const policiesOf = (file: File, levers: Levers, names: Names, tell: Tell): LeverPolicy[] => {
  const policies = (file.policies ?? []).map((policy, index): LeverPolicy => {
    checkMatch(policy.match ?? {}, ['policies', index, 'match'], names, tell)
    return {
      match: known(policy.match),
      levers: leversOf(policy.levers, levers, ['policies', index, 'levers'], tell),
      holdout: policy.holdout ?? NO_HOLDOUT.holdout,
      experiment: policy.experiment ?? NO_HOLDOUT.experiment,
    }
  })
  if (file.levers === undefined) return policies
  return [...policies, { match: {}, levers: leversOf(file.levers, levers, ['levers'], tell), ...NO_HOLDOUT }]
}
