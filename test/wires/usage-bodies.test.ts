/** 783 usage payloads of real APIs with the usage that another project extracts from them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { NormalisedUsage } from '../../src/core/usage.ts'
import { providers } from '../../src/providers/index.ts'
import { meter } from './feeding.ts'
import { wireFor } from './recognising.ts'

const file = join('..', 'shared', 'data', 'usage_bodies.jsonl.gz')
const present = existsSync(file)

type Counts = Readonly<Record<string, number>>
type Row = Readonly<{
  body: Readonly<Record<string, unknown>> & Readonly<{ file: string; usage?: Readonly<Record<string, unknown>> }>
  extracted: readonly Readonly<{
    usage: Counts
    extractors: readonly Readonly<{ provider_id: string; api_flavor: string }>[]
  }>[]
}>

const rows: readonly Row[] = present
  ? gunzipSync(readFileSync(file))
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  : []

/** How a body is read: by the wire of which path and provider here, and by which extractor there. */
type Flavour = Readonly<{ path: string; provider: string; extractor: string }>

const chat = { path: '/v1/chat/completions' }
/** Chat bodies by a word in the name of the recording. */
const chatFlavours: readonly (readonly [word: RegExp, provider: string, extractor: string])[] = [
  [/openrouter/, 'openrouter', 'openrouter/chat'],
  [/xai|grok/, 'x-ai', 'x-ai/chat'],
  [/groq/, 'groq', 'groq/default'],
  [/mistral/, 'mistral', 'mistral/default'],
  [/deepseek/, 'deepseek', 'deepseek/chat'],
  [/cerebras/, 'openai-compatible', 'cerebras/chat'],
  [/zai/, 'openai-compatible', 'zai/chat'],
  [/huggingface|test_hf/, 'openai-compatible', 'huggingface_together/chat'],
  [/./, 'openai', 'openai/chat'],
]

const flavourOf = ({ body }: Row): Flavour => {
  const usage = body.usage ?? {}
  if ('usageMetadata' in body) {
    const operation = 'modelVersion' in body ? 'generateContent' : 'embedContent'
    const path = `/v1beta/models/gemini-x:${operation}`
    return { path, provider: 'google', extractor: 'google/default' }
  }
  if ('inputTokens' in usage) return { path: '/model/m/converse', provider: 'aws-bedrock', extractor: 'aws/default' }
  if ('billed_units' in usage) return { path: '/v2/chat', provider: 'cohere', extractor: 'cohere/default' }
  if ('cache_creation_input_tokens' in usage)
    return { path: '/v1/messages', provider: 'anthropic', extractor: 'anthropic/default' }
  if ('input_tokens' in usage) {
    const provider = 'cost' in usage ? 'openrouter' : 'openai'
    return { path: '/v1/responses', provider, extractor: 'openai/responses' }
  }
  if (!('completion_tokens' in usage))
    return { path: '/v1/embeddings', provider: 'openai', extractor: 'openai/embeddings' }
  const [, provider, extractor] = chatFlavours.find(([word]) => word.test(body.file)) ?? [/./, 'openai', 'openai/chat']
  return { ...chat, provider, extractor }
}

const expectedOf = (row: Row, extractor: string): Counts | undefined =>
  row.extracted.find((group) => group.extractors.some((one) => `${one.provider_id}/${one.api_flavor}` === extractor))
    ?.usage

const usageOf = (row: Row, flavour: Flavour): NormalisedUsage | undefined => {
  const wire = wireFor('POST', flavour.path, flavour.provider)
  const traits = providers[flavour.provider as keyof typeof providers].traits
  const quirks = traits.quirks[wire.name] ?? {}
  const request = { model: 'm', messages: [], input: '', contents: [], max_tokens: 1 }
  const { file: _, ...answer } = row.body
  const answer_headers = { 'content-type': 'application/json' }
  return meter({ wire, path: flavour.path, request, provider: flavour.provider, quirks, answer_headers }, answer).usage
}

/**
 * Our usage in the other project's words: its input contains cached and tool tokens, its output reasoning, its text the
 * text of tool results, and it calls documents images.
 */
