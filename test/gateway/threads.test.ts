/** A gateway thread that dies takes its own calls with it, and nothing else. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { waitAfter } from '../../src/gateway/keep-thread.ts'
import { startGateway } from '../../src/gateway/start.ts'
import { waitUntil } from '../waiting.ts'
import { chatBody, post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House
afterEach(() => house.close())

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A message that no worker can read: an error that nothing catches, as a fault of ours would be. */
const kill = (worker: Worker | undefined) => worker?.postMessage(null)

const open = async (threads: number, more: Parameters<typeof startHouse>[0] = {}) => {
  const workers: Worker[] = []
  house = await startHouse({
    ...more,
    settings: { threads, log_level: 'silent', ...more.settings },
    overrides: { on_worker: (worker) => void workers.push(worker), ...more.overrides },
  })
  return workers
}

const metrics = async () => {
  const response = await fetch(`${house.gateway.url}/metrics`, { headers: { connection: 'close' } })
  return response.text()
}
const alive = (count: number) => async () =>
  (await metrics().catch(() => '')).includes(`weir_gateway_threads ${count}\n`)
const ask = (body: unknown = chatBody()) => post(house, { body, headers: { connection: 'close' } })

test('its open attempts become unknown, those of the other end well, and it serves again', async () => {
  const workers = await open(2, { simulator: { latency_ms: 700 } })
  const calls = Array.from({ length: 24 }, () =>
    ask().then(
      (response) => response.arrayBuffer().then(() => response.status),
      () => 'broken',
    ),
  )
  await waitUntil(() => house.simulator.calls.length === 24)
  kill(workers[0])
  const answers = await Promise.all(calls)
  const broken = answers.filter((answer) => answer === 'broken').length
  expect(answers.filter((answer) => answer === 200)).toHaveLength(24 - broken)
  expect(broken).toBeGreaterThan(0)
  expect(broken).toBeLessThan(24)
  const receipts = await house.receipts()
  expect(receipts.filter(({ outcome }) => outcome === 'ok')).toHaveLength(24 - broken)
  const lost = receipts.filter(({ outcome }) => outcome === 'unknown')
  expect(lost).toHaveLength(broken)
  for (const receipt of lost) {
    expect(receipt).toMatchObject({ usage_source: 'none', price_state: 'priced' })
    expect(receipt.cost_usd).toBe(receipt.reserved_usd)
  }
  await waitUntil(alive(2))
  // The other dies too: only the one that was started again can answer now.
  const gone = new Promise((resolve) => workers[1]?.once('exit', resolve))
  kill(workers[1])
  await gone
  const answers_now = () =>
    ask().then(
      ({ status }) => status === 200,
      () => false,
    )
  await waitUntil(answers_now)
  await waitUntil(alive(2))
  expect(workers).toHaveLength(4)
})

test('a port that the threads of another gateway share is taken', async () => {
  await open(2)
  const { settings } = house.gateway
  const other = { ...settings, data: `${settings.data}/other` }
  await expect(startGateway(other, { ledger: false })).rejects.toMatchObject({
    code: 'bad-config',
    message: expect.stringContaining(`127.0.0.1:${settings.port} is taken by another process`),
  })
})

test('a host that cannot be looked up is told as a setting to change', async () => {
  await open(1)
  const { settings } = house.gateway
  const other = { ...settings, mode: 'keys', host: 'nowhere.invalid', data: `${settings.data}/other` } as const
  await expect(startGateway(other, { ledger: false })).rejects.toMatchObject({
    code: 'bad-config',
    message: expect.stringMatching(/^nowhere\.invalid .*--host$/),
  })
})

test('counters that were read before a thread died do not fall', async () => {
  const workers = await open(1)
  for (let calls = 0; calls < 5; calls++) await (await ask()).arrayBuffer()
  expect(await metrics()).toContain('weir_receipts_total 5\n')
  kill(workers[0])
  await waitUntil(() => workers.length === 2)
  await waitUntil(alive(1))
  expect(await metrics()).toContain('weir_receipts_total 5\n')
  await (await ask()).arrayBuffer()
  expect(await metrics()).toContain('weir_receipts_total 6\n')
})

describe('a thread that dies as soon as it lives', () => {
  test('is started again ever more slowly, and the gateway can still be closed', async () => {
    const workers = await open(1)
    const started = Date.now()
    const dying = setInterval(() => kill(workers.at(-1)), 5)
    await waitUntil(() => workers.length >= 4)
    await sleep(500)
    clearInterval(dying)
    const took_ms = Date.now() - started
    // 100, 200, 400, 800 ms … between them.
    expect(workers.length).toBeLessThanOrEqual(2 + Math.log2(took_ms / 100 + 1))
    await house.gateway.close()
    const count = workers.length
    await sleep(300)
    expect(workers).toHaveLength(count)
  })

  test('waits twice as long each time, up to ten seconds, and is forgiven after a minute', () => {
    const minute = 60_000_000
    expect([1, 2, 3, 7, 8, 100].map((deaths) => waitAfter(Array(deaths).fill(minute), minute))).toEqual([
      100, 200, 400, 6400, 10_000, 10_000,
    ])
    expect(waitAfter([0, 1, 2, minute * 2], minute * 2)).toBe(100)
  })

  test('and never listened is not started again: the start says why', async () => {
    const workers = await open(1)
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    const { settings } = house.gateway
    const other = { ...settings, port, data: `${settings.data}/other` }
    const before = workers.length
    const second: Worker[] = []
    const starting = startGateway(other, { ledger: false, on_worker: (worker) => void second.push(worker) })
    await expect(starting).rejects.toMatchObject({
      code: 'bad-config',
      message: expect.stringContaining(`127.0.0.1:${port} is taken by another process`),
    })
    taken.close()
    await sleep(300)
    expect(second).toHaveLength(1)
    expect(workers).toHaveLength(before)
    // It was given back: a worker that has ended has no id.
    expect(second[0]?.threadId).toBe(-1)
  })
})
