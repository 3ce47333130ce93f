/** Provider prefix caching through the gateway, against the simulator's own cache: what replay promises, pull then saves. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import { defaultsOf } from '../../src/config/levers.ts'
import type { Chosen, LeverMode, LeverPolicy } from '../../src/core/lever.ts'
import type { TokenRates } from '../../src/core/past.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { lever } from '../../src/playbook/cache/provider-prefix.ts'
import { billAfter, costOf, pastOf } from '../levers/past.ts'
import { post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House
let now_us = 1_795_000_000_000_000
afterEach(() => house.close())

/** Of the tests' own book: claude-sonnet-5-5. */
const sonnet: TokenRates = {
  fresh: 3_000_000,
  cache_read: 300_000,
  cache_write: { '5m': 3_750_000, '1h': 6_000_000 },
  output: 15_000_000,
}
type Given = Readonly<Record<string, unknown>>
const policy = (settings: Given, mode: LeverMode): LeverPolicy => ({
  match: {},
  levers: { 'cache/provider-prefix': { mode, settings: { ...defaultsOf(lever.settings), ...settings } as Chosen } },
  holdout: 0,
  experiment: 'levers',
})
const open = async (settings: Given = {}, mode: LeverMode = 'on', data?: string) => {
  now_us = 1_795_000_000_000_000
  house = await startHouse({
    simulator: { seed: 5, now_us: () => now_us },
    settings: { policies: mode === 'off' ? [] : [policy(settings, mode)], ...(data === undefined ? {} : { data }) },
    overrides: { now_us: () => now_us },
  })
}
const words = (count: number, start = 0) => Array.from({ length: count }, (_, i) => `w${start + i}`).join(' ')

type Message = { role: 'user' | 'assistant'; content: string }

/** Conversations that take turns, with pauses of a minute and now and then of a quarter of an hour. */
const work = async (conversations: number, turns: number) => {
  const client = new Anthropic({ apiKey: 'k', baseURL: house.gateway.url, maxRetries: 0 })
  const histories = Array.from({ length: conversations }, (): Message[] => [])
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, history] of histories.entries()) {
      history.push({
        role: 'user',
        content: `Question ${index}-${turn}, be brief. ${words(120, index * 1000 + turn * 50)}`,
      })
      await client.messages.create({
        model: 'claude-sonnet-5-5',
        max_tokens: 200,
        system: `You are careful. ${words(1500)}`,
        messages: history,
      })
      history.push({ role: 'assistant', content: `Answer ${index}-${turn} ${words(30, turn)}` })
      now_us += turn % 4 === 3 ? 900_000_000 : 60_000_000
    }
  }
  return house.receipts()
}
/** Bodies as the provider got them. */
const sent = () =>
  house.simulator.calls.map(({ body }) => JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>)
const bill = (receipts: readonly Receipt[]) =>
  receipts.reduce((sum, receipt) => sum + Number(receipt.cost_usd) * 1e12, 0)

describe('prompts whose prefixes come again', () => {
  test.each([
    ['5m', 'everything'],
    ['1h', 'everything'],
    ['1h', 'definitions'],
    ['auto', 'auto'],
  ])('are marked (%s, %s), and what replay promises is what pull saves, within a hundredth', async (ttl, reach) => {
    await open({}, 'off')
    const plain = await work(3, 9)
    await house.close()
    const calls = plain.map((receipt) => pastOf(receipt, sonnet))
    const promised = billAfter(lever, { ttl, reach }, calls)
    expect(calls.reduce((sum, past) => sum + costOf(past), 0)).toBe(bill(plain))
    await open({ ttl, reach })
    const real = await work(3, 9)
    expect(bill(real)).toBeLessThan(bill(plain) * 0.75)
    expect(Math.abs(bill(real) / promised - 1), `${bill(real)} for ${promised}`).toBeLessThan(0.01)
    const saved = real.reduce((sum, { levers }) => sum + Number(levers?.[0]?.saving_usd ?? 0) * 1e12, 0)
    expect(saved / (bill(plain) - bill(real))).toBeCloseTo(1, 2)
  })

  test('are looked at and left alone where the lever only observes', async () => {
    await open({}, 'observe')
    const receipts = await work(2, 5)
    expect(receipts.every(({ cache_read_tokens }) => cache_read_tokens === undefined)).toBe(true)
    expect(receipts.at(-1)?.levers?.[0]).toMatchObject({ action: 'observed', name: 'cache/provider-prefix' })
    expect(Number(receipts.at(-1)?.levers?.[0]?.saving_usd)).toBeGreaterThan(0)
    expect(sent().some((body) => JSON.stringify(body).includes('cache_control'))).toBe(false)
  })
})

