import type { Chosen, Lever, LeverMatch } from '../../core/lever.ts'

const scalar = (value: string | number | boolean): string =>
  typeof value === 'string' && !/^[\w./-]+$/.test(value) ? JSON.stringify(value) : String(value)

const written = (value: Chosen[string]): string =>
  Array.isArray(value) ? `[${value.map(scalar).join(', ')}]` : scalar(value as string | number | boolean)

/** The lines of weir.yaml that turn a lever on where it was replayed, with the settings that were replayed. */
export const configurationOf = (lever: Lever, settings: Chosen, match: LeverMatch): string => {
  const fields = Object.entries(match).map(([name, value]) => `${name}: ${scalar(value)}`)
  const chosen = Object.entries(settings).filter(([name, value]) => {
    const usual = lever.settings[name]?.default
    return JSON.stringify(usual) !== JSON.stringify(value)
  })
  return [
    'policies:',
    `  - match: { ${fields.join(', ')} }`.replace('{  }', '{}'),
    '    levers:',
    `      ${lever.name}: { ${['mode: on', ...chosen.map(([name, value]) => `${name}: ${written(value)}`)].join(', ')} }`,
    '',
  ].join('\n')
}
