import { directive } from '../compose.ts'
import { type Json, list, number, record, text } from '../json.ts'
import { textBlock } from '../prompt.ts'
import { seeded } from '../random.ts'
import { type Ask, type Block, type Exchange, Refusal, type Tool } from '../types.ts'
import { askedModel, contentBlocks, contentText, toolBlocks, toolChoice } from './openai-ask.ts'
import { checkItems } from './pairing.ts'

/** Input as items, whichever short form it was sent in. */
const itemsOf = (input: unknown): readonly unknown[] =>
  typeof input === 'string' ? [{ role: 'user', content: input }] : list(input)

const itemBlocks = (value: unknown): Block[] => {
  const item = record(value)
  const role = text(item['role'])
  if (role === undefined) return [textBlock('messages', text(item['type']) ?? 'item', JSON.stringify(item))]
  return contentBlocks(role === 'system' || role === 'developer' ? 'system' : 'messages', role, item['content'])
}

const isUser = (item: unknown): boolean => record(item)['role'] === 'user'

const schemaOf = (format: Json): Json | undefined => {
  if (format['type'] === 'json_schema') return record(format['schema'])
  if (format['type'] !== 'json_object') return undefined
  return { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] }
}

const functionTool = (value: unknown): Tool[] => {
  const tool = record(value)
  const name = text(tool['name'])
  return tool['type'] === 'function' && name !== undefined ? [{ name, schema: record(tool['parameters']) }] : []
}

const roundsOf = (items: readonly unknown[]): number => {
  const latest = items.slice(items.findLastIndex(isUser) + 1).map((item) => record(item)['type'])
  // Parallel calls stand side by side and are one round.
  return latest.filter((type, i) => type === 'function_call' && latest[i - 1] !== 'function_call').length
}

export type ResponsesAsk = Readonly<{ ask: Ask; conversation: readonly unknown[] }>

/** Everything said so far: what an earlier response stored, then this request's input. Throws Refusal 404. */
const conversationOf = (exchange: Exchange): readonly unknown[] => {
  const earlier = text(exchange.json['previous_response_id'])
  if (earlier === undefined) return itemsOf(exchange.json['input'])
  const stored = exchange.world.responses.get(earlier)
  if (!stored) {
    throw new Refusal(400, `Previous response with id '${earlier}' not found.`, {
      param: 'previous_response_id',
      code: 'previous_response_not_found',
    })
  }
  return [...stored.conversation, ...itemsOf(exchange.json['input'])]
}

/** Reads a Responses request. Throws Refusal where the API would. */
export const readResponses = (exchange: Exchange): ResponsesAsk => {
  const { json } = exchange
  const model = askedModel(exchange, ['chat'])
  const conversation = conversationOf(exchange)
  if (conversation.length === 0) {
    throw new Refusal(400, "Missing required parameter: 'input'.", {
      param: 'input',
      code: 'missing_required_parameter',
    })
  }
  checkItems(conversation)
  const users = conversation.filter(isUser).map((item) => contentText(record(item)['content']))
  const instructions = text(json['instructions'])
  const system = instructions === undefined ? [] : [textBlock('system', 'developer', instructions)]
  const schema = schemaOf(record(record(json['text'])['format']))
  const max_output = number(json['max_output_tokens'])
  const effort = text(record(json['reasoning'])['effort'])
  const ask: Ask = {
    model,
    blocks: [...toolBlocks(list(json['tools'])), ...system, ...conversation.flatMap(itemBlocks)],
    tools: list(json['tools']).flatMap(functionTool),
    tool_choice: toolChoice(json['tool_choice']),
    parallel: json['parallel_tool_calls'] !== false,
    stop: [],
    opening: users[0] ?? '',
    latest: users.at(-1) ?? '',
    rounds: roundsOf(conversation),
    ...(schema && { schema }),
    ...(max_output !== undefined && { max_output }),
    ...(effort !== undefined && { effort }),
  }
  return { ask, conversation }
}

/** Searches that a hosted web search tool makes, and pages it opens; only the searches are charged. */
export type Searches = Readonly<{ searches: number; opened: number }>

export const searchesOf = (exchange: Exchange, ask: Ask): Searches => {
  const offered = list(exchange.json['tools']).some((tool) => /^web_search/.test(text(record(tool)['type']) ?? ''))
  if (!offered) return { searches: 0, opened: 0 }
  const random = seeded(exchange.world.seed, 'search', ask.latest)
  return { searches: directive(ask, 'searches') ?? random.integer(1, 3), opened: random.integer(0, 1) }
}
