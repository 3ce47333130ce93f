import type { Funding, Modality, NormalisedUsage, ServiceTier, UsageLine } from '../../core/usage.ts'
import { countOf, firstCount, normalise, present, presentUnits, type Tokens } from '../framing/counts.ts'
import { asText, type JsonRecord, named, recordsOf } from '../framing/json.ts'

/** Tokens by modality. */
type Counts = Record<Modality, number>

/** What was derived rather than read. */
type Notes = { readonly warnings: string[]; inferred: boolean }

/** Text comes first: what a breakdown leaves over is text. */
const modalities: readonly Modality[] = ['text', 'audio', 'image', 'video', 'document']

const none = (): Counts => ({ text: 0, audio: 0, image: 0, video: 0, document: 0 })

const modalityOf = (name: unknown): Modality => {
  const lower = asText(name)?.toLowerCase()
  return modalities.find((modality) => modality === lower) ?? 'text'
}

/**
 * Divides a total by its modality details (`tokenCount`, or `tokens` in Interactions). What the details leave over is text;
 * details beyond the total are clamped and warned of.
 */
const byModality = (total: number, details: unknown, name: string, notes: Notes): Counts => {
  const counts = none()
  let rest = total
  let asked = 0
  for (const detail of recordsOf(details)) {
    const count = firstCount(detail['tokenCount'], detail['tokens'])
    const fits = Math.min(count, rest)
    counts[modalityOf(detail['modality'])] += fits
    rest -= fits
    asked += count
  }
  if (asked > total) {
    notes.inferred = true
    notes.warnings.push(`${name} sums to ${asked}, its total is ${total}`)
  }
  counts.text += rest
  return counts
}

/** Takes cached tokens out of the prompt's, modality by modality; where one has too few, the next ones give. */
const withoutCached = (prompt: Counts, cached: Counts, notes: Notes): Readonly<{ fresh: Counts; read: Counts }> => {
  const fresh = { ...prompt }
  const read = none()
  let missing = 0
  for (const modality of modalities) {
    const fits = Math.min(cached[modality], fresh[modality])
    read[modality] += fits
    fresh[modality] -= fits
    missing += cached[modality] - fits
  }
  if (missing > 0) notes.inferred = true
  for (const modality of modalities) {
    const fits = Math.min(missing, fresh[modality])
    read[modality] += fits
    fresh[modality] -= fits
    missing -= fits
  }
  if (missing > 0) notes.warnings.push(`${missing} cached tokens are more than the prompt has`)
  return { fresh, read }
}

/** The counts of a response, under the names of whichever API stated them. */
type Stated = Readonly<{
  prompt: unknown
  prompt_details: unknown
  cached: unknown
  cached_details: unknown
  tool: unknown
  tool_details: unknown
  output: unknown
  output_details: unknown
  thoughts: unknown
  total: unknown
}>

/** generateContent's names; the stream repeats them in every event and the last one counts. */
export const usageMetadata = (usage: JsonRecord): Stated => ({
  prompt: usage['promptTokenCount'],
  prompt_details: usage['promptTokensDetails'] ?? usage['promptTokenDetails'],
  cached: usage['cachedContentTokenCount'],
  cached_details: usage['cacheTokensDetails'],
  tool: usage['toolUsePromptTokenCount'],
  tool_details: usage['toolUsePromptTokensDetails'],
  output: usage['candidatesTokenCount'] ?? usage['responseTokenCount'],
  output_details: usage['candidatesTokensDetails'] ?? usage['responseTokensDetails'],
  thoughts: usage['thoughtsTokenCount'],
  total: usage['totalTokenCount'],
})

/** The names of the Interactions API. */
export const interactionUsage = (usage: JsonRecord): Stated => ({
  prompt: usage['total_input_tokens'],
  prompt_details: usage['input_tokens_by_modality'],
  cached: usage['total_cached_tokens'],
  cached_details: usage['cached_tokens_by_modality'],
  tool: usage['total_tool_use_tokens'],
  tool_details: usage['tool_use_tokens_by_modality'],
  output: usage['total_output_tokens'],
  output_details: usage['output_tokens_by_modality'],
  thoughts: usage['total_thought_tokens'],
  total: usage['total_tokens'],
})

