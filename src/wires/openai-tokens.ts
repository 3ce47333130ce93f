import { countOf, firstCount, present, type Tokens, takeFrom } from './framing/counts.ts'
import { asRecord, type JsonRecord } from './framing/json.ts'

/** Token classes of one OpenAI-like usage object, disjoint. */
export type TokenReading = Readonly<{
  tokens: Tokens
  /** All input, cached included: what a long-context threshold compares. */
  input: number
  /** Cache writes that are storage of tokens counted elsewhere (Gemini behind OpenRouter), in token × 5 minutes. */
  storage: number
  /** The provider's total, where it counts the same tokens as we do. */
  provider_total: number | undefined
  warnings: readonly string[]
}>

export type TokenRules = Readonly<{
  /** Reasoning stands beside the output count, not in it. The provider's total, where it tells, decides. */
  reasoning_outside: boolean
  /** Cache writes count the same tokens as reads or fresh input do. */
  writes_overlap: boolean
}>

const none: JsonRecord = {}
const detail = (usage: JsonRecord, ...names: readonly string[]): JsonRecord =>
  names.map((name) => asRecord(usage[name])).find((found) => found !== undefined) ?? none

/** Fields that state one and the same number; a zero beside a count is a field that the server does not fill. */
const oneOf = (...values: readonly unknown[]): number => Math.max(0, ...values.map((value) => countOf(value) ?? 0))

type Side = Readonly<{ tokens: Tokens; warnings: readonly string[] }>

const inputSide = (usage: JsonRecord, total: number, storage: boolean): Side => {
  const details = detail(usage, 'prompt_tokens_details', 'input_tokens_details', 'input_token_details')
  const cached = detail(details, 'cached_tokens_details')
  const warnings: string[] = []
  const read = oneOf(
    details['cached_tokens'],
    usage['prompt_cache_hit_tokens'],
    usage['num_cached_tokens'],
    usage['cached_tokens'],
  )
  const audio_read = Math.min(oneOf(cached['audio_tokens']), read)
  const image_read = Math.min(oneOf(cached['image_tokens']), read - audio_read)
  const parts = [
    { name: 'cached_tokens', count: read },
    { name: 'cache_write_tokens', count: storage ? 0 : oneOf(details['cache_write_tokens']) },
    { name: 'input audio_tokens', count: Math.max(0, oneOf(details['audio_tokens']) - audio_read) },
    { name: 'input image_tokens', count: Math.max(0, oneOf(details['image_tokens']) - image_read) },
    { name: 'input video_tokens', count: oneOf(details['video_tokens']) },
  ]
  const { rest, taken } = takeFrom(total, parts, warnings)
  const [reads = 0, writes = 0, audio = 0, image = 0, video = 0] = taken
  const tokens = {
    'in.text.fresh': rest,
    'in.text.cache_read': Math.max(0, reads - audio_read - image_read),
    'in.audio.cache_read': Math.min(audio_read, reads),
    'in.image.cache_read': Math.min(image_read, Math.max(0, reads - audio_read)),
    'in.text.cache_write': writes,
    'in.audio.fresh': audio,
    'in.image.fresh': image,
    'in.video.fresh': video,
  }
  return { tokens, warnings }
}

const outputSide = (usage: JsonRecord, total: number, reasoning_outside: boolean): Side => {
  const details = detail(usage, 'completion_tokens_details', 'output_tokens_details')
  const warnings: string[] = []
  const reasoning = oneOf(details['reasoning_tokens'])
  const parts = [
    { name: 'reasoning_tokens', count: reasoning_outside ? 0 : reasoning },
    { name: 'output audio_tokens', count: oneOf(details['audio_tokens']) },
    { name: 'output image_tokens', count: oneOf(details['image_tokens']) },
    { name: 'rejected_prediction_tokens', count: oneOf(details['rejected_prediction_tokens']) },
  ]
  const { rest, taken } = takeFrom(total, parts, warnings)
  const [inside = 0, audio = 0, image = 0, rejected = 0] = taken
  const tokens = {
    'out.text.visible': rest,
    'out.text.reasoning': reasoning_outside ? reasoning : inside,
    'out.audio.visible': audio,
    'out.image.visible': image,
    'out.text.prediction_rejected': rejected,
  }
  return { tokens, warnings }
}

/** Does the stated total say whether reasoning is inside the output? The rule decides where it does not. */
const isOutside = (usage: JsonRecord, input: number, output: number, rules: TokenRules): boolean => {
  const reasoning = oneOf(detail(usage, 'completion_tokens_details', 'output_tokens_details')['reasoning_tokens'])
  const total = countOf(usage['total_tokens'])
  if (reasoning === 0 || total === undefined) return rules.reasoning_outside
  if (total === input + output) return false
  return total === input + output + reasoning || rules.reasoning_outside
}

/**
 * Reads the token counts of a usage object in OpenAI's spelling (`prompt_tokens` or `input_tokens`, …) into disjoint
 * classes. Sub-counts that exceed what they are part of are clamped and warned of; nothing is ever thrown.
 */
export const readTokens = (usage: JsonRecord, rules: TokenRules): TokenReading => {
  const input = firstCount(usage['prompt_tokens'], usage['input_tokens'])
  const output = firstCount(usage['completion_tokens'], usage['output_tokens'])
  const details = detail(usage, 'prompt_tokens_details', 'input_tokens_details')
  const storage = rules.writes_overlap ? oneOf(details['cache_write_tokens']) : 0
  const before = inputSide(usage, input, rules.writes_overlap)
  const after = outputSide(usage, output, isOutside(usage, input, output, rules))
  // Perplexity counts these two at the top, beside its total and outside of it.
  const citation = oneOf(usage['citation_tokens'])
  const beside = oneOf(usage['reasoning_tokens'])
  const total = countOf(usage['total_tokens'])
  const tokens = { ...before.tokens, ...after.tokens }
  return {
    tokens: present({
      ...tokens,
      'out.text.reasoning': (tokens['out.text.reasoning'] ?? 0) + beside,
      'out.text.citation': citation,
    }),
    input,
    storage,
    provider_total: citation + beside > 0 ? undefined : total,
    warnings: [...before.warnings, ...after.warnings],
  }
}
