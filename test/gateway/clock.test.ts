/** The machine's clock is set back while a gateway runs: receipts keep their order, and budgets hold. */
import { afterEach, expect, test } from 'vitest'
import { readBudgets } from '../../src/playbook/allocate/budget/read.ts'
import { waitUntil } from '../waiting.ts'
import { chatBody, post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House
afterEach(() => house.close())

const HOUR_US = 3_600_000_000

test.each([
  ['whole', false],
  ['streamed', true],
])('an answer, %s, ends no earlier than its call began', async (_, stream) => {
  let back_us = 0
  house = await startHouse({
    simulator: { latency_ms: 150 },
    overrides: { now_us: () => Date.now() * 1000 - back_us },
  })
  const asked = post(house, { body: chatBody({ stream }) })
  while (house.simulator.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  back_us = HOUR_US
  const response = await asked
  expect(response.status).toBe(200)
  await response.text()
  const [receipt] = await house.receipts()
  expect(receipt).toMatchObject({ outcome: 'ok', price_state: 'priced' })
  const { started_at_us = 0, first_token_at_us = 0, ended_at_us = 0 } = receipt ?? {}
  expect(first_token_at_us).toBeGreaterThanOrEqual(started_at_us)
  expect(ended_at_us).toBeGreaterThanOrEqual(first_token_at_us)
  const metrics = await (await fetch(`${house.gateway.url}/metrics`)).text()
  const sums = [...metrics.matchAll(/^weir_\w+_seconds_sum\S* (\S+)$/gm)].map(([, sum]) => Number(sum))
  expect(sums.length).toBeGreaterThan(1)
  for (const sum of sums) expect(sum).toBeGreaterThanOrEqual(0)
  expect((await post(house)).status).toBe(200)
})

test('a rolling budget holds, and counts what was spent in its window by the clock as it is now', async () => {
  let back_us = 0
  const { budgets } = readBudgets([{ name: 'minute', limit: { calls: 3 }, last: '1m' }])
  house = await startHouse({
    settings: { budgets },
    overrides: { ledger: true, now_us: () => Date.now() * 1000 - back_us },
  })
  await house.gateway.ledger_ready
  const statuses = async (calls: number) => {
    const found: number[] = []
    for (let call = 0; call < calls; call++) found.push((await post(house)).status)
    return found
  }
  expect(await statuses(4)).toEqual([200, 200, 200, 429])
  back_us = HOUR_US
  // What was spent an hour later is not in this window.
  await waitUntil(async () => (await house.gateway.budgets())[0]?.spent === '0')
  expect(await statuses(5)).toEqual([200, 200, 200, 429, 429])
})
