import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bill as anthropic } from '../../src/bills/anthropic.ts'
import { bill as openai } from '../../src/bills/openai.ts'
import { bill as openrouter } from '../../src/bills/openrouter.ts'
import type { Bill, BillLine, BillRequest, BillWorld } from '../../src/core/bill.ts'
import { formatUsd } from '../../src/core/money.ts'
import { adminKey, type BillingServer, faults, startBilling } from './billing-server.ts'

let server: BillingServer
let waits: number[]
beforeAll(async () => {
  server = await startBilling()
})
afterAll(() => server.close())
beforeEach(() => {
  waits = []
  server.asked.length = 0
  server.faults.length = 0
})

/** The real network on loopback; waiting is only noted. */
const world: BillWorld = {
  async ask({ url, headers }) {
    const response = await fetch(url, { headers, redirect: 'manual' })
    return { status: response.status, header: (name) => response.headers.get(name), text: await response.text() }
  },
  async wait(ms) {
    waits.push(ms)
  },
  now_ms: () => Date.parse('2026-11-20T00:00:00Z'),
}

const bases = { openai: '/v1', anthropic: '', openrouter: '/api/v1' } as const

const ask = async (bill: Bill, over: Partial<BillRequest> = {}) => {
  const lines: BillLine[] = []
  const bad: string[] = []
  const base_url = server.url + bases[bill.name as keyof typeof bases]
  const request = {
    base_url,
    credentials: { api_key: adminKey },
    from: '2026-11-01',
    to: '2026-11-04',
    world,
    progress: () => {},
    ...over,
  }
  for await (const row of bill.fetch?.(request) ?? []) {
    if ('lines' in row) lines.push(...row.lines)
    else bad.push(`${row.line}: ${row.bad}`)
  }
  return { lines, bad }
}

const shown = ({ day, model, charge, kinds, quantity, cost, tier }: BillLine) =>
  [
    day,
    model ?? '-',
    charge,
    kinds.join('+') || '-',
    quantity ?? '-',
    cost === null ? '-' : formatUsd(cost),
    tier ?? '-',
  ].join(' ')

const message = (error: unknown) => (error as Error).message

describe('OpenAI', () => {
  test('every page of usage and costs is read, tokens apart by kind, floats by their text', async () => {
    const { lines, bad } = await ask(openai)
    expect(bad).toEqual([])
    expect(lines).toHaveLength(3 * (4 + 4 + 6))
    expect(lines.filter(({ day }) => day === '2026-11-01').map(shown)).toEqual([
      '2026-11-01 gpt-5.5-2026-04-23 usage input 600000 - default',
      '2026-11-01 gpt-5.5-2026-04-23 usage cache_read 300000 - default',
      '2026-11-01 gpt-5.5-2026-04-23 usage cache_write+cache_write_1h 100000 - default',
      '2026-11-01 gpt-5.5-2026-04-23 usage output 50000 - default',
      '2026-11-01 omni-moderation-latest usage request 4 - -',
      '2026-11-01 gpt-image-2 usage image 3 - -',
      '2026-11-01 tts-1 usage character 2000 - -',
      '2026-11-01 whisper-1 usage second 600 - -',
      '2026-11-01 gpt-5.5-2026-04-23 usage input - 1.5 -',
      '2026-11-01 gpt-5.5-2026-04-23 usage cache_read - 0.075 -',
      '2026-11-01 whisper-1 usage second - 0.06 -',
      '2026-11-01 tts-1 usage character - 0.03 -',
      '2026-11-01 gpt-image-2 usage output - 0.09 -',
      '2026-11-01 somebodys-voice usage second - 0.02 -',
    ])
    expect(lines.filter(({ tier }) => tier === 'batch').map(({ day }) => day)).toContain('2026-11-03')
    expect(lines[0]).toMatchObject({ project: 'proj_search', key: 'key_1', requests: 10 })
  })

  test('is asked for whole days, grouped, with the most that a page may hold', async () => {
    await ask(openai)
    const [first = '', second = ''] = server.asked
    expect(first).toContain('start_time=1793491200&end_time=1793750400&bucket_width=1d&limit=31')
    expect(decodeURIComponent(first)).toContain('group_by[]=model&group_by[]=batch&group_by[]=service_tier')
    expect(second).toContain('page=page_1')
    expect(decodeURIComponent(server.asked.at(-1) ?? '')).toContain(
      'limit=180&group_by[]=project_id&group_by[]=line_item',
    )
  })
})

