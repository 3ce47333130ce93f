/** What a replay of provider caching finds in real traces. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { meterBody } from '../../src/cli/import/meter.ts'
import type { Past } from '../../src/core/past.ts'
import { importer } from '../../src/importers/agent-trace.ts'
import { lookAt, makeReady, openShelf, visit, type Write } from '../../src/playbook/cache/prefix/shelf.ts'
import { lever } from '../../src/playbook/cache/provider-prefix.ts'
import { cacheRule } from '../../src/playbook/cache/rules.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { billAfter, blankPast, costOf, opus, pastOf } from './past.ts'

const data = '../shared/data'
const absent = !existsSync(data)
const lines = async (name: string) =>
  gunzipSync(await readFile(`${data}/${name}`))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')

const agentCalls = async (): Promise<Past[]> => {
  const calls: Past[] = []
  const book = compileBook({ rows: [], version: 'none' })
  const options = {
    columns: {},
    model: 'claude-opus-4-5',
    provider: 'anthropic',
    epoch_us: 1_760_000_000_000_000,
    now_us: 0,
    payer: {},
    book,
    meter: meterBody,
  }
  const file = `${data}/agent-sessions.jsonl.gz`
  for await (const row of importer.read(file, options, () => {}))
    if ('receipt' in row) calls.push(pastOf(row.receipt, opus))
  return calls.sort((a, b) => a.at_us - b.at_us)
}

describe.skipIf(absent)('the replay of provider caching (needs ../shared/data)', () => {
  test('finds in agent sessions what 5-minute and 1-hour writes save', { timeout: 120_000 }, async () => {
    const calls = await agentCalls()
    const none = calls.reduce((sum, past) => sum + costOf(past), 0)
    const saved = (ttl: '5m' | '1h' | 'auto', reach = 'everything') =>
      1 - billAfter(lever, { ttl, reach }, calls) / none
    const [five, hour, auto] = [saved('5m'), saved('1h'), saved('auto', 'auto')]
    expect(five).toBeGreaterThan(0.77)
    expect(five).toBeLessThan(0.81)
    expect(hour).toBeGreaterThan(0.79)
    expect(hour).toBeLessThan(0.83)
    // Learnt on the way, and all sessions of the trace start at one moment: it cannot know at first what comes again.
    expect(auto).toBeGreaterThan(Math.max(five, hour) - 0.015)
  })

  test('promises nothing where prompts are below the minimum, which most of the Azure conversations are', async () => {
    const [, ...rows] = await lines('azure2023_conv.csv.gz')
    const inputs = rows.map((row) => Number(row.split(',')[1]))
    const minimum = cacheRule('anthropic', 'claude-opus-4-5', 0)?.minimum_tokens ?? 0
    expect(minimum).toBe(4096)
    expect(inputs.filter((tokens) => tokens < minimum).length / inputs.length).toBeGreaterThan(0.9)
    const calls = inputs.map((tokens, index): Past => {
      const at_us = 1_760_000_000_000_000 + index * 1_000_000
      const usage = { fresh: tokens, cache_read: 0, cache_write_5m: 0, cache_write_long: 0, output: 100 }
      return { ...blankPast, at_us, ended_at_us: at_us, chain: { hashes: [String(index)], tokens: [tokens] }, usage }
    })
    const none = calls.reduce((sum, past) => sum + costOf(past), 0)
    expect(billAfter(lever, {}, calls)).toBe(none)
  })

  test('finds the prefix hits of the chat trace at five and at thirty minutes', async () => {
    const rows = (await lines('mooncake_conversation.jsonl.gz')).map(
      (line) => JSON.parse(line) as { timestamp: number; input_length: number; hash_ids: number[] },
    )
    const share = (minutes: number): number => {
      const shelf = openShelf(1)
      const rule = {
        style: 'automatic',
        minimum_tokens: 1,
        step_tokens: 1,
        ttls: [minutes === 5 ? '5m' : '30m'],
        default_ttl: minutes === 5 ? '5m' : '30m',
        most_marks: 0,
        lookback_blocks: 0,
        source: 'test',
      } as const
      let read = 0
      let total = 0
      for (const { timestamp, input_length, hash_ids } of rows) {
        const tokens = hash_ids.map((_, index) => Math.min(input_length, (index + 1) * 512))
        const chain = { hashes: hash_ids.map(String), tokens }
        const writes: Write[] = []
        const plain = { way: 0, plan: 'automatic', ttl: rule.default_ttl, rule, writes } as const
        const seen = visit(lookAt(shelf, chain, timestamp * 1000), plain)
        makeReady(writes, timestamp * 1000)
        read += seen.read
        total += input_length
      }
      return read / total
    }
    expect(share(5)).toBeCloseTo(0.284, 2)
    expect(share(30)).toBeCloseTo(0.352, 2)
  })
})
