import type { Funding, NormalisedUsage, ServiceTier, UsageLine } from '../core/usage.ts'
import type { Quirks } from '../core/wire.ts'
import { normalise, presentUnits, usageIn } from './framing/counts.ts'
import { asText, at, type JsonRecord, named } from './framing/json.ts'
import { chargeBeyondTokens, statedCost } from './openai-stated.ts'
import { readTokens } from './openai-tokens.ts'
import { type Units, unitsOfUsage } from './openai-units.ts'

/** Names that APIs of this family give to service tiers. `auto` says nothing about the tier that was used. */
const tiers: Readonly<Record<string, ServiceTier>> = {
  default: 'standard',
  standard: 'standard',
  on_demand: 'standard',
  flex: 'flex',
  priority: 'priority',
  fast: 'priority',
  performance: 'priority',
  scale: 'scale',
  batch: 'batch',
}

/** The service tier by the name an API gives it; undefined where it says nothing. */
export const tierOf = (value: unknown): ServiceTier | undefined => named(tiers, value)

export type UsageOptions = Readonly<{
  quirks?: Quirks
  /** The request's body, for fees that depend on what was asked. */
  request?: unknown
  /** The model (or deployment) that was asked for. */
  model_asked?: string | undefined
  /** Units counted outside of the usage object. */
  units?: Units
  kind?: UsageLine['kind']
}>

/** Gemini behind a router: what is written to its cache is read or fresh input of the same call, stored for minutes. */
const overlaps = (quirks: Quirks, model: string | undefined): boolean =>
  (quirks.cache_write_overlaps_read ?? false) && (model?.includes('gemini') ?? false)

/** Azure's router charges for the input it reads, on top of the model that it chose. */
const routerLine = (asked: string | undefined, served: string | undefined, input: number): readonly UsageLine[] => {
  if (!asked?.includes('model-router') || served === asked || input === 0) return []
  const units = { 'router.token': { n: input } }
  return [{ kind: 'router', model_served: asked, funding: 'platform', context_tokens: 0, tokens: {}, units }]
}

const fundingOf = (usage: JsonRecord): Funding => (usage['is_byok'] === true ? 'byok' : 'platform')

/** The usage object of a body or chunk; Groq puts it under `x_groq` as well, or only there. */
export const usageObject = (body: JsonRecord): JsonRecord | undefined =>
  usageIn(body['usage']) ?? usageIn(at(body, 'x_groq', 'usage'))

/**
 * Normalises the usage in a chat completion, completion, response or embedding, or in a chunk that carries it. Undefined
 * when there is none. `body` gives `usage`, `model` and `service_tier`.
 */
export const usageFromBody = (body: JsonRecord, options: UsageOptions = {}): NormalisedUsage | undefined => {
  const usage = usageObject(body)
  if (!usage) return undefined
  const { quirks = {}, model_asked } = options
  const model_served = asText(body['model'])
  const model = model_served ?? model_asked
  const reading = readTokens(usage, {
    reasoning: quirks.reasoning,
    writes_overlap: overlaps(quirks, model),
  })
  const stated = statedCost(usage, quirks)
  const units = unitsOfUsage(usage, { model, quirks, request: options.request })
  if (reading.storage > 0) units['cache_storage.token_5m'] = { n: reading.storage }
  const line: { -readonly [Name in keyof UsageLine]: UsageLine[Name] } = {
    kind: options.kind ?? 'message',
    funding: fundingOf(usage),
    context_tokens: reading.input,
    tokens: reading.tokens,
    units: options.units ? presentUnits({ ...options.units, ...units }) : units,
  }
  const tier = tierOf(body['service_tier']) ?? tierOf(usage['service_tier'])
  const other_usd = chargeBeyondTokens(usage, stated)
  if (model_served !== undefined) line.model_served = model_served
  if (tier !== undefined) line.service_tier = tier
  if (other_usd !== undefined) line.other_usd = other_usd
  return normalise({
    lines: [line, ...routerLine(model_asked, model_served, reading.input)],
    provider_total: reading.provider_total,
    stated,
    quality: reading.warnings.length > 0 ? 'inferred' : 'exact',
    warnings: reading.warnings,
    raw: usage,
  })
}
