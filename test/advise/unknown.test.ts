/** What advice says of levers whose saving depends on what prompts say. */
import { expect, test } from 'vitest'
import type { Lever } from '../../src/core/lever.ts'
import { formatUsd, picodollars } from '../../src/core/money.ts'
import type { LeverTrace, Receipt } from '../../src/core/receipt.ts'
import { lever as minify } from '../../src/playbook/compact/minify.ts'
import { lever as output } from '../../src/playbook/compact/output.ts'
import { adviceOn, BEGIN_US } from '../levers/day.ts'

const levers = { 'compact/minify': minify as unknown as Lever, 'compact/output': output as unknown as Lever }

const receiptOf = (at_s: number, levers: readonly LeverTrace[]): Receipt => {
  const id = `${String(at_s).padStart(8, '0')}-0000-7000-8000-000000000001`
  return {
    receipt_id: id,
    call_id: id,
    attempt: 1,
    origin: 'live',
    started_at_us: BEGIN_US + at_s * 1_000_000,
    ended_at_us: BEGIN_US + at_s * 1_000_000 + 1000,
    endpoint: 'chat',
    stream: false,
    provider: 'openai',
    model_asked: 'gpt-4o-mini',
    model_served: 'gpt-4o-mini',
    outcome: 'ok',
    input_tokens: 100,
    output_tokens: 10,
    usage_source: 'provider',
    price_state: 'priced',
    cost_usd: formatUsd(picodollars(300_000_000n)),
    levers,
  }
}

/** Names of the levers of which nothing is known. */
const unknownAfter = async (traces: readonly LeverTrace[]): Promise<string[]> => {
  const receipts = Array.from({ length: 20 }, (_, at) => receiptOf(at, traces))
  const { findings } = await adviceOn(receipts, levers)
  return findings.filter(({ is_unknown }) => is_unknown).map(({ lever }) => lever)
}

test('nothing is known of a compact lever that was never observed; of one that found nothing it is known', async () => {
  expect(await unknownAfter([])).toEqual(['compact/minify'])
  const found = { name: 'compact/minify', action: 'skipped', why: 'nothing to take out' } as const
  expect(await unknownAfter([found])).toEqual([])
})
