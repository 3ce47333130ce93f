import { z } from 'zod'
import { WeirError } from '../core/errors.ts'
import { fieldName, type Path, type Problem, type Source } from './document.ts'
import { meters } from './fields.ts'
import { hint, nearest } from './suggest.ts'

type Issue = z.core.$ZodIssue
type Schema = Readonly<{
  properties?: Readonly<Record<string, Schema>>
  additionalProperties?: Schema | boolean
  items?: Schema
  prefixItems?: readonly Schema[]
}>

/** Fields of a provider that may be repeated in a message; whatever else stands there may be a secret in the wrong place. */
const open = new Set(['adapter', 'base_url', 'region', 'price_as'])

const isSecret = (path: Path): boolean =>
  (path[0] === 'providers' && !open.has(String(path[2]))) || (path[0] === 'channels' && path[2] !== 'type')

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inner, step) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[step] : undefined,
    value,
  )

/** What was found, short, and never a secret. */
const shown = (value: unknown, path: Path): string => {
  if (value === undefined) return 'nothing'
  if (value === null) return 'an empty value'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a group of fields'
  if (isSecret(path)) return `a ${typeof value === 'string' ? 'text' : typeof value} (not shown)`
  const text = typeof value === 'string' ? JSON.stringify(value.replace(/\/\/[^/@\s]*@/, '//…@')) : String(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** Keys that the schema knows at a path, for a suggestion. */
const keysAt = (schema: Schema, path: Path): readonly string[] => {
  let here: Schema | undefined = schema
  for (const step of path) {
    if (typeof step === 'number') here = here?.items ?? here?.prefixItems?.[step]
    else {
      const more: Schema | boolean | undefined = here?.additionalProperties
      here = here?.properties?.[step] ?? (typeof more === 'object' ? more : undefined)
    }
  }
  return Object.keys(here?.properties ?? {})
}

/** Problems of one zod issue; a list of unknown keys gives one each. */
const problemsOf = (issue: Issue, schema: Schema, source: Source, value: unknown): Problem[] => {
  const path = issue.path.filter((step) => typeof step !== 'symbol') as Path
  const problem = (where: Path, message: string): Problem => {
    const line = source.line(where)
    return { ...(line === undefined ? {} : { line }), field: fieldName(where) || 'the file', message }
  }
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path)
    return issue.keys.map((key) => {
      const meant = hint(key, known)
      return problem([...path, key], `there is no such field${meant === '' ? '' : `; ${meant}`}`)
    })
  }
  if (issue.code === 'invalid_key') {
    const expected = issue.issues[0]?.message ?? 'another name'
    const meant = nearest(String(path.at(-1)), meters)
    return [
      problem(path, meant === undefined ? `expected ${expected}` : `there is no such meter; did you mean ${meant}?`),
    ]
  }
  return [problem(path, `found ${shown(at(value, path), path)}; expected ${issue.message}`)]
}

/** Checks a value against a schema; the value, or every problem with its line. */
export const check = <S extends z.ZodType>(
  schema: S,
  source: Source,
): Readonly<{ value: z.output<S>; problems: readonly [] } | { value: undefined; problems: readonly Problem[] }> => {
  const given = source.value ?? {}
  const result = schema.safeParse(given)
  if (result.success) return { value: result.data, problems: [] }
  const shape = z.toJSONSchema(schema, { unrepresentable: 'any' }) as Schema
  return { value: undefined, problems: result.error.issues.flatMap((issue) => problemsOf(issue, shape, source, given)) }
}

/** One error that tells all problems, in the order of their lines. */
export const configError = (origin: string, problems: readonly Problem[]): WeirError => {
  const sorted = problems.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0))
  const lines = sorted.map(({ line, field, message }) => {
    const where = line === undefined ? '' : `line ${line}, `
    return `  ${where}${field}: ${message}`
  })
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  return new WeirError('bad-config', `${origin} has ${count}:\n${lines.join('\n')}`)
}
