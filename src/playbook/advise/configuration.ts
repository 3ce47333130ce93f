import type { Dimension, Filter } from '../../core/dimension.ts'
import type { Chosen, LeverMatch } from '../../core/lever.ts'
import type { Candidate } from './fold.ts'

/** Texts that stand as they are in YAML; what reads as a number, a flag or nothing does not. */
const plain = /^(?!(?:true|false|null|yes|no|on|off)$)[a-z_][\w./-]*$/i

const scalar = (value: string | number | boolean): string =>
  typeof value === 'string' && !plain.test(value) ? JSON.stringify(value) : String(value)

const written = (value: Chosen[string]): string =>
  Array.isArray(value) ? `[${value.map(scalar).join(', ')}]` : scalar(value as string | number | boolean)

const entryOf = ({ lever, settings }: Candidate): string => {
  const chosen = Object.entries(settings).filter(
    ([name, value]) => JSON.stringify(lever.settings[name]?.default) !== JSON.stringify(value),
  )
  const fields = ['mode: on', ...chosen.map(([name, value]) => `${name}: ${written(value)}`)]
  return `${lever.name}: { ${fields.join(', ')} }`
}

/** Which calls were replayed, as policies say it. */
export type Scope = Readonly<{
  /** Fields of policies that together match these calls; one without fields matches all. */
  matches: readonly LeverMatch[]
  /** Conditions that no policy can say, as `--where` has them: what matches is more than was replayed. */
  unsaid: readonly string[]
}>

/** Fields of policies by the dimension that says the same. A policy knows the model that is asked for, not the one that answered. */
const fieldOf: Readonly<Partial<Record<Dimension, keyof LeverMatch>>> = {
  team: 'team',
  feature: 'feature',
  customer: 'customer',
  environment: 'environment',
  wire: 'wire',
  endpoint: 'endpoint',
  provider: 'provider',
  model_asked: 'model',
  key_id: 'key',
}

const whereOf = ({ dimension, values, negate }: Filter): string =>
  `${dimension}${negate === true ? '!=' : '='}${values.map((value) => value ?? '').join(',')}`

/** What filters let through, as policies say it: one policy for each of several values. */
export const scopeOf = (filters: readonly Filter[]): Scope => {
  let matches: readonly LeverMatch[] = [{}]
  const unsaid: string[] = []
  for (const filter of filters) {
    const { dimension, values, negate } = filter
    const field = fieldOf[dimension]
    const names = values.filter((value) => value !== null)
    const isSaid = field !== undefined && negate !== true && names.length === values.length && names.length > 0
    if (isSaid) matches = matches.flatMap((match) => names.map((name) => ({ ...match, [field]: name })))
    else unsaid.push(whereOf(filter))
  }
  return { matches, unsaid }
}

const policyOf = (match: LeverMatch, entries: readonly string[]): string => {
  const fields = Object.entries(match).map(([name, value]) => `${name}: ${scalar(value)}`)
  return `  - match: { ${fields.join(', ')} }\n    levers:\n${entries.map((entry) => `      ${entry}\n`).join('')}`
}

/** The lines of weir.yaml that turn levers on where they were replayed, with the settings that were replayed; none for no lever. */
export const configurationOf = (candidates: readonly Candidate[], { matches, unsaid }: Scope): string => {
  if (candidates.length === 0) return ''
  const entries = candidates.map(entryOf)
  const named = matches.filter((match) => Object.keys(match).length > 0)
  const lines =
    named.length === 0
      ? `levers:\n${entries.map((entry) => `  ${entry}\n`).join('')}`
      : `policies:\n${named.map((match) => policyOf(match, entries)).join('')}`
  const wider = `# For more calls than were replayed: a policy cannot say ${JSON.stringify(unsaid.join(' and '))}.\n`
  return unsaid.length === 0 ? lines : wider + lines
}
