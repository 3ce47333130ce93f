import type { CacheRule } from '../../core/past.ts'
import type { CacheTtl } from '../../core/prompt.ts'

/** A rule with what it holds for. The first row that matches wins, so the specific ones stand first. */
type Row = CacheRule &
  Readonly<{
    providers: readonly string[]
    /** Of the model's bare name, without vendor, region and date. */
    models: RegExp
    /** UTC dates; the rule holds from the first on, and before the second. */
    from?: string
    to?: string
  }>

const CLAUDE =
  'https://docs.claude.com/en/docs/build-with-claude/prompt-caching and bedrock/prompt-caching.html, as read in October 2026'
const OPENAI = 'https://platform.openai.com/docs/guides/prompt-caching, as read in November 2026'

const claude = (models: RegExp, minimum_tokens: number): Row => ({
  providers: ['anthropic', 'aws-bedrock', 'vertex-ai', 'openrouter'],
  models,
  style: 'marks',
  minimum_tokens,
  step_tokens: 1,
  ttls: ['5m', '1h'],
  default_ttl: '5m',
  most_marks: 4,
  lookback_blocks: 20,
  source: CLAUDE,
})

const automatic = (
  providers: readonly string[],
  models: RegExp,
  rule: Pick<CacheRule, 'minimum_tokens' | 'step_tokens' | 'default_ttl' | 'source'> & Partial<CacheRule>,
): Row => ({
  providers,
  models,
  style: 'automatic',
  ttls: [rule.default_ttl],
  most_marks: 0,
  lookback_blocks: 0,
  ...rule,
})

const counted = (models: RegExp, ttls: readonly CacheTtl[]): Row => ({
  providers: ['openai', 'azure-openai'],
  models,
  style: 'both',
  minimum_tokens: 1024,
  step_tokens: 1,
  ttls,
  default_ttl: '30m',
  most_marks: 4,
  lookback_blocks: 80,
  takes_key: true,
  source: OPENAI,
})

/** What is appended here is dated (`from`), and what it replaces gets its end (`to`): a replay needs both. */
const rows: readonly Row[] = [
  claude(/^claude-(fable-5|mythos|opus-5)/, 512),
  claude(/^claude-(sonnet-5|opus-4-8|sonnet-4-[56]|opus-4-1|opus-4-0|opus-4$|sonnet-4-0|sonnet-4$|3-7-sonnet)/, 1024),
  claude(/^claude-(opus-4-7|3-5-haiku)/, 2048),
  claude(/^claude-/, 4096),
  counted(/^gpt-6\.1/, ['30m', '12h']),
  counted(/^gpt-(5\.[6-9]|[6-9])/, ['30m']),
  automatic(['openai', 'azure-openai'], /^(gpt-(4o|4\.1|5)|o\d|chatgpt)/, {
    minimum_tokens: 1024,
    step_tokens: 128,
    default_ttl: '5m',
    takes_key: true,
    source: OPENAI,
  }),
  automatic(['google', 'vertex-ai'], /^gemini-(2\.5-pro|3-pro|3\.8|4)/, {
    minimum_tokens: 4096,
    step_tokens: 1,
    default_ttl: '5m',
    source: 'https://ai.google.dev/gemini-api/docs/caching, as read in October 2026',
  }),
  automatic(['google', 'vertex-ai'], /^gemini-(2\.5|3)/, {
    minimum_tokens: 1024,
    step_tokens: 1,
    default_ttl: '5m',
    source: 'https://ai.google.dev/gemini-api/docs/caching, as read in October 2026',
  }),
  automatic(['deepseek'], /./, {
    minimum_tokens: 64,
    step_tokens: 64,
    default_ttl: '24h',
    source: 'https://api-docs.deepseek.com/guides/kv_cache, as read in October 2026',
  }),
  automatic(['x-ai'], /./, {
    minimum_tokens: 64,
    step_tokens: 64,
    default_ttl: '5m',
    takes_key: true,
    source: 'https://docs.x.ai/docs/models (prompt caching), as read in October 2026',
  }),
  automatic(['mistral'], /./, {
    minimum_tokens: 64,
    step_tokens: 64,
    default_ttl: '1h',
    takes_key: true,
    needs_key: true,
    source: 'https://docs.mistral.ai/api (prompt_cache_key), as read in October 2026',
  }),
  automatic(['groq'], /./, {
    minimum_tokens: 128,
    step_tokens: 128,
    default_ttl: '1h',
    source: 'https://console.groq.com/docs/prompt-caching, as read in October 2026',
  }),
]

const DATE = /[-@](20\d{2}-\d{2}-\d{2}|20\d{6})$/

/** `us.anthropic.claude-opus-4-5-20251101-v1:0`, `anthropic/claude-opus-4.5` and `claude-opus-4-5@20251101` are one model. */
const bareName = (model: string): string =>
  model
    .replace(/^.*\//, '')
    .replace(/^(\w+\.)?(anthropic|amazon|openai)\./, '')
    .replace(/(-v\d+)?(:\d+)?$/, '')
    .replace(DATE, '')
    .replace(/^(claude-.*\d)\.(\d)/, '$1-$2')

const momentOf = (date: string | undefined, otherwise: number): number =>
  date === undefined ? otherwise : Date.parse(date) * 1000

/** Rows of a model with the moments between which they hold, µs. */
type Held = readonly Readonly<{ row: Row; from_us: number; to_us: number }>[]

const rowsOf = (provider: string, model: string): Held => {
  const bare = bareName(model)
  const found = rows.filter(({ providers, models }) => providers.includes(provider) && models.test(bare))
  return found.map((row) => ({
    row,
    from_us: momentOf(row.from, Number.NEGATIVE_INFINITY),
    to_us: momentOf(row.to, Number.POSITIVE_INFINITY),
  }))
}

const MOST_KNOWN = 5000
const known = new Map<string, Map<string, Held>>()
let models = 0

/** How a provider (by the name of its prices) caches prompts of a model at a moment; undefined where it is not known to. */
export const cacheRule = (provider: string, model: string, at_us: number): CacheRule | undefined => {
  const found = known.get(provider)?.get(model)
  if (found !== undefined) return found.find(({ from_us, to_us }) => at_us >= from_us && at_us < to_us)?.row
  if (models >= MOST_KNOWN) {
    known.clear()
    models = 0
  }
  const of_provider = known.get(provider) ?? new Map<string, Held>()
  known.set(provider, of_provider.set(model, rowsOf(provider, model)))
  models += 1
  return cacheRule(provider, model, at_us)
}