describe('nothing is marked', () => {
  const ask = async (body: unknown) => {
    const response = await post(house, { path: '/v1/messages', body, headers: { 'x-api-key': 'k' } })
    expect(response.status).toBe(200)
    await response.arrayBuffer()
    now_us += 10_000_000
  }
  const why = async () => (await house.receipts()).map(({ levers }) => [levers?.[0]?.action, levers?.[0]?.why])

  test('below the minimum of the model, and where the client has placed marks', async () => {
    await open({ ttl: '5m', reach: 'everything' })
    const small = { model: 'claude-sonnet-5-5', max_tokens: 50, messages: [{ role: 'user', content: 'Why?' }] }
    await ask(small)
    const own = { type: 'text', text: words(1500), cache_control: { type: 'ephemeral' } }
    await ask({ ...small, system: [own] })
    expect(await why()).toEqual([
      ['skipped', 'the prompt is below the minimum of 1024 tokens'],
      ['skipped', 'the client has placed the marks itself'],
    ])
    expect(JSON.stringify(sent()[1]).match(/cache_control/g)).toHaveLength(1)
  })

  test('where the client has placed a mark inside of a tool’s result', async () => {
    await open({ ttl: '5m', reach: 'everything' })
    const content = [
      { type: 'text', text: words(800), cache_control: { type: 'ephemeral' } },
      { type: 'text', text: words(800, 900) },
    ]
    await ask({
      model: 'claude-sonnet-5-5',
      max_tokens: 50,
      messages: [
        { role: 'user', content: 'Look.' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'look', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content }] },
      ],
      tools: [{ name: 'look', input_schema: { type: 'object' } }],
    })
    expect(await why()).toEqual([['skipped', 'the client has placed the marks itself']])
    expect(JSON.stringify(sent()[0]).match(/cache_control/g)).toHaveLength(1)
  })

  test('where prompts change from their beginning with every call', async () => {
    await open()
    for (let i = 0; i < 8; i++) {
      const system = `At ${i}: ${words(1500, i * 7)}`
      await ask({ model: 'claude-sonnet-5-5', max_tokens: 50, system, messages: [{ role: 'user', content: 'Why?' }] })
    }
    expect(new Set((await why()).map(([action, text]) => `${action}: ${text}`))).toEqual(
      new Set(['skipped: no prefix of this route has paid for its writing yet']),
    )
  })
})

describe('OpenAI', () => {
  const ask = async (model: string, turn: number) => {
    const messages = [
      { role: 'system', content: words(1500) },
      { role: 'user', content: `Question ${turn}: ${words(900, turn * 1000)}` },
    ]
    await (await post(house, { body: { model, max_completion_tokens: 50, messages } })).arrayBuffer()
    now_us += 10_000_000
  }

  test('gets one cache key for all calls of a template, and the client’s own stays', async () => {
    await open()
    for (let turn = 0; turn < 3; turn++) await ask('gpt-5-mini', turn)
    await (
      await post(house, {
        body: { model: 'gpt-5-mini', prompt_cache_key: 'mine', messages: [{ role: 'user', content: words(1500) }] },
      })
    ).arrayBuffer()
    const keys = sent().map((body) => body['prompt_cache_key'])
    expect(new Set(keys.slice(0, 3)).size).toBe(1)
    expect(keys[0]).toMatch(/^weir-[0-9a-f]{16}$/)
    expect(keys[3]).toBe('mine')
  })

  test('from 5.6 on is kept from writing what never comes again', async () => {
    await open()
    for (let turn = 0; turn < 6; turn++) await ask('gpt-6-sol', turn)
    const [first, ...others] = sent()
    const last = others.at(-1)
    expect(first?.['prompt_cache_options']).toBeUndefined()
    expect(last?.['prompt_cache_options']).toEqual({ mode: 'explicit' })
    expect(JSON.stringify(last?.['messages'])).toContain('"prompt_cache_breakpoint":{"mode":"explicit"}')
    const { cache_write_tokens: before = 0 } = (await house.receipts())[0] ?? {}
    const end = (await house.receipts()).at(-1)
    expect(before).toBeGreaterThan(1500)
    expect(end?.cache_write_tokens ?? 0).toBe(0)
    expect(end?.cache_read_tokens).toBeGreaterThan(1400)
  })
})

