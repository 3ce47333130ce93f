import type { BodyFields, Role } from '../../core/prompt.ts'
import { countOf } from '../framing/counts.ts'
import { editorOf } from '../framing/editing.ts'
import { asList, asRecord, asText, at, type JsonRecord } from '../framing/json.ts'
import { type Anatomy, type Path, records, type Spot } from '../framing/spots.ts'
import { blockText, ttlOf, unmarkedJson } from './parts.ts'

const MOST_MARKS = 4

/** Blocks that can take no mark, and that nobody may change. */
const untouchable = new Set(['thinking', 'redacted_thinking'])
const media = new Set(['image', 'document', 'container_upload'])

type Own = Spot['block']
type Setting = Readonly<{ role: Role; message: number; part: number; removable: boolean }>

type Draft = { -readonly [name in keyof Own]: Own[name] }

/** A block with the mark that the client placed on it. Blocks are made with all that every block has, and get the rest after. */
const withMark = (own: Draft, block: JsonRecord): Draft => {
  const mark = ttlOf(block)
  if (mark !== undefined) own.mark = mark
  return own
}

const formOf = (type: string): Own['form'] => {
  if (type === 'text') return 'text'
  // The provider's own tools and those of its MCP servers are called under other types.
  if (type.endsWith('tool_use')) return 'tool-call'
  if (type === 'tool_result') return 'tool-result'
  return media.has(type) ? 'media' : 'other'
}

/** A tool result's texts: a string, or one block for each text in it. The last of them can take the mark of the whole. */
const resultSpots = (block: JsonRecord, home: Path, own: Draft): Spot[] => {
  const { content } = block
  const id = asText(block['tool_use_id'])
  own.role = 'tool'
  if (id !== undefined) own.tool_call = id
  if (typeof content === 'string') {
    own.replaceable = true
    return [{ block: own, text: [...home, 'content'], home }]
  }
  const inner = records(content)
  if (inner.length === 0) return [{ block: own, home }]
  return inner.map(({ record, at: index }, nth): Spot => {
    const last = nth === inner.length - 1
    const { mark: _, ...plain } = own
    const bare = { ...(last ? own : plain), markable: own.markable && last, text: blockText(record) }
    const shown = last && own.mark !== undefined ? bare : withMark(bare, record)
    if (record['type'] !== 'text') return { block: { ...shown, form: 'media' }, home }
    return { block: { ...shown, replaceable: true }, text: [...home, 'content', index, 'text'], home }
  })
}

const blockSpots = (block: JsonRecord, home: Path, part: number, setting: Setting): Spot[] => {
  const type = asText(block['type']) ?? ''
  const text = blockText(block)
  const form = formOf(type)
  const { role, message, removable } = setting
  const own: Draft = {
    part: text === '' ? -1 : part,
    kind: 'history',
    form,
    role,
    message,
    text,
    replaceable: form === 'text' && text !== '',
    removable: removable && (form === 'text' || form === 'media'),
    markable: !untouchable.has(type) && text !== '',
  }
  withMark(own, block)
  if (form === 'text') return [{ block: own, text: [...home, 'text'], home }]
  if (form === 'tool-result') return resultSpots(block, home, own)
  if (form !== 'tool-call') return [{ block: own, home }]
  const [name, id] = [asText(block['name']), asText(block['id'])]
  if (id !== undefined) own.tool_call = id
  if (name !== undefined) own.name = name
  return [{ block: own, home }]
}

/** The blocks of a content: a plain string is one. */
const contentSpots = (content: unknown, path: Path, home: Path, setting: Setting): Spot[] => {
  if (typeof content === 'string') {
    const { part, role, message, removable } = setting
    const isText = content !== ''
    const block: Own = {
      part: isText ? part : -1,
      kind: 'history',
      form: 'text',
      role,
      message,
      text: content,
      replaceable: isText,
      removable,
      markable: isText,
    }
    return [{ block, text: path, home, bare: true }]
  }
  let next = setting.part
  const found: Spot[] = []
  for (const { record, at: index } of records(content)) {
    let isPart = false
    for (const spot of blockSpots(record, [...path, index], next, setting)) {
      found.push(spot)
      isPart ||= spot.block.part >= 0
    }
    if (isPart) next += 1
  }
  return found
}

