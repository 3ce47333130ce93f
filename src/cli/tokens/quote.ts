import { formatUsd, type Picodollars } from '../../core/money.ts'
import type { PriceBook } from '../../core/price.ts'
import type { Bucket } from '../../core/usage.ts'
import type { Ratios } from '../../playbook/measure/ratios.ts'
import { thresholds } from '../../playbook/price/compare.ts'
import { price } from '../../playbook/price/price.ts'

/** What a draft would cost on a model. Money is decimal US dollars, null where the book has no price. */
export type Quote = Readonly<{
  provider: string | null
  model: string
  input_tokens: number
  input_usd: string | null
  /** The same input read from the provider's cache. */
  cached_input_usd: string | null
  output_usd: string | null
  total_usd: string | null
  /** Tokens from which on another price holds, and whether the draft is there. */
  band_from: number | null
  in_band: boolean
}>

/** Where a model's own developer serves it comes first. */
const preferred = [
  'openai',
  'anthropic',
  'google',
  'mistral',
  'deepseek',
  'x-ai',
  'cohere',
  'groq',
  'together',
  'openrouter',
]

/** `provider/model`, or a model under its exact name at the first provider that has it. */
export const findModel = (
  book: PriceBook,
  asked: string,
): Readonly<{ provider: string; model: string }> | undefined => {
  const [first = ''] = asked.split('/')
  const rest = asked.slice(first.length + 1)
  if (rest !== '' && book.rows(first, rest).length > 0) return { provider: first, model: rest }
  const others = [...book.all()].map(({ provider }) => provider)
  const provider = [...preferred, ...others].find((one) => book.rows(one, asked).length > 0)
  return provider === undefined ? undefined : { provider, model: asked }
}

const usd = (amount: Picodollars | null): string | null => (amount === null ? null : formatUsd(amount))

type Draft = Readonly<{ o200k_tokens: number; output_tokens: number; at_us: number; ratios: Ratios }>

/** Prices a draft on a model: its o200k count times the model's ratio, rounded up, at the standard price of the moment. */
export const quote = (book: PriceBook, asked: string, draft: Draft): Quote => {
  const found = findModel(book, asked)
  const { provider, model } = found ?? { provider: '', model: asked }
  const input_tokens = Math.ceil(draft.o200k_tokens * draft.ratios.of(provider, model).ratio)
  const cost = (bucket: Bucket, quantity: number): Picodollars | null => {
    const line = { kind: 'message', funding: 'platform', context_tokens: input_tokens, units: {} } as const
    const lines = [{ ...line, tokens: { [bucket]: quantity } }]
    const usage = { lines, totals: { input: 0, output: 0 }, quality: 'estimated', warnings: [], raw: null } as const
    return price({ provider, model, at_us: draft.at_us, usage }, book).cost
  }
  const input = cost('in.text.fresh', input_tokens)
  const output = cost('out.text.visible', draft.output_tokens)
  const band_from = thresholds(book, provider, model, draft.at_us).findLast((low) => low <= input_tokens)
  const next = thresholds(book, provider, model, draft.at_us)[0]
  return {
    provider: found?.provider ?? null,
    model,
    input_tokens,
    input_usd: usd(input),
    cached_input_usd: usd(cost('in.text.cache_read', input_tokens)),
    output_usd: usd(output),
    total_usd: input === null || output === null ? null : formatUsd((input + output) as Picodollars),
    band_from: band_from ?? next ?? null,
    in_band: band_from !== undefined,
  }
}
