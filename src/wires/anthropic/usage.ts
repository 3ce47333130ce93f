import type { LineKind, NormalisedUsage, ServiceTier, StatedCost, UsageLine } from '../../core/usage.ts'
import type { Quirks } from '../../core/wire.ts'
import {
  countOf,
  firstCount,
  normalise,
  present,
  presentUnits,
  type Taking,
  type Tokens,
  take,
} from '../framing/counts.ts'
import { asText, at, type JsonRecord, named, recordsOf } from '../framing/json.ts'
import { statedCost } from '../openai-stated.ts'

/** What the request said, used where the usage is silent. */
export type UsageContext = Readonly<{
  /** TTL of cache writes that the response does not split. */
  cache_ttl?: '5m' | '1h' | undefined
  quirks: Quirks
}>

/** A message's usage object and the model that the message names. */
export type MessageUsage = Readonly<{ usage: JsonRecord; model?: string | undefined }>

const tiers: Readonly<Record<string, ServiceTier>> = {
  standard: 'standard',
  standard_only: 'standard',
  priority: 'priority',
  batch: 'batch',
  flex: 'flex',
}

/** Anthropic's name of a service tier as ours; `auto` and the unknown are undefined. */
export const tierOf = (value: unknown): ServiceTier | undefined => named(tiers, value)

/** Anthropic's name of a speed; undefined for anything else. */
export const speedOf = (value: unknown): 'standard' | 'fast' | undefined =>
  value === 'fast' || value === 'standard' ? value : undefined

/**
 * Cache writes by TTL. The total can exceed its own split (a server tool's later writes are in the total of a stream's
 * end, the split only in its beginning): the remainder is billed too, at the TTL that the request asked for.
 */
const cacheWrites = (usage: JsonRecord, context: UsageContext, warnings: string[]): Tokens => {
  const five = firstCount(at(usage, 'cache_creation', 'ephemeral_5m_input_tokens'))
  const hour = firstCount(at(usage, 'cache_creation', 'ephemeral_1h_input_tokens'))
  const total = countOf(usage['cache_creation_input_tokens']) ?? five + hour
  const left: Taking = { rest: total, warnings }
  const written1h = take(left, 'ephemeral_1h_input_tokens', hour)
  const written5m = take(left, 'ephemeral_5m_input_tokens', five)
  const ttl = context.cache_ttl ?? '5m'
  const { rest } = left
  if (rest > 0) warnings.push(`${rest} cache writes are not split by TTL: taken as ${ttl}`)
  return {
    'in.text.cache_write_5m': written5m + (ttl === '5m' ? rest : 0),
    'in.text.cache_write_1h': written1h + (ttl === '1h' ? rest : 0),
  }
}

const tokensOf = (usage: JsonRecord, context: UsageContext, warnings: string[]): Tokens => {
  const output: Taking = { rest: firstCount(usage['output_tokens']), warnings }
  const thinking = firstCount(at(usage, 'output_tokens_details', 'thinking_tokens'))
  const thought = take(output, 'thinking_tokens', thinking)
  return present({
    'in.text.fresh': firstCount(usage['input_tokens']),
    'in.text.cache_read': firstCount(usage['cache_read_input_tokens']),
    ...cacheWrites(usage, context, warnings),
    'out.text.visible': output.rest,
    'out.text.reasoning': thought,
  })
}

const contextOf = (tokens: Tokens): number => {
  let sum = 0
  for (const [bucket, count] of Object.entries(tokens)) if (bucket.startsWith('in.')) sum += count
  return sum
}

/** Service tier, speed and geography are stated once, for the whole response. */
const circumstances = (usage: JsonRecord): Pick<UsageLine, 'service_tier' | 'speed' | 'geo'> => {
  const service_tier = tierOf(usage['service_tier'])
  const speed = speedOf(usage['speed'])
  const geo = asText(usage['inference_geo'])
  return {
    ...(service_tier === undefined ? {} : { service_tier }),
    ...(speed === undefined ? {} : { speed }),
    ...(geo === undefined ? {} : { geo }),
  }
}

