import type { BodyFields, Role } from '../core/prompt.ts'
import { countOf } from './framing/counts.ts'
import { editorOf } from './framing/editing.ts'
import { asList, asRecord, asText, at, type JsonRecord, named } from './framing/json.ts'
import { textOf } from './framing/parts.ts'
import type { Anatomy, Path, Spot } from './framing/spots.ts'
import {
  cacheFields,
  cacheSettings,
  contentSpots,
  definitionCount,
  MOST_OPENAI_MARKS,
  openaiMark,
  temperatureOf,
  toolSpots,
} from './openai-editor.ts'

type Own = Spot['block']

const roles: Readonly<Record<string, Role>> = { system: 'system', developer: 'system', assistant: 'assistant' }

const plain = (part: number, role: Role, message: number): Own => ({
  part,
  form: 'text',
  role,
  message,
  text: '',
  replaceable: false,
  removable: false,
  markable: false,
})

const outputSpots = (item: JsonRecord, home: Path, own: Own): Spot[] => {
  const id = asText(item['call_id'])
  const block: Own = { ...own, form: 'tool-result', role: 'tool', ...(id === undefined ? {} : { tool_call: id }) }
  const { output } = item
  if (typeof output !== 'string') return contentSpots(output, [...home, 'output'], home, block)
  return [{ block: { ...block, text: output, replaceable: output !== '' }, text: [...home, 'output'], home }]
}

const itemSpots = (item: JsonRecord, home: Path, own: Own, inside: boolean): Spot[] => {
  const type = asText(item['type']) ?? 'message'
  if (type.endsWith('_call_output')) return outputSpots(item, home, own)
  if (type === 'message') {
    const role = named(roles, item['role']) ?? 'user'
    const taken = { ...own, role, removable: inside && role !== 'system', markable: role !== 'assistant' }
    return contentSpots(item['content'], [...home, 'content'], home, taken)
  }
  const [name, id] = [asText(item['name']), asText(item['call_id'])]
  const block: Own = {
    ...own,
    form: type.endsWith('_call') ? 'tool-call' : 'other',
    role: 'assistant',
    text: textOf(item),
    ...(name === undefined ? {} : { name }),
    ...(id === undefined ? {} : { tool_call: id }),
  }
  return [{ block, home }]
}

const messageText = (item: JsonRecord): string =>
  (asText(item['type']) ?? 'message') === 'message' ? textOf(item['content']) : textOf(item)

/** Blocks in the order of the parts: tools, schema, instructions, then every item with a text is one. */
const anatomy = (json: unknown): Anatomy => {
  const body = asRecord(json) ?? {}
  const { instructions, input } = body
  return {
    list: input,
    head() {
      const spots = toolSpots(body['tools'], 'tools', body['tool_choice'])
      let part = definitionCount(body['tools'], at(body, 'text', 'format'))
      if (typeof instructions === 'string' && instructions !== '') {
        const block: Own = { ...plain(part, 'system', -1), text: instructions, replaceable: true }
        spots.push({ block, text: ['instructions'], home: ['instructions'] })
        part += 1
      }
      if (typeof input !== 'string') return { spots, parts: part }
      const block: Own = { ...plain(input === '' ? -1 : part, 'user', 0), text: input, replaceable: input !== '' }
      return { spots: [...spots, { block, text: ['input'], home: ['input'] }], parts: part }
    },
    message(item, { message, part, inside }) {
      const empty = messageText(item) === ''
      const own = plain(empty ? -1 : part, 'user', message)
      // A reasoning item is refused without the item that it led to.
      const isLedTo = at(asList(input)[message - 1], 'type') === 'reasoning'
      return { spots: itemSpots(item, ['input', message], own, inside && !isLedTo), parts: empty ? 0 : 1 }
    },
  }
}

const fields = (json: unknown): BodyFields => {
  const most = countOf(at(json, 'max_output_tokens'))
  const schema = at(json, 'text', 'format', 'schema')
  return {
    ...(most === undefined ? {} : { max_output_tokens: most }),
    ...(schema === undefined ? {} : { response_schema: schema }),
    ...cacheFields(json),
  }
}

const said = (json: unknown): string => {
  if (at(json, 'type') === 'response.output_text.delta') return asText(at(json, 'delta')) ?? ''
  return asList(at(json, 'output'))
    .flatMap((item) => asList(at(item, 'content')))
    .map((part) => (at(part, 'type') === 'output_text' ? (asText(at(part, 'text')) ?? '') : ''))
    .join('')
}

/** Responses: an item of the input is a part of the reading. Instructions and a plain input take no mark. */
export const responsesEditor = editorOf({
  list: 'input',
  anatomy,
  fields,
  said,
  temperature: temperatureOf,
  most_marks: MOST_OPENAI_MARKS,
  mark: openaiMark,
  listed: '{"type":"input_text","text":%}',
  set: (_, given) => [
    ...(given.max_output_tokens === undefined ? [] : [{ path: ['max_output_tokens'], value: given.max_output_tokens }]),
    ...(given.response_schema === undefined
      ? []
      : [
          {
            path: ['text', 'format'],
            value: { type: 'json_schema', name: 'answer', strict: true, schema: given.response_schema },
          },
        ]),
    ...cacheSettings(given),
  ],
  emptied: (list) => {
    if (list[0] === 'tools') return [['tools'], ['tool_choice'], ['parallel_tool_calls']]
    return list.length === 3 && list[0] === 'input' ? [list.slice(0, 2)] : []
  },
})
