import type { TokenRatio } from '../../core/ledger.ts'

/**
 * How a model's tokenizer compares with o200k. `ratio` multiplies an o200k count, `untaught` is that before anything was learnt;
 * `bytes_per_token` divides a text's length where no tokenizer runs.
 */
type Ratio = Readonly<{ ratio: number; untaught: number; bytes_per_token: number; learnt: boolean }>

/** o200k on 1.02 MB of Markdown and code: 238,588 tokens, measured November 2026. */
export const O200K_BYTES_PER_TOKEN = 4.28

/**
 * Bytes of a request for each token, at least (a prompt of base64 in the tokenizer that counts most) and at most (short prompts in the
 * envelope of their JSON). What a provider reports beyond them is its fault, or somebody's, and no property of its tokenizer.
 */
const PLAUSIBLE = [1, 12] as const

/** So many receipts weigh as much as the default; below, the two are blended. */
const PRIOR_SAMPLES = 20

/**
 * Ratios to o200k, measured against recorded usage in November 2026; the first match holds. New Claude models use a
 * tokenizer that counts 1.42 times o200k (measured on Opus 4.8); Sonnet 4.6 1.22; Claude up to 4.5 1.04.
 */
const defaults: readonly (readonly [RegExp, number])[] = [
  [/claude-(opus-(4[-.][789]|[5-9])|sonnet-[5-9]|haiku-[5-9]|fable|mythos)/, 1.4],
  [/claude-(4[-.]6-)?(sonnet|opus)(-4[-.]6)?.*4[-.]6|claude-4[-.]6/, 1.22],
  [/claude/, 1.04],
  [/mistral|ministral|magistral|codestral|pixtral|devstral/, 1.03],
  [/gemini|gemma/, 1.01],
]

/** The ratio that holds for a model before anything was learnt; 1 for OpenAI's own and for the unknown. */
export const defaultRatio = (model: string): number => {
  const name = model.toLowerCase()
  return defaults.find(([pattern]) => pattern.test(name))?.[1] ?? 1
}

/** Ratios as learnt from the ledger, over the defaults. */
export type Ratios = Readonly<{ of(provider: string, model: string): Ratio }>

/** Models whose ratios are worked out once; names of models come from outside. */
const MOST_KNOWN = 10_000

/**
 * Builds the look-up from what the ledger learnt (`{ ask: 'ratios' }`). A model with few samples is blended with its
 * default, weighted by samples, so that one odd prompt moves little. Nonsense (no samples, not positive) is left out.
 */
export const ratios = (learnt: readonly TokenRatio[] = []): Ratios => {
  const rows = new Map<string, TokenRatio>()
  for (const row of learnt)
    if (row.samples > 0 && row.bytes_per_token > 0 && Number.isFinite(row.bytes_per_token))
      rows.set(`${row.provider}\n${row.model}`, row)
  const known = new Map<string, Map<string, Ratio>>()
  let count = 0
  const look = (provider: string, model: string): Ratio => {
    const ratio = defaultRatio(model)
    const prior = O200K_BYTES_PER_TOKEN / ratio
    const row = rows.get(`${provider}\n${model}`)
    if (!row) return { ratio, untaught: ratio, bytes_per_token: prior, learnt: false }
    const [least, most] = PLAUSIBLE
    const seen = Math.min(most, Math.max(least, row.bytes_per_token))
    const bytes_per_token = (seen * row.samples + prior * PRIOR_SAMPLES) / (row.samples + PRIOR_SAMPLES)
    return { ratio: O200K_BYTES_PER_TOKEN / bytes_per_token, untaught: ratio, bytes_per_token, learnt: true }
  }
  return {
    of(provider, model) {
      const found = known.get(provider)?.get(model)
      if (found) return found
      const ratio = look(provider, model)
      if (++count > MOST_KNOWN) return ratio
      const models = known.get(provider) ?? new Map<string, Ratio>()
      known.set(provider, models.set(model, ratio))
      return ratio
    },
  }
}
