import type { NormalisedUsage, UsageLine } from '../core/usage.ts'
import type { MeterContext, Metered } from '../core/wire.ts'
import { countOf, normalise, present, type Taking, take, usageIn } from './framing/counts.ts'
import { errorIn } from './framing/failures.ts'
import { asList, asRecord, asText, type JsonRecord, parseJson } from './framing/json.ts'
import type { Fold, Own } from './framing/metering.ts'
import { statedCost } from './openai-stated.ts'

const detail = (usage: JsonRecord, side: 'input' | 'output', name: string): number =>
  countOf(asRecord(usage[`${side}_tokens_details`])?.[name]) ?? 0

const cachedDetail = (usage: JsonRecord, name: string): number =>
  countOf(asRecord(asRecord(usage['input_tokens_details'])?.['cached_tokens_details'])?.[name]) ?? 0

/** Input by modality, cached apart. What the details leave over is text. */
const inputTokens = (usage: JsonRecord, warnings: string[]) => {
  const image_read = cachedDetail(usage, 'image_tokens')
  const text_read = Math.max(cachedDetail(usage, 'text_tokens'), detail(usage, 'input', 'cached_tokens') - image_read)
  const left: Taking = { rest: countOf(usage['input_tokens']) ?? 0, warnings }
  const cached_image = take(left, 'cached image_tokens', image_read)
  const cached_text = take(left, 'cached_tokens', Math.max(0, text_read))
  const image = take(left, 'input image_tokens', Math.max(0, detail(usage, 'input', 'image_tokens') - image_read))
  return {
    'in.text.fresh': left.rest,
    'in.image.fresh': image,
    'in.text.cache_read': cached_text,
    'in.image.cache_read': cached_image,
  }
}

/** Output of an image model is image tokens but for what the details call text. */
const outputTokens = (usage: JsonRecord, warnings: string[]) => {
  const left: Taking = { rest: countOf(usage['output_tokens']) ?? 0, warnings }
  const text = take(left, 'output text_tokens', detail(usage, 'output', 'text_tokens'))
  return { 'out.image.visible': left.rest, 'out.text.visible': text }
}

/**
 * What chooses the price of a picture: as the answer says, else as asked. DALL·E's defaults are filled in; other models'
 * are not known here, so an attribute that nobody named is left out.
 */
const attributes = (answer: JsonRecord, context: MeterContext, model: string | undefined) => {
  const dalle = model?.startsWith('dall-e') ?? false
  const asked = context.reading.unit_attrs ?? {}
  const size = asText(answer['size']) ?? asked['size'] ?? (dalle ? '1024x1024' : undefined)
  const quality = asText(answer['quality']) ?? asked['quality'] ?? (dalle ? 'standard' : undefined)
  return { ...(size === undefined ? {} : { size }), ...(quality === undefined ? {} : { quality }) }
}

/** One line of an answer with token usage (gpt-image), or by the piece where there is none (DALL·E and most others). */
const pictureLine = (answer: JsonRecord, context: MeterContext, warnings: string[]): UsageLine => {
  const model_served = asText(answer['model'])
  const base = {
    kind: 'message',
    funding: 'platform',
    ...(model_served === undefined ? {} : { model_served }),
  } as const
  const usage = usageIn(answer['usage'])
  if (usage && (countOf(usage['input_tokens']) !== undefined || countOf(usage['output_tokens']) !== undefined)) {
    const tokens = present({ ...inputTokens(usage, warnings), ...outputTokens(usage, warnings) })
    return { ...base, context_tokens: countOf(usage['input_tokens']) ?? 0, tokens, units: {} }
  }
  const n = asList(answer['data']).length
  const units =
    n === 0
      ? {}
      : { 'image.generated': { n, attrs: attributes(answer, context, context.reading.model ?? model_served) } }
  return { ...base, context_tokens: 0, tokens: {}, units }
}

/** The usage of an image answer: tokens where it states them, else pictures by the piece. */
const usageFromImages = (answer: JsonRecord, context: MeterContext): NormalisedUsage => {
  const warnings: string[] = []
  const usage = usageIn(answer['usage'])
  const line = pictureLine(answer, context, warnings)
  return normalise({
    lines: [line],
    provider_total: line.units['image.generated'] ? undefined : countOf(usage?.['total_tokens']),
    stated: usage && statedCost(usage, context.quirks),
    quality: warnings.length > 0 ? 'inferred' : 'exact',
    warnings,
    raw: usage ?? null,
  })
}

/** The metered answer of an image call that came whole. */
export const describeImages = (answer: JsonRecord | undefined, context: MeterContext, ended: boolean): Metered => {
  if (!answer) return { complete: false, output_text: '' }
  const error = errorIn(answer)
  if (error) return { error, complete: ended, output_text: '' }
  return { usage: usageFromImages(answer, context), complete: ended, output_text: '' }
}

const finished = /"type"\s*:\s*"image_(?:generation|edit)\.completed"/

/**
 * The fold of image streams: each completed image states its own usage, so these are separate lines. Partial images are
 * tokens of the image that they belong to.
 */
export const pictureFold = (context: MeterContext): Fold<string> => {
  const images: NormalisedUsage[] = []
  let failure: Metered['error']
  const fold: Own<Fold<string>> = {
    started: false,
    done: false,
    read(data) {
      fold.started = true
      if (data.startsWith('[DONE]')) fold.done = true
      if (finished.test(data)) {
        const event = asRecord(parseJson(data)) ?? {}
        images.push(usageFromImages({ ...event, data: [event] }, context))
      } else if (data.includes('"error"')) failure = errorIn(parseJson(data)) ?? failure
      return undefined
    },
    finish(ended) {
      const complete = fold.done || (ended && images.length > 0)
      const error = failure ? { error: failure } : {}
      if (images.length === 0) return { ...error, complete, output_text: '' }
      const totals = images.map((image) => image.totals.provider_total)
      const usage = normalise({
        lines: images.flatMap((image) => image.lines),
        provider_total: totals.includes(undefined)
          ? undefined
          : totals.reduce((sum: number, one) => sum + (one ?? 0), 0),
        warnings: images.flatMap((image) => image.warnings),
        raw: images.map((image) => image.raw),
      })
      return { usage, ...error, complete, output_text: '' }
    },
  }
  return fold
}
