import type { Unit, UnitCount } from '../core/usage.ts'
import type { Quirks } from '../core/wire.ts'
import { countOf, presentUnits } from './framing/counts.ts'
import { asRecord, asText, at, type JsonRecord, named, recordsOf } from './framing/json.ts'

export type Units = Partial<Record<Unit, UnitCount>>

/** xAI's counters of tools that ran on the server. Calls to a customer's own MCP server are not charged. */
const serverTools: Readonly<Record<string, Unit>> = {
  web_search_calls: 'web_search.query',
  x_search_calls: 'x_search.call',
  code_interpreter_calls: 'code_exec.session',
  code_execution_calls: 'code_exec.session',
  file_search_calls: 'file_search.call',
  collections_search_calls: 'file_search.call',
  document_search_calls: 'file_search.call',
}

const add = (units: Units, unit: Unit, n: number): void => {
  units[unit] = { n: (units[unit]?.n ?? 0) + n }
}

const setCount = (units: Units, unit: Unit, value: unknown): void => {
  const n = countOf(value)
  if (n !== undefined && n > 0) units[unit] = { n }
}

/** Does the usage count the tools that ran on the server (xAI)? Then output items are the same calls again. */
export const countsTools = (usage: JsonRecord): boolean =>
  countOf(usage['num_server_side_tools_used']) !== undefined ||
  asRecord(usage['server_side_tool_usage_details']) !== undefined

/** Server tools by xAI's counters: by kind where it splits them, the rest as calls of an unnamed tool. */
const countedTools = (usage: JsonRecord): Units => {
  const units: Units = {}
  let rest = countOf(usage['num_server_side_tools_used']) ?? 0
  const details = asRecord(usage['server_side_tool_usage_details']) ?? {}
  for (const [name, value] of Object.entries(details)) {
    const n = countOf(value) ?? 0
    rest -= n
    const unit = named(serverTools, name)
    if (unit) add(units, unit, n)
    else if (name !== 'mcp_calls') add(units, 'server_tool.call', n)
  }
  if (rest > 0) add(units, 'server_tool.call', rest)
  return units
}

/** Perplexity: a fee a request by search context size, or, in deep research, a fee a search. */
const requestFees = (usage: JsonRecord, model: string | undefined, request: unknown): Units => {
  const cost = asRecord(usage['cost'])
  const searches = countOf(usage['num_search_queries']) ?? 0
  const bySearch = cost ? countOf(cost['search_queries_cost']) !== undefined : model?.includes('deep-research')
  const byRequest = cost ? (countOf(cost['request_cost']) ?? 0) > 0 : !bySearch
  const size =
    asText(usage['search_context_size']) ?? asText(at(request, 'web_search_options', 'search_context_size')) ?? 'low'
  return {
    ...(bySearch ? { 'web_search.query': { n: searches } } : {}),
    ...(byRequest ? { request: { n: 1, attrs: { search_context_size: size } } } : {}),
  }
}

/** OpenAI's search models search once a call; the fee depends on the context size that was asked for. */
const searchModel = (model: string | undefined, request: unknown): Units => {
  if (!model?.includes('-search-') || !/^(openai\/)?gpt-[\w.]+(-mini)?-search-(preview|api)/.test(model)) return {}
  const size = asText(at(request, 'web_search_options', 'search_context_size')) ?? 'medium'
  return { 'web_search.query': { n: 1, attrs: { search_context_size: size } } }
}

/** Units that a usage object (or, for search models, the model) states: audio seconds, requests, searches, tools. */
export const unitsOfUsage = (
  usage: JsonRecord,
  context: Readonly<{ model: string | undefined; quirks: Quirks; request: unknown }>,
): Units => {
  const units: Units = {}
  setCount(units, 'audio_in.second', usage['prompt_audio_seconds'])
  setCount(units, 'web_search.request', usage['num_sources_used'])
  setCount(units, 'request', usage['request_count'])
  if (countsTools(usage)) Object.assign(units, countedTools(usage))
  Object.assign(units, searchModel(context.model, context.request))
  if (!context.quirks.request_fee) return presentUnits(units)
  return presentUnits({ ...units, ...requestFees(usage, context.model, context.request) })
}

const ofType = (items: readonly JsonRecord[], type: string): readonly JsonRecord[] =>
  items.filter((item) => item['type'] === type)

/** A search is billed; opening a page and finding in it are not. An item that does not say what it did is a search. */
const isSearch = (item: JsonRecord): boolean => {
  const action = at(item, 'action', 'type')
  return action === undefined || action === null || action === 'search'
}

/**
 * Tools that OpenAI ran for a Responses call, counted from the output items because usage does not count them. A code
 * container is counted once however many calls ran in it. The preview of web search has its own price.
 */
export const unitsOfOutput = (response: JsonRecord): Units => {
  const output = recordsOf(response['output'])
  const tools = recordsOf(response['tools'])
  const preview = tools.map((tool) => asText(tool['type'])).find((type) => type?.startsWith('web_search_preview'))
  const containers = new Set(ofType(output, 'code_interpreter_call').map((item) => item['container_id']))
  const searches = ofType(output, 'web_search_call').filter(isSearch).length
  return presentUnits({
    'web_search.query': { n: searches, ...(preview === undefined ? {} : { attrs: { tool: preview } }) },
    'file_search.call': { n: ofType(output, 'file_search_call').length },
    'code_exec.session': { n: containers.size },
    'image.generated': { n: ofType(output, 'image_generation_call').length },
  })
}
