import { type Json, list, number, record, text } from '../json.ts'
import { findModel, type Model, openModel } from '../models.ts'
import { mediaBlock, textBlock } from '../prompt.ts'
import { type Ask, type Block, type Exchange, Refusal, type Tool } from '../types.ts'
import { checkCalls } from './pairing.ts'

const missing = (name: string): Refusal =>
  new Refusal(400, `Missing required parameter: '${name}'.`, { param: name, code: 'missing_required_parameter' })

/** The model asked for, in the body, in an Azure deployment's or in a Databricks endpoint's path. Throws Refusal 400 or 404. */
export const askedModel = (exchange: Exchange, kinds: readonly Model['kind'][]): Model => {
  const inPath =
    /\/deployments\/([^/]+)/.exec(exchange.base)?.[1] ?? /^\/([^/]+)\/invocations$/.exec(exchange.path)?.[1]
  const id = inPath ?? text(exchange.json['model'])
  if (id === undefined || id === '') throw missing('model')
  const strict = exchange.provider === 'openai' || exchange.provider === 'azure-openai'
  const model = strict ? findModel('openai', id) : openModel(id)
  if (!model) {
    throw new Refusal(404, `The model \`${id}\` does not exist or you do not have access to it.`, {
      code: 'model_not_found',
    })
  }
  if (strict && !kinds.includes(model.kind)) {
    throw new Refusal(404, 'This is not a chat model and thus not supported in the v1/chat/completions endpoint.', {
      param: 'model',
    })
  }
  return strict || !/^gpt-|^o\d/.test(id) ? model : { ...model, served: id }
}

const breakpointOf = (part: Json): '5m' | undefined =>
  part['prompt_cache_breakpoint'] === undefined ? undefined : '5m'

/** A content part; text, image, audio or file. The tokens of images and audio are stand-ins of a likely size. */
const partBlock = (slot: Block['part'], role: string, value: unknown, framing: number): Block => {
  const part = record(value)
  const breakpoint = breakpointOf(part)
  const image = record(part['image_url'])['url'] ?? part['image_url']
  if (typeof image === 'string') return mediaBlock('image', image, part['detail'] === 'low' ? 85 : 765, breakpoint)
  const audio = text(record(part['input_audio'])['data'])
  if (audio !== undefined) return mediaBlock('audio', audio, Math.max(8, Math.round(audio.length / 400)), breakpoint)
  const said = text(part['text']) ?? text(part['refusal']) ?? text(part['output']) ?? JSON.stringify(part)
  return textBlock(slot, role, said, { breakpoint, framing })
}

/** The blocks of one message: one for each content part. */
export const contentBlocks = (slot: Block['part'], role: string, content: unknown): Block[] => {
  if (typeof content === 'string') return [textBlock(slot, role, content)]
  return list(content).map((part, i) => partBlock(slot, role, part, i === 0 ? 4 : 0))
}

export const contentText = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : list(content)
        .map((part) => text(record(part)['text']) ?? '')
        .join('\n')

const messageBlocks = (message: Json, leading: boolean): Block[] => {
  const role = text(message['role']) ?? 'user'
  const slot = leading && (role === 'system' || role === 'developer') ? 'system' : 'messages'
  const blocks = contentBlocks(slot, role, message['content'])
  const calls = list(message['tool_calls'])
  return calls.length > 0 ? [...blocks, textBlock(slot, 'tool_calls', JSON.stringify(calls))] : blocks
}

export const toolBlocks = (tools: readonly unknown[]): Block[] =>
  tools.map((tool) => textBlock('tools', 'tool', JSON.stringify(tool), { framing: 7 }))

/** The schema asked for; an empty object where any JSON will do. */
const schemaOf = (format: Json): Json | undefined => {
  if (format['type'] === 'json_schema') return record(record(format['json_schema'])['schema'] ?? format['schema'])
  if (format['type'] !== 'json_object') return undefined
  return { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] }
}

export const toolChoice = (choice: unknown): Ask['tool_choice'] => {
  if (choice === 'none' || choice === 'required') return choice
  if (choice === 'any') return 'required'
  const name = text(record(record(choice)['function'])['name']) ?? text(record(choice)['name'])
  return name === undefined ? 'auto' : { name }
}

const stops = (value: unknown): string[] =>
  (typeof value === 'string' ? [value] : list(value)).filter((stop) => typeof stop === 'string')

const since = (messages: readonly Json[]): number => {
  const latest = messages.findLastIndex((message) => message['role'] === 'user')
  const after = messages.slice(latest + 1)
  // A round is one turn of the assistant with calls, however many calls it made in parallel.
  return after.filter((message) => list(message['tool_calls']).length > 0).length
}

const maxOutput = (body: Json, model: Model, provider: string): number | undefined => {
  const old = number(body['max_tokens'])
  if (old !== undefined && provider === 'openai' && model.reasons === 'by-default') {
    throw new Refusal(
      400,
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      { param: 'max_tokens', code: 'unsupported_parameter' },
    )
  }
  return number(body['max_completion_tokens']) ?? old
}

const functionTool = (value: unknown): Tool[] => {
  const tool = record(record(value)['function'])
  const name = text(tool['name'])
  return name === undefined ? [] : [{ name, schema: record(tool['parameters']) }]
}

/** Reads a chat completion request. Throws Refusal where the API would. */
export const readChat = (exchange: Exchange): Ask => {
  const { json } = exchange
  const model = askedModel(exchange, ['chat'])
  if (!Array.isArray(json['messages'])) throw missing('messages')
  const messages = json['messages'].map(record)
  if (messages.length === 0) {
    throw new Refusal(
      400,
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      {
        param: 'messages',
        code: 'empty_array',
      },
    )
  }
  checkCalls(messages)
  const users = messages.filter((message) => message['role'] === 'user')
  const lead = messages.findIndex((message) => message['role'] !== 'system' && message['role'] !== 'developer')
  const schema = schemaOf(record(json['response_format']))
  const max_output = maxOutput(json, model, exchange.provider)
  const effort = text(json['reasoning_effort']) ?? text(record(json['reasoning'])['effort'])
  return {
    model,
    blocks: [
      ...toolBlocks(list(json['tools'])),
      ...messages.flatMap((message, i) => messageBlocks(message, i < lead || lead < 0)),
    ],
    tools: list(json['tools']).flatMap(functionTool),
    tool_choice: toolChoice(json['tool_choice']),
    parallel: json['parallel_tool_calls'] !== false,
    stop: stops(json['stop']),
    opening: contentText(users[0]?.['content']),
    latest: contentText(users.at(-1)?.['content']),
    rounds: since(messages),
    ...(schema && { schema }),
    ...(max_output !== undefined && { max_output }),
    ...(effort !== undefined && { effort }),
  }
}
