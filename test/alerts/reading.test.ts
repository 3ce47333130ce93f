/** What the watch reads of a segment is what a whole receipt says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { traffic } from '../../bench/ledger/traffic.ts'
import { encodeLine } from '../../src/core/journal-line.ts'
import { parseUsd, type Usd } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { segmentReader } from '../../src/gateway/watch/segment-receipts.ts'
import { type Observation, observationOf } from '../../src/playbook/allocate/detect/observation.ts'
import {
  type Alike,
  gather,
  gathered,
  type Sighting,
  type Strand,
  say,
  seenOf,
} from '../../src/playbook/allocate/detect/strand.ts'
import { watchedOf } from '../../src/playbook/allocate/detect/watched.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-watch-reading-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** The receipts of a segment as the watch sees them: each alone, as the detectors would be told of it. */
const read = (lines: readonly string[]) => {
  const path = join(folder, 'segment')
  writeFileSync(path, lines.join(''))
  const all: ReturnType<typeof told>[] = []
  for (const _ of segmentReader()(path, (strand, one) => all.push(told(strand, one))));
  return all
}

const told = (strand: Strand, one: Sighting) => {
  const said = { paid: strand.alike, owners: [], prices_checked_at_us: undefined, by: {} }
  const names = say(strand, said)
  const { id, at_us, failed, fingerprint } = seenOf(strand, one)
  gather(strand, one)
  const { ids, calls, ...call } = gathered(strand, said)
  expect([ids, calls, names.session]).toEqual([[id], 1, strand.alike.session])
  return seen(strand.alike, strand.spends ? { ...call, at_us, failed, fingerprint } : undefined)
}

/** What the detectors are told of it, and what rules of who pays can look at beside. */
const seen = (one: Alike | ReturnType<typeof watchedOf>, call: Observation | undefined) => {
  const { team, tags, environment, region, wire, endpoint, origin, model_asked, price_rows } = one
  const beside = { team, tags, environment, region, wire, endpoint, origin, model_asked, price_rows }
  // The reservation stands in for a cost that nobody knows; where it is known, it is not read.
  return { call: call && { ...call, ceiling: call.cost === null ? call.ceiling : null }, beside }
}
const whole = (receipt: Receipt) => {
  const watched = watchedOf(receipt)
  return seen(watched, observationOf(watched, { owners: [] }))
}

const [plain] = [...traffic({ seed: 3, receipts: 1, from_us: 1_800_000_000_000_000, days: 1 })] as [Receipt]
const { cost_usd: _, ...free } = plain
const cases: readonly Receipt[] = [
  ...traffic({ seed: 5, receipts: 500, from_us: 1_800_000_000_000_000, days: 1 }),
  { ...plain, team: 'Füße', feature: '検索', tags: { Größe: 'ü' }, session: 'ß' },
  // The bytes of the second read one by one are the first.
  { ...plain, team: 'Ã¼', tags: { a: '検' } },
  { ...plain, team: 'ü', tags: { a: 'i' } },
  { ...plain, team: 'x', tags: { a: '\u001c' } },
  { ...plain, region: 'eu-west-1', environment: 'staging' },
  { ...free, price_state: 'unpriced', reserved_usd: '0.25' as Usd },
  { ...plain, cost_usd: '999.123456789012' as Usd, agent: 'a\u0001b' },
  { ...plain, corrects: 'another' },
  { ...plain, outcome: 'refused', lines: [] },
]

test('by position, as JSON, with any letters, priced or not', () => {
  const json = cases.map((one) => `${JSON.stringify({ k: 'receipt', r: one })}\n`)
  expect(read(cases.map((one) => encodeLine('receipt', one)))).toEqual(cases.map(whole))
  expect(read(json)).toEqual(cases.map(whole))
  expect(read(cases.toReversed().map((one) => encodeLine('receipt', one)))).toEqual(cases.toReversed().map(whole))
})

test('calls alike are one strand, whose sums are those of its calls', () => {
  const path = join(folder, 'alike')
  const many = Array.from({ length: 1000 }, (_, at): Receipt => ({ ...plain, receipt_id: `r${at}` }))
  writeFileSync(path, many.map((one) => encodeLine('open', one) + encodeLine('receipt', one)).join(''))
  const strands = new Set<Strand>()
  for (const _ of segmentReader()(path, (strand, one) => {
    strands.add(strand)
    gather(strand, one)
  }));
  const [strand, ...others] = strands
  expect(others).toEqual([])
  const { cost, calls, ids } = gathered(strand as Strand, {
    paid: plain,
    owners: [],
    prices_checked_at_us: undefined,
    by: {},
  })
  expect([cost, calls]).toEqual([parseUsd(plain.cost_usd ?? '') * 1000n, 1000])
  expect(ids).toEqual(many.slice(-8).map(({ receipt_id }) => receipt_id))
})

test('a line may be longer than what is read at once', () => {
  const long = { ...plain, usage_raw: `{"a":"${'x'.repeat(300_000)}"}` }
  const lines = [plain, long, plain].map((one) => encodeLine('receipt', one))
  expect(read(lines)).toEqual([plain, long, plain].map(whole))
})

test('open lines, cut lines and what is no line at all are passed over', () => {
  const line = encodeLine('receipt', plain)
  const lines = [
    encodeLine('open', plain),
    line,
    line.slice(0, -20),
    '\n',
    'r1\tx\t.\n',
    'r2\tx\t.\n',
    '{"k":\n',
    '\n',
    line.trimEnd(),
  ]
  expect(read(lines)).toEqual([whole(plain), whole(plain)])
})
