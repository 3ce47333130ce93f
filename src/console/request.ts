import type { Context as Exchange } from 'hono'
import { z } from 'zod'
import { WeirError } from '../core/errors.ts'
import type { Verb } from '../verbs/verb.ts'

type Schema = Readonly<{ type?: string; default?: unknown; description?: string }>

/** The fields of a verb's input as JSON Schema, by name. */
export const fieldsOf = (verb: Verb): Readonly<Record<string, Schema>> => {
  const schema = z.toJSONSchema(verb.input, { io: 'output', unrepresentable: 'any' })
  return (schema.properties ?? {}) as Record<string, Schema>
}

/** Names in the braces of a path. */
export const pathFields = ({ http }: Verb): readonly string[] =>
  [...http.path.matchAll(/\{(\w+)\}/g)].map(([, field = '']) => field)

/** Fields that are ours to fill in: where a file that was sent lies, or one to send is written. */
export const ownFields = ({ http }: Verb): readonly string[] =>
  [http.upload, http.download, ...(http.local ?? [])].filter((one) => one !== undefined)

/** Does the input come as a JSON body, rather than in the query? */
export const hasJsonBody = ({ http }: Verb): boolean =>
  http.method !== 'GET' && http.method !== 'DELETE' && http.upload === undefined

/** The header that says one thing of a file that is answered. */
export const fileHeader = (name: string): string => `x-weir-${name.replaceAll('_', '-')}`

/** The version of FOCUS is another thing, and a text. */
export const isRevision = (name: string, type: unknown): boolean =>
  type === 'integer' && (name === 'revision' || name === 'version')

/** The field that `If-Match` sets: the revision or version that a change was made from. */
export const matchField = (verb: Verb): string | undefined =>
  Object.entries(fieldsOf(verb)).find(([name, { type }]) => isRevision(name, type))?.[0]

const bodyOf = async (exchange: Exchange): Promise<Readonly<Record<string, unknown>>> => {
  const text = await exchange.req.text()
  if (text.trim() === '') return {}
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    throw new WeirError('malformed-json', 'the body is not JSON', { cause })
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  throw new WeirError('bad-input', 'the body is no JSON object: write {"field": value, …}', { field: 'the body' })
}

const queryOf = (exchange: Exchange, fields: Readonly<Record<string, Schema>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(exchange.req.queries()).map(([field, values]) => [
      field,
      fields[field]?.type === 'array' || values.length > 1 ? values : values[0],
    ]),
  )

/** `If-Match: "3"`; a proxy that packs answers makes it `W/"3"`. */
const matched = (exchange: Exchange, verb: Verb): Record<string, unknown> => {
  const header = exchange.req.header('if-match')
  const field = matchField(verb)
  return header === undefined || field === undefined ? {} : { [field]: header.replace(/^W\//, '').replaceAll('"', '') }
}

/** What a request says, for the verb to check: path, then body or query. Throws `malformed-json`, or `bad-input` for a field of ours. */
export const inputOf = async (exchange: Exchange, verb: Verb): Promise<Record<string, unknown>> => {
  const fields = fieldsOf(verb)
  const said: Record<string, unknown> = {
    ...matched(exchange, verb),
    ...(hasJsonBody(verb) ? await bodyOf(exchange) : queryOf(exchange, fields)),
  }
  const ours = ownFields(verb).find((field) => Object.hasOwn(said, field))
  if (ours !== undefined)
    throw new WeirError('bad-input', `${ours}: there is no such field; a file is sent as the body`, { field: ours })
  const named = exchange.req.param()
  const other = Object.entries(named).find(([field, value]) => (said[field] ?? value) !== value)?.[0]
  if (other !== undefined)
    throw new WeirError('bad-input', `${other}: the path says ${named[other]}; leave it out, or say the same`, {
      field: other,
    })
  return { ...said, ...named }
}
