import type { NormalisedUsage, UsageLine } from '../../core/usage.ts'
import type { Metered, Reading } from '../../core/wire.ts'

/** A run of letters (or of blanks) longer than this makes a BPE tokenizer quadratic, so it is cut. Bytes of UTF-8. */
const LONGEST_RUN_BYTES = 2048
/** Characters that are really counted; what is beyond is taken in proportion, so that no call waits for a tokenizer. */
const COUNTED_CHARACTERS = 100_000
/** Objects that are looked at for images and other media. */
const WALKED_VALUES = 20_000

const isBlank = (code: number) => code <= 32 || code === 0xa0 || code === 0x3000 || (code >= 0x2000 && code <= 0x200a)

/** Bytes of UTF-8 of one UTF-16 unit; a surrogate is half of a four-byte character. */
const width = (code: number) => (code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3)

/**
 * Cuts a text so that no piece holds an unbroken run (of blanks or of anything else) over 2 KB. Joined, the pieces are the
 * text; a text without such a run is one piece; no surrogate pair is divided.
 */
export const pieces = (text: string): string[] => {
  const cut: string[] = []
  let start = 0
  let run = 0
  let blank = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    const isNowBlank = isBlank(code)
    if (isNowBlank !== blank) {
      blank = isNowBlank
      run = 0
    }
    run += width(code)
    const insidePair = code >= 0xdc00 && code <= 0xdfff
    if (run > LONGEST_RUN_BYTES && !insidePair) {
      cut.push(text.slice(start, index))
      start = index
      run = width(code)
    }
  }
  if (start < text.length) cut.push(text.slice(start))
  return cut
}

/** Counts texts with `count`, the first 100,000 characters for certain and the rest in proportion. */
const countAll = async (texts: Iterable<string>, count: Estimate['count']) => {
  const samples: string[] = []
  let counted = 0
  let characters = 0
  for (const text of texts) {
    characters += text.length
    const room = COUNTED_CHARACTERS - counted
    if (room <= 0) continue
    const sample = text.length > room ? text.slice(0, room) : text
    samples.push(...pieces(sample))
    counted += sample.length
  }
  const tokens = (await count(samples)).reduce((sum, one) => sum + one, 0)
  return { tokens: counted === 0 ? 0 : (tokens * characters) / counted, proportional: characters > counted }
}

const media = new Set(['image', 'image_url', 'input_image', 'input_audio', 'audio', 'document', 'file', 'input_file'])
const mediaKeys = ['inlineData', 'inline_data', 'fileData', 'file_data']

/** A block of Converse: `{image: {format, source}}`. */
const isConverseMedia = (value: Readonly<Record<string, unknown>>): boolean =>
  ['image', 'document', 'video', 'audio'].some((name) => {
    const inner = value[name]
    return typeof inner === 'object' && inner !== null && 'format' in inner && 'source' in inner
  })

/** Anthropic's documents may be plain text, which stands in the prompt's parts. */
const isText = (source: unknown): boolean =>
  typeof source === 'object' && source !== null && (source as { type?: unknown }).type === 'text'

const isMedia = (value: Readonly<Record<string, unknown>>) =>
  (typeof value['type'] === 'string' && media.has(value['type']) && !isText(value['source'])) ||
  mediaKeys.some((key) => key in value) ||
  isConverseMedia(value)

/** Images, audio and files in a request body, by a bounded walk. Their tokens are in no text. */
export const countMedia = (json: unknown): number => {
  const open: unknown[] = [json]
  let found = 0
  for (let walked = 0; open.length > 0 && walked < WALKED_VALUES; walked++) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) continue
    if (!Array.isArray(value) && isMedia(value as Record<string, unknown>)) found += 1
    else for (const inner of Object.values(value)) open.push(inner)
  }
  return found
}

export type Estimate = Readonly<{
  reading: Reading
  /** The request's body, to notice images and other media that no text shows. */
  json?: unknown
  /** What the model was seen to write. */
  output_text: string
  /** Tokens of each text in o200k. */
  count: (texts: readonly string[]) => Promise<readonly number[]>
  /** Tokens of the model for one of o200k (`ratios`). */
  ratio: number
}>

/**
 * Usage counted by tokenizer, for a stream that was cut or a response without usage. Input counts as fresh text, output
 * as visible text, both rounded up; quality is `estimated` and the warnings say what could not be seen.
 */
export const estimateUsage = async (options: Estimate): Promise<NormalisedUsage> => {
  const { reading, count, ratio } = options
  const prompt = await countAll(
    reading.parts.map((part) => part.text),
    count,
  )
  const answer = await countAll([options.output_text], count)
  const input = Math.ceil(prompt.tokens * ratio)
  const output = Math.ceil(answer.tokens * ratio)
  const attachments = options.json === undefined ? 0 : countMedia(options.json)
  const warnings = [
    'no usage from the provider: tokens are estimated by tokenizer; cached and hidden tokens are unknown',
  ]
  if (prompt.proportional || answer.proportional)
    warnings.push(`text beyond ${COUNTED_CHARACTERS} characters is estimated in proportion`)
  if (attachments > 0) warnings.push(`${attachments} images, audio or files are not in the estimate`)
  const line: UsageLine = {
    kind: 'message',
    ...(reading.geo === undefined ? {} : { geo: reading.geo }),
    ...(reading.service_tier === undefined ? {} : { service_tier: reading.service_tier }),
    ...(reading.speed === undefined ? {} : { speed: reading.speed }),
    funding: 'platform',
    context_tokens: input,
    tokens: {
      ...(input > 0 ? { 'in.text.fresh': input } : {}),
      ...(output > 0 ? { 'out.text.visible': output } : {}),
    },
    units: {},
  }
  return { lines: [line], totals: { input, output }, quality: 'estimated', warnings, raw: null }
}

/** What a meter learnt, and what is needed to estimate the rest. */
export type Measured = Omit<Estimate, 'output_text'> & Readonly<{ metered: Pick<Metered, 'usage' | 'output_text'> }>

/**
 * The usage of an answer, however it ended: the provider's own when it is whole; the provider's input with an estimated
 * output when a stream told only its input (Anthropic, cut); and an estimate of both otherwise.
 */
export const usageOf = async (options: Measured): Promise<NormalisedUsage> => {
  const { metered, count, ratio } = options
  const { usage, output_text } = metered
  if (usage === undefined) return estimateUsage({ ...options, output_text })
  if (output_text === '') return usage
  const written = Math.ceil((await countAll([output_text], count)).tokens * ratio)
  const missing = written - usage.totals.output
  const last = usage.lines.findLastIndex((line) => line.kind !== 'declined')
  if (missing <= 0 || last < 0) return usage
  const lines = usage.lines.map((line, index) =>
    index === last
      ? { ...line, tokens: { ...line.tokens, 'out.text.visible': (line.tokens['out.text.visible'] ?? 0) + missing } }
      : line,
  )
  const { provider_total: _, ...totals } = usage.totals
  return {
    ...usage,
    lines,
    totals: { ...totals, output: written },
    quality: 'estimated',
    warnings: [...usage.warnings, 'the provider counted the input only: output is estimated by tokenizer'],
  }
}
