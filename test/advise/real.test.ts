/** Advice on real traces: what it finds, and what it says where nothing pays. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadBook } from '../../src/catalogs/load.ts'
import { meterBody } from '../../src/cli/import/meter.ts'
import type { Importer } from '../../src/core/importer.ts'
import type { Lever } from '../../src/core/lever.ts'
import { converts } from '../../src/gateway/levers/kit.ts'
import { digest } from '../../src/gateway/prompt.ts'
import { reachLedger } from '../../src/gateway/reach.ts'
import { importer as agentTrace } from '../../src/importers/agent-trace.ts'
import { bringIn } from '../../src/importers/bring-in.ts'
import { importer as callLog } from '../../src/importers/calls.ts'
import { importer as mooncake } from '../../src/importers/mooncake.ts'
import type { Advice } from '../../src/playbook/advise/advice.ts'
import { advise } from '../../src/playbook/advise/advise.ts'
import { rateSheet } from '../../src/playbook/advise/rates.ts'
import { cacheRule } from '../../src/playbook/cache/rules.ts'
import { levers } from '../../src/playbook/levers.ts'
import { ratios } from '../../src/playbook/measure/ratios.ts'
import { compileBook } from '../../src/playbook/price/book.ts'

const sessions = '../shared/data/agent-sessions.jsonl.gz'
const conversations = '../shared/data/azure2023_conv.csv.gz'
const chats = '../shared/data/mooncake_conversation.jsonl.gz'
const there = [sessions, conversations, chats].every((path) => existsSync(path))
if (!there) process.stdout.write(`skipped: ${sessions}, ${conversations} or ${chats} is not there\n`)

const now_us = Date.parse('2026-11-23T12:00:00Z') * 1000
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

type Brought = Readonly<{
  importer: Importer
  path: string
  provider: string
  model: string
  columns?: Record<string, string>
}>

const adviceOn = async ({ importer, path, provider, model, columns = {} }: Brought): Promise<Advice> => {
  const data = mkdtempSync(join(tmpdir(), 'weir-advise-'))
  folders.push(data)
  const book = compileBook(await loadBook())
  const ledger = await reachLedger(data, { now_us: () => now_us })
  try {
    const epoch_us = Date.parse('2026-11-01T00:00:00Z') * 1000
    const options = { payer: {}, provider, model, columns, epoch_us, now_us: epoch_us, book, meter: meterBody }
    const { appended } = await bringIn({ importer, path, options, ledger, data, progress: () => {} })
    return await advise({
      ledger,
      window: { from_us: 0, to_us: now_us },
      filters: [],
      by: 'model',
      levers: levers as unknown as Readonly<Record<string, Lever>>,
      sheet: rateSheet(book),
      ratios: ratios(),
      kit: { hash: digest, cache_rule: cacheRule, converts, seed: 1 },
      expected: appended,
    })
  } finally {
    await ledger.close()
  }
}

describe.skipIf(!there)('advice on real traces', () => {
  test('puts provider caching first for coding agents, at about four fifths of the bill, and nothing loses', async () => {
    const advice = await adviceOn({
      importer: agentTrace,
      path: sessions,
      provider: 'anthropic',
      model: 'claude-opus-4-5',
    })
    const [first, ...others] = advice.findings
    expect(first?.lever).toBe('cache/provider-prefix')
    // Measured on a larger part of the same trace: 79 % with writes for five minutes, 81 % for an hour.
    expect(first?.share).toBeGreaterThan(0.77)
    expect(first?.share).toBeLessThan(0.83)
    expect(Number(first?.saving.low_usd)).toBeLessThan(Number(first?.saving.mid_usd))
    expect(advice.spent_usd['other']).toBe(0)
    // A rewrite of history that loses more cache reads than it saves would be below zero here.
    for (const { saving } of others) expect(Number(saving.mid_usd)).toBeGreaterThanOrEqual(0)
    expect(advice.sessions).toBe(364)
  }, 300_000)

  test('says of the chat trace how much of it comes again within five and within thirty minutes', async () => {
    const advice = await adviceOn({ importer: mooncake, path: chats, provider: 'anthropic', model: 'claude-opus-4-5' })
    expect(advice.calls).toBe(6015)
    expect(advice.notes.join('\n')).toContain(
      '28.4 % of the tokens of prompts repeat the beginning of one that came within five minutes, 35.2 % of one within thirty',
    )
  }, 300_000)

  test('says plainly that nothing pays on short conversations, and why', async () => {
    const columns = { started_at: 'TIMESTAMP', input_tokens: 'ContextTokens', output_tokens: 'GeneratedTokens' }
    const brought = { importer: callLog, path: conversations, columns }
    const advice = await adviceOn({ ...brought, provider: 'anthropic', model: 'claude-opus-4-5' })
    const said = advice.notes.join('\n')
    expect(advice.together.mid_usd).toBe('0')
    expect(said).toContain('Nothing pays on this traffic')
    expect(said).toContain('most prompts are shorter than the least that is cached (4,096 tokens)')
    expect(said).toContain('cannot be replayed for 9,683 of 9,683 calls')
    const shorter = await adviceOn({ ...brought, provider: 'openai', model: 'gpt-4o' })
    expect(shorter.notes.join('\n')).toContain(
      '47 % of the prompts are shorter than the least that is cached (1,024 tokens)',
    )
  }, 300_000)
})
