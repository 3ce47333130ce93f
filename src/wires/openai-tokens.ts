import type { Bucket } from '../core/usage.ts'
import { countOf, firstCount, type Tokens } from './framing/counts.ts'
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

/** Takes parts out of a total, one after the other; one that is larger than what is left is clamped and warned of. */
type Taking = { rest: number; readonly warnings: string[] }

const take = (from: Taking, name: string, count: number): number => {
  const fits = Math.min(count, from.rest)
  if (fits < count) from.warnings.push(`${name} ${count} exceeds the ${from.rest} tokens it is part of`)
  from.rest -= fits
  return fits
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

/** `beside` is reasoning that stands at the top of the usage object, outside of the output. */
const addOutput = (
  tokens: Tokens,
  usage: JsonRecord,
  total: number,
  reasoning_outside: boolean,
  beside: number,
  warnings: string[],
): void => {
  const details = outputDetail(usage)
  const reasoning = oneOf(details['reasoning_tokens'])
  const left: Taking = { rest: total, warnings }
  const inside = take(left, 'reasoning_tokens', reasoning_outside ? 0 : reasoning)
  const audio = take(left, 'output audio_tokens', oneOf(details['audio_tokens']))
  const image = take(left, 'output image_tokens', oneOf(details['image_tokens']))
  const rejected = take(left, 'rejected_prediction_tokens', oneOf(details['rejected_prediction_tokens']))
  set(tokens, 'out.text.visible', left.rest)
  set(tokens, 'out.text.reasoning', (reasoning_outside ? reasoning : inside) + beside)
  set(tokens, 'out.audio.visible', audio)
  set(tokens, 'out.image.visible', image)
  set(tokens, 'out.text.prediction_rejected', rejected)
}

/** Does the stated total say whether reasoning is inside the output? The rule decides where it does not. */
const isOutside = (usage: JsonRecord, input: number, output: number, rules: TokenRules): boolean => {
  const reasoning = oneOf(outputDetail(usage)['reasoning_tokens'])
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
  const storage = rules.writes_overlap ? oneOf(inputDetail(usage)['cache_write_tokens']) : 0
  // Perplexity counts these two at the top, beside its total and outside of it.
  const citation = oneOf(usage['citation_tokens'])
  const beside = oneOf(usage['reasoning_tokens'])
  const tokens: Tokens = {}
  const warnings: string[] = []
  addInput(tokens, usage, input, rules.writes_overlap, warnings)
  addOutput(tokens, usage, output, isOutside(usage, input, output, rules), beside, warnings)
  set(tokens, 'out.text.citation', citation)
  const provider_total = citation + beside > 0 ? undefined : countOf(usage['total_tokens'])
  return { tokens, input, storage, provider_total, warnings }
}
