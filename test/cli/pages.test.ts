import { describe, expect, test } from 'vitest'
import { renderCall } from '../../src/cli/calls/call.ts'
import { renderReport } from '../../src/cli/report/render.ts'
import { lookOf } from '../../src/cli/show/look.ts'
import type { SpendRow } from '../../src/core/ledger.ts'

import type { Receipt } from '../../src/core/receipt.ts'
import { receipt, usd } from '../ledger/receipts.ts'

const look = lookOf(process.stdout, { NO_COLOR: '1' })
const page = (receipts: readonly Receipt[]) => renderCall({ receipts, zone: 'UTC', prices: [] }, look) ?? ''

describe('weir calls ID', () => {
  test('shows every call that saw a response that was fetched again, each with its own attempts', () => {
    const response = { provider_response_id: 'resp_1', attempt: 1 }
    const text = page(['a', 'b'].map((id) => receipt({ receipt_id: id, call_id: id, ...response })))
    expect(text.match(/^Call \w/gm)).toEqual(['Call a', 'Call b'])
    expect(text.match(/^Attempt.*/gm)).toEqual(['Attempt  ok', 'Attempt  ok'])
    expect(text).not.toContain('receipts')
  })

  test('shows the rate of tokens by the million, and that of what is counted by the piece by the thousand', () => {
    const lines = [
      { kind: 'message', model: 'm', meter: 'in.text.fresh', quantity: 10, rate_usd: '2.5', cost_usd: usd('0.000025') },
      { kind: 'message', model: 'm', meter: 'web_search.query', quantity: 1, rate_usd: '10000', cost_usd: usd('0.01') },
    ] as const
    const text = page([receipt({ lines })])
    expect(text).toMatch(/in\.text\.fresh .* \$2\.5\/M /)
    expect(text).toMatch(/web_search\.query .* \$10\/1k /)
  })

  test('says of a failure that has no code of its own its status, and not twice that it failed', () => {
    const failed = { outcome: 'error', http_status: 429, error_code: 'error' } as const
    expect(page([receipt(failed)])).toMatch(/^Attempt {2}error 429$/m)
  })
})

const total: SpendRow = {
  group: {},
  calls: 2,
  attempts: 2,
  errors: 0,
  cost_usd: '1.5',
  input_cost_usd: '0.7',
  output_cost_usd: '0.3',
  fee_cost_usd: '0.25',
  list_cost_usd: '1.5',
  counterfactual_cost_usd: '1.5',
  input_tokens: 1,
  output_tokens: 1,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  reasoning_tokens: 0,
  unpriced_calls: 0,
  unmetered_calls: 0,
  estimated_calls: 0,
  ttft_ms_p50: null,
  duration_ms_p50: null,
  duration_ms_p95: null,
}
const window = { window: { from_us: 0, to_us: 86_400_000_000 }, name: 'a day', zone: 'UTC', since: 'all' }

test('the summary of a report names what stands in the total and in none of input, output and fees', () => {
  const report = (row: SpendRow) =>
    renderReport({ total: row, window, sections: [], movers: [], unpriced: [] } as never, look)
  expect(report(total)).toMatch(/^ {2}whole +\$0\.25 · 17 % · /m)
  expect(report({ ...total, fee_cost_usd: '0.5' })).not.toContain('whole')
})

test('a report names the model without a price that most calls lack, and how many more there are', () => {
  const model = (name: string, calls: number) => ({ provider: 'groq', model: name, calls })
  const report = (...unpriced: readonly unknown[]) =>
    renderReport({ total: { ...total, unpriced_calls: 5 }, window, sections: [], movers: [], unpriced } as never, look)
  expect(report(model('new', 5))).toContain('5 unpriced calls: not in the total until groq/new has a price')
  expect(report(model('new', 3), model('a', 1), model('b', 1))).toContain(
    'until each of groq/new and 2 more has a price',
  )
})