const tokensOf = (stated: Stated, notes: Notes): Tokens => {
  const prompt = byModality(firstCount(stated.prompt), stated.prompt_details, 'the prompt by modality', notes)
  const cached = byModality(firstCount(stated.cached), stated.cached_details, 'the cache by modality', notes)
  const tool = byModality(firstCount(stated.tool), stated.tool_details, 'tool use by modality', notes)
  const output = byModality(firstCount(stated.output), stated.output_details, 'the output by modality', notes)
  const { fresh, read } = withoutCached(prompt, cached, notes)
  const tokens: Tokens = { 'out.text.reasoning': firstCount(stated.thoughts) }
  for (const modality of modalities) {
    tokens[`in.${modality}.fresh`] = fresh[modality]
    tokens[`in.${modality}.cache_read`] = read[modality]
    tokens[`in.${modality}.tool`] = tool[modality]
    tokens[`out.${modality}.visible`] = output[modality]
  }
  return present(tokens)
}

/** Vertex AI states the kind of traffic, the Gemini API the service tier. */
const traffic: Readonly<Record<string, Readonly<{ tier: ServiceTier; funding: Funding }>>> = {
  ON_DEMAND: { tier: 'standard', funding: 'platform' },
  ON_DEMAND_PRIORITY: { tier: 'priority', funding: 'platform' },
  ON_DEMAND_FLEX: { tier: 'flex', funding: 'platform' },
  ON_DEMAND_OFFPEAK: { tier: 'off_peak', funding: 'platform' },
  PROVISIONED_THROUGHPUT: { tier: 'provisioned', funding: 'provisioned' },
}

const tiers: readonly ServiceTier[] = ['standard', 'flex', 'priority', 'batch']

/** Google's name of a service tier as ours; undefined for the unknown and the unspecified. */
export const tierOf = (value: unknown): ServiceTier | undefined => {
  const name = asText(value)
    ?.toLowerCase()
    .replace(/^service_tier_/, '')
  return tiers.find((tier) => tier === name)
}

/** What a response was billed for beside tokens. */
export type Grounding = Readonly<{ queries: number; maps: number }>

/**
 * Gemini 3 and later bill each search query, Gemini 2 a prompt that was grounded at all, however many queries it took
 * (https://ai.google.dev/gemini-api/docs/pricing). A model whose name has no number is of today.
 */
const groundingUnits = (model: string | undefined, { queries, maps }: Grounding): UsageLine['units'] => {
  const generation = Number(/gemini-(\d+)/.exec(model ?? '')?.[1] ?? 3)
  const each = generation >= 3
  return presentUnits({
    'web_search.query': { n: each ? queries : 0 },
    'web_search.grounded_prompt': { n: !each && queries > 0 ? 1 : 0 },
    'maps.query': { n: maps },
  })
}

export type GeminiBill = Readonly<{
  usage: JsonRecord
  stated: Stated
  model: string | undefined
  grounding: Grounding
  /** The tier from elsewhere (a header, the resource), where the usage has none. */
  service_tier?: ServiceTier | undefined
}>

/** The bill of one response: prompt without cached tokens, tool results, answer and thoughts, which never overlap. */
export const usageOf = (bill: GeminiBill): NormalisedUsage => {
  const { usage, stated, model } = bill
  const notes: Notes = { warnings: [], inferred: false }
  const tokens = tokensOf(stated, notes)
  const kind = named(traffic, usage['trafficType'])
  const service_tier = kind?.tier ?? tierOf(usage['serviceTier']) ?? bill.service_tier
  const line: UsageLine = {
    kind: 'message',
    ...(model === undefined ? {} : { model_served: model }),
    ...(service_tier === undefined ? {} : { service_tier }),
    funding: kind?.funding ?? 'platform',
    context_tokens: firstCount(stated.prompt) + firstCount(stated.tool),
    tokens,
    units: groundingUnits(model, bill.grounding),
  }
  return normalise({
    lines: [line],
    provider_total: countOf(stated.total),
    quality: notes.inferred ? 'inferred' : 'exact',
    warnings: notes.warnings,
    raw: usage,
  })
}
