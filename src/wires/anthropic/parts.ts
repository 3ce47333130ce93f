import type { PartKind } from '../../core/prompt.ts'
import type { Part } from '../../core/wire.ts'
import { asList, asRecord, asText, at, type JsonRecord, jsonText, recordsOf } from '../framing/json.ts'
import { isMostly, isRetrieved, mediaText } from '../framing/parts.ts'

/** JSON without the cache marks, which move from call to call. */
export const unmarkedJson = (value: unknown): string => {
  const text = jsonText(value)
  if (!text.includes('"cache_control"')) return text
  try {
    return JSON.stringify(value, (key, inner) => (key === 'cache_control' && isMark(inner) ? undefined : inner))
  } catch {
    return text
  }
}

const isMark = (value: unknown) => value === null || asRecord(value)?.['type'] === 'ephemeral'

const sourceText = (block: JsonRecord, type: string, depth: number): string => {
  const source = asRecord(block['source'])
  const data = asText(source?.['data'])
  if (source?.['type'] === 'text' && data !== undefined) return data
  if (source?.['type'] === 'content') return contentText(source['content'], depth)
  if (data !== undefined) return mediaText(asText(source?.['media_type']) ?? type, data)
  return `[${type} ${asText(source?.['url']) ?? asText(source?.['file_id']) ?? ''}]`
}

/** Blocks in blocks (a result's content, a document's) that are read; the API knows two levels. */
const DEEPEST = 4

/** What the model reads of a content block. Signatures and cache marks are not part of it. */
export const blockText = (block: JsonRecord, depth = DEEPEST): string => {
  const type = asText(block['type']) ?? ''
  if (type === 'text') return asText(block['text']) ?? ''
  if (type === 'thinking') return asText(block['thinking']) ?? ''
  if (type === 'tool_result') return contentText(block['content'], depth)
  if (type === 'image' || type === 'document') return sourceText(block, type, depth)
  if (type.endsWith('tool_use')) return `${asText(block['name']) ?? ''}${unmarkedJson(block['input'])}`
  return unmarkedJson(block)
}

const contentText = (content: unknown, depth: number): string => {
  if (typeof content === 'string' || depth === 0) return typeof content === 'string' ? content : ''
  return recordsOf(content)
    .map((block) => blockText(block, depth - 1))
    .join('\n')
}

/** Examples that callers put between tags, as Anthropic's prompt guide recommends. */
const examples = /<(examples?)>/g

/** A text that is mostly examples counts as examples, one that is mostly retrieved as context. Blocks are never divided. */
const taggedKind = (text: string): PartKind | undefined => {
  if (isMostly(examples, text)) return 'examples'
  return isRetrieved(text) ? 'context' : undefined
}

const contextTypes = new Set(['tool_result', 'document', 'search_result'])

const newKind = (block: JsonRecord, text: string): PartKind => {
  const type = asText(block['type']) ?? ''
  if (contextTypes.has(type) || type.endsWith('tool_result')) return 'context'
  return taggedKind(text) ?? 'user'
}

/** A content as blocks: a plain string is one text block. */
const blocksOf = (content: unknown): readonly JsonRecord[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : recordsOf(content)

const systemParts = (system: unknown): Part[] =>
  blocksOf(system).map((block) => {
    const text = blockText(block)
    return { kind: isMostly(examples, text) ? 'examples' : 'system', text }
  })

/** `isNew`: it came after the last answer. */
const blockPart = (block: JsonRecord, role: unknown, isNew: boolean): Part => {
  const text = blockText(block)
  if (role === 'system') return { kind: 'system', text }
  if (isMostly(examples, text)) return { kind: 'examples', text }
  return { kind: isNew && role === 'user' ? newKind(block, text) : 'history', text }
}

const messageParts = (messages: readonly JsonRecord[]): Part[] => {
  const asked = messages.findLastIndex((message) => message['role'] === 'user')
  const answered = messages.findLastIndex((message, index) => message['role'] === 'assistant' && index < asked)
  const parts: Part[] = []
  for (const [index, message] of messages.entries())
    for (const block of blocksOf(message['content'])) parts.push(blockPart(block, message['role'], index > answered))
  return parts
}

/**
 * The prompt in the order in which Anthropic reads and caches it: tools, system, messages; every content block is a part,
 * because a block's end is where a cached prefix can end. The user's newest messages are `user`, tool results, documents
 * and retrieved text in them `context`; everything up to the last answer before them, and a prefilled answer, is `history`.
 */
export const promptParts = (body: JsonRecord): Part[] => {
  const tools = asList(body['tools'])
  const definitions: Part[] = tools.length === 0 ? [] : [{ kind: 'tools', text: unmarkedJson(tools) }]
  const schema = body['output_format'] ?? at(body, 'output_config', 'format')
  const format: Part[] = asRecord(schema) ? [{ kind: 'system', text: unmarkedJson(schema) }] : []
  const parts = [
    ...definitions,
    ...format,
    ...systemParts(body['system']),
    ...messageParts(recordsOf(body['messages'])),
  ]
  return parts.filter((part) => part.text !== '')
}

/** The TTL of a block's cache mark. */
export const ttlOf = (value: unknown): '5m' | '1h' | undefined => {
  const mark = asRecord(asRecord(value)?.['cache_control'])
  if (!mark) return undefined
  return mark['ttl'] === '1h' ? '1h' : '5m'
}

/** The TTL that the request's cache marks ask for: one hour only where every mark does; undefined without any mark. */
export const cacheTtl = (body: JsonRecord): '5m' | '1h' | undefined => {
  let found = ttlOf(body)
  const lists = [body['tools'], body['system']]
  for (const message of asList(body['messages'])) lists.push(asRecord(message)?.['content'])
  for (const list of lists) {
    for (const block of asList(list)) {
      if (found === '5m') return found
      found = ttlOf(block) ?? found
    }
  }
  return found
}
