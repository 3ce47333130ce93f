import { asRecord, asText, decode, type JsonRecord, parseJson } from './json.ts'
import { eventData } from './sse.ts'

/** Types of items that are calls of tools: Anthropic's and those of Responses. */
const CALL = /(tool_use|_call)$/
/** Members that hold a call: of chat, its older functions and custom tools, Gemini, Converse. */
const members = ['function', 'function_call', 'custom', 'functionCall', 'toolUse']
/** Responses repeat the definitions of tools; and what a call is given holds no call. */
const passed = new Set(['tools', 'arguments', 'input', 'args'])
/** In binary frames a call begins with an event of its own. */
const inFrames = /"toolUse"\s*:\s*\{[^{}]*?"name"\s*:\s*"([^"\\]+)"/g

const DEEPEST = 12

const nameOf = (record: JsonRecord): string | undefined =>
  CALL.test(asText(record['type']) ?? '') ? asText(record['name']) : undefined

const walk = (value: unknown, found: Set<string>, depth = DEEPEST): void => {
  if (typeof value !== 'object' || value === null || depth === 0) return
  const record = asRecord(value)
  const names = record ? [nameOf(record), ...members.map((member) => asText(asRecord(record[member])?.['name']))] : []
  for (const name of names) if (name !== undefined) found.add(name)
  for (const [member, inner] of Object.entries(value)) if (!passed.has(member)) walk(inner, found, depth - 1)
}

/** Names of the tools that an answer's bytes call, whole or streamed, on any wire. */
export const calledNames = (body: Uint8Array, content_type: string): ReadonlySet<string> => {
  const found = new Set<string>()
  if (content_type.includes('amazon.eventstream'))
    for (const [, name = ''] of decode(body).matchAll(inFrames)) found.add(name)
  else if (content_type.includes('event-stream')) for (const data of eventData(body) ?? []) walk(parseJson(data), found)
  else walk(parseJson(decode(body)), found)
  return found
}