const kinds: Readonly<Record<string, LineKind>> = {
  message: 'message',
  compaction: 'compaction',
  advisor_message: 'advisor',
  fallback_message: 'fallback',
}

/**
 * Iterations say what was billed at which model; the usage's own counts are only the sum of its `message` iterations. A
 * hop that declined before it wrote anything (another model than the fallback that served, no output) is not billed.
 */
const iterationLines = (message: MessageUsage, context: UsageContext, warnings: string[]): UsageLine[] => {
  const iterations = recordsOf(message.usage['iterations'])
  const serving = asText(iterations.findLast((entry) => entry['type'] === 'fallback_message')?.['model'])
  const own = iterations.filter((entry) => entry['type'] === 'message')
  const split = message.usage['output_tokens_details']
  return iterations.map((entry): UsageLine => {
    const model = asText(entry['model']) ?? message.model
    const declined =
      serving !== undefined &&
      entry['type'] === 'message' &&
      model !== serving &&
      firstCount(entry['output_tokens']) === 0
    const alone = own.length === 1 && entry === own[0] && entry['output_tokens_details'] === undefined
    const counted = alone && split !== undefined ? { ...entry, output_tokens_details: split } : entry
    const tokens = declined ? {} : tokensOf(counted, context, warnings)
    return {
      kind: declined ? 'declined' : (named(kinds, entry['type']) ?? 'message'),
      ...(model === undefined ? {} : { model_served: model }),
      ...circumstances(message.usage),
      funding: 'platform',
      context_tokens: contextOf(tokens),
      tokens,
      units: {},
    }
  })
}

const plainLine = (message: MessageUsage, context: UsageContext, warnings: string[]): UsageLine => {
  const tokens = tokensOf(message.usage, context, warnings)
  return {
    kind: 'message',
    ...(message.model === undefined ? {} : { model_served: message.model }),
    ...circumstances(message.usage),
    funding: 'platform',
    context_tokens: contextOf(tokens),
    tokens,
    units: {},
  }
}

/** Lines of one message. Searches are billed by the piece; web fetches only by the tokens that they bring. */
const linesOf = (message: MessageUsage, context: UsageContext, warnings: string[]): UsageLine[] => {
  const iterated = recordsOf(message.usage['iterations']).length > 0
  const lines = iterated ? iterationLines(message, context, warnings) : [plainLine(message, context, warnings)]
  const searches = firstCount(at(message.usage, 'server_tool_use', 'web_search_requests'))
  const main = lines.findLastIndex((line) => line.kind === 'message' || line.kind === 'fallback')
  const units = presentUnits({ 'web_search.query': { n: searches } })
  return lines.map((line, index) => (index === Math.max(main, 0) ? { ...line, units } : line))
}

/** A gateway in between may state what it charged; its estimate is read wherever it stands, other costs by quirk. */
const statedOf = (usage: JsonRecord, quirks: Quirks): StatedCost | undefined =>
  statedCost(usage, quirks) ?? statedCost(usage, { stated_cost: 'gateway' })

const used = (line: UsageLine): boolean =>
  line.kind === 'declined' || Object.keys(line.tokens).length > 0 || Object.keys(line.units).length > 0

/**
 * The bill of one response: of its message, or of the messages of a stream that holds several. A message of which nothing is
 * billed (a tool's follow-up inside a container) makes no line, unless there is no other.
 */
export const usageOfMessages = (messages: readonly MessageUsage[], context: UsageContext): NormalisedUsage => {
  const warnings: string[] = []
  const all = messages.flatMap((message) => linesOf(message, context, warnings))
  const billed = all.filter(used)
  const [first] = messages
  return normalise({
    lines: billed.length > 0 ? billed : all.slice(0, 1),
    stated: first && statedOf(first.usage, context.quirks),
    quality: warnings.length > 0 ? 'inferred' : 'exact',
    warnings,
    raw: messages.length === 1 ? first?.usage : messages.map((message) => message.usage),
  })
}
