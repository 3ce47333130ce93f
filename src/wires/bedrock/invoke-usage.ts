/** Usage of InvokeModel: the model maker's own body, and Bedrock's counts in headers or in a stream's last event. */
import type { NormalisedUsage, UsageLine } from '../../core/usage.ts'
import type { Headers, MeterContext } from '../../core/wire.ts'
import { usageOfMessages } from '../anthropic/usage.ts'
import { cohereUsage } from '../cohere-units.ts'
import { countOf, firstCount, normalise, present, presentUnits, type Tokens, totalsOf } from '../framing/counts.ts'
import { asList, asRecord, asText, at, type JsonRecord, recordsOf } from '../framing/json.ts'
import { usageFromBody } from '../openai-usage.ts'
import { tierOf } from './converse-request.ts'
import { converseUsage } from './converse-usage.ts'
import { readModelPath } from './model-id.ts'

/** What Bedrock itself counted. Absent is not stated, which is not zero. Cached input is not in `input`. */
export type Counts = Readonly<{ input?: number; output?: number; read?: number; write?: number; raw: JsonRecord }>

const counts = (raw: JsonRecord, names: readonly [string, string, string, string]): Counts | undefined => {
  const [input, output, read, write] = names.map((name) => countOf(raw[name]))
  if (input === undefined && output === undefined) return undefined
  return {
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(read === undefined ? {} : { read }),
    ...(write === undefined ? {} : { write }),
    raw,
  }
}

const HEADER = 'x-amzn-bedrock-'
const headerNames = ['input', 'output', 'cache-read-input', 'cache-write-input'].map(
  (name) => `${HEADER}${name}-token-count`,
)

/** The counts in an answer's headers: all there is for embeddings. */
export const headerCounts = (headers: Headers): Counts | undefined => {
  const stated = headerNames.flatMap((name) => {
    const text = headers[name]
    return text !== undefined && /^\d+$/.test(text) ? [[name, Number(text)] as const] : []
  })
  const [input = '', output = '', read = '', write = ''] = headerNames
  return counts(Object.fromEntries(stated), [input, output, read, write])
}

/** The counts in `amazon-bedrock-invocationMetrics`, which a stream's last event carries. */
export const metricCounts = (metrics: unknown): Counts | undefined =>
  counts(asRecord(metrics) ?? {}, [
    'inputTokenCount',
    'outputTokenCount',
    'cacheReadInputTokenCount',
    'cacheWriteInputTokenCount',
  ])

const lineOf = (tokens: Tokens, units: UsageLine['units'] = {}): UsageLine => ({
  kind: 'message',
  funding: 'platform',
  context_tokens: Object.entries(tokens).reduce((sum, [bucket, n]) => (bucket.startsWith('in.') ? sum + n : sum), 0),
  tokens,
  units,
})

const plainUsage = (input: number, output: number, raw: JsonRecord): NormalisedUsage =>
  normalise({
    lines: [lineOf(present({ 'in.text.fresh': input, 'out.text.visible': output }))],
    warnings: [],
    raw,
  })

const llama = (body: JsonRecord): NormalisedUsage | undefined => {
  const { prompt_token_count, generation_token_count } = body
  if (countOf(prompt_token_count) === undefined) return undefined
  return plainUsage(firstCount(prompt_token_count), firstCount(generation_token_count), {
    prompt_token_count,
    generation_token_count,
  })
}

/** Titan: text has results, embeddings have none. */
const titan = (body: JsonRecord): NormalisedUsage | undefined => {
  const { inputTextTokenCount, totalOutputTextTokenCount } = body
  const input = countOf(inputTextTokenCount)
  if (input === undefined) return undefined
  const results = recordsOf(body['results']).reduce((sum, result) => sum + firstCount(result['tokenCount']), 0)
  const output = countOf(totalOutputTextTokenCount) ?? results
  return plainUsage(input, output, { inputTextTokenCount, output })
}

/** Images are billed by the piece, at a price by size and quality. */
const images = (body: JsonRecord, context: MeterContext): NormalisedUsage | undefined => {
  const n = asList(body['images']).length
  if (n === 0) return undefined
  const config = asRecord(at(context.request.json, 'imageGenerationConfig')) ?? {}
  const size = `${firstCount(config['width'], 1024)}x${firstCount(config['height'], 1024)}`
  const quality = asText(config['quality']) ?? 'standard'
  const units = { 'image.generated': { n, attrs: { size, quality } } }
  return normalise({ lines: [lineOf({}, units)], warnings: [], raw: { images: n, size, quality } })
}

/** Documents that one billed query of a reranker may have. */
const DOCUMENTS_A_QUERY = 100

const reranked = (body: JsonRecord, context: MeterContext): NormalisedUsage | undefined => {
  const documents = asList(at(context.request.json, 'documents')).length
  if (context.reading.endpoint !== 'rerank' || !('results' in body)) return undefined
  const n = Math.max(1, Math.ceil(documents / DOCUMENTS_A_QUERY))
  const units = presentUnits({ 'rerank.search_unit': { n } })
  return normalise({ lines: [lineOf({}, units)], quality: 'inferred', warnings: [], raw: { documents } })
}

