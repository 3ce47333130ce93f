/** What a gateway promises whatever happens: no secret leaks, no call without a receipt, nothing lost at the end. */
import {
  ftruncateSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { defaultSettings } from '../../src/config.ts'
import { startGateway } from '../../src/gateway/start.ts'
import { readBudgets } from '../../src/playbook/allocate/budget/read.ts'
import { chatBody, type OpenAiError, post, rawPost } from './ask.ts'
import { type House, type HouseOptions, startHouse } from './harness.ts'
import { prices } from './prices.ts'

let house: House
const open = async (options: HouseOptions = {}) => {
  house = await startHouse(options)
  return house
}
afterEach(() => house.close())

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('a canary in keys, headers and prompts is in no journal, log, metric, error or file', async () => {
  const canary = 'c4n4ry-0f-the-river'
  await open({ providers: { groq: { credentials: { api_key: `gsk-${canary}` } } } })
  const headers = {
    authorization: `Bearer sk-${canary}`,
    'x-api-key': canary,
    'x-goog-api-key': canary,
    cookie: `session=${canary}`,
    'x-custom': canary,
  }
  const body = chatBody({ messages: [{ role: 'user', content: `my secret is ${canary}` }] })
  const answers: string[] = []
  const ask = async (path: string, sent: unknown) => {
    const response = await post(house, { path, body: sent, headers })
    answers.push(JSON.stringify([...response.headers]))
    if (response.status >= 400) answers.push(await response.text())
    else await response.arrayBuffer()
  }
  await ask('/openai/v1/chat/completions', body)
  await ask('/groq/openai/v1/chat/completions', { ...body, stream: true })
  await ask(`/v1/unknown/thing?key=${canary}`, body)
  await ask('/openai/v1/chat/completions', `{"model": "${canary}`)
  await ask(`/openai/v1/chat/completions?key=${canary}`, `{"model": [${canary}]}`)
  house.simulator.faults.next(1, { kind: 'cut', after: 2 })
  await ask('/openai/v1/chat/completions', { ...body, stream: true }).catch(() => {})
  house.simulator.faults.next(3, 'cut-before-head')
  await ask('/openai/v1/chat/completions', body)
  await house.receipts()
  const metrics = await (await fetch(`${house.gateway.url}/metrics`)).text()
  const { data } = house.gateway.settings
  const files = (readdirSync(data, { recursive: true, encoding: 'utf8' }) as string[])
    .map((name) => join(data, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
  expect(house.log.length).toBeGreaterThan(5)
  expect(files.join('').length).toBeGreaterThan(1000)
  for (const sink of [...house.log, ...house.journal(), ...answers, ...files, metrics])
    expect(sink).not.toContain(canary)
})

describe('a journal that cannot be written', () => {
  /** A disk that is full while `full` is set. */
  const fullable = () => {
    const state = { full: false }
    const disk = {
      write: (fd: number, bytes: Uint8Array, length: number, position: number) => {
        if (state.full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        return writeSync(fd, bytes, 0, length, position)
      },
      truncate: ftruncateSync,
    }
    return { state, disk }
  }

  test('refuses traffic loudly, turns readiness red, and serves again when there is room', async () => {
    const { state, disk } = fullable()
    await open({ overrides: { disk } })
    expect((await post(house)).status).toBe(200)
    state.full = true
    const refused = await post(house)
    expect(refused.status).toBe(503)
    const { message } = ((await refused.json()) as OpenAiError).error
    expect(message).toMatch(/^The journal of this gateway cannot be written \(no space left on device\)/)
    expect(message).not.toContain(house.gateway.settings.data)
    expect((await fetch(`${house.gateway.url}/readyz`)).status).toBe(503)
    expect((await fetch(`${house.gateway.url}/healthz`)).status).toBe(200)
    expect(house.simulator.calls).toHaveLength(1)
    await vi.waitFor(() => expect(house.log.join('')).toContain('"why":"no space left on device"'))
    const loud = house.log.find((line) => line.includes('the journal cannot be written'))
    expect(loud).toContain('"level":50')
    expect(loud).toContain(house.gateway.settings.data)
    state.full = false
    expect((await post(house)).status).toBe(200)
    await vi.waitFor(() => expect(house.log.join('')).toContain('the journal is written again'))
    expect((await fetch(`${house.gateway.url}/readyz`)).status).toBe(200)
    expect((await house.receipts()).filter(({ outcome }) => outcome === 'ok')).toHaveLength(2)
  })

  test('lets no call complete for its client, whole or streamed', async () => {
    const { state, disk } = fullable()
    await open({ overrides: { disk }, simulator: { latency_ms: 300, pace_ms: 5 } })
    const whole = post(house)
    const streamed = post(house, { body: chatBody({ stream: true }) })
    while (house.simulator.calls.length < 2) await sleep(5)
    state.full = true
    expect((await whole).status).toBe(503)
    const text = await (await streamed).text().catch(() => 'broken')
    expect(text).not.toContain('[DONE]')
    state.full = false
    expect((await house.receipts()).length).toBe(2)
  })

  test('charges budgets what the receipts say, once there is room: nothing for the calls that it refused', async () => {
    const { state, disk } = fullable()
    const { budgets } = readBudgets([{ name: 'org', limit: { usd: 1, calls: 100 }, per: 'month' }])
    await open({ overrides: { disk }, settings: { budgets }, simulator: { latency_ms: 300 } })
    const under_way = post(house)
    while (house.simulator.calls.length < 1) await sleep(5)
    state.full = true
    for (let refused = 0; refused < 5; refused++) expect((await post(house)).status).toBe(503)
    expect((await under_way).status).toBe(503)
    const [full, full_calls] = await house.gateway.budgets()
    expect(full).toMatchObject({ spent: '0', reserved: expect.stringMatching(/[1-9]/) as string })
    expect(full_calls).toMatchObject({ spent: '0', reserved: '1' })
    state.full = false
    await vi.waitFor(async () => expect((await house.gateway.budgets())[0]?.reserved).toBe('0'))
    const receipts = await house.receipts()
    expect(receipts.map(({ outcome }) => outcome).sort()).toEqual(['ok', ...Array(5).fill('refused')])
    const [usd, calls] = await house.gateway.budgets()
    expect(usd?.spent).toBe(receipts.find(({ outcome }) => outcome === 'ok')?.cost_usd)
    expect(calls).toMatchObject({ spent: '1', reserved: '0' })
    const metrics = await (await fetch(`${house.gateway.url}/metrics`)).text()
    expect(metrics).toContain('weir_receipts_due_total 6\n')
    expect(metrics).toContain('weir_receipts_total 6\n')
  })
})

test('a ledger that cannot be opened is told loudly, and calls are served meanwhile', async () => {
  await open()
  const data = mkdtempSync(join(tmpdir(), 'weir-broken-'))
  writeFileSync(join(data, 'ledger.duckdb'), 'no database '.repeat(2000))
  const log: string[] = []
  const settings = { ...house.gateway.settings, port: 0, data, log_level: 'warn' as const }
  const gateway = await startGateway(settings, { prices, log_stream: { write: (line) => void log.push(line) } })
  try {
    await expect(gateway.ledger_ready).rejects.toThrow(/ledger.duckdb cannot be opened.*put a copy in its place/)
    expect(log.join('')).toContain('the ledger cannot be opened; receipts stay in the journal')
    expect((await post({ ...house, gateway })).status).toBe(200)
    expect(await (await fetch(`${gateway.url}/metrics`)).text()).toContain('weir_ledger_failed 1')
  } finally {
    await gateway.close()
    rmSync(data, { recursive: true })
  }
})

test('a data folder that is none is refused with its name and what to do', async () => {
  await open()
  const data = join(house.gateway.settings.data, 'file')
  writeFileSync(data, '')
  await expect(startGateway({ ...house.gateway.settings, port: 0, data }, { prices })).rejects.toMatchObject({
    code: 'bad-config',
    message: expect.stringMatching(/file cannot be used \(EEXIST.*name another with --data/) as string,
  })
})

describe('the end of a gateway', () => {
  test('streams in flight are served to their end, and new calls are refused', async () => {
    await open({ simulator: { pace_ms: 10 } })
    const stream = await post(house, { body: chatBody({ stream: true }) })
    const closing = house.gateway.close()
    const text = await stream.text()
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
    await closing
    await expect(post(house)).rejects.toThrow()
    expect(await house.receipts()).toMatchObject([{ outcome: 'ok' }])
  })

  test('readiness turns red first, and calls are taken until the load balancer has seen it', async () => {
    await open({ settings: { limits: { ...defaultSettings.limits, shutdown_delay_ms: 600 } } })
    const closing = house.gateway.close()
    await vi.waitFor(async () => expect((await fetch(`${house.gateway.url}/readyz`)).status).toBe(503))
    const body = JSON.stringify(chatBody())
    const served = await rawPost(house.gateway.port, '/v1/chat/completions', body, { authorization: 'Bearer sk' })
    expect([served.status, served.headers.connection]).toEqual([200, 'close'])
    await closing
    await expect(post(house)).rejects.toThrow()
    expect(await house.receipts()).toMatchObject([{ outcome: 'ok' }])
  })

  test('what does not end in time is cut, and has its receipt', async () => {
    await open({ simulator: { pace_ms: 300 }, settings: { limits: { ...defaultSettings.limits, shutdown_ms: 150 } } })
    const stream = await post(house, { body: chatBody({ stream: true }) })
    const text = stream.text().catch(() => 'broken')
    await house.gateway.close()
    expect(await text).not.toContain('[DONE]')
    const [cut, ...others] = await house.receipts()
    expect(cut).toMatchObject({ outcome: 'cut', error_code: 'shutting-down', usage_source: 'estimated' })
    expect(others).toEqual([])
  })
})

test('a public address is refused in pass-through mode', async () => {
  await open()
  const settings = { ...house.gateway.settings, host: '0.0.0.0', data: join(house.gateway.settings.data, 'other') }
  await expect(startGateway(settings, { ledger: false })).rejects.toMatchObject({ code: 'bad-config' })
})

test('two threads share one port, one set of metrics and the ledger’s journal', async () => {
  await open({ settings: { threads: 2, log_level: 'silent' } })
  for (let calls = 0; calls < 12; calls++) await (await post(house, { headers: { connection: 'close' } })).arrayBuffer()
  const receipts = await house.receipts()
  expect(receipts).toHaveLength(12)
  const metrics = await (await fetch(`${house.gateway.url}/metrics`)).text()
  expect(metrics).toContain('weir_receipts_total 12\n')
})
