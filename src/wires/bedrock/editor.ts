import type { BodyFields, CacheTtl, Role } from '../../core/prompt.ts'
import { countOf } from '../framing/counts.ts'
import { editorOf } from '../framing/editing.ts'
import { asList, asRecord, asText, at, type JsonRecord, jsonText } from '../framing/json.ts'
import { type Anatomy, type Path, records, type Spot } from '../framing/spots.ts'
import { blockText, roleOf, textOf } from './converse-request.ts'

type Own = Spot['block']

const MOST_MARKS = 4

const isPoint = (block: unknown): boolean => asRecord(block)?.['cachePoint'] !== undefined

/** The mark after an element: Converse closes a prefix by an element of its own. */
const markAfter = (list: unknown, index: number): { mark?: CacheTtl } => {
  const next = asRecord(asList(list)[index + 1])
  if (!isPoint(next)) return {}
  return { mark: at(next, 'cachePoint', 'ttl') === '1h' ? '1h' : '5m' }
}

const formOf = (block: JsonRecord): Own['form'] => {
  if (typeof block['text'] === 'string') return 'text'
  if ('toolUse' in block) return 'tool-call'
  if ('toolResult' in block) return 'tool-result'
  return ['image', 'document', 'video', 'audio'].some((name) => name in block) ? 'media' : 'other'
}

/** The texts of a tool's result, each its own block; the last of them takes the mark. */
const resultSpots = (block: JsonRecord, home: Path, own: Own): Spot[] => {
  const inner = records(at(block, 'toolResult', 'content'))
  if (inner.length === 0) return [{ block: own, home }]
  return inner.map(({ record, at: index }, nth): Spot => {
    const last = nth === inner.length - 1
    const { mark: _, ...plain } = own
    const shown = { ...(last ? own : plain), markable: own.markable && last }
    const text = record['text']
    if (typeof text !== 'string')
      return { block: { ...shown, text: 'json' in record ? jsonText(record['json']) : '' }, home }
    const path = [...home, 'toolResult', 'content', index, 'text']
    return { block: { ...shown, text, replaceable: text !== '' }, text: path, home }
  })
}

type Setting = Readonly<{ part: number; role: Role; message: number; removable: boolean }>

const called = (block: JsonRecord): Pick<Own, 'name' | 'tool_call'> => {
  const id = asText(at(block, 'toolUse', 'toolUseId')) ?? asText(at(block, 'toolResult', 'toolUseId'))
  const name = asText(at(block, 'toolUse', 'name'))
  return { ...(name === undefined ? {} : { name }), ...(id === undefined ? {} : { tool_call: id }) }
}

const blockSpots = (list: unknown, path: Path, given: Setting): Spot[] =>
  records(list).flatMap(({ record, at: index }): Spot[] => {
    if (isPoint(record)) return []
    const form = formOf(record)
    const home = [...path, index]
    const text = blockText(record)
    const plain = form === 'text' || form === 'media'
    const block: Own = {
      part: given.part,
      form,
      role: form === 'tool-result' ? 'tool' : given.role,
      message: given.message,
      text,
      replaceable: form === 'text' && text !== '',
      removable: given.removable && plain && !isPoint(asList(list)[index + 1]),
      markable: text !== '' && !('reasoningContent' in record),
      ...called(record),
      ...markAfter(list, index),
    }
    if (form === 'tool-result') return resultSpots(record, home, block)
    return [form === 'text' ? { block, text: [...home, 'text'], home } : { block, home }]
  })

const toolSpots = (body: JsonRecord): Spot[] => {
  const forced = asText(at(body, 'toolConfig', 'toolChoice', 'tool', 'name'))
  const list = at(body, 'toolConfig', 'tools')
  return records(list)
    .filter(({ record }) => !isPoint(record))
    .map(({ record, at: index }): Spot => {
      const name = asText(at(record, 'toolSpec', 'name'))
      const free = name !== undefined && name !== forced && !isPoint(asList(list)[index + 1])
      const tool = { part: 0, form: 'tool', role: 'tools', message: -1, replaceable: false, markable: true } as const
      const named = name === undefined ? {} : { name }
      const block: Own = { ...tool, text: jsonText(record), removable: free, ...named, ...markAfter(list, index) }
      return { block, home: ['toolConfig', 'tools', index] }
    })
}

/** Blocks in the order of the parts: tools, the system texts together, then every message with a text is one. */
const anatomy = (json: unknown): Anatomy => {
  const body = asRecord(json) ?? {}
  return {
    list: body['messages'],
    head() {
      const tools = toolSpots(body)
      const part = tools.length > 0 ? 1 : 0
      if (textOf(body['system']) === '') return { spots: tools, parts: part }
      const given = { part, role: 'system', message: -1, removable: false } as const
      return { spots: [...tools, ...blockSpots(body['system'], ['system'], given)], parts: part + 1 }
    },
    message(record, { message, part, inside }) {
      const empty = textOf(record['content']) === ''
      const role = roleOf(record) === 'assistant' ? 'assistant' : 'user'
      // A message of the model's must not end in a thought, so what stands beside one stays.
      const removable = inside && !records(record['content']).some((one) => 'reasoningContent' in one.record)
      const given = { part: empty ? -1 : part, role, message, removable } as const
      return { spots: blockSpots(record['content'], ['messages', message, 'content'], given), parts: empty ? 0 : 1 }
    },
  }
}

const fields = (json: unknown): BodyFields => {
  const most = countOf(at(json, 'inferenceConfig', 'maxTokens'))
  return most === undefined ? {} : { max_output_tokens: most }
}

/** A streamed answer is binary frames, which are not read here. */
const said = (json: unknown): string =>
  asList(at(json, 'output', 'message', 'content'))
    .map((block) => asText(at(block, 'text')) ?? '')
    .join('')

/** Converse (https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html). */
export const converseEditor = editorOf({
  list: 'messages',
  anatomy,
  fields,
  said,
  temperature: (json) => countOf(at(json, 'inferenceConfig', 'temperature')),
  most_marks: MOST_MARKS,
  mark: (ttl) => ({ name: 'cachePoint', value: { type: 'default', ...(ttl === '1h' ? { ttl } : {}) }, after: true }),
  set: (_, { max_output_tokens }) =>
    max_output_tokens === undefined ? [] : [{ path: ['inferenceConfig', 'maxTokens'], value: max_output_tokens }],
  emptied: (list) => {
    if (list[0] === 'toolConfig') return [['toolConfig']]
    return list.length === 3 && list[0] === 'messages' ? [list.slice(0, 2)] : []
  },
})