/** The region is in Bedrock's model id and not in the maker's own name, so the id that was asked stays the model. */
export const withoutMakersName = (usage: NormalisedUsage): NormalisedUsage => ({
  ...usage,
  lines: usage.lines.map((line) => {
    if (line.kind !== 'message') return line
    const { model_served: _, ...rest } = line
    return rest
  }),
})

const messagesUsage = (usage: JsonRecord, context: MeterContext): NormalisedUsage =>
  withoutMakersName(usageOfMessages([{ usage }], { cache_ttl: context.reading.cache_ttl, quirks: context.quirks }))

/** The usage that a native body states; undefined when it states none. */
export const nativeUsage = (body: JsonRecord, context: MeterContext): NormalisedUsage | undefined => {
  const usage = asRecord(body['usage'])
  if (usage && countOf(usage['input_tokens']) !== undefined) return messagesUsage(usage, context)
  if (usage && countOf(usage['inputTokens']) !== undefined) return converseUsage(body, context)
  if (usage && countOf(usage['prompt_tokens']) !== undefined) {
    const found = usageFromBody(body, { quirks: context.quirks })
    return found && withoutMakersName(found)
  }
  return llama(body) ?? titan(body) ?? cohereUsage(body['meta']) ?? images(body, context) ?? reranked(body, context)
}

/** Tier and funding of the whole answer: a header names the tier that served it, the path a provisioned model. */
const circumstances = (usage: NormalisedUsage, context: MeterContext): NormalisedUsage => {
  const provisioned = readModelPath(context.request.path)?.provisioned === true
  const named = tierOf(context.headers['x-amzn-bedrock-service-tier']) ?? context.reading.service_tier
  const tier = provisioned ? 'provisioned' : named
  if (tier === undefined) return usage
  const funding = provisioned ? 'provisioned' : 'platform'
  return { ...usage, lines: usage.lines.map((line) => ({ ...line, funding, service_tier: tier })) }
}

const sumOf = (tokens: Tokens, pattern: RegExp): number =>
  Object.entries(tokens).reduce((sum, [bucket, n]) => (pattern.test(bucket) ? sum + n : sum), 0)

const classes = { input: /\.fresh$/, output: /^out\./, read: /\.cache_read$/, write: /\.cache_write/ } as const

/** Does the body's first line say what Bedrock counted, as far as Bedrock says it? */
const agrees = (tokens: Tokens, stated: Counts): boolean =>
  (['input', 'output', 'read', 'write'] as const).every(
    (name) => stated[name] === undefined || stated[name] === sumOf(tokens, classes[name]),
  )

/** Bedrock's counts as tokens; a split that the body makes of the same number is kept. */
const countedTokens = (stated: Counts, tokens: Tokens, ttl: '5m' | '1h' | undefined): Tokens => {
  const keep = (name: keyof typeof classes, plain: Tokens): Tokens =>
    stated[name] === undefined || stated[name] === sumOf(tokens, classes[name])
      ? Object.fromEntries(Object.entries(tokens).filter(([bucket]) => classes[name].test(bucket)))
      : plain
  return present({
    ...keep('input', { 'in.text.fresh': stated.input ?? 0 }),
    ...keep('read', { 'in.text.cache_read': stated.read ?? 0 }),
    ...keep('write', { [ttl === '1h' ? 'in.text.cache_write_1h' : 'in.text.cache_write']: stated.write ?? 0 }),
    ...keep('output', { 'out.text.visible': stated.output ?? 0 }),
  })
}

/**
 * One usage from both witnesses: Bedrock's own counts win, because they are the bill; the body says how they divide, and
 * what else is billed. Where the body bills several models its lines stay, since the counts cannot be divided among them.
 */
const reconciled = (
  native: NormalisedUsage | undefined,
  stated: Counts | undefined,
  context: MeterContext,
): NormalisedUsage | undefined => {
  if (!stated || context.reading.endpoint === 'rerank') return native
  const [first, ...more] = native?.lines ?? []
  const tokens = countedTokens(stated, first?.tokens ?? {}, context.reading.cache_ttl)
  if (!native || !first) return normalise({ lines: [lineOf(tokens)], warnings: [], raw: stated.raw })
  if (agrees(first.tokens, stated)) return native
  const warning = `Bedrock counted ${JSON.stringify(stated.raw)}, the body says ${JSON.stringify(first.tokens)}`
  if (more.length > 0) return { ...native, warnings: [...native.warnings, warning] }
  const empty = Object.keys(first.tokens).length === 0
  const line = { ...first, context_tokens: lineOf(tokens).context_tokens, tokens }
  return {
    ...native,
    lines: [line],
    totals: totalsOf([line]),
    warnings: empty ? native.warnings : [...native.warnings, warning],
    raw: { body: native.raw, counted: stated.raw },
  }
}

/** The bill of an answer, from the body and from Bedrock's counts; undefined when neither states any. */
export const settled = (
  native: NormalisedUsage | undefined,
  stated: Counts | undefined,
  context: MeterContext,
): NormalisedUsage | undefined => {
  const usage = reconciled(native, stated, context)
  return usage && circumstances(usage, context)
}
