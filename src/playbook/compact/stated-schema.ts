import type { Block } from '../../core/prompt.ts'
import { documentAt } from './json-text.ts'

type Json = Readonly<Record<string, unknown>>

const asRecord = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined

/** Words that say that the whole answer is to be the JSON that follows. */
const asks = /\b(respond|reply|answer|output|return)\b[^.\n]{0,80}\bjson\b/i

/** Keywords that providers' strict modes take; a schema with any other is left alone. */
const known = new Set(
  'type properties required additionalProperties items enum const anyOf description title $defs $ref'.split(' '),
)

const DEEPEST = 8

const isStrictRecord = (schema: Json): boolean => {
  const properties = asRecord(schema['properties'])
  const required = schema['required']
  if (!properties || schema['additionalProperties'] !== false || !Array.isArray(required)) return false
  return Object.keys(properties).every((name) => required.includes(name))
}

/** The schemas inside of one. */
const innerOf = (schema: Json): unknown[] => [
  ...Object.values(asRecord(schema['properties']) ?? {}),
  ...Object.values(asRecord(schema['$defs']) ?? {}),
  ...(Array.isArray(schema['anyOf']) ? schema['anyOf'] : []),
  ...('items' in schema ? [schema['items']] : []),
]

/**
 * Would strict modes take the schema as it is? Every object names all its properties as required and allows no other, and
 * there is no keyword that some provider refuses.
 */
const isStrict = (value: unknown, depth = DEEPEST): boolean => {
  const schema = asRecord(value)
  if (!schema || depth === 0) return false
  if (!Object.keys(schema).every((name) => known.has(name))) return false
  if (schema['type'] === 'object' && !isStrictRecord(schema)) return false
  return innerOf(schema).every((inner) => isStrict(inner, depth - 1))
}

const isSchema = (value: unknown): boolean => {
  const schema = asRecord(value)
  return schema?.['type'] === 'object' && asRecord(schema['properties']) !== undefined && isStrict(schema)
}

const MOST_TRIES = 8

/** A document was read by its signs alone: its strings may yet hold what no JSON may. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const schemasIn = (text: string): unknown[] => {
  const found: unknown[] = []
  let tries = MOST_TRIES
  for (let start = text.indexOf('{'); start >= 0 && tries > 0; tries--) {
    const document = documentAt(text, start)
    const value = document && parsed(document.made)
    if (isSchema(value)) found.push(value)
    start = text.indexOf('{', document?.end ?? start + 1)
  }
  return found
}

/**
 * The JSON schema that the client itself states for its answers in the system prompt, if there is exactly one, the words
 * before it ask for JSON, and strict modes would take it as it is.
 */
export const statedSchema = (blocks: readonly Block[]): unknown => {
  const texts = blocks.filter(({ role, form }) => role === 'system' && form === 'text').map(({ text }) => text)
  const stated = texts.filter((text) => text.includes('"properties"') && asks.test(text)).flatMap(schemasIn)
  return stated.length === 1 ? stated[0] : undefined
}
