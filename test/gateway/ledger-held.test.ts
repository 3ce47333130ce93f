/** A gateway whose ledger another program has open when it starts: an analyst's DuckDB, for example. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Settings } from '../../src/core/settings.ts'
import { type Running, startGateway } from '../../src/gateway/start.ts'
import { readBudgets } from '../../src/playbook/allocate/budget/read.ts'
import { weir } from '../cli/run.ts'
import { waitUntil } from '../waiting.ts'
import { post } from './ask.ts'
import { type House, startHouse } from './harness.ts'
import { prices } from './prices.ts'

const { budgets } = readBudgets([{ name: 'org', limit: { usd: 1, calls: 100 }, per: 'year' }])
const { budgets: more } = readBudgets([
  { name: 'org', limit: { usd: 1, calls: 100 }, per: 'year' },
  { name: 'search', scope: { team: 'search' }, limit: { calls: 50 }, per: 'year' },
])

let house: House
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A process that has a ledger open until it is told to end. */
const holder = async (data: string) => {
  const script = `import { DuckDBInstance } from '@duckdb/node-api'
    const held = await DuckDBInstance.create(process.argv[1], { access_mode: 'READ_ONLY' })
    process.stdin.on('end', () => process.exit()).resume()
    console.log('held')`
  const words = ['--input-type=module', '-e', script, join(data, 'ledger.duckdb')]
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  ends.push(() => child.kill())
  await once(child.stdout, 'data')
  return {
    pid: child.pid,
    async end() {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}

const ask = (gateway: Running, headers: Record<string, string> = {}) => post({ ...house, gateway }, { headers })
const readiness = async (gateway: Running) => {
  const response = await fetch(`${gateway.url}/readyz`)
  return `${response.status} ${await response.text()}`
}

test('says so wherever somebody looks, lets no budget be overrun, and goes on by itself when the ledger is free', async () => {
  house = await startHouse({ settings: { budgets, log_level: 'warn' }, overrides: { ledger: true } })
  ends.push(() => house.close())
  await house.gateway.ledger_ready
  const settings: Settings = { ...house.gateway.settings, port: 0 }
  const { data } = settings
  expect((await ask(house.gateway)).status).toBe(200)
  const [spent] = await house.gateway.budgets()
  await house.gateway.close()

  const held = await holder(data)
  const reread = async () => ({ ...settings, budgets: more })
  const gateway = await startGateway(settings, { prices, ledger_again_ms: 50, reread, log_stream: { write: () => {} } })
  ends.push(() => gateway.close())
  const why = `The ledger ${data}/ledger.duckdb cannot be opened: process ${held.pid} has it open. Close it there.`
  await expect(gateway.ledger_ready).rejects.toThrow(why)
  expect(await readiness(gateway)).toMatch(/^503 budgets cannot be counted, .*weir status/)
  expect((await ask(gateway)).headers.get('x-weir-error')).toBe('overloaded')
  const status = await weir(['status', '--data', data])
  expect(status.out).toMatch(`running on ${gateway.url}`)
  expect(status.out).toContain(`ledger   ${why} Receipts wait in the journal.\n`)
  expect(JSON.parse((await weir(['status', '--data', data, '--json'])).out).extent).toBe(null)
  for (const words of [['report'], ['budgets', 'list']])
    expect((await weir([...words, '--data', data])).err).toBe(`weir: ${why}\n`)
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(metrics).toContain('weir_ledger_failed 1')
  expect(metrics).not.toContain('weir_budget_spent{')
  // A budget that comes meanwhile cannot be counted either: its calls are refused, and do not wait.
  expect((await gateway.reload()).in_force).toEqual(['budgets'])
  expect((await ask(gateway, { 'x-weir-team': 'search' })).status).toBe(503)

  await held.end()
  await waitUntil(async () => (await readiness(gateway)) === '200 ready\n')
  expect((await gateway.budgets())[0]?.spent).toBe(spent?.spent)
  expect((await ask(gateway, { 'x-weir-team': 'search' })).status).toBe(200)
  const { out } = await weir(['status', '--data', data])
  expect(out).toMatch(/ledger {4}4 calls, 4 receipts\n/)
  const after = (await gateway.budgets()).map(({ budget, unit, spent: now }) => [budget, unit, now])
  expect(after).toContainEqual(['org', 'calls', '2'])
  expect(after).toContainEqual(['search', 'calls', '1'])
})
