import { type Json, record, text } from '../json.ts'

/** The counts of one completion, before a provider writes them its way. Disjoint but for `prompt`, which is all input. */
export type Counts = Readonly<{
  model: string
  prompt: number
  cached: number
  written: number
  audio: number
  visible: number
  reasoning: number
  counts_writes: boolean
  /** What the caller asked, for fees that depend on it. */
  body: Json
  api_key: string
}>

/** How a provider departs from OpenAI's chat completions. */
export type Dialect = Readonly<{
  usage(counts: Counts): Json
  /** Where a stream's usage stands. */
  stream_usage: 'own-chunk' | 'empty-delta-chunk' | 'last-content-chunk' | 'every-chunk'
  /** Usage streams only to those who set `stream_options.include_usage`. */
  only_when_asked: boolean
  reasoning_field?: 'reasoning_content' | 'reasoning'
  /** Sent before the first chunk. */
  preamble?: string
  /** Further fields of a whole answer and of every chunk. */
  extra?(counts: Counts): Json
  /** Further fields of the last chunk of a stream. */
  last_chunk?(usage: Json): Json
  /** The cost that the response states, US dollars. */
  stated_usd?(counts: Counts): string
  refuses_stream_options?: boolean
}>

const openaiUsage = (counts: Counts): Json => ({
  prompt_tokens: counts.prompt,
  completion_tokens: counts.visible + counts.reasoning,
  total_tokens: counts.prompt + counts.visible + counts.reasoning,
  prompt_tokens_details: {
    cached_tokens: counts.cached,
    ...(counts.counts_writes && { cache_write_tokens: counts.written }),
    audio_tokens: counts.audio,
  },
  completion_tokens_details: {
    reasoning_tokens: counts.reasoning,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
})

/** US dollars per million: input, cache read, output. They make stated costs; a price book is not read here. */
const RATES: readonly (readonly [RegExp, readonly [number, number, number]])[] = [
  [/grok-3-mini/, [0.3, 0.075, 0.5]],
  [/grok-4\.7/, [2, 0.5, 6]],
  [/grok/, [3, 0.75, 15]],
  [/sonar-pro/, [3, 3, 15]],
  [/sonar/, [1, 1, 1]],
  [/claude-.*sonnet|sonnet/, [3, 0.3, 15]],
  [/gpt-5-mini/, [0.25, 0.025, 2]],
]
const ratesOf = (model: string): readonly [number, number, number] =>
  RATES.find(([pattern]) => pattern.test(model))?.[1] ?? [1, 0.1, 4]

/** Whole picodollars, because a rate in dollars per million is a whole number of them per token. */
const costs = (counts: Counts): { prompt: number; completion: number; total: number } => {
  const [input, read, output] = ratesOf(counts.model).map((rate) => Math.round(rate * 1e6)) as [number, number, number]
  const prompt = (counts.prompt - counts.cached) * input + counts.cached * read
  const completion = (counts.visible + counts.reasoning) * output
  return { prompt, completion, total: prompt + completion }
}
const usd = (picodollars: number): string => (picodollars / 1e12).toFixed(12).replace(/\.?0+$/, '')

/** OpenRouter bills a customer's own key upstream and states no cost of its own. */
const ownKey = (counts: Counts): boolean => counts.api_key.startsWith('byok')

const searchSize = (body: Json): string => text(record(body['web_search_options'])['search_context_size']) ?? 'low'
const requestFee = (counts: Counts): number => {
  const fees: Readonly<Record<string, number>> = /pro/.test(counts.model)
    ? { low: 6, medium: 10, high: 14 }
    : { low: 5, medium: 8, high: 12 }
  return (fees[searchSize(counts.body)] ?? 5) * 1e9
}

const openai: Dialect = { usage: openaiUsage, stream_usage: 'own-chunk', only_when_asked: true }

const deepseek: Dialect = {
  usage: (counts) => ({
    prompt_tokens: counts.prompt,
    completion_tokens: counts.visible + counts.reasoning,
    total_tokens: counts.prompt + counts.visible + counts.reasoning,
    prompt_tokens_details: { cached_tokens: counts.cached },
    completion_tokens_details: { reasoning_tokens: counts.reasoning },
    prompt_cache_hit_tokens: counts.cached,
    prompt_cache_miss_tokens: counts.prompt - counts.cached,
  }),
  stream_usage: 'last-content-chunk',
  only_when_asked: false,
  reasoning_field: 'reasoning_content',
}

const mistral: Dialect = {
  usage: (counts) => ({
    prompt_tokens: counts.prompt,
    total_tokens: counts.prompt + counts.visible + counts.reasoning,
    completion_tokens: counts.visible + counts.reasoning,
    ...(counts.cached > 0 && {
      prompt_tokens_details: { cached_tokens: counts.cached },
      num_cached_tokens: counts.cached,
    }),
  }),
  stream_usage: 'last-content-chunk',
  only_when_asked: false,
}

/** xAI's completion_tokens leave reasoning out; `cost_in_usd_ticks` (1e-10 USD) is the bill. */
const xai: Dialect = {
  usage: (counts) => ({
    prompt_tokens: counts.prompt,
    completion_tokens: counts.visible,
    total_tokens: counts.prompt + counts.visible + counts.reasoning,
    prompt_tokens_details: {
      text_tokens: counts.prompt,
      audio_tokens: 0,
      image_tokens: 0,
      cached_tokens: counts.cached,
    },
    completion_tokens_details: {
      reasoning_tokens: counts.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
    num_sources_used: 0,
    cost_in_usd_ticks: Math.round(costs(counts).total / 100),
  }),
  stream_usage: 'own-chunk',
  only_when_asked: false,
  reasoning_field: 'reasoning_content',
  stated_usd: (counts) => usd(costs(counts).total),
}

const perplexity: Dialect = {
  usage: (counts) => {
    const { prompt, completion, total } = costs(counts)
    return {
      prompt_tokens: counts.prompt,
      completion_tokens: counts.visible + counts.reasoning,
      total_tokens: counts.prompt + counts.visible + counts.reasoning,
      search_context_size: searchSize(counts.body),
      cost: {
        input_tokens_cost: Number(usd(prompt)),
        output_tokens_cost: Number(usd(completion)),
        request_cost: Number(usd(requestFee(counts))),
        total_cost: Number(usd(total + requestFee(counts))),
      },
    }
  },
  stream_usage: 'every-chunk',
  only_when_asked: false,
  extra: () => ({ citations: ['https://example.com/source'] }),
  stated_usd: (counts) => usd(costs(counts).total + requestFee(counts)),
}

const openrouter: Dialect = {
  usage: (counts) => {
    const { prompt, completion, total } = costs(counts)
    return {
      ...openaiUsage({ ...counts, counts_writes: true }),
      cost: ownKey(counts) ? 0 : Number(usd(total)),
      is_byok: ownKey(counts),
      cost_details: {
        upstream_inference_cost: ownKey(counts) ? Number(usd(total)) : null,
        upstream_inference_prompt_cost: Number(usd(prompt)),
        upstream_inference_completions_cost: Number(usd(completion)),
      },
    }
  },
  stream_usage: 'empty-delta-chunk',
  only_when_asked: false,
  reasoning_field: 'reasoning',
  preamble: ': OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n',
  extra: () => ({ provider: 'Simulated' }),
  stated_usd: (counts) => (ownKey(counts) ? '0' : usd(costs(counts).total)),
}

const groq: Dialect = {
  usage: (counts) => ({
    queue_time: 0.01,
    prompt_tokens: counts.prompt,
    prompt_time: 0.001,
    completion_tokens: counts.visible + counts.reasoning,
    completion_time: 0.1,
    total_tokens: counts.prompt + counts.visible + counts.reasoning,
    total_time: 0.101,
    ...(counts.cached > 0 && { prompt_tokens_details: { cached_tokens: counts.cached } }),
    ...(counts.reasoning > 0 && { completion_tokens_details: { reasoning_tokens: counts.reasoning } }),
  }),
  stream_usage: 'last-content-chunk',
  only_when_asked: false,
  reasoning_field: 'reasoning',
  extra: () => ({ x_groq: { id: 'req_simulated' } }),
  last_chunk: (usage) => ({ x_groq: { id: 'req_simulated', usage } }),
}

const AZURE_PREAMBLE = `data: ${JSON.stringify({
  choices: [],
  created: 0,
  id: '',
  model: '',
  object: '',
  prompt_filter_results: [{ prompt_index: 0, content_filter_results: { hate: { filtered: false, severity: 'safe' } } }],
})}\n\n`

const plain: Dialect = {
  usage: (counts) => ({
    prompt_tokens: counts.prompt,
    completion_tokens: counts.visible + counts.reasoning,
    total_tokens: counts.prompt + counts.visible + counts.reasoning,
    ...(counts.cached > 0 && { prompt_tokens_details: { cached_tokens: counts.cached } }),
  }),
  stream_usage: 'own-chunk',
  only_when_asked: true,
  reasoning_field: 'reasoning_content',
}

const dialects: Readonly<Record<string, Dialect>> = {
  openai,
  'azure-openai': { ...openai, preamble: AZURE_PREAMBLE },
  deepseek,
  mistral,
  'x-ai': xai,
  perplexity,
  openrouter,
  groq,
  together: { ...plain, stream_usage: 'last-content-chunk', only_when_asked: false },
  fireworks: { ...plain, stream_usage: 'last-content-chunk', only_when_asked: false },
  databricks: { ...plain, stream_usage: 'every-chunk', only_when_asked: false, refuses_stream_options: true },
}

/** The dialect of a provider; one that is not known speaks as vLLM does. */
export const dialectOf = (provider: string): Dialect => dialects[provider] ?? plain
