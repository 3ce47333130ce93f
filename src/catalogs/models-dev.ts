import { z } from 'zod'
import type { Catalog } from '../core/catalog.ts'
import type { PriceRow } from '../core/price.ts'
import type { Meter } from '../core/usage.ts'
import { catalogRow, putRate, readJson } from './file/read.ts'
import { versionOf } from './folder.ts'

const providers: Readonly<Record<string, string>> = {
  openai: 'openai',
  azure: 'azure-openai',
  anthropic: 'anthropic',
  google: 'google',
  'google-vertex': 'vertex-ai',
  'google-vertex-anthropic': 'vertex-ai',
  'amazon-bedrock': 'aws-bedrock',
  cohere: 'cohere',
  deepseek: 'deepseek',
  mistral: 'mistral',
  xai: 'x-ai',
  perplexity: 'perplexity',
  openrouter: 'openrouter',
  groq: 'groq',
  togetherai: 'together',
  'fireworks-ai': 'fireworks',
  databricks: 'databricks',
  snowflake: 'snowflake',
  voyage: 'voyage',
}

const amounts = {
  input: z.number().optional(),
  output: z.number().optional(),
  reasoning: z.number().optional(),
  cache_read: z.number().optional(),
  cache_write: z.number().optional(),
  input_audio: z.number().optional(),
  output_audio: z.number().optional(),
}
const band = z.looseObject({ ...amounts, tier: z.looseObject({ size: z.number() }).optional() })
const cost = z.looseObject({
  ...amounts,
  tiers: z.array(band).optional(),
  context_over_200k: z.looseObject(amounts).optional(),
})
const fast = z.looseObject({ cost: z.looseObject(amounts).optional() })
const model = z.looseObject({
  cost: cost.optional(),
  experimental: z
    .union([z.looseObject({ modes: z.looseObject({ fast: fast.optional() }).optional() }), z.boolean()])
    .optional(),
})
const schema = z.record(z.string(), z.looseObject({ models: z.record(z.string(), model) }))

type Amounts = { [key in keyof typeof amounts]?: number | undefined }

const meters: Readonly<Record<keyof typeof amounts, Meter>> = {
  input: 'in.text.fresh',
  output: 'out.text.visible',
  reasoning: 'out.text.reasoning',
  cache_read: 'in.text.cache_read',
  cache_write: 'in.text.cache_write',
  input_audio: 'in.audio.fresh',
  output_audio: 'out.audio.visible',
}

const ratesOf = (given: Amounts): PriceRow['rates'] => {
  const rates: Partial<Record<Meter, string>> = {}
  for (const [key, meter] of Object.entries(meters))
    putRate(rates, meter, given[key as keyof typeof amounts], '1000000')
  return rates
}

/** The bands of a price: those over so many tokens, and the older key for 200,000. */
const bandsOf = (given: z.infer<typeof cost>): { tokens: number; amounts: Amounts }[] => {
  const tiers = (given.tiers ?? []).flatMap((one) => (one.tier ? [{ tokens: one.tier.size, amounts: one }] : []))
  const older = given.context_over_200k
  return tiers.length > 0 || older === undefined ? tiers : [{ tokens: 200_000, amounts: older }]
}

const rowsOf = (provider: string, name: string, given: z.infer<typeof model>): PriceRow[] => {
  const make = (suffix: string, found: Amounts, conditions: Partial<PriceRow> = {}): PriceRow[] =>
    catalogRow({
      id: `models-dev:${provider}/${name}${suffix}`,
      provider,
      models: [name],
      ...conditions,
      rates: ratesOf(found),
      source: 'models.dev api.json',
    })
  const { cost: priced, experimental } = given
  const quick = typeof experimental === 'object' ? experimental.modes?.fast?.cost : undefined
  if (priced === undefined) return []
  return [
    ...make('', priced),
    ...bandsOf(priced).flatMap(({ tokens, amounts: found }) =>
      make(`#context>${tokens}`, found, { context: { operator: '>', tokens } }),
    ),
    ...(quick === undefined
      ? []
      : make('#fast', quick, provider === 'openai' ? { tier: 'priority' } : { speed: 'fast' })),
  ]
}

/** A downloaded `https://models.dev/api.json`: dollars a million tokens, bands as `tiers`, fast mode as `experimental`. */
export const catalog: Catalog = {
  name: 'models-dev',
  async rows(path) {
    const rows = new Map<string, PriceRow>()
    for (const [id, { models }] of Object.entries(readJson('models-dev', path, schema))) {
      const provider = providers[id]
      if (provider === undefined) continue
      for (const [name, given] of Object.entries(models))
        for (const row of rowsOf(provider, name, given)) if (!rows.has(row.id)) rows.set(row.id, row)
    }
    const all = [...rows.values()]
    return { version: versionOf(all), rows: all }
  },
}