test('Anthropic: four kinds of input apart, cents to the picodollar, the default workspace by name', async () => {
  const { lines, bad } = await ask(anthropic)
  expect(bad).toEqual([])
  expect(lines.filter(({ day }) => day === '2026-11-02').map(shown)).toEqual([
    '2026-11-02 claude-opus-5-5 usage input 1500 - standard',
    '2026-11-02 claude-opus-5-5 usage cache_read 200 - standard',
    '2026-11-02 claude-opus-5-5 usage cache_write 500 - standard',
    '2026-11-02 claude-opus-5-5 usage cache_write_1h 1000 - standard',
    '2026-11-02 claude-opus-5-5 usage output 500 - standard',
    '2026-11-02 claude-opus-5-5 usage input - 1.2378912 standard',
    '2026-11-02 - fee - - 0.1 -',
  ])
  expect(lines.every(({ project }) => project === 'default')).toBe(true)
})

test('OpenRouter: one amount for all kinds of a model, and nothing older than it keeps', async () => {
  const { lines } = await ask(openrouter)
  expect(lines.slice(0, 3).map(shown)).toEqual([
    '2026-11-01 openai/gpt-5.5 usage input+cache_read+cache_write+cache_write_1h 50 - -',
    '2026-11-01 openai/gpt-5.5 usage output 125 - -',
    '2026-11-01 openai/gpt-5.5 usage input+cache_read+cache_write+cache_write_1h+output - 0.015 -',
  ])
  await expect(ask(openrouter, { from: '2026-10-01' })).rejects.toThrow(/last 30 days, from 2026-10-21/)
})

describe('a provider in trouble', () => {
  test('is asked again as late as it says, in seconds or by a date', async () => {
    server.faults.push(faults.busy('7'), faults.broken, faults.busy('Fri, 20 Nov 2026 00:00:05 GMT'))
    const { lines } = await ask(openai)
    expect(lines).toHaveLength(42)
    expect(waits).toEqual([7000, 0, 5000])
  })

  test('is asked again after a lost connection and a page that was cut off, each time later', async () => {
    server.faults.push(faults.hangUp, faults.half)
    expect((await ask(openai)).lines).toHaveLength(42)
    expect(waits).toEqual([1000, 2000])
  })

  test('is given up after six attempts, saying what it said', async () => {
    server.faults.push(...Array.from({ length: 6 }, () => faults.busy('1')))
    const error = await ask(openai).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'rate-limited' })
    expect(message(error)).toContain('slow down')
    expect(waits).toHaveLength(5)
  })

  test('is not asked again when it refuses the key, which no message holds', async () => {
    const error = await ask(openai, { credentials: { api_key: 'sk-wrong-canary' } }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'forbidden' })
    expect(message(error)).toContain('admin key')
    expect(message(error)).not.toContain('canary')
    expect(waits).toEqual([])
  })

  test('is not followed elsewhere', async () => {
    server.faults.push(faults.elsewhere)
    await expect(ask(openai)).rejects.toThrow(/a redirect, which is not followed/)
    expect(server.asked).toHaveLength(1)
  })

  test.each([
    ['promises more but names no page', [faults.endless]],
    ['names the same page again', [faults.circular, faults.circular]],
    ['is somebody else', [faults.other]],
  ])('that %s gives no half bill', async (_, some) => {
    server.faults.push(...some)
    await expect(ask(openai)).rejects.toMatchObject({ code: 'bad-input' })
  })
})
