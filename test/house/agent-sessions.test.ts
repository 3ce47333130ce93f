import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadBook } from '../../src/catalogs/load.ts'
import { meterBody } from '../../src/cli/import/meter.ts'
import type { Ledger } from '../../src/core/ledger.ts'
import { multiply, parseUsd, sum } from '../../src/core/money.ts'
import { reachLedger } from '../../src/gateway/reach.ts'
import { importer } from '../../src/importers/agent-trace.ts'
import { type BroughtIn, bringIn } from '../../src/importers/bring-in.ts'
import { compileBook } from '../../src/playbook/price/book.ts'

const file = '../shared/data/agent-sessions.jsonl.gz'
const there = existsSync(file)
if (!there) process.stdout.write(`skipped: ${file} is not there\n`)

type Request = Readonly<{ model: string; in: number; out: number; parent: number | null; shared: number }>

const sessions = (): Request[][] =>
  gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { requests: Request[] }).requests)

/** For each request, the longest prefix that it shares with an earlier request of the same model. */
const cacheable = (requests: readonly Request[]): number => {
  const common: number[][] = []
  let total = 0
  for (const [i, { in: length, parent, shared, model }] of requests.entries()) {
    const row = requests.slice(0, i).map((_, j) => {
      if (parent === null) return 0
      const withParent = j === parent ? Number.POSITIVE_INFINITY : common[Math.max(j, parent)]?.[Math.min(j, parent)]
      return Math.min(shared, length, withParent ?? 0)
    })
    common.push(row)
    total += row.reduce((best, tokens, j) => (requests[j]?.model === model ? Math.max(best, tokens) : best), 0)
  }
  return total
}

describe.skipIf(!there)('the agent sessions in the ledger', () => {
  const data = mkdtempSync(join(tmpdir(), 'weir-agents-'))
  const now_us = Date.parse('2026-11-23T12:00:00Z') * 1000
  const window = { from_us: 0, to_us: now_us }
  let ledger: Ledger
  let first: BroughtIn
  const bring = async () => {
    const options = {
      payer: { team: 'research' },
      columns: {},
      epoch_us: Date.parse('2026-11-01T00:00:00Z') * 1000,
      now_us: 0,
      book: compileBook(await loadBook()),
      meter: meterBody,
    }
    return await bringIn({ importer, path: file, options, ledger, data, progress: () => {} })
  }
  beforeAll(async () => {
    ledger = await reachLedger(data, { now_us: () => now_us })
    first = await bring()
  }, 60_000)
  afterAll(async () => {
    await ledger.close()
    rmSync(data, { recursive: true, force: true })
  })

  test('every request is brought in, and the totals are those of the file', async () => {
    const requests = sessions().flat()
    const total = (pick: (request: Request) => number) => requests.reduce((all, request) => all + pick(request), 0)
    expect(first).toMatchObject({ appended: requests.length, already: 0, bad: 0 })
    const extent = await ledger.query({ ask: 'extent' })
    expect(extent).toMatchObject({
      receipts: requests.length,
      input_tokens: total((request) => request.in),
      output_tokens: total((request) => request.out),
      unpriced: 0,
    })
  })

  test('the spend of a model is its tokens at its list price, to the picodollar', async () => {
    const { rows } = await ledger.query({ ask: 'spend', window, group_by: ['model'] })
    const opus = sessions()
      .flat()
      .filter(({ model }) => model === 'claude-opus-4-5-20251101')
    const cost = sum(opus.flatMap((request) => [multiply(request.in, '5'), multiply(request.out, '25')]))
    const row = rows.find(({ group }) => group['model'] === 'claude-opus-4-5-20251101')
    expect(parseUsd(row?.cost_usd ?? '0')).toBe(cost)
  })

  test('the share that a cache could have read is the share that the prefix tree allows', async () => {
    const answer = await ledger.query({ ask: 'leaks', window })
    const all = sessions()
    expect(answer.input_tokens).toBe(all.flat().reduce((total, request) => total + request.in, 0))
    expect(answer.cached_tokens).toBe(0)
    expect(answer.cacheable_tokens).toBe(all.reduce((total, requests) => total + cacheable(requests), 0))
    expect(answer.cacheable_tokens / answer.input_tokens).toBeCloseTo(0.9635, 3)
  })

  test('bringing the same file in again changes nothing', async () => {
    const before = await ledger.query({ ask: 'extent' })
    const again = await bring()
    expect(again).toMatchObject({ appended: 0, already: first.appended })
    expect(await ledger.query({ ask: 'extent' })).toEqual(before)
  }, 60_000)
})
