/** Outcomes find the owner of their session, however many there are and whenever it began. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Ledger } from '../../src/core/ledger.ts'
import { formatUsd, parseUsd } from '../../src/core/money.ts'
import type { OutcomeEvent } from '../../src/core/outcome.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { rulesOf } from '../../src/playbook/allocate/statement/rules.ts'
import { askUnitCost } from '../../src/playbook/allocate/unit-cost/ask.ts'
import { countOutcomes } from '../../src/playbook/allocate/unit-cost/counts.ts'
import { ledgerFolder } from '../cli/fixture.ts'
import { receipt } from './more.ts'

const usd = (text: string) => formatUsd(parseUsd(text))
const us = (text: string) => Date.parse(text) * 1000
const november = { from_us: us('2026-11-01T00:00:00Z'), to_us: us('2026-12-01T00:00:00Z') }

let clear: () => void
let ledger: Ledger
beforeAll(async () => {
  const folder = await ledgerFolder([
    receipt('a', '2026-10-31T23:00:00Z', { session: 's0', team: 'search', cost_usd: usd('3'), output_tokens: 70 }),
    receipt('b', '2026-11-01T01:00:00Z', { session: 's0', team: 'labs', cost_usd: usd('1'), output_tokens: 30 }),
    receipt('c', '2026-11-02T01:00:00Z', { session: 's2400', team: 'billing', cost_usd: usd('2'), output_tokens: 10 }),
    receipt('d', '2026-11-02T01:00:01Z', {
      session: 's2400',
      team: 'billing',
      cost_usd: usd('4'),
      output_tokens: 60,
      outcome: 'cut',
    }),
  ])
  clear = folder.clear
  ledger = await open({ path: `${folder.data}/ledger.duckdb` })
})
afterAll(async () => {
  await ledger.close()
  clear()
})

const events = Array.from({ length: 2401 }, (_, i): OutcomeEvent => {
  return { id: `o${i}`, kind: 'done', count: 1, at_us: us('2026-11-03T00:00:00Z') + i, session: `s${i}` }
})
const rules = rulesOf([], [])

test('the owner is who paid most of the session, before the window too; a session that nobody knows has none', async () => {
  const counts = await countOutcomes(ledger, events, {
    by: 'team',
    zone: 'UTC',
    tagging: { tags: [] },
    window: november,
  })
  expect(counts).toEqual({ done: { billing: 1, search: 1, unallocated: 2399 } })
})

test('tokens of cut attempts lead to nothing, and those before the window do not count', async () => {
  const report = await askUnitCost(ledger, {
    kind: 'done',
    by: 'team',
    window: november,
    zone: 'UTC',
    slices: 3,
    rules,
    outcomes: async ({ from_us, to_us }) => events.filter(({ at_us }) => at_us >= from_us && at_us < to_us),
  })
  expect(report.total).toMatchObject({
    cost_usd: '7',
    count: 2401,
    output_tokens: 100,
    useful_output_tokens: 40,
    token_yield: 0.4,
  })
  expect(report.rows.map(({ owner, cost_usd, count, each_usd }) => [owner, cost_usd, count, each_usd])).toEqual([
    ['billing', '6', 1, '6'],
    ['labs', '1', 0, null],
    ['search', '0', 1, '0'],
    ['unallocated', '0', 2399, '0'],
  ])
})
