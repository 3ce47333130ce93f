import { type Json, record, text } from '../json.ts'
import type { Model } from '../models.ts'
import { automatic, type Cached, written } from '../prompt-cache.ts'
import type { Block, Exchange } from '../types.ts'

/** Automatic caches by provider: smallest prefix and step in tokens, life in minutes since the last read. */
const RULES: Readonly<Record<string, Readonly<{ minimum: number; step: number; ttl_minutes: number }>>> = {
  deepseek: { minimum: 64, step: 64, ttl_minutes: 24 * 60 },
  groq: { minimum: 128, step: 128, ttl_minutes: 120 },
  'x-ai': { minimum: 64, step: 64, ttl_minutes: 10 },
  mistral: { minimum: 64, step: 64, ttl_minutes: 60 },
  openrouter: { minimum: 1_024, step: 128, ttl_minutes: 10 },
}
/** OpenAI before 5.6 keeps a prefix for 5 to 10 minutes of rest; the simulator for 10. */
const OPENAI = { minimum: 1_024, step: 128, ttl_minutes: 10 }

const options = (body: Json): Json => record(body['prompt_cache_options'])

/** What the provider's prompt cache does for these blocks: matched per key, model and `prompt_cache_key`. */
export const promptCache = (exchange: Exchange, model: Model, blocks: readonly Block[]): Cached => {
  const { json, world, provider, api_key } = exchange
  const affinity = text(json['prompt_cache_key']) ?? ''
  const scope = [provider, api_key, model.id, affinity].join(' ')
  const place = { scope, now_us: world.now_us(), caches: world.caches }
  if (model.counts_writes) {
    const ttl_minutes = options(json)['ttl'] === '12h' ? 720 : 30
    return written(place, blocks, { minimum: 1_024, ttl_minutes, caller_only: options(json)['mode'] === 'explicit' })
  }
  const none = { minimum: Number.POSITIVE_INFINITY, step: 1, ttl_minutes: 0 }
  if (provider === 'mistral' && affinity === '') return automatic(place, blocks, none)
  const rules = RULES[provider]
  if (rules) return automatic(place, blocks, rules)
  const ttl_minutes = json['prompt_cache_retention'] === '24h' ? 24 * 60 : OPENAI.ttl_minutes
  return automatic(place, blocks, { ...OPENAI, minimum: model.cache_minimum, ttl_minutes })
}
