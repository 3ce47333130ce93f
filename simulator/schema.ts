import { type Json, list, number, record, text } from './json.ts'
import type { Random } from './random.ts'

const WORDS = ['north', 'harbour', 'copper', 'linden', 'meadow', 'signal', 'basalt', 'ferry'] as const
const DEEPEST = 6

const formats: Readonly<Record<string, string>> = {
  'date-time': '2026-11-20T09:30:00Z',
  date: '2026-11-20',
  time: '09:30:00Z',
  email: 'ada@example.com',
  uri: 'https://example.com/a',
  uuid: '6f1c2f5e-8d5b-4c9a-9a55-0d7d3b9f2c11',
  ipv4: '192.0.2.7',
  hostname: 'example.com',
}

const inBounds = (schema: Json, random: Random): number => {
  const low =
    number(schema['minimum']) ??
    (number(schema['exclusiveMinimum']) ?? 0) + (schema['exclusiveMinimum'] === undefined ? 0 : 1)
  const high = number(schema['maximum']) ?? (number(schema['exclusiveMaximum']) ?? low + 101) - 1
  const step = number(schema['multipleOf']) ?? 1
  return Math.ceil(random.integer(Math.ceil(low), Math.max(Math.ceil(low), Math.floor(high))) / step) * step
}

const aText = (schema: Json, random: Random): string => {
  const known = formats[text(schema['format']) ?? '']
  if (known !== undefined) return known
  const words = Array.from({ length: random.integer(1, 3) }, () => random.pick(WORDS)).join(' ')
  const shortest = number(schema['minLength']) ?? 0
  return words.padEnd(shortest, 'a').slice(0, number(schema['maxLength']) ?? Number.POSITIVE_INFINITY)
}

type Made = (schema: Json, root: Json, random: Random, depth: number) => unknown

const anObject: Made = (schema, root, random, depth) => {
  const required = new Set(list(schema['required']))
  const properties = Object.entries(record(schema['properties']))
  const kept = properties.filter(([name]) => required.has(name) || (depth < DEEPEST && random.chance(0.7)))
  return Object.fromEntries(kept.map(([name, inner]) => [name, make(record(inner), root, random, depth + 1)]))
}

const anArray: Made = (schema, root, random, depth) => {
  const prefix = list(schema['prefixItems'])
  const shortest = number(schema['minItems']) ?? (depth < DEEPEST ? 1 : 0)
  const length = Math.min(number(schema['maxItems']) ?? shortest + 1, Math.max(shortest, random.integer(1, 2)))
  const items = record(schema['items'])
  return Array.from({ length: Math.max(prefix.length, length) }, (_, i) =>
    make(record(prefix[i] ?? items), root, random, depth + 1),
  )
}

const byType: Readonly<Record<string, Made>> = {
  object: anObject,
  array: anArray,
  string: (schema, _root, random) => aText(schema, random),
  integer: (schema, _root, random) => inBounds(schema, random),
  number: (schema, _root, random) => inBounds(schema, random),
  boolean: (_schema, _root, random) => random.chance(0.5),
  null: () => null,
}

const resolve = (pointer: string, root: Json): Json =>
  pointer
    .replace(/^#\/?/, '')
    .split('/')
    .filter((step) => step !== '')
    .reduce<Json>((at, step) => record(at[step.replaceAll('~1', '/').replaceAll('~0', '~')]), root)

const first = (...options: readonly unknown[]): unknown => options.find((option) => option !== undefined)

const merged = (schema: Json): Json => {
  const parts = list(schema['allOf']).map(record)
  if (parts.length === 0) return schema
  return {
    ...Object.assign({}, ...parts, schema),
    properties: Object.assign({}, ...parts.map((part) => part['properties']), schema['properties']),
    required: [...parts, schema].flatMap((part) => list(part['required'])),
  }
}

const make: Made = (given, root, random, depth) => {
  const reference = text(given['$ref'])
  if (reference !== undefined) return make(resolve(reference, root), root, random, depth + 1)
  const schema = merged(given)
  if (schema['const'] !== undefined) return schema['const']
  const choices = list(first(schema['enum'], schema['anyOf'], schema['oneOf']))
  if (choices.length > 0) {
    // Deep down the last choice is taken: a recursive schema lists its way out (null) there.
    const choice = depth >= DEEPEST ? choices.at(-1) : choices[random.integer(0, choices.length - 1)]
    return schema['enum'] === undefined ? make(record(choice), root, random, depth + 1) : choice
  }
  const type = first(
    list(schema['type']).at(depth >= DEEPEST ? -1 : 0),
    schema['type'],
    schema['properties'] && 'object',
  )
  return (byType[(text(type) ?? 'string').toLowerCase()] ?? anObject)(schema, root, random, depth)
}

/** An instance of a JSON schema (OpenAPI's upper-case types included), determined by `random`. */
export const instance = (schema: Json, random: Random): unknown => make(schema, schema, random, 0)