test('a call that fails has written nothing: what comes after it is marked as soon as if it had not been', async () => {
  const actions = async (failing: number) => {
    await open()
    house.simulator.faults.next(failing, { kind: 'server-error', status: 400 })
    for (let call = 0; call < 4; call++) {
      const body = { model: 'claude-sonnet-5-5', max_tokens: 50, system: words(1500) }
      const messages = [{ role: 'user', content: `Be brief: ${call}` }]
      const response = await post(house, {
        path: '/v1/messages',
        body: { ...body, messages },
        headers: { 'x-api-key': 'k' },
      })
      await response.arrayBuffer()
      now_us += 10_000_000
    }
    return (await house.receipts()).map(({ levers }) => levers?.[0]?.action)
  }
  expect(await actions(0)).toEqual(['skipped', 'skipped', 'acted', 'acted'])
  await house.close()
  expect(await actions(1)).toEqual(['skipped', 'skipped', 'skipped', 'acted'])
})

test('what a route has learnt outlives a restart: the first call after it is marked, that of a new house is not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-restart-'))
  const isMarked = (nth: number) => Buffer.from(house.simulator.calls[nth]?.body ?? '').includes('cache_control')
  try {
    await open({}, 'on', folder)
    await work(2, 6)
    expect([isMarked(0), isMarked(house.simulator.calls.length - 1)]).toEqual([false, true])
    await house.close()
    await open({}, 'on', folder)
    await work(1, 1)
    expect(isMarked(0)).toBe(true)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a broken file of what was learnt fails no call: it is made anew, the receipt says so, and what comes next is learnt', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-broken-'))
  try {
    writeFileSync(join(folder, 'learnt.db'), 'this is no database, and never was one '.repeat(200))
    await open({}, 'on', folder)
    const receipts = await work(1, 4)
    expect(receipts.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok', 'ok'])
    const said = receipts.map(({ levers }) => levers?.[0]?.why ?? '')
    expect(said[0]).toMatch(/; the file of what levers have learnt was broken: it was set aside and created again$/)
    expect(said.at(-1)).not.toMatch(/broken/)
    expect(readdirSync(folder).some((name) => name.startsWith('learnt.db.broken-'))).toBe(true)
    await house.close()
    await open({}, 'on', folder)
    await work(1, 1)
    expect(Buffer.from(house.simulator.calls[0]?.body ?? '').includes('cache_control')).toBe(true)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a prefix stays with one account of a provider: after another one had to help out, it is read where it was kept', async () => {
  const targets = [{ provider: 'claude-one' }, { provider: 'claude-two' }]
  house = await startHouse({
    simulator: { seed: 5, now_us: () => now_us },
    providers: {
      'claude-one': { adapter: 'anthropic', credentials: { api_key: 'key-one' } },
      'claude-two': { adapter: 'anthropic', credentials: { api_key: 'key-two' } },
    },
    settings: { policies: [policy({ ttl: '1h', reach: 'everything' }, 'on')], routes: [{ match: {}, targets }] },
    overrides: { now_us: () => now_us },
  })
  const client = new Anthropic({ apiKey: 'k', baseURL: `${house.gateway.url}/claude-one`, maxRetries: 0 })
  const system = `You are careful. ${words(1500)}`
  const ask = async (nth: number) => {
    if (nth === 2) house.simulator.faults.next(1, 'overloaded')
    const messages = [{ role: 'user' as const, content: `Question ${nth}` }]
    await client.messages.create({ model: 'claude-sonnet-5-5', max_tokens: 50, system, messages })
    now_us += 60_000_000
  }
  for (let nth = 0; nth < 4; nth++) await ask(nth)
  const receipts = (await house.receipts()).filter(({ outcome }) => outcome === 'ok')
  expect(receipts.map(({ provider }) => provider)).toEqual(['claude-one', 'claude-one', 'claude-two', 'claude-one'])
  const [first, again, elsewhere, back] = receipts.map(({ cache_read_tokens }) => cache_read_tokens ?? 0)
  expect([first, elsewhere]).toEqual([0, 0])
  expect(again).toBeGreaterThan(1000)
  expect(back).toBe(again)
})
