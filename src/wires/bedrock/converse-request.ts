/** Requests in the form of Converse, which Nova's own format shares. */
import type { ServiceTier } from '../../core/usage.ts'
import type { Part, Reading } from '../../core/wire.ts'
import { bodyTags } from '../framing/body-tags.ts'
import { countOf, largestCount } from '../framing/counts.ts'
import { asList, asRecord, asText, at, type JsonRecord, jsonText, named, recordsOf } from '../framing/json.ts'
import { conversationParts, type Message, mediaText, partsOf, toolParts, turnsOf } from '../framing/parts.ts'

const joined = (texts: readonly string[]): string => texts.filter((text) => text !== '').join('\n')

/** Images, documents and video are not text: what stands for them tells one from another. */
const media = (block: JsonRecord): string => {
  const type = ['image', 'document', 'video', 'audio'].find((name) => name in block)
  if (type === undefined) return ''
  const source = at(block, type, 'source')
  const place = asText(at(source, 's3Location', 'uri'))
  return place === undefined
    ? mediaText(type, asText(at(source, 'bytes')) ?? asText(at(source, 'text')) ?? '')
    : `[${type} ${place}]`
}

/** What the model reads of a content block. */
export const blockText = (block: JsonRecord): string => {
  const use = asRecord(block['toolUse'])
  return joined([
    asText(block['text']) ?? '',
    asText(at(block, 'reasoningContent', 'reasoningText', 'text')) ?? '',
    asText(at(block, 'guardContent', 'text', 'text')) ?? '',
    use ? `${asText(use['name']) ?? ''}${jsonText(use['input'] ?? {})}` : '',
    media(block),
    ...recordsOf(at(block, 'toolResult', 'content')).map((part) =>
      'json' in part ? jsonText(part['json']) : (asText(part['text']) ?? ''),
    ),
  ])
}

/** A content's texts. */
export const textOf = (content: unknown): string =>
  typeof content === 'string' ? content : joined(recordsOf(content).map(blockText))

/** A user message that only answers tool calls is a tool's. */
export const roleOf = (message: JsonRecord): Message['role'] => {
  if (message['role'] === 'assistant') return 'assistant'
  const blocks = recordsOf(message['content'])
  return blocks.length > 0 && blocks.every((block) => 'toolResult' in block || 'cachePoint' in block) ? 'tool' : 'user'
}

const messagesOf = (body: JsonRecord): readonly Message[] =>
  recordsOf(body['messages']).map((message) => ({ role: roleOf(message), text: textOf(message['content']) }))

/** The TTL asked for: one hour only where every cache point that states one says so. */
const cacheTtl = (body: JsonRecord): '5m' | '1h' | undefined => {
  const lists = [
    body['system'],
    at(body, 'toolConfig', 'tools'),
    ...recordsOf(body['messages']).map((m) => m['content']),
  ]
  const points = recordsOf(lists.flatMap((list) => recordsOf(list)).map((block) => block['cachePoint']))
  if (points.length === 0) return undefined
  return points.every((point) => point['ttl'] === '1h') ? '1h' : '5m'
}

const tiers: Readonly<Record<string, ServiceTier>> = {
  default: 'standard',
  flex: 'flex',
  priority: 'priority',
  reserved: 'reserved',
}

/** Bedrock's word for a service tier as ours. */
export const tierOf = (type: unknown): ServiceTier | undefined => named(tiers, type)

export type ConverseFacts = Omit<Reading, 'endpoint' | 'billable' | 'model' | 'stream' | 'edits' | 'hide_usage'>

const speedOf = (body: JsonRecord): Pick<Reading, 'speed'> =>
  at(body, 'performanceConfig', 'latency') === 'optimized' ? { speed: 'fast' } : {}

const tiersOf = (body: JsonRecord): Pick<Reading, 'service_tier'> => {
  const tier = tierOf(at(body, 'serviceTier', 'type'))
  return tier === undefined ? {} : { service_tier: tier }
}

/** Everything a body in the form of Converse says about the call. */
export const readConverse = (body: JsonRecord): ConverseFacts => {
  const messages = messagesOf(body)
  const tools = asList(at(body, 'toolConfig', 'tools')).filter((tool) => !('cachePoint' in (asRecord(tool) ?? {})))
  const config = asRecord(body['inferenceConfig'])
  const maximum = largestCount(config?.['maxTokens'], config?.['max_new_tokens'])
  const temperature = countOf(config?.['temperature'])
  const format = asText(at(body, 'outputConfig', 'textFormat', 'type'))
  const ttl = cacheTtl(body)
  const parts: readonly Part[] = [
    ...toolParts(tools),
    ...partsOf('system', textOf(body['system'])),
    ...conversationParts(messages),
  ]
  return {
    parts,
    max_output_field: ['inferenceConfig', 'maxTokens'],
    turns: turnsOf(messages),
    tool_count: tools.length,
    body_tags: bodyTags(body['requestMetadata']),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maximum === undefined ? {} : { max_output_tokens: maximum }),
    ...(format === undefined ? {} : { response_format: format }),
    ...(ttl === undefined ? {} : { cache_ttl: ttl }),
    ...speedOf(body),
    ...tiersOf(body),
  }
}
