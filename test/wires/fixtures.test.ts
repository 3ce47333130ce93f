/** Every recorded body and stream yields exactly its buckets, and exactly its dollars at the manifest's rates. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatUsd, multiply, parseUsd, picodollars } from '../../src/core/money.ts'
import type { NormalisedUsage, UsageLine } from '../../src/core/usage.ts'
import type { Metered, Quirks } from '../../src/core/wire.ts'
import { providers } from '../../src/providers/index.ts'
import { type Call, cutAt, feed, seeded, text } from './feeding.ts'
import { wireFor } from './recognising.ts'

const folder = join('..', 'shared', 'data', 'wire-fixtures')
const manifest = join(folder, 'MANIFEST.tsv')
const present = existsSync(manifest)

type Expected = Readonly<Record<string, number | string | boolean>>
type Row = Readonly<{
  file: string
  provider: string
  api: string
  model: string
  expected: readonly Expected[]
  derived_usd: string
  rates: Readonly<Record<string, number>>
  stated_usd: string
  stated_field: string
}>

const rows = (): readonly Row[] => {
  const [head = '', ...lines] = readFileSync(manifest, 'utf8').trim().split('\n')
  const names = head.split('\t')
  return lines.map((line) => {
    const cells = line.split('\t')
    const cell = (name: string) => cells[names.indexOf(name)] ?? ''
    const expected: Expected | Expected[] = JSON.parse(cell('expected_buckets'))
    return {
      file: cell('file'),
      provider: cell('provider'),
      api: cell('api'),
      model: cell('model'),
      expected: Array.isArray(expected) ? expected : [expected],
      derived_usd: cell('derived_usd'),
      rates: JSON.parse(cell('rates_usd_per_mtok') || '{}'),
      stated_usd: cell('stated_usd'),
      stated_field: cell('stated_field'),
    }
  })
}

/** The adapter that serves what the manifest calls a provider; the rest are OpenAI-compatible servers. */
const adapters: Readonly<Record<string, string>> = {
  bedrock: 'aws-bedrock',
  vertex: 'vertex-ai',
  xai: 'x-ai',
  azure: 'azure-openai',
}
const adapterOf = (row: Row): string =>
  adapters[row.provider] ?? (row.provider in providers ? row.provider : 'openai-compatible')

type Operation = Readonly<{ path: string; method?: string; query?: string; request?: Record<string, unknown> }>

/** Where the call went, by the manifest's name of the API. */
const operationOf = (row: Row): Operation => {
  const model = row.provider === 'azure' && row.file.includes('model-router') ? 'model-router' : row.model
  const stream = /-stream|^stream/.test(row.api)
  const messages = { model, stream, messages: [{ role: 'user', content: 'hi' }] }
  const operations: Readonly<Record<string, Operation>> = {
    chat: { path: '/v1/chat/completions', request: { ...messages, stream_options: { include_usage: true } } },
    responses: { path: '/v1/responses', request: { model, stream, input: 'hi' } },
    'mantle-responses': { path: '/openai/v1/responses', request: { model, stream, input: 'hi' } },
    'responses-background': { path: '/v1/responses/resp_1', method: 'GET' },
    'responses-compact': { path: '/v1/responses/compact', request: { model, input: 'hi' } },
    completions: { path: '/v1/completions', request: { model, prompt: 'hi' } },
    embeddings: { path: '/v1/embeddings', request: { model, input: 'hi' } },
    'audio-transcription': { path: '/v1/audio/transcriptions', request: { model } },
    messages: { path: '/v1/messages', request: { ...messages, max_tokens: 100 } },
    converse: { path: `/model/${encodeURIComponent(model)}/converse`, request: { messages: [] } },
    'converse-stream': { path: `/model/${encodeURIComponent(model)}/converse-stream`, request: { messages: [] } },
    generateContent: { path: `/v1beta/models/${model}:generateContent`, request: { contents: [] } },
    streamGenerateContent: {
      path: `/v1beta/models/${model}:streamGenerateContent`,
      query: '?alt=sse',
      request: { contents: [] },
    },
    'predict-embeddings': {
      path: `/v1/projects/p/locations/us-central1/publishers/google/models/${model}:predict`,
      request: { instances: [{ content: 'hi' }] },
    },
    'chat-v2': { path: '/v2/chat', request: messages },
    rerank: { path: '/v1/rerank', request: { model, query: 'hi', documents: ['a'] } },
  }
  const name = row.api.replace(/ x\d+$/, '')
  const found = operations[name] ?? operations[name.replace(/-stream$/, '')]
  if (!found) throw new Error(`no operation for ${row.api}`)
  return found
}

