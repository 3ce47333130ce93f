/** `weir cache why` over a living ledger: the chains of real calls, through journal, ledger and control port. */
import { afterEach, expect, test } from 'vitest'
import { explain } from '../../src/cli/cache/why.ts'
import { reachLedger } from '../../src/gateway/reach.ts'
import { post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House
afterEach(() => house.close())

const words = (count: number, from: number) => Array.from({ length: count }, (_, i) => `w${from + i}`).join(' ')

test('a miss is explained by what changed in the system part, from the ledger alone', { timeout: 60_000 }, async () => {
  house = await startHouse({ overrides: { ledger: true } })
  await house.gateway.ledger_ready
  const ids: string[] = []
  for (const date of ['Monday', 'Tuesday']) {
    const text = (said: string) => ({ type: 'text', text: said })
    const system = [
      text(words(1500, 0)),
      text(`Today is ${date}.`),
      { ...text(words(900, 5000)), cache_control: { type: 'ephemeral' } },
    ]
    const body = { model: 'claude-sonnet-5-5', max_tokens: 50, system, messages: [{ role: 'user', content: 'Why?' }] }
    const response = await post(house, { path: '/v1/messages', body, headers: { 'x-api-key': 'k' } })
    await response.arrayBuffer()
    ids.push(response.headers.get('x-weir-call-id') ?? '')
  }
  const ledger = await reachLedger(house.gateway.settings.data, { now_us: () => Date.now() * 1000 })
  const first = await explain(ledger, ids[0] ?? '')
  const second = await explain(ledger, ids[1] ?? '')
  await ledger.close()
  expect(first.cause).toBe('first')
  expect(second).toMatchObject({ call_id: ids[1], read_tokens: 0, earlier: { call_id: ids[0] } })
  // The first block alone is long enough to be cached, but no mark ended there.
  expect(second).toMatchObject({ cause: 'changed', parted_at: { part: 'system', block: 2 } })
  expect(second.common_tokens).toBeGreaterThan(1500)
})
