import { takes } from '../../config/levers.ts'
import type { Lever, LeverMode, LeverPolicy, Setting } from '../../core/lever.ts'
import { clean } from '../show/format.ts'
import { type Look, paint } from '../show/look.ts'
import { facts, table } from '../show/table.ts'

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
}>

/** Levers with their settings and what policies say of each. */
export const shownLevers = (levers: readonly Lever[], policies: readonly LeverPolicy[]): readonly ShownLever[] =>
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
          ({ match, mode, holdout }) => `${mode}: ${where(match)}${holdout > 0 ? `, ${holdout * 100} % held out` : ''}`,
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
      { head: 'risk', cell: ({ risk }) => risk, drop: 2 },
      { head: 'what it does', cell: ({ about }) => about, drop: 1 },
    ],
    look,
  )
}
