import { WeirError } from '../core/errors.ts'
import type { ServiceTier } from '../core/usage.ts'
import type { Edit, Part, Quirks, WireRequest } from '../core/wire.ts'
import { answersAsked } from './framing/answers-asked.ts'
import { largestCount } from './framing/counts.ts'
import { asRecord, asText, type JsonRecord, jsonText, named, recordsOf, unescaped } from './framing/json.ts'
import { inserting, locate, replacing } from './framing/json-bytes.ts'
import { isExample, type Message, partsOf, textOf, toolParts } from './framing/parts.ts'
import { tierOf } from './openai-usage.ts'

/** The body of a request as a record. Throws WeirError `malformed-json` or `bad-request` when it is none. */
export const jsonBody = (request: WireRequest): JsonRecord => {
  const body = asRecord(request.json)
  if (body) return body
  if (request.json === undefined)
    throw new WeirError('malformed-json', `The body of ${request.method} ${request.path} is not valid JSON.`)
  throw new WeirError('bad-request', `The body of ${request.method} ${request.path} must be a JSON object.`)
}

/** Azure's path names the deployment, which stands for the model: `/openai/deployments/{deployment}/…`. */
export const deploymentOf = (path: string): string | undefined => {
  if (!path.includes('/deployments/')) return undefined
  const name = /\/deployments\/([^/]+)\//.exec(path)?.[1]
  return name === undefined ? undefined : unescaped(name)
}

/** The model that a request asks for. The deployment counts before the body, as it does for Azure. */
export const modelAsked = (path: string, json: unknown): string | undefined =>
  deploymentOf(path) ?? asText(asRecord(json)?.['model'])

const wholePositive = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined

/** Most tokens that a call can produce: what is asked for each answer, times the answers. Of several names the largest counts: a server may know one only. */
export const maxOutput = (body: JsonRecord, ...names: readonly string[]): number | undefined => {
  const each = largestCount(...names.map((name) => wholePositive(body[name])))
  return each === undefined ? undefined : each * answersAsked(body)
}

export const tierAsked = (body: JsonRecord): ServiceTier | undefined => tierOf(body['service_tier'])

/** Tools and, as part of the system's text, the schema of the answer: the model reads both before the conversation. */
export const definitionParts = (body: JsonRecord, format: JsonRecord | undefined): readonly Part[] => {
  const schema = format?.['json_schema'] ?? format?.['schema']
  return [
    ...toolParts(body['tools'] ?? body['functions']),
    ...(asRecord(schema) ? partsOf('system', jsonText(schema)) : []),
  ]
}

const roles: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  developer: 'system',
  assistant: 'assistant',
  tool: 'tool',
  function: 'tool',
}

const callsOf = (message: JsonRecord): string => {
  if (message['tool_calls'] === undefined && message['function_call'] === undefined) return ''
  const calls = recordsOf(message['tool_calls']).map((call) => call['function'] ?? call['custom'])
  return [...calls, message['function_call']]
    .map((call) => asRecord(call))
    .filter((call) => call !== undefined)
    .map((call) => `${asText(call['name']) ?? ''}${asText(call['arguments'] ?? call['input']) ?? ''}`)
    .join('\n')
}

/** The messages of a chat request, reduced to what their parts depend on. */
export const chatMessages = (messages: unknown): readonly Message[] =>
  recordsOf(messages).map((message) => {
    const calls = callsOf(message)
    const text = textOf(message['content'])
    return {
      role: named(roles, message['role']) ?? 'user',
      text: calls === '' || text === '' ? text + calls : `${text}\n${calls}`,
      example: isExample(message),
    }
  })

const ASK = { include_usage: true }

const edit = (bytes: Uint8Array, options: unknown): Edit | undefined => {
  if (options === undefined) return inserting(bytes, 0, 'stream_options', ASK)
  const place = locate(bytes, ['stream_options'])
  if (!place) return undefined
  const given = asRecord(options)
  if (!given) return options === null ? replacing(place, ASK) : undefined
  if (!('include_usage' in given)) return inserting(bytes, place.value, 'include_usage', true)
  const flag = locate(bytes, ['stream_options', 'include_usage'])
  return flag && replacing(flag, true)
}

/**
 * The edit that makes a stream state its usage, and whether the answer must hide it again. Nothing is edited where the
 * client asked itself, where there is no stream, or where the server does not take `stream_options`.
 */
export const askForUsage = (
  request: WireRequest,
  body: JsonRecord,
  quirks: Quirks,
): Readonly<{ edits: readonly Edit[]; hide_usage: boolean }> => {
  const nothing = { edits: [], hide_usage: false }
  const asked = asRecord(body['stream_options'])?.['include_usage'] === true
  if (body['stream'] !== true || asked || quirks.no_stream_options) return nothing
  const made = edit(request.body, body['stream_options'])
  return made ? { edits: [made], hide_usage: true } : nothing
}
