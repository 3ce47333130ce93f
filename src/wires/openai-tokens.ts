import type { Bucket } from '../core/usage.ts'
import type { Quirks } from '../core/wire.ts'
import { countOf, firstCount, type Taking, type Tokens, take } from './framing/counts.ts'
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
  reasoning: Quirks['reasoning']
  /** Cache writes count the same tokens as reads or fresh input do. */
  writes_overlap: boolean
}>

const none: JsonRecord = {}
const detail = (usage: JsonRecord, ...names: readonly string[]): JsonRecord => {
  for (const name of names) {
    const found = asRecord(usage[name])
    if (found) return found
  }
  return none
}

const inputDetail = (usage: JsonRecord): JsonRecord =>
  detail(usage, 'prompt_tokens_details', 'input_tokens_details', 'input_token_details')
const outputDetail = (usage: JsonRecord): JsonRecord =>
  detail(usage, 'completion_tokens_details', 'output_tokens_details')

/** Fields that state one and the same number; a zero beside a count is a field that the server does not fill. */
const oneOf = (...values: readonly unknown[]): number => {
  let largest = 0
  for (const value of values) largest = Math.max(largest, countOf(value) ?? 0)
  return largest
}

/** Sets a class that was used. Lines name only what was consumed, in the order in which it is set. */
const set = (tokens: Tokens, bucket: Bucket, count: number): void => {
  if (count > 0) tokens[bucket] = count
}

const addInput = (tokens: Tokens, usage: JsonRecord, total: number, storage: boolean, warnings: string[]): void => {
  const details = inputDetail(usage)
  const cached = detail(details, 'cached_tokens_details')
  const read = oneOf(
    details['cached_tokens'],
    usage['prompt_cache_hit_tokens'],
    usage['num_cached_tokens'],
    usage['cached_tokens'],
  )
  const audio_read = Math.min(oneOf(cached['audio_tokens']), read)
  const image_read = Math.min(oneOf(cached['image_tokens']), read - audio_read)
  const left: Taking = { rest: total, warnings }
  const reads = take(left, 'cached_tokens', read)
  const writes = take(left, 'cache_write_tokens', storage ? 0 : oneOf(details['cache_write_tokens']))
  const audio = take(left, 'input audio_tokens', Math.max(0, oneOf(details['audio_tokens']) - audio_read))
  const image = take(left, 'input image_tokens', Math.max(0, oneOf(details['image_tokens']) - image_read))
  const video = take(left, 'input video_tokens', oneOf(details['video_tokens']))
  set(tokens, 'in.text.fresh', left.rest)
  set(tokens, 'in.text.cache_read', reads - audio_read - image_read)
  set(tokens, 'in.audio.cache_read', Math.min(audio_read, reads))
  set(tokens, 'in.image.cache_read', Math.min(image_read, Math.max(0, reads - audio_read)))
  set(tokens, 'in.text.cache_write', writes)
  set(tokens, 'in.audio.fresh', audio)
  set(tokens, 'in.image.fresh', image)
  set(tokens, 'in.video.fresh', video)
}

/** How much reasoning there is, and whether the output's count leaves it out. */
type Reasoning = Readonly<{ count: number; outside: boolean }>

/** The provider's total, where it says whether reasoning is inside the output, decides; the rule decides where it does not. */
const reasoningOf = (usage: JsonRecord, input: number, output: number, { reasoning: rule }: TokenRules): Reasoning => {
  const stated = oneOf(outputDetail(usage)['reasoning_tokens'], usage['reasoning_tokens'])
  if (rule === 'beside-total') return { count: stated, outside: true }
  const total = countOf(usage['total_tokens'])
  const beyond = total === undefined ? undefined : total - input - output
  if (stated === 0) return { count: rule === 'total-only' ? Math.max(0, beyond ?? 0) : 0, outside: true }
  return { count: stated, outside: beyond !== 0 && (beyond === stated || rule === 'beside-output') }
}

const addOutput = (
  tokens: Tokens,
  usage: JsonRecord,
  total: number,
  { count, outside }: Reasoning,
  warnings: string[],
): void => {
  const details = outputDetail(usage)
  const left: Taking = { rest: total, warnings }
  const inside = take(left, 'reasoning_tokens', outside ? 0 : count)
  const audio = take(left, 'output audio_tokens', oneOf(details['audio_tokens']))
  const image = take(left, 'output image_tokens', oneOf(details['image_tokens']))
  const rejected = take(left, 'rejected_prediction_tokens', oneOf(details['rejected_prediction_tokens']))
  set(tokens, 'out.text.visible', left.rest)
  set(tokens, 'out.text.reasoning', outside ? count : inside)
  set(tokens, 'out.audio.visible', audio)
  set(tokens, 'out.image.visible', image)
  set(tokens, 'out.text.prediction_rejected', rejected)
}

/**
 * Reads the token counts of a usage object in OpenAI's spelling (`prompt_tokens` or `input_tokens`, …) into disjoint
 * classes. Sub-counts that exceed what they are part of are clamped and warned of; nothing is ever thrown.
 */
export const readTokens = (usage: JsonRecord, rules: TokenRules): TokenReading => {
  const input = firstCount(usage['prompt_tokens'], usage['input_tokens'])
  const output = firstCount(usage['completion_tokens'], usage['output_tokens'])
  const storage = rules.writes_overlap ? oneOf(inputDetail(usage)['cache_write_tokens']) : 0
  const citation = oneOf(usage['citation_tokens'])
  const reasoning = reasoningOf(usage, input, output, rules)
  const tokens: Tokens = {}
  const warnings: string[] = []
  addInput(tokens, usage, input, rules.writes_overlap, warnings)
  addOutput(tokens, usage, output, reasoning, warnings)
  set(tokens, 'out.text.citation', citation)
  if (rules.reasoning === 'total-only' && reasoning.outside && reasoning.count > 0)
    warnings.push(`${reasoning.count} tokens that only the total counts are taken as reasoning`)
  const beside = citation + (rules.reasoning === 'beside-total' ? reasoning.count : 0)
  const provider_total = beside > 0 ? undefined : countOf(usage['total_tokens'])
  return { tokens, input, storage, provider_total, warnings }
}
