/** What was consumed, in counts that never overlap: their sum is the bill. See `docs/usage.md` for the provider rules. */

const modalities = ['text', 'audio', 'image', 'video', 'document'] as const
const inputs = ['fresh', 'cache_read', 'cache_write', 'cache_write_5m', 'cache_write_1h', 'tool'] as const
const outputs = ['visible', 'reasoning', 'citation', 'prediction_rejected'] as const

export type Modality = (typeof modalities)[number]

/** Token classes. A token is in exactly one. */
export type Bucket = `in.${Modality}.${(typeof inputs)[number]}` | `out.${Modality}.${(typeof outputs)[number]}`

/** Every token class, input first. */
export const buckets: readonly Bucket[] = modalities.flatMap((modality) => [
  ...inputs.map((kind): Bucket => `in.${modality}.${kind}`),
  ...outputs.map((kind): Bucket => `out.${modality}.${kind}`),
])

/** Things that are billed by the piece rather than by the token. */
export const units = [
  'web_search.query',
  'web_search.grounded_prompt',
  'web_search.request',
  'x_search.call',
  'file_search.call',
  'server_tool.call',
  'maps.query',
  'code_exec.session',
  'container.second',
  'request',
  'rerank.search_unit',
  'ocr.page',
  'audio_in.second',
  'audio_out.second',
  'tts.char',
  'image.generated',
  'video.second',
  'embed.image',
  'classification',
  'cache_storage.token_5m',
  'cache_storage.token_hour',
  'guardrail.text_unit',
  'provisioned.unit_hour',
  'router.token',
] as const

export type Unit = (typeof units)[number]

/** Anything that a price row can put a rate on. */
export type Meter = Bucket | Unit

const known: ReadonlySet<string> = new Set<string>([...buckets, ...units])

export const isMeter = (name: string): name is Meter => known.has(name)
export const isBucket = (name: string): name is Bucket => /^(in|out)\./.test(name) && known.has(name)

export type LineKind = 'message' | 'compaction' | 'advisor' | 'fallback' | 'declined' | 'router' | 'tool' | 'batch_item'

export type ServiceTier = 'standard' | 'flex' | 'priority' | 'batch' | 'scale' | 'provisioned' | 'reserved' | 'off_peak'

/** Who pays the provider: the platform's key, a key the customer brought, nobody, or a committed capacity. */
export type Funding = 'platform' | 'byok' | 'free' | 'provisioned'

/** A count of units with the attributes that choose its price, e.g. `{ n: 1, attrs: { size: '1024x1024', quality: 'high' } }`. */
export type UnitCount = Readonly<{ n: number; attrs?: Readonly<Record<string, string>> }>

/** The part of a response that is billed at one model's rates. A response has one or more. */
export type UsageLine = Readonly<{
  kind: LineKind
  /** The model whose rates apply; absent when the response does not say and the request's model is meant. */
  model_served?: string
  region?: string
  geo?: string
  service_tier?: ServiceTier
  speed?: 'standard' | 'fast'
  funding: Funding
  /** What a long-context threshold compares: all input of this iteration, cache reads and writes included. */
  context_tokens: number
  tokens: Readonly<Partial<Record<Bucket, number>>>
  units: Readonly<Partial<Record<Unit, UnitCount>>>
  /** A charge known only from the cost the provider states, e.g. a router's plugin fee. Decimal US dollars. */
  other_usd?: string
}>

/** A cost that the provider itself states in the response. Decimal US dollars. */
export type StatedCost = Readonly<{
  amount_usd: string
  /** The field it was read from, e.g. `usage.cost`. */
  field: string
  rounded?: boolean
  includes_tools: boolean
  upstream_usd?: string
}>

/**
 * exact: the provider's own counts. inferred: a count was derived (a split assumed, a residual assigned).
 * estimated: counted by tokenizer. missing: nothing is known.
 */
export type UsageQuality = 'exact' | 'inferred' | 'estimated' | 'missing'

export type NormalisedUsage = Readonly<{
  lines: readonly UsageLine[]
  /** Sums of the token classes of the billed lines; `provider_total` is the provider's own total where it states one. */
  totals: Readonly<{ input: number; output: number; provider_total?: number }>
  stated?: StatedCost
  quality: UsageQuality
  warnings: readonly string[]
  /** The provider's usage object as it came, for re-reading later. */
  raw: unknown
}>
