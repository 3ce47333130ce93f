import { type Json, list, number, record, text } from '../json.ts'
import { findModel, type Model } from '../models.ts'
import { mediaBlock, textBlock } from '../prompt.ts'
import { type Ask, type Block, type Exchange, Refusal, type Tool } from '../types.ts'

/** `/models/{model}:{method}` */
export const pathOf = (path: string): { model: string; method: string } => {
  const [, model = '', method = ''] = /^\/models\/([^/:]+):(\w+)$/.exec(path) ?? []
  return { model: decodeURIComponent(model), method }
}

export const askedModel = (exchange: Exchange): Model => {
  const { model: id } = pathOf(exchange.path)
  const model = findModel('google', id)
  if (model) return model
  throw new Refusal(
    404,
    `models/${id} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`,
  )
}

const partText = (part: Json): string | undefined => text(part['text'])

const partBlock = (slot: Block['part'], role: string, value: unknown, framing: number): Block => {
  const part = record(value)
  const media = record(part['inlineData'] ?? part['inline_data'] ?? part['fileData'] ?? part['file_data'])
  const kind = text(media['mimeType'] ?? media['mime_type']) ?? ''
  const content = text(media['data']) ?? text(media['fileUri']) ?? ''
  if (kind.startsWith('image/')) return mediaBlock('image', content, 258)
  if (kind.startsWith('audio/')) return mediaBlock('audio', content, Math.max(32, Math.round(content.length / 500)))
  return textBlock(slot, role, partText(part) ?? JSON.stringify(part), { framing })
}

export const contentBlocks = (slot: Block['part'], value: unknown): Block[] => {
  const content = record(value)
  const role = text(content['role']) ?? 'user'
  return list(content['parts']).map((part, i) => partBlock(slot, role, part, i === 0 ? 1 : 0))
}

/** `contents` may be a list, one content, or (from some SDKs) absent. */
export const contentsOf = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.map(record) : value ? [record(value)] : []

const declared = (json: Json): readonly Json[] =>
  list(json['tools']).flatMap((tool) =>
    list(record(tool)['functionDeclarations'] ?? record(tool)['function_declarations']).map(record),
  )

const toolOf = (declaration: Json): Tool[] => {
  const name = text(declaration['name'])
  const schema = record(declaration['parametersJsonSchema'] ?? declaration['parameters'])
  return name === undefined ? [] : [{ name, schema }]
}

const choiceOf = (json: Json): Ask['tool_choice'] => {
  const config = record(record(json['toolConfig'])['functionCallingConfig'])
  if (config['mode'] === 'NONE') return 'none'
  if (config['mode'] !== 'ANY') return 'auto'
  const names = list(config['allowedFunctionNames'])
  return names.length === 1 && typeof names[0] === 'string' ? { name: names[0] } : 'required'
}

const isPerson = (content: Json): boolean =>
  content['role'] !== 'model' && list(content['parts']).some((part) => record(part)['functionResponse'] === undefined)

const textOf = (content: Json | undefined): string =>
  list(content?.['parts'])
    .map((part) => partText(record(part)) ?? '')
    .join('\n')

const thinking = (config: Json): Partial<Pick<Ask, 'reasoning_budget' | 'effort'>> => {
  const wanted = record(config['thinkingConfig'])
  const budget = number(wanted['thinkingBudget'])
  const level = text(wanted['thinkingLevel'])
  return {
    ...(budget !== undefined && budget >= 0 && { reasoning_budget: budget }),
    ...(level !== undefined && { effort: level.toLowerCase() }),
  }
}

const schemaOf = (config: Json): Json | undefined => {
  const schema = config['responseJsonSchema'] ?? config['responseSchema']
  if (schema !== undefined) return record(schema)
  if (config['responseMimeType'] !== 'application/json') return undefined
  return { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] }
}

/** Reads a generateContent request. Throws Refusal where the API would. */
export const readGenerate = (exchange: Exchange): Ask => {
  const { json } = exchange
  const model = askedModel(exchange)
  const contents = contentsOf(json['contents'])
  if (contents.length === 0) throw new Refusal(400, '* GenerateContentRequest.contents: contents is not specified\n')
  const config = record(json['generationConfig'])
  const tools = declared(json)
  const system = json['systemInstruction'] ?? json['system_instruction']
  const people = contents.filter(isPerson)
  const rounds = contents
    .slice(contents.findLastIndex(isPerson) + 1)
    .filter((content) => content['role'] !== 'model').length
  const schema = schemaOf(config)
  const max_output = number(config['maxOutputTokens'])
  return {
    model,
    blocks: [
      ...tools.map((tool) => textBlock('tools', 'tool', JSON.stringify(tool), { framing: 4 })),
      ...(system === undefined ? [] : contentBlocks('system', system)),
      ...contents.flatMap((content) => contentBlocks('messages', content)),
    ],
    tools: tools.flatMap(toolOf),
    tool_choice: choiceOf(json),
    parallel: true,
    stop: list(config['stopSequences']).filter((stop) => typeof stop === 'string'),
    opening: textOf(people[0]),
    latest: textOf(people.at(-1)),
    rounds,
    ...thinking(config),
    ...(schema && { schema }),
    ...(max_output !== undefined && { max_output }),
  }
}
