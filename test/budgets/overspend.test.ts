/** Zero overspend: many clients, faults, aborts and kills against nested budgets, with a real `weir serve` of two threads. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../simulator/start.ts'
import type { BudgetState } from '../../src/core/budget.ts'
import { chance } from '../../src/core/chance.ts'
import { parseUsd } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { type ControlFile, controlPath } from '../../src/gateway/control.ts'
import { reachLedger } from '../../src/gateway/reach.ts'
import { freePort, type GatewayProcess, startProcess } from '../house/gateway-process.ts'

const CALLS = 2000
const CLIENTS = 64
const KILLS = 2
const CUSTOMERS = ['ada', 'bob', 'cid', 'dan', 'eve']
/** Most of a budget that may be left while a call of its scope is refused. */
const UNUSABLE = 0.05

let simulator: Simulator
let folder: string
beforeAll(async () => {
  simulator = await startSimulator({ seed: 11, latency_ms: 5, pace_ms: 1, keep_calls: 1_000_000 })
  folder = mkdtempSync(join(tmpdir(), 'weir-overspend-'))
})
afterAll(async () => {
  await simulator.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Budgets three deep, prices at which 2,000 calls would cost more, and a second provider to fall back to. */
const config =
  () => `  backup: { adapter: openai-compatible, base_url: "${simulator.base_urls.compatible}", api_key: sk-ours, price_as: openai }
threads: 2
routes:
  - match: { model: gpt-4o-mini, team: search }
    targets: [openai, backup]
prices:
  - provider: openai
    models: [gpt-4o-mini, gpt-4o-mini-2024-07-18]
    rates: { in.text.fresh: 5, in.text.cache_read: 2.5, out.text.visible: 20, out.text.reasoning: 20 }
    source: made for tests
budgets:
  - { name: company, limit: { usd: 1, calls: 100000 }, per: month }
  - { name: search, scope: { team: search }, limit: { usd: 0.8 }, per: year, zone: Asia/Shanghai }
  - { name: customers, scope: { customer: each }, limit: { usd: 0.25, tokens: 10000000 }, last: 24h }
`

type Payer = Readonly<{ team: string; customer: string }>

/** So many search and so many are ada's that both come to the end of their own budgets before the company does. */
const payerOf = (random: () => number): Payer => ({
  team: random() < 0.9 ? 'search' : 'ads',
  customer: CUSTOMERS[Math.max(0, Math.floor(random() * 8) - 3)] ?? 'ada',
})

const headersOf = ({ team, customer }: Payer): Record<string, string> => ({
  'content-type': 'application/json',
  authorization: 'Bearer sk-client',
  'x-weir-team': team,
  'x-weir-customer': customer,
})

const bodyOf = (random: () => number) =>
  JSON.stringify({
    model: 'gpt-4o-mini',
    max_tokens: 40,
    stream: random() < 0.5,
    messages: [{ role: 'user', content: `Say something about ${Math.floor(random() * 1e9)}.` }],
  })

/** Nobody listened, because the gateway was just killed: no call of it. */
const NOBODY = -1
const statusOf = (error: unknown): number =>
  (error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED' ? NOBODY : 0

/** One call as a client makes it; some go before the answer is whole. Resolves to the status, to 0 where there was none, or `NOBODY`. */
const ask = async (url: string, random: () => number, patient?: Payer): Promise<number> => {
  const going = new AbortController()
  const timer = !patient && random() < 0.15 ? setTimeout(() => going.abort(), random() * 30) : undefined
  try {
    const init = {
      method: 'POST',
      headers: headersOf(patient ?? payerOf(random)),
      body: bodyOf(random),
      signal: going.signal,
    }
    const response = await fetch(`${url}/v1/chat/completions`, init)
    await response.arrayBuffer()
    return response.status
  } catch (error) {
    return statusOf(error)
  } finally {
    clearTimeout(timer)
  }
}

const everyReceipt = async (data: string): Promise<Receipt[]> => {
  const ledger = await reachLedger(data, { now_us: () => Date.now() * 1000 })
  const all: Receipt[] = []
  try {
    for (;;) {
      const after = all.at(-1)?.receipt_id
      const window = { from_us: 0, to_us: 4e15 }
      const { receipts } = await ledger.query({ ask: 'calls', window, limit: 1000, ...(after && { after }) })
      all.push(...receipts)
      if (receipts.length < 1000) return all
    }
  } finally {
    await ledger.close()
  }
}

const states = async (data: string): Promise<BudgetState[]> => {
  const { port, token } = JSON.parse(readFileSync(controlPath(data), 'utf8')) as ControlFile
  const answer = await fetch(`http://127.0.0.1:${port}/budgets`, { headers: { authorization: `Bearer ${token}` } })
  return (await answer.json()) as BudgetState[]
}

/** Asks until nothing is reserved any more. */
const quiet = async (data: string): Promise<BudgetState[]> => {
  for (let tries = 0; tries < 400; tries++) {
    const found = await states(data).catch(() => [])
    if (found.length > 0 && found.every(({ reserved, counted }) => counted && reserved === '0')) return found
    await sleep(50)
  }
  throw new Error(`something stays reserved: ${JSON.stringify(await states(data))}`)
}

const limits: Readonly<Record<string, bigint>> = {
  company: parseUsd('1'),
  search: parseUsd('0.8'),
  customers: parseUsd('0.25'),
}

/** What receipts say was spent, by the counters of the budgets. */
const spentIn = (receipts: readonly Receipt[]): ReadonlyMap<string, bigint> => {
  const sums = new Map<string, bigint>()
  const add = (name: string, usd: bigint) => sums.set(name, (sums.get(name) ?? 0n) + usd)
  for (const receipt of receipts) {
    const usd = parseUsd(receipt.cost_usd ?? '0')
    add('company', usd)
    if (receipt.team === 'search') add('search', usd)
    add(`customers ${receipt.customer}`, usd)
  }
  return sums
}

const checkAgree = (found: readonly BudgetState[], receipts: readonly Receipt[]): void => {
  const sums = spentIn(receipts)
  for (const [name, usd] of sums) expect(usd, name).toBeLessThanOrEqual(limits[name.split(' ')[0] ?? ''] ?? 0n)
  for (const { budget, unit, scope, spent } of found) {
    if (unit !== 'usd') continue
    const name = budget === 'customers' ? `customers ${scope['customer']}` : budget
    expect(parseUsd(spent), name).toBe(sums.get(name) ?? 0n)
  }
  const calls = found.find(({ budget, unit }) => budget === 'company' && unit === 'calls')
  expect(Number(calls?.spent)).toBe(receipts.filter(({ attempt }) => attempt === 1).length)
  const tokens = found.filter(({ unit }) => unit === 'tokens')
  expect(tokens.length).toBe(CUSTOMERS.length)
}

/** Each of the three budgets has come to its end, and refuses with next to nothing left: the company, a team, a customer. */
const checkUsedUp = (end: readonly BudgetState[]): void => {
  const left = (name: string, customer?: string): number => {
    const found = end.find(
      ({ budget, unit, scope }) => budget === name && unit === 'usd' && scope['customer'] === customer,
    )
    return Number(found?.left) / Number(found?.limit)
  }
  expect(left('company'), 'company').toBeLessThan(UNUSABLE)
  expect(left('search'), 'search').toBeLessThan(UNUSABLE)
  expect(left('customers', 'ada'), 'customers ada').toBeLessThan(UNUSABLE)
}

/** Sends the load; the gateway is killed and started again in between. */
const storm = async (first: GatewayProcess, start: () => Promise<GatewayProcess>, random: () => number) => {
  let gateway = first
  let sent = 0
  const statuses: number[] = []
  const client = async () => {
    while (sent < CALLS) {
      sent += 1
      const status = await ask(gateway.url, random)
      if (status === NOBODY) sent -= 1
      else statuses.push(status)
      if (status <= 0) await sleep(5)
    }
  }
  const clients = Promise.all(Array.from({ length: CLIENTS }, client))
  for (let kill = 1; kill <= KILLS; kill++) {
    while (sent < (CALLS * kill) / (KILLS + 2)) await sleep(5)
    await gateway.kill()
    gateway = await start()
  }
  await clients
  return { gateway, statuses }
}

test('settled spend never exceeds a limit by a picodollar, nothing stays reserved, and what is left is less than a call', async () => {
  const random = chance(20261128)
  const port = await freePort()
  const data = join(folder, 'data')
  const start = () => startProcess({ folder, port, base_urls: simulator.base_urls, config: config() })
  simulator.faults.chance(0.04, 'server-error')
  simulator.faults.chance(0.03, { kind: 'rate-limit', retry_after_s: 0 })
  simulator.faults.chance(0.03, 'cut')
  simulator.faults.chance(0.02, 'no-usage')
  const { gateway, statuses } = await storm(await start(), start, random)
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(300)

  const calm = await quiet(data)
  checkAgree(calm, await everyReceipt(data))

  // As long as calls of anybody fit: all customers at once, then one after the other; who searches first, so that its end is seen.
  simulator.faults.clear()
  const goOn = async (payer: Payer): Promise<void> => {
    for (let refused = 0; refused < 5; ) refused = (await ask(gateway.url, random, payer)) === 429 ? refused + 1 : 0
  }
  for (const team of ['search', 'ads']) {
    await Promise.all(CUSTOMERS.map((customer) => goOn({ team, customer })))
    for (const customer of CUSTOMERS) await goOn({ team, customer })
  }
  const end = await quiet(data)
  const receipts = await everyReceipt(data)
  checkAgree(end, receipts)
  const journals = new Set(readdirSync(join(data, 'journal')).map((name) => /^gateway-(\d+)-/.exec(name)?.[1]))
  checkUsedUp(end)
  expect(receipts.some(({ outcome }) => outcome === 'unknown')).toBe(true)
  expect(receipts.some(({ attempt }) => attempt > 1)).toBe(true)
  expect(receipts.some(({ error_code }) => error_code === 'budget-exhausted')).toBe(true)
  // Everything that may go wrong with a reservation has happened.
  for (const [what, seen] of Object.entries({
    streaming: receipts.some(({ outcome, stream }) => outcome === 'ok' && stream),
    whole: receipts.some(({ outcome, stream }) => outcome === 'ok' && !stream),
    fallback: receipts.some(({ provider, cost_usd }) => provider === 'backup' && Number(cost_usd) > 0),
    abort: receipts.some(({ outcome }) => outcome === 'client-gone'),
    cut: receipts.some(({ outcome }) => outcome === 'cut'),
    two_threads: journals.size === 2,
  }))
    expect([what, seen]).toEqual([what, true])
  for (const { cost_usd, reserved_usd } of receipts)
    if (cost_usd !== undefined) expect(parseUsd(cost_usd)).toBeLessThanOrEqual(parseUsd(reserved_usd ?? '0'))

  // The ledger alone knows as much.
  await gateway.stop()
  const again = await start()
  const counted = await quiet(data)
  checkAgree(counted, receipts)
  await again.stop()
}, 240_000)