const restated = (usage: NormalisedUsage): Counts => {
  const sum = (pattern: RegExp): number =>
    usage.lines
      .flatMap((line) => Object.entries(line.tokens))
      .filter(([bucket]) => pattern.test(bucket))
      .reduce((total, [, count]) => total + count, 0)
  const units = (unit: 'web_search.query') => usage.lines.reduce((total, line) => total + (line.units[unit]?.n ?? 0), 0)
  return {
    input_tokens: sum(/^in\./),
    output_tokens: sum(/^out\./),
    cache_read_tokens: sum(/cache_read$/),
    cache_write_tokens: sum(/cache_write/),
    cache_write_5m_tokens: sum(/cache_write_5m$/),
    output_reasoning_tokens: sum(/reasoning$/),
    input_text_tokens: sum(/^in\.text\./),
    input_audio_tokens: sum(/^in\.audio\./),
    input_image_tokens: sum(/^in\.(image|document)\./),
    input_video_tokens: sum(/^in\.video\./),
    input_tool_tokens: sum(/\.tool$/),
    input_text_tool_tokens: sum(/^in\.text\.tool$/),
    output_text_tokens: sum(/^out\.text\.visible$/),
    output_image_tokens: sum(/^out\.image\./),
    cache_text_read_tokens: sum(/^in\.text\.cache_read$/),
    cache_audio_read_tokens: sum(/^in\.audio\.cache_read$/),
    cache_image_read_tokens: sum(/^in\.(image|document)\.cache_read$/),
    cache_video_read_tokens: sum(/^in\.video\.cache_read$/),
    web_searches: units('web_search.query'),
  }
}

/** Fields that the other project leaves out when they are zero, and that must then be zero here too. */
const always = ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens']

type Correction = Readonly<{ file: RegExp; why: string; right: (usage: Readonly<Record<string, unknown>>) => Counts }>

/** Recordings whose expectation is wrong, why, and what is right. */
const corrections: readonly Correction[] = [
  {
    file: /test_anthropic_advisor_tool\.yaml$/,
    why: 'the advisor iteration is billed beside the top level, which sums the message iterations; iterations do not split thinking',
    right: () => ({ input_tokens: 4908, output_tokens: 143, output_reasoning_tokens: 0 }),
  },
  {
    file: /test_anthropic_compaction_end_to_end\.yaml$/,
    why: 'the compaction iteration is billed beside the top level, which sums the message iterations only',
    right: () => ({ input_tokens: 55416, output_tokens: 133 }),
  },
  {
    file: /-mistral\]\.yaml$/,
    why: 'num_cached_tokens are cached tokens of the prompt, billed at the cached rate; the extractor does not know the field',
    right: (usage) => ({ cache_read_tokens: Number(usage['num_cached_tokens'] ?? 0) }),
  },
  {
    file: /test_code_execution\/test_code_execution\.yaml$/,
    why: 'the list by modality covers less than the prompt; what it leaves over is text',
    right: () => ({ input_text_tokens: 3949 }),
  },
  {
    file: /test_structured_output\/test_native_output_with_builtin_tools\.yaml$/,
    why: 'the list by modality covers less than the prompt; what it leaves over is text',
    right: () => ({ input_text_tokens: 417 }),
  },
  {
    file: /test_structured_output\/test_native_output_with_function_and_builtin_tools\.yaml$/,
    why: 'the list by modality covers less than the prompt and its tool results; what it leaves over is text',
    right: () => ({ input_text_tokens: 526 }),
  },
]

const differences = (row: Row, corrected: boolean): readonly string[] => {
  const flavour = flavourOf(row)
  const extracted = expectedOf(row, flavour.extractor)
  const usage = usageOf(row, flavour)
  if (!extracted) return [`no ${flavour.extractor} extractor`]
  if (!usage) return ['no usage']
  const correction = corrected ? corrections.find(({ file }) => file.test(row.body.file)) : undefined
  const expected = { ...extracted, ...correction?.right(row.body.usage ?? {}) }
  const ours = restated(usage)
  const names = [...new Set([...always, ...Object.keys(expected)])]
  return names
    .filter((name) => (expected[name] ?? 0) !== ours[name])
    .map((name) => `${row.body.file}: ${name}: expected ${expected[name] ?? 0}, is ${ours[name]}`)
}

describe.skipIf(!present)('usage bodies (skipped where ../shared/data is absent)', () => {
  test('all are there', () => {
    expect(rows).toHaveLength(783)
  })

  const extractors = [...new Set(rows.map((row) => flavourOf(row).extractor))]

  test.each(extractors)('%s: every body yields its usage', (extractor) => {
    const bodies = rows.filter((row) => flavourOf(row).extractor === extractor)
    expect(bodies.flatMap((row) => differences(row, true))).toEqual([])
  })

  test.each(corrections)('$file is corrected for a reason: $why', ({ file }) => {
    const bodies = rows.filter((row) => file.test(row.body.file))
    expect(bodies.flatMap((row) => differences(row, false))).not.toEqual([])
  })
})
