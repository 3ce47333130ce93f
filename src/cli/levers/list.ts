import { takes } from '../../config/levers.ts'
import type { Lever, LeverMode, LeverPolicy, Setting } from '../../core/lever.ts'
import type { Practice } from '../../core/practice.ts'
import { clean, money, nothing, percent, plural } from '../show/format.ts'
import { type Look, paint } from '../show/look.ts'
import { facts, table } from '../show/table.ts'
import { riskNames } from '../show/traits.ts'

type ShownSetting = Readonly<{ name: string; takes: string; default: Setting['default']; about: string }>

export type ShownLever = Readonly<{
  name: string
  about: string
  risk: Lever['traits']['risk']
  certainty: Lever['traits']['certainty']
  effort: Lever['traits']['effort']
  settings: readonly ShownSetting[]
  /** What policies say of it, in their order; empty where it is off everywhere. */
  policies: readonly Readonly<{ match: LeverPolicy['match']; mode: LeverMode; holdout: number; settings: unknown }>[]
  /** What the ledger says that it did, and what it would have done; absent without a ledger. Money is decimal US dollars. */
  acted?: Effect
  observed?: Effect
}>

type Effect = Readonly<{ calls: number; saving_usd: string }>

const effectOf = (name: string, pulled: Practice['levers']): Effect => {
  const { calls, saving_usd } = pulled.find((one) => one.name === name) ?? { calls: 0, saving_usd: '0' }
  return { calls, saving_usd }
}

const effects = (name: string, practice: Practice | undefined) =>
  practice && { acted: effectOf(name, practice.levers), observed: effectOf(name, practice.observed) }

/** Levers with their settings, what policies say of each and what the ledger says that it did. */
export const shownLevers = (
  levers: readonly Lever[],
  policies: readonly LeverPolicy[],
  practice: Practice | undefined,
): readonly ShownLever[] =>
  levers.map(({ name, about, traits, settings }) => ({
    name,
    about,
    risk: traits.risk,
    certainty: traits.certainty,
    effort: traits.effort,
    settings: Object.entries(settings).map(([setting, field]) => ({
      name: setting,
      takes: takes(field),
      default: field.default,
      about: field.about,
    })),
    policies: policies.flatMap(({ match, holdout, levers: named }) => {
      const entry = named[name]
      return entry === undefined ? [] : [{ match, holdout, mode: entry.mode, settings: entry.settings }]
    }),
    ...effects(name, practice),
  }))

const where = (match: LeverPolicy['match']): string => {
  const words = Object.entries(match).map(([name, glob]) => `${name} ${glob}`)
  return words.length === 0 ? 'every call' : words.join(', ')
}

const inForce = ({ policies }: ShownLever): string =>
  policies.length === 0
    ? 'off'
    : policies
        .map(
          ({ match, mode, holdout }) =>
            `${mode}: ${where(match)}${holdout > 0 ? `, ${percent(holdout)} held out` : ''}`,
        )
        .join('; ')

const settingTable = (lever: ShownLever, look: Look): string =>
  facts(
    lever.settings.map((setting) => [
      setting.name,
      `${setting.about} (${setting.takes}; ${JSON.stringify(setting.default)})`,
    ]),
    look,
  )

/** `$1.20 on 15 calls`; what was only observed as `would have saved $1.20 on 15 calls`. */
const savedWords = ({ acted, observed }: ShownLever): string => {
  const words = ({ calls, saving_usd }: Effect) => `${money(saving_usd)} on ${plural(calls, 'call')}`
  const parts = acted && acted.calls > 0 ? [words(acted)] : []
  if (observed && observed.calls > 0) parts.push(`would have saved ${words(observed)}`)
  return parts.join('; ') || nothing
}

/** The levers as a table, or with every setting below its lever. */
export const renderLevers = (
  levers: readonly ShownLever[],
  { settings }: Readonly<{ settings: boolean }>,
  look: Look,
): string => {
  if (settings) {
    const colours = paint(look)
    return levers
      .map((lever) => `${colours.title(lever.name)}  ${lever.about}\n${settingTable(lever, look)}`)
      .join('\n\n')
  }
  return table(
    levers,
    [
      { head: 'lever', cell: ({ name }) => name },
      { head: 'in force', cell: (lever) => clean(inForce(lever)) },
      { head: 'saved', cell: savedWords },
      { head: 'risk', cell: ({ risk }) => riskNames[risk], drop: 2 },
      { head: 'what it does', cell: ({ about }) => about, drop: 1 },
    ],
    look,
  )
}