const types = { json: 'application/json', sse: 'text/event-stream', eventstream: 'application/vnd.amazon.eventstream' }

const callOf = (row: Row): Call => {
  const adapter = adapterOf(row)
  const operation = operationOf(row)
  const wire = wireFor(operation.method ?? 'POST', operation.path, adapter)
  const quirks: Quirks = providers[adapter as keyof typeof providers].traits.quirks[wire.name] ?? {}
  const type = types[row.file.split('.').at(-1) as keyof typeof types]
  return { wire, ...operation, provider: adapter, quirks, answer_headers: { 'content-type': type } }
}

/** A file may hold several consecutive messages. */
const messagesIn = (row: Row): readonly Uint8Array[] => {
  const whole = readFileSync(join(folder, row.file))
  if (!/ x\d+$/.test(row.api)) return [whole]
  return text(whole)
    .split(/(?=event: message_start\n)/)
    .filter((part) => part.trim() !== '')
    .map((part) => Buffer.from(part))
}

/** The manifest's short names of meters. */
const meters: Readonly<Record<string, string>> = {
  in: 'in.text.fresh',
  in_audio: 'in.audio.fresh',
  in_image: 'in.image.fresh',
  in_video: 'in.video.fresh',
  cr: 'in.text.cache_read',
  cr_audio: 'in.audio.cache_read',
  cr_image: 'in.image.cache_read',
  cr_video: 'in.video.cache_read',
  cw: 'in.text.cache_write',
  cw5m: 'in.text.cache_write_5m',
  cw1h: 'in.text.cache_write_1h',
  cw_storage: 'cache_storage.token_5m',
  tool_in: 'in.text.tool',
  out: 'out.text.visible',
  out_reasoning: 'out.text.reasoning',
  web_search: 'web_search.query',
  grounded_prompts: 'web_search.grounded_prompt',
  file_search: 'file_search.call',
  server_tools: 'server_tool.call',
  rerank_units: 'rerank.search_unit',
  audio_seconds: 'audio_in.second',
  requests: 'request',
  request_fee_low: 'request{"search_context_size":"low"}',
  other_usd: 'other_usd',
}
const meterOf = (name: string): string => meters[name] ?? `unknown ${name}`

const flat = (line: UsageLine): Record<string, number | string> => {
  const units = Object.entries(line.units).map(([unit, count]) => {
    const fee = unit === 'request' && count.attrs ? JSON.stringify(count.attrs) : ''
    return [`${unit}${fee}`, count.n]
  })
  const found = Object.fromEntries([...Object.entries(line.tokens), ...units])
  return line.other_usd === undefined ? found : { ...found, other_usd: Number(line.other_usd) }
}

/** The buckets that a line should have: the manifest's, without those that are zero. */
const wanted = (expected: Expected): Record<string, number> =>
  Object.fromEntries(
    Object.entries(expected).flatMap(([name, value]) =>
      typeof value === 'number' && value !== 0 ? [[meterOf(name), value]] : [],
    ),
  )

/** The router's own fee is not in the manifest; a declined hop is not billed; a message without usage is no line. */
const billedLines = (usages: readonly NormalisedUsage[]): readonly UsageLine[] =>
  usages
    .flatMap((usage) => usage.lines)
    .filter((line) => line.kind !== 'router' && line.kind !== 'declined' && Object.keys(flat(line)).length > 0)

const usageOf = (metered: Metered, row: Row): NormalisedUsage => {
  if (!metered.usage) throw new Error(`${row.file}: no usage was found`)
  return metered.usage
}

