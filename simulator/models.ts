/** What the simulator must know of a model: how it counts, whether it reasons, and from what size on it caches. */
export type Model = Readonly<{
  id: string
  /** The name in responses. */
  served: string
  kind: 'chat' | 'embedding' | 'completion' | 'image' | 'other'
  /** Tokens it counts for one of o200k (recorded: Claude Sonnet 4.5 1.04, Opus 4.8 1.42). */
  ratio: number
  reasons: 'never' | 'when-asked' | 'by-default'
  /** Smallest cacheable prefix, tokens; Infinity where there is no prompt cache. */
  cache_minimum: number
  /** OpenAI from 5.6 on: writes are counted, and only written breakpoints match. */
  counts_writes: boolean
}>

const chat = (id: string, more: Partial<Model> = {}): Model => ({
  id,
  served: id,
  kind: 'chat',
  ratio: 1,
  reasons: 'never',
  cache_minimum: 1_024,
  counts_writes: false,
  ...more,
})
const reasoner = (id: string, more: Partial<Model> = {}): Model => chat(id, { reasons: 'by-default', ...more })
const other = (id: string, kind: Model['kind']): Model => chat(id, { kind, cache_minimum: Number.POSITIVE_INFINITY })

const openai: readonly Model[] = [
  chat('gpt-3.5-turbo', { served: 'gpt-3.5-turbo-0125', cache_minimum: Number.POSITIVE_INFINITY }),
  chat('gpt-4-turbo', { served: 'gpt-4-turbo-2024-04-09', cache_minimum: Number.POSITIVE_INFINITY }),
  chat('gpt-4o', { served: 'gpt-4o-2024-08-06' }),
  chat('gpt-4o-mini', { served: 'gpt-4o-mini-2024-07-18' }),
  ...['gpt-4.1', 'gpt-4.1-mini', 'gpt-4.1-nano'].map((id) => chat(id, { served: `${id}-2025-04-14` })),
  reasoner('o1', { served: 'o1-2024-12-17' }),
  reasoner('o3', { served: 'o3-2025-04-16' }),
  reasoner('o3-mini', { served: 'o3-mini-2025-01-31' }),
  reasoner('o4-mini', { served: 'o4-mini-2025-04-16' }),
  ...['gpt-5', 'gpt-5-mini', 'gpt-5-nano'].map((id) => reasoner(id, { served: `${id}-2025-08-07` })),
  reasoner('gpt-5-pro', { served: 'gpt-5-pro-2025-10-06' }),
  reasoner('gpt-5.1', { served: 'gpt-5.1-2025-11-13' }),
  reasoner('gpt-5.2', { served: 'gpt-5.2-2025-12-11' }),
  reasoner('gpt-5.4', { served: 'gpt-5.4-2026-03-05' }),
  ...['gpt-5.4-mini', 'gpt-5.4-nano'].map((id) => reasoner(id, { served: `${id}-2026-03-17` })),
  reasoner('gpt-5.5', { served: 'gpt-5.5-2026-04-23' }),
  ...['gpt-5.6-sol', 'gpt-5.6-terra', 'gpt-5.6-luna'].map((id) => reasoner(id, { counts_writes: true })),
  ...['gpt-6-sol', 'gpt-6-luna', 'gpt-6-astra'].map((id) => reasoner(id, { counts_writes: true })),
  ...['gpt-6.1-sol', 'gpt-6.1-terra'].map((id) => reasoner(id, { counts_writes: true })),
  ...['text-embedding-3-small', 'text-embedding-3-large', 'text-embedding-ada-002'].map((id) => other(id, 'embedding')),
  { ...other('gpt-3.5-turbo-instruct', 'completion'), served: 'gpt-3.5-turbo-instruct:20230824-v2' },
  ...['gpt-image-1', 'gpt-image-1-mini'].map((id) => other(id, 'image')),
  ...['gpt-4o-transcribe', 'gpt-4o-mini-transcribe', 'whisper-1', 'gpt-4o-mini-tts', 'tts-1'].map((id) =>
    other(id, 'other'),
  ),
]

const claude = (id: string, cache_minimum: number, ratio: number, served = id): Model =>
  chat(id, { served, ratio, cache_minimum, reasons: 'when-asked' })

