import type { BodyFields, CacheTtl, Role } from '../core/prompt.ts'
import { countOf } from './framing/counts.ts'
import { type Dialect, editorOf } from './framing/editing.ts'
import { asList, asRecord, asText, at, type JsonRecord, jsonText, named } from './framing/json.ts'
import { textOf } from './framing/parts.ts'
import { type Anatomy, type Path, records, type Spot, type Standing } from './framing/spots.ts'
import { chatMessages } from './openai-request.ts'

type Own = Spot['block']

/** The member that marks the end of a prefix, in chat and Responses alike. */
const BREAKPOINT = 'prompt_cache_breakpoint'
export const openaiMark: NonNullable<Dialect['mark']> = () => ({ name: BREAKPOINT, value: { mode: 'explicit' } })
export const MOST_OPENAI_MARKS = 4

const ttls = new Set<unknown>(['5m', '30m', '1h', '12h', '24h'])
const isTtl = (value: unknown): value is CacheTtl => ttls.has(value)

/** What chat and Responses say of the cache in the same words. */
export const cacheFields = (json: unknown): BodyFields => {
  const key = asText(at(json, 'prompt_cache_key'))
  const ttl = at(json, 'prompt_cache_options', 'ttl') ?? at(json, 'prompt_cache_retention')
  const only = at(json, 'prompt_cache_options', 'mode') === 'explicit'
  return {
    ...(key === undefined ? {} : { cache_key: key }),
    ...(isTtl(ttl) ? { cache_ttl: ttl } : {}),
    ...(only ? { marks_only: true } : {}),
  }
}

/** Where the cache's fields are written. 24 hours are the older models' word, the other TTLs the newer ones'. */
export const cacheSettings = ({ cache_key, cache_ttl, marks_only }: BodyFields) => [
  ...(cache_key === undefined ? [] : [{ path: ['prompt_cache_key'], value: cache_key }]),
  ...(cache_ttl === '24h' ? [{ path: ['prompt_cache_retention'], value: '24h' }] : []),
  ...(cache_ttl === '30m' || cache_ttl === '12h' ? [{ path: ['prompt_cache_options', 'ttl'], value: cache_ttl }] : []),
  ...(marks_only === true ? [{ path: ['prompt_cache_options', 'mode'], value: 'explicit' }] : []),
]

export const temperatureOf = (json: unknown): number | undefined => countOf(at(json, 'temperature'))

/** A content part of a message: text of any kind, or media. */
const itemForm = (item: JsonRecord): Own['form'] => {
  if (typeof item['text'] === 'string') return 'text'
  return /image|audio|file/.test(asText(item['type']) ?? '') ? 'media' : 'other'
}

/** The same block with another text. Written out, since copying with exceptions is slow and every message comes by here. */
const bareSpot = (text: string, path: Path, home: Path, own: Own): Spot => {
  const { part, form, role, message, removable, markable, tool_call } = own
  const isText = text !== ''
  const block: { -readonly [name in keyof Own]: Own[name] } = {
    part,
    kind: 'history',
    form,
    role,
    message,
    text,
    replaceable: isText,
    removable,
    markable: markable && isText,
  }
  if (tool_call !== undefined) block.tool_call = tool_call
  return { block, text: path, home, bare: true }
}

/** The spots of a content that is a string or a list of parts, as blocks that share one part of the reading. */
export const contentSpots = (content: unknown, path: Path, home: Path, own: Own): Spot[] => {
  if (typeof content === 'string') return [bareSpot(content, path, home, own)]
  if (!Array.isArray(content)) return []
  return records(content).map(({ record, at: index }): Spot => {
    const form = itemForm(record)
    const place = [...path, index]
    const text = textOf(record)
    const marked = record[BREAKPOINT] === undefined || record[BREAKPOINT] === null ? {} : { mark: '30m' as const }
    const block: Own = {
      ...own,
      ...marked,
      text,
      form: own.form === 'text' ? form : own.form,
      replaceable: form === 'text' && text !== '',
      removable: own.removable && (form === 'text' || form === 'media'),
      markable: own.markable && form !== 'other' && (form !== 'text' || text !== ''),
    }
    return form === 'text' ? { block, text: [...place, 'text'], home: place } : { block, home: place }
  })
}

const nameOf = (tool: unknown): string | undefined => asText(at(tool, 'function', 'name')) ?? asText(at(tool, 'name'))

/** Names of the tools that a choice is of: the one that must be called, or those that may be. */
const chosenIn = (choice: unknown): readonly (string | undefined)[] => [
  nameOf(choice),
  ...asList(at(choice, 'tools') ?? at(choice, 'allowed_tools', 'tools')).map(nameOf),
]

/** Tools as blocks of the first part. A tool that the choice names stays: without it the API refuses the choice. */
export const toolSpots = (tools: unknown, list: string, choice: unknown): Spot[] => {
  const chosen = chosenIn(choice)
  return records(tools).map(({ record, at: index }): Spot => {
    const name = nameOf(record)
    const block: Own = {
      part: 0,
      form: 'tool',
      role: 'tools',
      message: -1,
      get text() {
        return jsonText(record)
      },
      replaceable: false,
      removable: name !== undefined && !chosen.includes(name),
      markable: false,
      ...(name === undefined ? {} : { name }),
    }
    return { block, home: [list, index] }
  })
}

const isGiven = (tools: unknown): boolean => asList(tools).length > 0 || asRecord(tools) !== undefined

/** How many parts of the reading the definitions of tools and the schema take (`definitionParts`). */
export const definitionCount = (tools: unknown, format: unknown): number =>
  (isGiven(tools) ? 1 : 0) + (asRecord(at(format, 'json_schema') ?? at(format, 'schema')) ? 1 : 0)

