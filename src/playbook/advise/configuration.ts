import type { Chosen, Lever, LeverMatch } from '../../core/lever.ts'

const scalar = (value: string | number | boolean): string =>
  typeof value === 'string' && !/^[\w./-]+$/.test(value) ? JSON.stringify(value) : String(value)

const written = (value: Chosen[string]): string =>
  Array.isArray(value) ? `[${value.map(scalar).join(', ')}]` : scalar(value as string | number | boolean)

const entryOf = (lever: Lever, settings: Chosen): string => {
  const chosen = Object.entries(settings).filter(
    ([name, value]) => JSON.stringify(lever.settings[name]?.default) !== JSON.stringify(value),
  )
  const fields = ['mode: on', ...chosen.map(([name, value]) => `${name}: ${written(value)}`)]
  return `${lever.name}: { ${fields.join(', ')} }`
}

/** The lines of weir.yaml that turn a lever on where it was replayed, with the settings that were replayed. */
export const configurationOf = (lever: Lever, settings: Chosen, match: LeverMatch): string => {
  const fields = Object.entries(match).map(([name, value]) => `${name}: ${scalar(value)}`)
  const entry = entryOf(lever, settings)
  if (fields.length === 0) return `levers:\n  ${entry}\n`
  return `policies:\n  - match: { ${fields.join(', ')} }\n    levers:\n      ${entry}\n`
}
