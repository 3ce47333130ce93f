/** What the watch reads of a segment is what a whole receipt says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { traffic } from '../../bench/ledger/traffic.ts'
import { encodeLine } from '../../src/core/journal-line.ts'
import type { Usd } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { receiptsIn } from '../../src/gateway/watch/segment-receipts.ts'
import { observationOf } from '../../src/playbook/allocate/detect/observation.ts'
import { watchedOf } from '../../src/playbook/allocate/detect/watched.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-watch-reading-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const read = (lines: readonly string[]) => {
  const path = join(folder, 'segment')
  writeFileSync(path, lines.join(''))
  return receiptsIn(path)
}
/** What the detectors are told of it, and what rules of who pays can look at beside. */
const seen = (one: ReturnType<typeof watchedOf>) => {
  const { team, tags, environment, region, wire, endpoint, origin, model_asked, price_rows } = one
  const beside = { team, tags, environment, region, wire, endpoint, origin, model_asked, price_rows }
  const call = observationOf(one, { owners: [] })
  // The reservation stands in for a cost that nobody knows; where it is known, it is not read.
  return { call: call && { ...call, ceiling: call.cost === null ? call.ceiling : null }, beside }
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
  expect(read(cases.map((one) => encodeLine('receipt', one))).map(seen)).toEqual(cases.map(watchedOf).map(seen))
  expect(read(cases.toReversed().map((one) => encodeLine('receipt', one)))).toHaveLength(cases.length)
})

test('open lines, cut lines and what is no line at all are passed over', () => {
  const line = encodeLine('receipt', plain)
  const whole = seen(watchedOf(plain))
  const lines = [
    encodeLine('open', plain),
    line,
    line.slice(0, -20),
    '\n',
    'r1\tx\t.\n',
    '{"k":\n',
    '\n',
    line.trimEnd(),
  ]
  expect(read(lines).map(seen)).toEqual([whole, whole])
})