/** How many parts of the reading these blocks are: those of one part lie together. */
const partsIn = (spots: readonly Spot[]): number => {
  let count = 0
  let last = -1
  for (const { block } of spots) {
    if (block.part < 0 || block.part === last) continue
    last = block.part
    count += 1
  }
  return count
}

const toolSpots = (body: JsonRecord): Spot[] => {
  const forced = asText(at(body, 'tool_choice', 'name'))
  return records(body['tools']).map(({ record, at: index }): Spot => {
    const name = asText(record['name'])
    // What is only loaded when it is searched for is no part of the prompt yet: nothing is saved without it.
    const isDeferred = record['defer_loading'] === true
    const block: Draft = {
      part: 0,
      form: 'tool',
      role: 'tools',
      message: -1,
      get text() {
        return unmarkedJson(record)
      },
      replaceable: false,
      removable: name !== undefined && name !== forced && !isDeferred && ttlOf(record) === undefined,
      markable: !isDeferred,
    }
    if (name !== undefined) block.name = name
    return { block: withMark(block, record), home: ['tools', index] }
  })
}

/** The API refuses a message of the model's that ends in a thought, so what stands beside one stays. */
const hasThought = (content: unknown): boolean =>
  records(content).some(({ record }) => untouchable.has(asText(record['type']) ?? ''))

const hasSchema = (body: JsonRecord): boolean =>
  asRecord(body['output_format'] ?? at(body, 'output_config', 'format')) !== undefined

/** Blocks in the order of `promptParts`: tools are one part together, the schema is one without a block, then each block is one. */
const anatomy = (json: unknown): Anatomy => {
  const body = asRecord(json) ?? {}
  return {
    list: body['messages'],
    head() {
      const part = (asList(body['tools']).length > 0 ? 1 : 0) + (hasSchema(body) ? 1 : 0)
      const given = { role: 'system', message: -1, part, removable: false } as const
      const system = contentSpots(body['system'], ['system'], ['system'], given)
      return { spots: [...toolSpots(body), ...system], parts: part + partsIn(system) }
    },
    message(record, { inside, ...standing }) {
      const role = record['role'] === 'assistant' ? 'assistant' : record['role'] === 'system' ? 'system' : 'user'
      const home = ['messages', standing.message]
      const { content } = record
      const removable = inside && !hasThought(content)
      const own = contentSpots(content, [...home, 'content'], home, { ...standing, role, removable })
      return { spots: own, parts: partsIn(own) }
    },
  }
}

const fields = (json: unknown): BodyFields => {
  const most = countOf(at(json, 'max_tokens'))
  const schema = at(json, 'output_config', 'format', 'schema') ?? at(json, 'output_format', 'schema')
  const ttl = ttlOf(json)
  return {
    ...(most === undefined ? {} : { max_output_tokens: most }),
    ...(ttl === undefined ? {} : { cache_ttl: ttl }),
    ...(schema === undefined ? {} : { response_schema: schema }),
  }
}

const said = (json: unknown): string => {
  if (at(json, 'type') === 'content_block_delta') return asText(at(json, 'delta', 'text')) ?? ''
  return asList(at(json, 'content'))
    .map((block) => (at(block, 'type') === 'text' ? (asText(at(block, 'text')) ?? '') : ''))
    .join('')
}

/** Anthropic's blocks and marks (https://docs.claude.com/en/docs/build-with-claude/prompt-caching). */
export const messagesEditor = editorOf({
  list: 'messages',
  anatomy,
  fields,
  said,
  temperature: (json) => {
    const given = at(json, 'temperature')
    return typeof given === 'number' ? given : undefined
  },
  most_marks: MOST_MARKS,
  mark: (ttl) => ({ name: 'cache_control', value: { type: 'ephemeral', ...(ttl === '1h' ? { ttl } : {}) } }),
  listed: '{"type":"text","text":%}',
  set: (json, { max_output_tokens, response_schema }) => [
    ...(max_output_tokens === undefined || max_output_tokens <= (countOf(at(json, 'thinking', 'budget_tokens')) ?? 0)
      ? []
      : [{ path: ['max_tokens'], value: max_output_tokens }]),
    ...(response_schema === undefined
      ? []
      : [{ path: ['output_config', 'format'], value: { type: 'json_schema', schema: response_schema } }]),
  ],
  emptied: (list) => {
    if (list[0] === 'tools') return [['tools'], ['tool_choice']]
    return list.length === 3 && list[0] === 'messages' ? [list.slice(0, 2)] : []
  },
})
