/** The machine's clock is set back while a call is under way: the receipt keeps its order, and nothing else notices. */
import { afterEach, expect, test } from 'vitest'
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
