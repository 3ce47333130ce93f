/** Cohere bills `billed_units`, which leave out what its prompt templates add; `tokens` counts all and is not the bill. */
import type { NormalisedUsage, UsageLine } from '../core/usage.ts'
import type { Wire } from '../core/wire.ts'
import { firstCount, normalise, present, presentUnits, usageIn } from './framing/counts.ts'
import { eventError, jsonError } from './framing/failures.ts'
import { asRecord, type JsonRecord } from './framing/json.ts'

/** Embeddings of images are billed by their tokens where the answer states them, else by the piece: never both. */
const billedLine = (billed: JsonRecord): UsageLine => {
  const image_tokens = firstCount(billed['image_tokens'])
  const tokens = present({
    'in.text.fresh': firstCount(billed['input_tokens']),
    'in.image.fresh': image_tokens,
    'out.text.visible': firstCount(billed['output_tokens']),
  })
  return {
    kind: 'message',
    funding: 'platform',
    context_tokens: firstCount(billed['input_tokens']) + image_tokens,
    tokens,
    units: presentUnits({
      'rerank.search_unit': { n: firstCount(billed['search_units']) },
      'embed.image': { n: image_tokens > 0 ? 0 : firstCount(billed['images']) },
      classification: { n: firstCount(billed['classifications']) },
    }),
  }
}

/** Without billed units the counts of `tokens` are the best there is; the cached ones are among them. */
const countedLine = (tokens: JsonRecord, cached: number): UsageLine => {
  const input = firstCount(tokens['input_tokens'])
  const read = Math.min(cached, input)
  return {
    kind: 'message',
    funding: 'platform',
    context_tokens: input,
    tokens: present({
      'in.text.fresh': input - read,
      'in.text.cache_read': read,
      'out.text.visible': firstCount(tokens['output_tokens']),
    }),
    units: {},
  }
}

/** Usage from a v2 `usage` or a v1 `meta` object. Undefined when it states none. */
export const cohereUsage = (stated: unknown): NormalisedUsage | undefined => {
  const usage = asRecord(stated)
  const billed = usageIn(usage?.['billed_units'])
  if (billed) return normalise({ lines: [billedLine(billed)], warnings: [], raw: usage })
  const tokens = usageIn(usage?.['tokens'])
  if (!tokens) return undefined
  return normalise({
    lines: [countedLine(tokens, firstCount(usage?.['cached_tokens']))],
    quality: 'inferred',
    warnings: ['no billed_units; counted from tokens, which is more than the bill'],
    raw: usage,
  })
}

/** `{message}`; mid-stream as the end that says it failed. Voyage's clients read `detail`, so it stands there, too. */
export const shapeCohere: Wire['shape'] = (error, midstream = false) =>
  midstream
    ? eventError(error, { type: 'message-end', delta: { finish_reason: 'ERROR', error: error.message } }, 'message-end')
    : jsonError(error, { message: error.message, detail: error.message })
