import { z } from 'zod'
import type { Catalog } from '../core/catalog.ts'
import type { PriceRow } from '../core/price.ts'
import type { Meter } from '../core/usage.ts'
import { catalogRow, putRate, readJson } from './file/read.ts'
import { versionOf } from './folder.ts'

/** LiteLLM's provider names under ours; entries of others are left out. */
const providers: Readonly<Record<string, string>> = {
  openai: 'openai',
  'text-completion-openai': 'openai',
  azure: 'azure-openai',
  anthropic: 'anthropic',
  gemini: 'google',
  'vertex_ai-language-models': 'vertex-ai',
  'vertex_ai-anthropic_models': 'vertex-ai',
  'vertex_ai-embedding-models': 'vertex-ai',
  bedrock: 'aws-bedrock',
  bedrock_converse: 'aws-bedrock',
  cohere: 'cohere',
  cohere_chat: 'cohere',
  deepseek: 'deepseek',
  mistral: 'mistral',
  xai: 'x-ai',
  perplexity: 'perplexity',
  openrouter: 'openrouter',
  groq: 'groq',
  together_ai: 'together',
  fireworks_ai: 'fireworks',
  databricks: 'databricks',
  snowflake: 'snowflake',
  voyage: 'voyage',
}

const entry = z.looseObject({ litellm_provider: z.string().optional() })
const schema = z.record(z.string(), entry)

/** Keys that state a price of one token or piece; a suffix names the tier or the long-context band. */
const keys: Readonly<Record<string, Meter>> = {
  input_cost_per_token: 'in.text.fresh',
  output_cost_per_token: 'out.text.visible',
  cache_read_input_token_cost: 'in.text.cache_read',
  cache_creation_input_token_cost: 'in.text.cache_write',
  cache_creation_input_token_cost_above_1hr: 'in.text.cache_write_1h',
  output_cost_per_reasoning_token: 'out.text.reasoning',
  input_cost_per_audio_token: 'in.audio.fresh',
  output_cost_per_audio_token: 'out.audio.visible',
  input_cost_per_image_token: 'in.image.fresh',
  output_cost_per_image_token: 'out.image.visible',
  input_cost_per_second: 'audio_in.second',
  input_cost_per_character: 'tts.char',
  input_cost_per_query: 'rerank.search_unit',
}

type Variant = Readonly<{ suffix: string; conditions: Partial<PriceRow> }>

const modes: readonly Variant[] = [
  { suffix: '', conditions: {} },
  { suffix: '_flex', conditions: { tier: 'flex' } },
  { suffix: '_priority', conditions: { tier: 'priority' } },
  { suffix: '_batches', conditions: { batch: true } },
]

const bandsOf = (given: Readonly<Record<string, unknown>>): number[] => {
  const found = Object.keys(given).flatMap((key) => /_above_(\d+)k_tokens/.exec(key)?.[1] ?? [])
  return [...new Set(found)].map((thousands) => Number(thousands) * 1000).sort((a, b) => a - b)
}

const ratesOf = (given: Readonly<Record<string, unknown>>, suffix: string): PriceRow['rates'] => {
  const rates: Partial<Record<Meter, string>> = {}
  for (const [key, meter] of Object.entries(keys)) putRate(rates, meter, given[`${key}${suffix}`])
  return rates
}

const rowsOf = (name: string, given: z.infer<typeof entry>): PriceRow[] => {
  const named = given.litellm_provider ?? ''
  const provider = providers[named]
  if (provider === undefined) return []
  const model = name.startsWith(`${named}/`) ? name.slice(named.length + 1) : name
  const bands: Variant[] = bandsOf(given).flatMap((tokens) =>
    modes.map(({ suffix, conditions }) => ({
      suffix: `_above_${tokens / 1000}k_tokens${suffix}`,
      conditions: { ...conditions, context: { operator: '>' as const, tokens } },
    })),
  )
  return [...modes, ...bands].flatMap(({ suffix, conditions }) =>
    catalogRow({
      id: `litellm:${provider}/${model}${suffix}`,
      provider,
      models: [model],
      ...conditions,
      rates: ratesOf(given, suffix),
      source: 'LiteLLM model_prices_and_context_window.json',
    }),
  )
}

/** A downloaded `model_prices_and_context_window.json`: dollars a token as numbers, tiers and bands as key suffixes. */
export const catalog: Catalog = {
  name: 'litellm',
  async rows(path) {
    const entries = Object.entries(readJson('litellm', path, schema))
    const rows = entries.flatMap(([name, given]) => (name === 'sample_spec' ? [] : rowsOf(name, given)))
    const first = new Map(rows.toReversed().map((row) => [row.id, row]))
    const unique = [...first.values()].reverse()
    return { version: versionOf(unique), rows: unique }
  },
}
