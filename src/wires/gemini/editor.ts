import type { BodyFields, Role } from '../../core/prompt.ts'
import { unmarkedJson } from '../anthropic/parts.ts'
import { countOf } from '../framing/counts.ts'
import { editorOf } from '../framing/editing.ts'
import { asList, asRecord, asText, type JsonRecord } from '../framing/json.ts'
import { type Anatomy, type Path, records, type Spot } from '../framing/spots.ts'
import { field, partText } from './request.ts'

type Own = Spot['block']

/** The API takes camelCase and snake_case alike; the name that the body uses, or the first. */
const nameIn = (record: unknown, camel: string): string => {
  const snake = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return asRecord(record)?.[camel] === undefined && asRecord(record)?.[snake] !== undefined ? snake : camel
}

const formOf = (part: JsonRecord): Own['form'] => {
  if (part['thought'] === true) return 'other'
  if (typeof part['text'] === 'string') return 'text'
  if (field(part, 'functionCall') !== undefined) return 'tool-call'
  if (field(part, 'functionResponse') !== undefined) return 'tool-result'
  return field(part, 'inlineData') !== undefined || field(part, 'fileData') !== undefined ? 'media' : 'other'
}

/** Thoughts are signed together with what they led to, so a part with a signature stays as it is. */
const isSigned = (part: JsonRecord): boolean => field(part, 'thoughtSignature') !== undefined

type Content = Readonly<{ role: Role; message: number; part: number; inside: boolean }>

const partSpot = (part: JsonRecord, home: Path, { role, message, part: number, inside }: Content): Spot => {
  const form = formOf(part)
  const text = partText(part)
  const called = field(part, 'functionCall') ?? field(part, 'functionResponse')
  const name = asText(asRecord(called)?.['name'])
  const free = !isSigned(part)
  const block: Own = {
    part: text === '' ? -1 : number,
    form,
    role: form === 'tool-result' ? 'tool' : role,
    message,
    text,
    replaceable: form === 'text' && text !== '' && free,
    removable: inside && free && (form === 'text' || form === 'media'),
    markable: false,
    ...(name === undefined ? {} : { name }),
  }
  return form === 'text' ? { block, text: [...home, 'text'], home } : { block, home }
}

/** The parts of a content, which may be a bare string, one part, or a list of them. */
const contentSpots = (content: unknown, path: Path, given: Content): Spot[] => {
  const { role, message, part } = given
  if (typeof content === 'string') {
    const block: Own = {
      part: content === '' ? -1 : part,
      form: 'text',
      role,
      message,
      text: content,
      replaceable: content !== '',
      removable: false,
      markable: false,
    }
    return [{ block, text: path, home: path }]
  }
  const parts = asRecord(content)?.['parts']
  const list = parts ?? content
  const place: Path = parts === undefined ? path : [...path, 'parts']
  if (!Array.isArray(list)) {
    const only = asRecord(list)
    return only ? [partSpot(only, place, { ...given, inside: false })] : []
  }
  let next = part
  return records(list).map(({ record, at: index }) => {
    const spot = partSpot(record, [...place, index], { ...given, part: next })
    if (spot.block.part >= 0) next += 1
    return spot
  })
}

/** Functions that the configuration allows by name: the API refuses a name that is not declared. */
const allowedIn = (body: JsonRecord): readonly unknown[] =>
  asList(field(field(field(body, 'toolConfig'), 'functionCallingConfig'), 'allowedFunctionNames'))

const declarationSpots = (body: JsonRecord): Spot[] => {
  const allowed = allowedIn(body)
  return records(body['tools']).flatMap(({ record, at: index }): Spot[] => {
    const list = nameIn(record, 'functionDeclarations')
    const tool = { part: 0, form: 'tool', role: 'tools', message: -1, replaceable: false, markable: false } as const
    const inner = records(record[list])
    if (inner.length === 0)
      return [{ block: { ...tool, text: unmarkedJson(record), removable: false }, home: ['tools', index] }]
    return inner.map(({ record: declared, at: nth }): Spot => {
      const name = asText(declared['name'])
      const named = name === undefined ? {} : { name }
      const removable = name !== undefined && !allowed.includes(name)
      const block: Own = { ...tool, text: unmarkedJson(declared), removable, ...named }
      return { block, home: ['tools', index, list, nth] }
    })
  })
}

const partsIn = (spots: readonly Spot[]): number => spots.filter(({ block }) => block.part >= 0).length

/** Blocks in the order of `promptParts`: tools, the schema, the system instruction, then each part of each content. */
const anatomy = (json: unknown): Anatomy => {
  const body = asRecord(json) ?? {}
  const { contents } = body
  const many = Array.isArray(contents)
  return {
    list: many ? contents : [contents],
    head() {
      const config = field(body, 'generationConfig')
      const schema = field(config, 'responseSchema') ?? field(config, 'responseJsonSchema')
      const declared = declarationSpots(body)
      const part = (asList(body['tools']).length > 0 ? 1 : 0) + (schema === undefined ? 0 : 1)
      const name = nameIn(body, 'systemInstruction')
      if (body[name] === undefined) return { spots: declared, parts: part }
      const system = contentSpots(body[name], [name], { role: 'system', message: -1, part, inside: false })
      return { spots: [...declared, ...system], parts: part + partsIn(system) }
    },
    message(record, standing) {
      const role = record['role'] === 'model' ? 'assistant' : 'user'
      const path = many ? ['contents', standing.message] : ['contents']
      const own = contentSpots(record, path, { ...standing, role })
      return { spots: own, parts: partsIn(own) }
    },
  }
}

const configPath = (json: unknown, name: string): Path => {
  const config = nameIn(json, 'generationConfig')
  return [config, nameIn(asRecord(json)?.[config], name)]
}

const fields = (json: unknown): BodyFields => {
  const config = field(json, 'generationConfig')
  const most = countOf(field(config, 'maxOutputTokens'))
  const schema = field(config, 'responseSchema') ?? field(config, 'responseJsonSchema')
  return {
    ...(most === undefined ? {} : { max_output_tokens: most }),
    ...(schema === undefined ? {} : { response_schema: schema }),
  }
}

/** The first candidate's text without its thoughts. A stream may come as one list of answers. */
const said = (json: unknown): string => {
  if (Array.isArray(json)) return json.map(said).join('')
  const candidate = asList(field(json, 'candidates'))[0]
  return asList(field(field(candidate, 'content'), 'parts'))
    .map((part) => (field(part, 'thought') === true ? '' : (asText(field(part, 'text')) ?? '')))
    .join('')
}

/** Gemini's generateContent. It caches by itself and knows no marks. */
export const generateEditor = editorOf({
  list: 'contents',
  anatomy,
  fields,
  said,
  temperature: (json) => countOf(field(field(json, 'generationConfig'), 'temperature')),
  most_marks: 0,
  set: (json, { max_output_tokens, response_schema }) => [
    ...(max_output_tokens === undefined
      ? []
      : [{ path: configPath(json, 'maxOutputTokens'), value: max_output_tokens }]),
    ...(response_schema === undefined
      ? []
      : [
          { path: configPath(json, 'responseMimeType'), value: 'application/json' },
          { path: configPath(json, 'responseJsonSchema'), value: response_schema },
        ]),
  ],
  emptied: (list) => {
    if (list[0] === 'tools') return list.length > 1 ? [list.slice(0, 2)] : [['tools'], ['toolConfig'], ['tool_config']]
    return list.length === 3 && list[0] === 'contents' ? [list.slice(0, 2)] : []
  },
})
