/** Usage in the form of Converse: cached tokens are outside `inputTokens`, and every cache count may come twice. */
import type { NormalisedUsage, UsageLine } from '../../core/usage.ts'
import type { MeterContext } from '../../core/wire.ts'
import { countOf, firstCount, normalise, present, type Taking, type Tokens, take, usageIn } from '../framing/counts.ts'
import { asRecord, asText, at, type JsonRecord, recordsOf } from '../framing/json.ts'
import { tierOf } from './converse-request.ts'
import { publicModel, readModelPath } from './model-id.ts'

/** Cache writes by TTL, where the response splits them; the rest at the TTL that the request asked for. */
const cacheWrites = (usage: JsonRecord, ttl: '5m' | '1h' | undefined, warnings: string[]): Tokens => {
  const left: Taking = {
    rest: firstCount(usage['cacheWriteInputTokens'], usage['cacheWriteInputTokenCount']),
    warnings,
  }
  const split = { '5m': 0, '1h': 0 }
  for (const detail of recordsOf(usage['cacheDetails'])) {
    const life = detail['ttl']
    if (life === '5m' || life === '1h')
      split[life] += take(left, `cacheDetails of ${life}`, countOf(detail['inputTokens']) ?? 0)
  }
  return {
    'in.text.cache_write': ttl === '1h' ? 0 : left.rest,
    'in.text.cache_write_5m': split['5m'],
    'in.text.cache_write_1h': split['1h'] + (ttl === '1h' ? left.rest : 0),
  }
}

/** Policies that a guardrail bills by the text unit (1,000 characters); words and free units cost nothing. */
const policies: Readonly<Record<string, string>> = {
  topicPolicyUnits: 'topic',
  contentPolicyUnits: 'content',
  contentPolicyImageUnits: 'content_image',
  sensitiveInformationPolicyUnits: 'sensitive_information',
  contextualGroundingPolicyUnits: 'contextual_grounding',
  automatedReasoningPolicyUnits: 'automated_reasoning',
}

const assessments = (trace: unknown): readonly JsonRecord[] => {
  const guardrail = at(trace, 'guardrail')
  const inputs = Object.values(asRecord(at(guardrail, 'inputAssessment')) ?? {})
  const outputs = Object.values(asRecord(at(guardrail, 'outputAssessments')) ?? {}).flat()
  return recordsOf([...inputs, ...outputs])
}

/** One line a policy, because each has its price: rows of the model `guardrail`, with the policy as attribute. */
const guardrailLines = (trace: unknown, funding: UsageLine['funding']): readonly UsageLine[] => {
  const units = new Map<string, number>()
  for (const assessment of assessments(trace)) {
    const usage = asRecord(at(assessment, 'invocationMetrics', 'usage')) ?? {}
    for (const [field, policy] of Object.entries(policies)) {
      const count = countOf(usage[field]) ?? 0
      if (count > 0) units.set(policy, (units.get(policy) ?? 0) + count)
    }
  }
  return [...units].map(([policy, n]) => ({
    kind: 'tool',
    model_served: 'guardrail',
    funding,
    context_tokens: 0,
    tokens: {},
    units: { 'guardrail.text_unit': { n, attrs: { policy } } },
  }))
}

const serverToolWarnings = (usage: JsonRecord): readonly string[] =>
  Object.entries(asRecord(usage['serverToolUsage']) ?? {})
    .filter(([, count]) => (countOf(count) ?? 0) > 0)
    .map(([name, count]) => `serverToolUsage.${name.slice(0, 60)} ${count} is not metered`)

/** The model that a prompt router chose; the only answer of Bedrock that names one. */
export const routedModel = (answer: unknown): string | undefined => {
  const invoked = asText(at(answer, 'trace', 'promptRouter', 'invokedModelId'))
  return invoked === undefined ? undefined : publicModel(invoked)
}

/**
 * The usage of a Converse answer or of a stream's metadata event (`usage`, `serviceTier`, `performanceConfig`, `trace`), or
 * of a Nova body. Undefined when it states none.
 */
export const converseUsage = (answer: JsonRecord, context: MeterContext): NormalisedUsage | undefined => {
  const usage = usageIn(answer['usage'])
  if (!usage) return undefined
  const warnings: string[] = []
  const tokens = present({
    'in.text.fresh': firstCount(usage['inputTokens']),
    'in.text.cache_read': firstCount(usage['cacheReadInputTokens'], usage['cacheReadInputTokenCount']),
    ...cacheWrites(usage, context.reading.cache_ttl, warnings),
    'out.text.visible': firstCount(usage['outputTokens']),
  })
  const input = Object.entries(tokens).reduce((sum, [bucket, n]) => (bucket.startsWith('in.') ? sum + n : sum), 0)
  const provisioned = readModelPath(context.request.path)?.provisioned === true
  const funding = provisioned ? 'provisioned' : 'platform'
  const tier = provisioned ? 'provisioned' : (tierOf(at(answer, 'serviceTier', 'type')) ?? context.reading.service_tier)
  const fast = at(answer, 'performanceConfig', 'latency') === 'optimized'
  const model = routedModel(answer)
  const line: UsageLine = {
    kind: 'message',
    funding,
    context_tokens: input,
    tokens,
    units: {},
    ...(model === undefined ? {} : { model_served: model }),
    ...(tier === undefined ? {} : { service_tier: tier }),
    ...(fast ? { speed: 'fast' } : {}),
  }
  return normalise({
    lines: [line, ...guardrailLines(answer['trace'], 'platform')],
    provider_total: countOf(usage['totalTokens']),
    quality: warnings.length > 0 ? 'inferred' : 'exact',
    warnings: [...warnings, ...serverToolWarnings(usage)],
    raw: usage,
  })
}
