import { basename } from 'node:path'
import { z } from 'zod'
import type { Catalog } from '../core/catalog.ts'
import { WeirError } from '../core/errors.ts'
import type { ContextBand, PriceRow } from '../core/price.ts'
import type { Meter } from '../core/usage.ts'
import { catalogRow, putRate, readJson } from './file/read.ts'
import { versionOf } from './folder.ts'

/** The file's name is the provider's: `https://configs.portkey.ai/pricing/{provider}.json`. */
const providers: Readonly<Record<string, string>> = {
  openai: 'openai',
  'azure-openai': 'azure-openai',
  anthropic: 'anthropic',
  google: 'google',
  'vertex-ai': 'vertex-ai',
  bedrock: 'aws-bedrock',
  cohere: 'cohere',
  deepseek: 'deepseek',
  'mistral-ai': 'mistral',
  'x-ai': 'x-ai',
  'perplexity-ai': 'perplexity',
  openrouter: 'openrouter',
  groq: 'groq',
  'together-ai': 'together',
  'fireworks-ai': 'fireworks',
  databricks: 'databricks',
  snowflake: 'snowflake',
  voyage: 'voyage',
}

const priced = z.looseObject({ price: z.number() })
const rates = z.looseObject({ additional_units: z.record(z.string(), z.unknown()).optional() })
const config = z.looseObject({ pay_as_you_go: rates.optional(), batch_config: rates.optional() })
const mode = z.looseObject({
  context_tiers: z.record(z.string(), z.looseObject({ pricing_config: config.optional() })).optional(),
})
const custom = z.looseObject({
  context_tier_map: z.record(z.string(), z.string()).optional(),
  regions: z.record(z.string(), z.looseObject({ execution_modes: z.record(z.string(), mode).optional() })).optional(),
})
const model = z.looseObject({ pricing_config: config.optional(), custom_pricing: custom.optional() })
const schema = z.record(z.string(), model)

/** Prices are US cents a token or a piece. */
const CENTS = '100'

const tokens: Readonly<Record<string, Meter>> = {
  request_token: 'in.text.fresh',
  response_token: 'out.text.visible',
  cache_read_input_token: 'in.text.cache_read',
  cache_write_input_token: 'in.text.cache_write',
  request_audio_token: 'in.audio.fresh',
  response_audio_token: 'out.audio.visible',
}
const pieces: Readonly<Record<string, Meter>> = {
  cache_write_1h: 'in.text.cache_write_1h',
  web_search: 'web_search.query',
  file_search: 'file_search.call',
  routing_units: 'router.token',
}

const ratesOf = (given: z.infer<typeof rates>): PriceRow['rates'] => {
  const found: Partial<Record<Meter, string>> = {}
  for (const [key, meter] of Object.entries(tokens))
    putRate(found, meter, priced.safeParse(given[key]).data?.price, CENTS)
  for (const [key, meter] of Object.entries(pieces))
    putRate(found, meter, priced.safeParse(given.additional_units?.[key]).data?.price, CENTS)
  return found
}

const bandOf = (map: Readonly<Record<string, string>>, name: string): { context?: ContextBand } => {
  const from = Number(Object.entries(map).find(([, label]) => label === name)?.[0] ?? 0)
  return from === 0 ? {} : { context: { operator: '>', tokens: from } }
}

const modeConditions = (name: string): Partial<PriceRow> => {
  if (name === 'batch') return { batch: true }
  if (name === 'flex') return { tier: 'flex' }
  return name === 'standard' ? {} : { tier: 'priority' }
}

type Place = Readonly<{ suffix: string; conditions: Partial<PriceRow>; given: z.infer<typeof rates> }>

/** Region × execution mode × context tier, as the file nests them; `fast` is the new name of `priority`. */
const customPlaces = ({ regions = {}, context_tier_map: map = {} }: z.infer<typeof custom>): Place[] =>
  Object.entries(regions).flatMap(([group, { execution_modes = {} }]) =>
    Object.entries(execution_modes).flatMap(([name, { context_tiers = {} }]) =>
      Object.entries(context_tiers).flatMap(([band, { pricing_config }]) =>
        group.split(',').flatMap((region): Place[] => {
          const given = pricing_config?.pay_as_you_go
          if (given === undefined || name === 'fast') return []
          const where = region === 'default' ? {} : { region: region.trim() }
          const conditions = { ...where, ...modeConditions(name), ...bandOf(map, band) }
          return [{ suffix: `#${region.trim()},${name},${band}`, conditions, given }]
        }),
      ),
    ),
  )

const plainPlaces = ({ pay_as_you_go: standard, batch_config: batch }: z.infer<typeof config>): Place[] => [
  ...(standard === undefined ? [] : [{ suffix: '', conditions: {}, given: standard }]),
  ...(batch === undefined ? [] : [{ suffix: '#batch', conditions: { batch: true }, given: batch }]),
]

const rowsOf = (provider: string, name: string, given: z.infer<typeof model>): PriceRow[] => {
  const detailed = given.custom_pricing ? customPlaces(given.custom_pricing) : []
  const places = detailed.length > 0 ? detailed : plainPlaces(given.pricing_config ?? {})
  return places.flatMap(({ suffix, conditions, given: stated }) =>
    catalogRow({
      id: `portkey:${provider}/${name}${suffix}`,
      provider,
      models: [name],
      ...conditions,
      rates: ratesOf(stated),
      source: 'Portkey-AI/models pricing',
    }),
  )
}

/** A downloaded Portkey pricing file of one provider, named after it (`openai.json`). */
export const catalog: Catalog = {
  name: 'portkey',
  async rows(path) {
    const models = readJson('portkey', path, schema)
    const file = basename(path ?? '', '.json')
    const provider = providers[file]
    if (provider === undefined)
      throw new WeirError(
        'bad-config',
        `${path}: name the file after Portkey's provider, e.g. openai.json or bedrock.json`,
      )
    const rows = Object.entries(models).flatMap(([name, given]) =>
      name === 'default' ? [] : rowsOf(provider, name, given),
    )
    return { version: versionOf(rows), rows }
  },
}