const anthropic: readonly Model[] = [
  ...['claude-fable-5-1', 'claude-fable-5', 'claude-opus-5-5', 'claude-opus-5'].map((id) => claude(id, 512, 1.4)),
  ...['claude-sonnet-5-5', 'claude-sonnet-5', 'claude-opus-4-8'].map((id) => claude(id, 1_024, 1.4)),
  claude('claude-haiku-5-5', 4_096, 1.3),
  claude('claude-haiku-4-5', 4_096, 1.04, 'claude-haiku-4-5-20251001'),
  claude('claude-opus-4-7', 2_048, 1.3),
  claude('claude-opus-4-6', 4_096, 1.2),
  claude('claude-sonnet-4-6', 1_024, 1.2),
  claude('claude-opus-4-5', 4_096, 1.04, 'claude-opus-4-5-20251101'),
  claude('claude-sonnet-4-5', 1_024, 1.04, 'claude-sonnet-4-5-20250929'),
  claude('claude-opus-4-1', 1_024, 1.04, 'claude-opus-4-1-20250805'),
  claude('claude-opus-4-0', 1_024, 1.04, 'claude-opus-4-20250514'),
  claude('claude-sonnet-4-0', 1_024, 1.04, 'claude-sonnet-4-20250514'),
  claude('claude-3-5-haiku-latest', 2_048, 1.04, 'claude-3-5-haiku-20241022'),
]

const google: readonly Model[] = [
  chat('gemini-2.0-flash', { cache_minimum: Number.POSITIVE_INFINITY }),
  reasoner('gemini-2.5-pro', { cache_minimum: 4_096 }),
  reasoner('gemini-2.5-flash'),
  chat('gemini-2.5-flash-lite', { reasons: 'when-asked' }),
  reasoner('gemini-3-pro-preview', { cache_minimum: 4_096 }),
  ...['gemini-3-flash-preview', 'gemini-3.5-flash', 'gemini-3.6-flash', 'gemini-3.7-flash'].map((id) => reasoner(id)),
  reasoner('gemini-3.8-flash', { cache_minimum: 4_096 }),
  reasoner('gemini-4-argon', { cache_minimum: 4_096 }),
  ...['gemini-embedding-001', 'text-embedding-004'].map((id) => other(id, 'embedding')),
]

const catalogue = (models: readonly Model[]): ReadonlyMap<string, Model> =>
  new Map(models.flatMap((model) => [[model.id, model] as const, [model.served, model] as const]))

const families = { openai: catalogue(openai), anthropic: catalogue(anthropic), google: catalogue(google) }

export type Family = keyof typeof families

/** The model of a family, also by its dated name; a fine-tune is its base under its own name. */
export const findModel = (family: Family, id: string): Model | undefined => {
  const known = families[family].get(id)
  if (known) return known
  const base = family === 'openai' ? /^ft:([^:]+):/.exec(id)?.[1] : undefined
  const tuned = base === undefined ? undefined : findModel(family, base)
  return tuned && { ...tuned, id, served: id }
}

/** Names that stand for models nobody serves, also where any other name is taken. */
const UNKNOWN = /unknown|no-such|nonexist|does-not-exist|not-a-model/i

/** Hosts of open models take most names; what reasons is told by the name. */
export const openModel = (id: string): Model | undefined => {
  if (id === '' || UNKNOWN.test(id)) return undefined
  const bare = id.replace(/^[^/]+\//, '').replace(/:[a-z-]+$/, '')
  const famous = findModel('openai', bare) ?? findModel('anthropic', bare) ?? findModel('google', bare)
  if (famous) return { ...famous, id, served: id, counts_writes: false }
  const reasons = /reason|grok-[34]|r1|think|magistral|gpt-oss|qwen3|deepseek/i.test(bare)
  const kind = /embed/i.test(bare) ? 'embedding' : 'chat'
  return chat(id, { kind, reasons: reasons ? 'by-default' : 'never' })
}

/** Ids that a models list shows. */
export const modelIds = (family: Family): readonly string[] => [
  ...new Set([...families[family].values()].map((m) => m.id)),
]