/** The calls of a message, with their places: those of tools, or the one of a function as older clients have it. */
const callsIn = (message: JsonRecord, home: Path) => {
  const older = asRecord(message['function_call'])
  const calls = records(message['tool_calls']).map(({ record, at: nth }) => ({
    called: asRecord(record['function']) ?? asRecord(record['custom']),
    id: asText(record['id']),
    place: [...home, 'tool_calls', nth],
  }))
  return older ? [...calls, { called: older, id: undefined, place: [...home, 'function_call'] }] : calls
}

const callSpots = (message: JsonRecord, home: Path, { part, role, message: index }: Own): Spot[] =>
  callsIn(message, home).map(({ called, id, place }): Spot => {
    const name = asText(called?.['name'])
    const block: { -readonly [name in keyof Own]: Own[name] } = {
      part,
      kind: 'history',
      form: 'tool-call',
      role,
      message: index,
      text: `${name ?? ''}${asText(called?.['arguments'] ?? called?.['input']) ?? ''}`,
      replaceable: false,
      removable: false,
      markable: false,
    }
    if (id !== undefined) block.tool_call = id
    if (name !== undefined) block.name = name
    return { block, home: place }
  })

const roles: Readonly<Record<string, Role>> = {
  system: 'system',
  developer: 'system',
  assistant: 'assistant',
  tool: 'tool',
  function: 'tool',
}

const messageSpots = (message: JsonRecord, { message: index, part, inside }: Standing): Spot[] => {
  const role = named(roles, message['role']) ?? 'user'
  const home = ['messages', index]
  const id = asText(message['tool_call_id'])
  const calls = asList(message['tool_calls']).length > 0 || message['function_call'] !== undefined
  const own: { -readonly [name in keyof Own]: Own[name] } = {
    part,
    form: role === 'tool' ? 'tool-result' : 'text',
    role,
    message: role === 'system' ? -1 : index,
    text: '',
    replaceable: false,
    removable: inside && role !== 'system' && role !== 'tool' && !calls,
    markable: role !== 'assistant' || !calls,
  }
  if (id !== undefined) own.tool_call = id
  const found = contentSpots(message['content'], ['messages', index, 'content'], home, own)
  return calls ? found.concat(callSpots(message, home, own)) : found
}

/** Has a message no text that would be a part of the reading? */
const isEmpty = (message: JsonRecord): boolean => {
  const { content } = message
  if (typeof content === 'string' && content !== '') return false
  return chatMessages([message])[0]?.text === ''
}

/** Blocks in the order of the parts: tools, the schema, then every message with a text is one part. */
const anatomy = (json: unknown): Anatomy => {
  const body = asRecord(json) ?? {}
  return {
    list: body['messages'],
    head() {
      const list = body['tools'] === undefined ? 'functions' : 'tools'
      const choice = body[list === 'tools' ? 'tool_choice' : 'function_call']
      const parts = definitionCount(body[list], body['response_format'])
      return { spots: toolSpots(body[list], list, choice), parts }
    },
    message(record, standing) {
      const empty = isEmpty(record)
      return { spots: messageSpots(record, empty ? { ...standing, part: -1 } : standing), parts: empty ? 0 : 1 }
    },
  }
}

const fields = (json: unknown): BodyFields => {
  const most = countOf(at(json, 'max_completion_tokens')) ?? countOf(at(json, 'max_tokens'))
  const schema = at(json, 'response_format', 'json_schema', 'schema')
  return {
    ...(most === undefined ? {} : { max_output_tokens: most }),
    ...(schema === undefined ? {} : { response_schema: schema }),
    ...cacheFields(json),
  }
}

/** OpenAI's reasoning models take only the newer name; many servers that speak the wire know only the older. */
const maximumName = (json: unknown): string => {
  if (at(json, 'max_completion_tokens') !== undefined) return 'max_completion_tokens'
  if (at(json, 'max_tokens') !== undefined) return 'max_tokens'
  return /^(o\d|gpt-[5-9])/.test(asText(at(json, 'model')) ?? '') ? 'max_completion_tokens' : 'max_tokens'
}

/** The first choice's text, whole or the piece that an event adds. */
const said = (json: unknown): string => {
  const choice = asRecord(asList(at(json, 'choices'))[0])
  return asText(at(choice, 'message', 'content')) ?? asText(at(choice, 'delta', 'content')) ?? ''
}

/** Chat completions: messages are parts of the reading, and what is in them are blocks. */
export const chatEditor = editorOf({
  list: 'messages',
  anatomy,
  fields,
  said,
  temperature: temperatureOf,
  most_marks: MOST_OPENAI_MARKS,
  mark: openaiMark,
  listed: '{"type":"text","text":%}',
  set: (json, given) => [
    ...(given.max_output_tokens === undefined ? [] : [{ path: [maximumName(json)], value: given.max_output_tokens }]),
    ...(given.response_schema === undefined
      ? []
      : [
          {
            path: ['response_format'],
            value: {
              type: 'json_schema',
              json_schema: { name: 'answer', strict: true, schema: given.response_schema },
            },
          },
        ]),
    ...cacheSettings(given),
  ],
  emptied: (list) => {
    if (list[0] === 'tools') return [['tools'], ['tool_choice'], ['parallel_tool_calls']]
    if (list[0] === 'functions') return [['functions'], ['function_call']]
    return list.length === 3 && list[0] === 'messages' ? [list.slice(0, 2)] : []
  },
})
