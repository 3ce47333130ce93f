import { z } from 'zod'
import { codes } from '../core/errors.ts'
import type { Verb } from '../verbs/verb.ts'
import { forms, headers } from './represent.ts'
import { fieldsOf, fileHeader, hasJsonBody, isRevision, matchField, ownFields, pathFields } from './request.ts'

type Json = Readonly<Record<string, unknown>>

const isRequired = (verb: Verb, field: string): boolean => {
  const schema = (verb.input.shape as Readonly<Record<string, z.ZodType>>)[field]
  return schema !== undefined && !schema.safeParse(undefined).success
}

const nameOf = ({ http }: Verb): string =>
  `${http.method.toLowerCase()}${http.path
    .replace('/v1', '')
    .replaceAll(/[{}]/g, '')
    .replaceAll(/[/-](\w)/g, (_, letter: string) => letter.toUpperCase())}`

const formatField = (verb: Verb): Json | undefined => {
  const names = Object.keys(forms[verb.name] ?? {})
  if (names.length === 0) return undefined
  const schema = { type: 'string', enum: ['json', ...names], default: 'json' }
  return { name: 'format', in: 'query', required: false, schema }
}

const matchHeader = (verb: Verb): Json | undefined => {
  const field = matchField(verb)
  if (field === undefined) return undefined
  const description = `The ETag that the change was made from; the same as ${field}`
  return { name: 'If-Match', in: 'header', required: false, description, schema: { type: 'string' } }
}

const parametersOf = (verb: Verb): readonly Json[] => {
  const paths = pathFields(verb)
  const ours = ownFields(verb)
  const parameters = Object.entries(fieldsOf(verb)).flatMap(([name, schema]): Json[] => {
    const inPath = paths.includes(name)
    if (ours.includes(name) || (!inPath && hasJsonBody(verb))) return []
    const { description, ...rest } = schema
    const place = inPath ? { in: 'path', required: true } : { in: 'query', required: isRequired(verb, name) }
    return [{ name, ...place, ...(description === undefined ? {} : { description }), schema: rest }]
  })
  return [...parameters, formatField(verb), matchHeader(verb)].filter((one) => one !== undefined)
}

const fileTypes = ['text/csv', 'application/json', 'application/vnd.apache.parquet', 'application/octet-stream']
const file = { schema: { type: 'string', format: 'binary' } }

const bodyOf = (verb: Verb): Json | undefined => {
  if (verb.http.upload !== undefined)
    return {
      required: isRequired(verb, verb.http.upload),
      content: Object.fromEntries(fileTypes.map((type) => [type, file])),
    }
  if (!hasJsonBody(verb)) return undefined
  const paths = pathFields(verb)
  const fields = Object.entries(fieldsOf(verb)).filter(([name]) => !paths.includes(name))
  if (fields.length === 0) return undefined
  const required = fields.map(([name]) => name).filter((name) => isRequired(verb, name))
  const schema = { type: 'object', properties: Object.fromEntries(fields), required, additionalProperties: false }
  return { required: required.length > 0, content: { 'application/json': { schema } } }
}

const answerOf = (verb: Verb): Json => {
  const { $schema: _, ...plain } = z.toJSONSchema(verb.output, { io: 'output', unrepresentable: 'any' }) as Json
  return plain
}

/** Headers that come beside an answer: what a file holds, or the revision for `If-Match`. */
const headersOf = (verb: Verb): Json => {
  const told = Object.entries((answerOf(verb)['properties'] ?? {}) as Readonly<Record<string, Json>>)
  if (verb.http.download !== undefined)
    return Object.fromEntries(
      told.flatMap(([name, { description, ...schema }]) =>
        schema['type'] === 'array' ? [] : [[fileHeader(name), { ...(description ? { description } : {}), schema }]],
      ),
    )
  const header = headers[verb.name]
  if (header !== undefined) return { [header.name]: { description: header.describes, schema: { type: 'string' } } }
  return told.some(([name, { type }]) => isRevision(name, type))
    ? { ETag: { description: 'For If-Match', schema: { type: 'string' } } }
    : {}
}

const contentOf = (verb: Verb): Json => {
  if (verb.http.download !== undefined)
    return Object.fromEntries(['text/csv', 'application/octet-stream'].map((type) => [type, file]))
  const plain = answerOf(verb)
  const others = Object.values(forms[verb.name] ?? {}).map(({ media }) => [
    media.split(';')[0] ?? media,
    { schema: { type: 'string' } },
  ])
  return { 'application/json': { schema: plain }, ...Object.fromEntries(others) }
}

const failure = (description: string): Json => ({
  description,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
})

const operationOf = (verb: Verb): Json => {
  const body = bodyOf(verb)
  return {
    operationId: nameOf(verb),
    summary: verb.name,
    description: verb.describes,
    tags: [verb.http.path.split('/')[2]],
    'x-access': verb.access,
    parameters: parametersOf(verb),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: {
      200: { description: 'The answer', headers: headersOf(verb), content: contentOf(verb) },
      401: failure('No token that is in force'),
      ...(verb.access === 'admin' ? { 403: failure('A team’s token: this needs an administrator’s') } : {}),
      default: failure('Something else is wrong; `code` says what, `fields` where'),
    },
  }
}

const errorSchema: Json = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', enum: Object.keys(codes) },
        message: { type: 'string', description: 'What is wrong, which, and what to do' },
        fields: {
          type: 'array',
          description: 'Every wrong field of the input',
          items: {
            type: 'object',
            required: ['field', 'message'],
            properties: { field: { type: 'string' }, message: { type: 'string' } },
          },
        },
      },
    },
  },
}

const healthSchema: Json = {
  type: 'object',
  required: ['status'],
  properties: { status: { const: 'ok' } },
  additionalProperties: false,
}

/** The OpenAPI 3.1 document of the console, from the verbs themselves. */
export const documentOf = (verbs: readonly Verb[], version: string): Json => {
  const paths: Record<string, Record<string, Json>> = {
    '/health': {
      get: {
        operationId: 'getHealth',
        summary: 'health',
        description: 'Is the console there? The only answer that needs no token.',
        tags: ['health'],
        security: [],
        responses: {
          200: { description: 'It is', content: { 'application/json': { schema: healthSchema } } },
        },
      },
    },
  }
  for (const verb of verbs) {
    const { path, method } = verb.http
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(verb) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Weir console',
      version,
      description:
        'What the command line asks and does, by HTTP. Money is decimal US dollars as text, times are µs since the epoch (UTC).',
    },
    servers: [{ url: '/', description: 'Where this document was asked for' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'weir console token create' } },
      schemas: { Error: errorSchema },
    },
  }
}
