import { type Json, list, number, record, text } from '../json.ts'
import { findModel, type Model, openModel } from '../models.ts'
import { markBlock, mediaBlock, textBlock } from '../prompt.ts'
import { type Ask, type Block, type Exchange, Refusal, type Tool } from '../types.ts'
import { checkTurns } from './pairing.ts'

/** The model in the body or, on Vertex and Bedrock, in the path. Throws Refusal 404. */
const askedModel = (exchange: Exchange): Model => {
  const inPath = /^\/models?\/([^/:]+)/.exec(exchange.path)?.[1]
  const id = inPath ?? text(exchange.json['model'])
  if (id === undefined) throw new Refusal(400, 'model: Field required')
  const bare = decodeURIComponent(id)
    .replace(/^(\w+\.)?anthropic\./, '')
    .replace(/(-v\d+)?(:\d+)?$/, '')
    .replace('@', '-')
  const model = findModel('anthropic', bare) ?? (exchange.provider === 'anthropic' ? undefined : openModel(id))
  if (!model) throw new Refusal(404, `model: ${id}`)
  return model
}

const breakpointOf = (block: Json): '5m' | '1h' | undefined => {
  const control = record(block['cache_control'])
  if (control['type'] !== 'ephemeral') return undefined
  if (block['type'] === 'text' && block['text'] === '') {
    throw new Refusal(400, 'messages: cache_control cannot be set for empty text blocks')
  }
  return control['ttl'] === '1h' ? '1h' : '5m'
}

const toolResultText = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : list(content)
        .map((part) => text(record(part)['text']) ?? '')
        .join('\n')

const blockOf = (part: Block['part'], role: string, value: unknown, framing: number): Block => {
  const block = record(value)
  const breakpoint = breakpointOf(block)
  const more = { breakpoint, framing }
  if (block['type'] === 'image') {
    return mediaBlock('image', JSON.stringify(block['source']), 1_600, breakpoint)
  }
  if (block['type'] === 'tool_result') return textBlock(part, 'tool_result', toolResultText(block['content']), more)
  const bare: Record<string, unknown> = { ...block }
  delete bare['cache_control']
  const said = text(block['text']) ?? text(block['thinking']) ?? JSON.stringify(bare)
  return textBlock(part, role, said, more)
}

const contentBlocks = (part: Block['part'], role: string, content: unknown): Block[] =>
  typeof content === 'string'
    ? [textBlock(part, role, content)]
    : list(content).map((block, i) => blockOf(part, role, block, i === 0 ? 4 : 2))

const toolBlock = (value: unknown): Block => {
  const tool: Record<string, unknown> = { ...record(value) }
  delete tool['cache_control']
  return textBlock('tools', 'tool', JSON.stringify(tool), { breakpoint: breakpointOf(record(value)), framing: 12 })
}

/** What invalidates the cache of messages but not of tools and system. */
const circumstances = (json: Json): Block => {
  const { tool_choice, thinking } = json
  return markBlock('messages', JSON.stringify([tool_choice ?? null, record(thinking)['type'] ?? null]))
}

const withAutomatic = (blocks: readonly Block[], json: Json): readonly Block[] => {
  const control = record(json['cache_control'])
  const last = blocks.at(-1)
  if (control['type'] !== 'ephemeral' || !last) return blocks
  return [...blocks.slice(0, -1), { ...last, breakpoint: control['ttl'] === '1h' ? '1h' : '5m' }]
}

const choiceOf = (choice: Json): Ask['tool_choice'] => {
  const name = text(choice['name'])
  if (choice['type'] === 'tool' && name !== undefined) return { name }
  if (choice['type'] === 'any') return 'required'
  return choice['type'] === 'none' ? 'none' : 'auto'
}

const budgetOf = (json: Json, max_tokens: number): Partial<Pick<Ask, 'reasoning_budget' | 'effort'>> => {
  const thinking = record(json['thinking'])
  const effort = text(record(json['output_config'])['effort'])
  if (thinking['type'] === 'adaptive') return { effort: effort ?? 'high' }
  if (thinking['type'] !== 'enabled') return {}
  const budget = number(thinking['budget_tokens']) ?? 0
  if (budget < 1_024) {
    throw new Refusal(400, 'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024')
  }
  if (budget >= max_tokens) throw new Refusal(400, '`max_tokens` must be greater than `thinking.budget_tokens`.')
  return { reasoning_budget: budget, ...(effort !== undefined && { effort }) }
}

const isPerson = (message: Json): boolean =>
  message['role'] === 'user' &&
  (typeof message['content'] === 'string' ||
    list(message['content']).some((block) => record(block)['type'] !== 'tool_result'))

const personText = (message: Json | undefined): string => {
  const content = message?.['content']
  return typeof content === 'string'
    ? content
    : list(content)
        .map((block) => text(record(block)['text']) ?? '')
        .join('\n')
}

const schemaOf = (json: Json): Json | undefined => {
  const format = record(record(json['output_config'])['format'] ?? json['output_format'])
  return format['type'] === 'json_schema' ? record(format['schema']) : undefined
}

const clientTool = (value: unknown): Tool[] => {
  const tool = record(value)
  const name = text(tool['name'])
  return name !== undefined && tool['input_schema'] !== undefined
    ? [{ name, schema: record(tool['input_schema']) }]
    : []
}

/** Reads a Messages request. `counting` leaves out what only a generation needs. Throws Refusal where the API would. */
export const readMessages = (exchange: Exchange, counting = false): Ask => {
  const { json } = exchange
  const model = askedModel(exchange)
  const max_output = number(json['max_tokens'])
  if (max_output === undefined && !counting) throw new Refusal(400, 'max_tokens: Field required')
  const messages = list(json['messages']).map(record)
  if (messages.length === 0) throw new Refusal(400, 'messages: at least one message is required')
  checkTurns(messages)
  const people = messages.filter(isPerson)
  const rounds = messages
    .slice(messages.findLastIndex(isPerson) + 1)
    .filter((message) => message['role'] === 'user').length
  const schema = schemaOf(json)
  const blocks = [
    ...list(json['tools']).map(toolBlock),
    ...(json['system'] === undefined ? [] : contentBlocks('system', 'system', json['system'])),
    circumstances(json),
    ...messages.flatMap((message) => contentBlocks('messages', text(message['role']) ?? 'user', message['content'])),
  ]
  return {
    model,
    blocks: withAutomatic(blocks, json),
    tools: list(json['tools']).flatMap(clientTool),
    tool_choice: choiceOf(record(json['tool_choice'])),
    parallel: record(json['tool_choice'])['disable_parallel_tool_use'] !== true,
    stop: list(json['stop_sequences']).filter((stop) => typeof stop === 'string'),
    opening: personText(people[0]),
    latest: personText(people.at(-1)),
    rounds,
    ...budgetOf(json, max_output ?? Number.POSITIVE_INFINITY),
    ...(schema && { schema }),
    ...(max_output !== undefined && { max_output }),
  }
}