/** Sum of count × rate over all lines, exact; and how far rates that are rounded themselves may put it off. */
const priced = (lines: readonly UsageLine[], rates: Row['rates']) => {
  const names = new Map(Object.keys(meters).map((name) => [meterOf(name), name]))
  let cost = 0n
  let slack = 0n
  for (const [meter, count] of lines.flatMap((line) => Object.entries(flat(line)))) {
    if (meter === 'other_usd') {
      cost += parseUsd(String(count))
      continue
    }
    const rate = rates[names.get(meter) ?? '']
    if (rate === undefined) throw new Error(`the manifest has no rate for ${meter}`)
    cost += multiply(Number(count), String(rate))
    if (String(rate).length > 8) slack += BigInt(Math.ceil((Number(count) * 1e-8) / 1e-6))
  }
  return { cost: picodollars(cost), slack }
}

/** A sub-count contradicts its total, or a cache write has no TTL: a split had to be assumed. */
const inferred = new Set(['openrouter/chat-stream-error.sse', 'anthropic/messages-server-tool-cache-stream.sse'])

describe.skipIf(!present)('recorded fixtures (skipped where ../shared/data is absent)', () => {
  const all = present ? rows() : []

  test('the manifest is read in whole', () => {
    expect(all.length).toBe(61)
    const names = all.flatMap((row) => row.expected.flatMap((line) => Object.keys(wanted(line))))
    expect(names.filter((name) => name.startsWith('unknown'))).toEqual([])
  })

  test.each(all.map((row) => [row.file, row] as const))('%s bills exactly its buckets', (_, row) => {
    const call = callOf(row)
    const usages = messagesIn(row).map((message) => usageOf(feed(call, [message]).metered, row))
    const billed = billedLines(usages)
    const lines = row.expected.filter((line) => line['billed'] !== false && Object.keys(wanted(line)).length > 0)
    expect(billed.map(flat)).toEqual(lines.map(wanted))
    for (const [i, line] of lines.entries())
      if (typeof line['model'] === 'string') expect(billed[i]?.model_served).toBe(line['model'])
    for (const usage of usages) {
      const { provider_total, input, output } = usage.totals
      if (provider_total !== undefined) expect(input + output).toBe(provider_total)
      expect(usage.quality).toBe(inferred.has(row.file) ? 'inferred' : 'exact')
    }
  })

  test.each(all.filter((row) => !row.file.endsWith('.json')).map((row) => [row.file, row] as const))(
    '%s is read the same however its bytes are cut, and the bytes pass unchanged',
    (_, row) => {
      const call = callOf(row)
      const random = seeded(row.file.length)
      for (const message of messagesIn(row)) {
        const whole = feed(call, [message]).metered
        for (const pieces of [2, 3, 17, 200]) {
          const { metered, passed } = feed(call, cutAt(message, random, pieces))
          expect(metered).toEqual(whole)
          expect(Buffer.compare(passed, message)).toBe(0)
        }
      }
    },
  )

  test.each(all.filter((row) => row.derived_usd !== '').map((row) => [row.file, row] as const))(
    '%s costs exactly its dollars at the rates of the manifest',
    (_, row) => {
      const call = callOf(row)
      const usages = messagesIn(row).map((message) => usageOf(feed(call, [message]).metered, row))
      const { cost, slack } = priced(billedLines(usages), row.rates)
      const off = cost - parseUsd(row.derived_usd)
      expect(off < 0n ? -off : off, formatUsd(cost)).toBeLessThanOrEqual(slack)
    },
  )

  test.each(all.filter((row) => row.stated_usd !== '').map((row) => [row.file, row] as const))(
    '%s states the cost that the provider states',
    (_, row) => {
      const usage = usageOf(feed(callOf(row), messagesIn(row)).metered, row)
      expect(formatUsd(parseUsd(usage.stated?.amount_usd ?? 'none'))).toBe(formatUsd(parseUsd(row.stated_usd)))
      expect(row.stated_field.startsWith(usage.stated?.field ?? 'none')).toBe(true)
      expect(usage.lines[0]?.funding).toBe(row.stated_field.includes('is_byok=true') ? 'byok' : 'platform')
    },
  )
})
