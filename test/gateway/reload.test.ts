/** Other settings are in force while calls go on. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { closedLoop, openPool } from '../../bench/gateway/load.ts'
import { defaultsOf } from '../../src/config/levers.ts'
import type { LeverPolicy } from '../../src/core/lever.ts'
import type { Settings } from '../../src/core/settings.ts'
import { readBudgets } from '../../src/playbook/allocate/budget/read.ts'
import { lever as exact } from '../../src/playbook/cache/exact.ts'
import { waitUntil } from '../waiting.ts'
import { chatBody, post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House
afterEach(() => house.close())

/** A house whose settings change by what `change` says when they are read anew. */
const open = async (threads: number, change: () => Partial<Settings>, more: Parameters<typeof startHouse>[0] = {}) => {
  const workers: Worker[] = []
  house = await startHouse({
    ...more,
    settings: { threads, log_level: 'silent', ...more.settings },
    overrides: {
      on_worker: (worker) => void workers.push(worker),
      reread: async () => ({ ...house.gateway.settings, port: 0, ...change() }),
      ...more.overrides,
    },
  })
  return workers
}

/** A route that gives a model another name, which only new settings know. */
const renaming = (): Partial<Settings> => ({
  routes: [{ match: { model: 'house-model' }, targets: [{ provider: 'openai', model: 'gpt-4o-mini' }] }],
})
const asking = (model: string) => post(house, { body: chatBody({ model }), headers: { connection: 'close' } })
const statusOf = async (model: string): Promise<number> => {
  const response = await asking(model)
  await response.arrayBuffer()
  return response.status
}
const policy: LeverPolicy = {
  match: {},
  levers: { 'cache/exact': { mode: 'on', settings: defaultsOf(exact.settings) } },
  holdout: 0,
  experiment: 'levers',
}

describe.each([1, 2])('with %i gateway threads', (threads) => {
  test('no call is lost: those under way end as they began, those that come find the new settings', async () => {
    const workers = await open(threads, renaming, { simulator: { pace_ms: 40 } })
    expect(await statusOf('house-model')).toBe(404)
    const slow = await post(house, {
      body: chatBody({ stream: true, max_tokens: 400, messages: [{ role: 'user', content: 'sim:output=200' }] }),
    })
    const reader = slow.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    const target = { pool: openPool(house.gateway.port, 8), headers: [] }
    const shot = { path: '/v1/chat/completions', body: Buffer.from(JSON.stringify(chatBody())) }
    const load = closedLoop(target, shot, 600, 8)

    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await house.gateway.reload()).toEqual({ in_force: ['routes'], next_start: [] })
    expect(await statusOf('house-model')).toBe(200)
    expect(workers).toHaveLength(threads)
    await load
    await target.pool.close()
    let text = ''
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read())
      text += Buffer.from(piece.value).toString()
    expect(text).toContain('data: [DONE]')

    const receipts = await house.receipts()
    expect(receipts.map(({ outcome }) => outcome).filter((outcome) => outcome === 'ok')).toHaveLength(602)
  })
})

test('settings that are wrong leave the old ones in force', async () => {
  let wrong: Partial<Settings> | Error = {
    providers: [{ name: 'openai', adapter: 'no-such-adapter', options: {}, credentials: {} }],
  }
  const workers = await open(1, () => {
    if (wrong instanceof Error) throw wrong
    return wrong
  })
  await expect(house.gateway.reload()).rejects.toThrow('no-such-adapter')
  expect(await statusOf('gpt-4o-mini')).toBe(200)
  wrong = new Error('line 3, routes: is no list')
  await expect(house.gateway.reload()).rejects.toThrow('line 3, routes')
  wrong = { mode: 'keys' }
  await expect(house.gateway.reload()).rejects.toMatchObject({ code: 'bad-config', field: 'mode' })
  expect(await statusOf('gpt-4o-mini')).toBe(200)
  wrong = renaming()
  await house.gateway.reload()
  expect(await statusOf('house-model')).toBe(200)
  expect(workers).toHaveLength(1)
})

test('what the process is built on waits for the next start, and is named', async () => {
  const workers = await open(1, () => ({ threads: 3, log_level: 'warn' }))
  expect(await house.gateway.reload()).toEqual({ in_force: [], next_start: ['threads', 'log_level'] })
  expect(workers).toHaveLength(1)
})

test('a budget that is raised keeps what was spent, and nothing stays reserved', async () => {
  const budget = (usd: string) =>
    readBudgets([{ name: 'all', limit: { usd }, window: { every: 'day', zone: 'UTC' } }]).budgets
  let limit = '0.000001'
  await open(1, () => ({ budgets: budget(limit), ...(limit === '5' ? renaming() : {}) }), {
    settings: { budgets: budget('0.000001') },
  })
  expect(await statusOf('gpt-4o-mini')).toBe(429)
  limit = '2'
  expect(await house.gateway.reload()).toEqual({ in_force: ['budgets'], next_start: [] })
  expect(await statusOf('gpt-4o-mini')).toBe(200)
  limit = '5'
  expect((await house.gateway.reload()).in_force.toSorted()).toEqual(['budgets', 'routes'])
  expect(await statusOf('house-model')).toBe(200)
  const costs = (await house.receipts()).map(({ cost_usd }) => Number(cost_usd ?? 0))
  const [state] = await house.gateway.budgets()
  expect(state).toMatchObject({ budget: 'all', reserved: '0' })
  expect(Number(state?.limit)).toBe(5)
  expect(Number(state?.spent)).toBeCloseTo(
    costs.reduce((sum, cost) => sum + cost, 0),
    12,
  )
})

test('a thread that dies is started again with the settings that are in force', async () => {
  const workers = await open(1, renaming)
  await house.gateway.reload()
  workers[0]?.postMessage(null)
  await waitUntil(() => workers.length === 2)
  await waitUntil(() =>
    statusOf('house-model').then(
      (status) => status === 200,
      () => false,
    ),
  )
})

test('a lever that is turned on acts on the calls that come, and on none that is under way', async () => {
  await open(0, () => ({ policies: [policy] }), { simulator: { latency_ms: 300 } })
  const body = chatBody({ temperature: 0 })
  const early = post(house, { body })
  await waitUntil(() => house.simulator.calls.length === 1)
  expect((await house.gateway.reload()).in_force).toEqual(['policies'])
  await (await early).arrayBuffer()
  for (let calls = 0; calls < 2; calls++) await (await post(house, { body })).arrayBuffer()
  const receipts = (await house.receipts()).toSorted((one, other) => one.started_at_us - other.started_at_us)
  expect(receipts.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'cached'])
  expect(receipts[0]?.levers).toBeUndefined()
  expect(house.simulator.calls).toHaveLength(2)
})

test('the control port lets whoever may read the data folder reload', async () => {
  await open(1, renaming, { overrides: { ledger: true } })
  await house.gateway.ledger_ready
  const { port, token } = JSON.parse(readFileSync(join(house.gateway.settings.data, 'control.json'), 'utf8'))
  const ask = (authorization: string) =>
    fetch(`http://127.0.0.1:${port}/reload`, { method: 'POST', headers: { authorization } })
  expect((await ask('Bearer wrong')).status).toBe(401)
  const answer = await ask(`Bearer ${token}`)
  expect(await answer.json()).toEqual({ in_force: ['routes'], next_start: [] })
})
