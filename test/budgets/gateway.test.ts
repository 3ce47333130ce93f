/** What a client sees of budgets, through the real gateway. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { defaultSettings } from '../../src/config.ts'
import type { BudgetState } from '../../src/core/budget.ts'
import { parseUsd } from '../../src/core/money.ts'
import { reachBudgets } from '../../src/gateway/budgets/reach.ts'
import { readBudgets } from '../../src/playbook/allocate/budget/read.ts'
import { open as openStore } from '../../src/stores/sqlite.ts'
import { findBudget } from '../../src/verbs/budgets/find.ts'
import { openContext } from '../../src/verbs/context.ts'
import { chatBody, type OpenAiError, post } from '../gateway/ask.ts'
import { type House, type HouseOptions, startHouse } from '../gateway/harness.ts'
import { waitUntil } from '../waiting.ts'

let house: House
afterEach(() => house.close())

const open = async (list: readonly unknown[], more: HouseOptions = {}) => {
  const { budgets, problems } = readBudgets(list)
  expect(problems).toEqual([])
  house = await startHouse({ ...more, settings: { ...more.settings, budgets } })
}
const ask = async (headers: Record<string, string> = {}, body: unknown = chatBody(), path?: string) => {
  const response = await post(house, { headers, body, ...(path === undefined ? {} : { path }) })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
const errorOf = (text: string) => (JSON.parse(text) as OpenAiError).error
const stateOf = async (name: string, unit = 'usd'): Promise<BudgetState> => {
  const found = (await house.gateway.budgets()).find((state) => state.budget === name && state.unit === unit)
  if (!found) throw new Error(`no state of ${name}`)
  return found
}
/** 60 tokens of output and the prompt's bound at the tests' prices: what one call of `chatBody` may take. */
const CALL_USD = 0.0031

describe('an exhausted hard budget', () => {
  test('answers 429 in the shape of the API, naming budget, scope, limit, spent, reserved and reset, and leaves a receipt', async () => {
    await open([
      { name: 'search-day', scope: { team: 'search' }, limit: { usd: 0.0032 }, per: 'day', zone: 'Asia/Shanghai' },
    ])
    const first = await ask({ 'x-weir-team': 'search' })
    expect(first.status).toBe(200)
    const { status, headers, text } = await ask({ 'x-weir-team': 'search' })
    expect(status).toBe(429)
    expect(errorOf(text).code).toBe('budget_exhausted')
    const spent = (await house.receipts())[0]?.cost_usd
    for (const said of [
      'search-day',
      'team=search',
      '$0.0032 per day',
      `spent $${spent}`,
      'reserved $0',
      'Asia/Shanghai',
    ])
      expect(errorOf(text).message).toContain(said)
    expect(errorOf(text).message).toMatch(/resets at \d{4}-\d\d-\d\dT16:00:00Z/)
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(headers.get('x-should-retry')).toBe(String(Number(headers.get('retry-after')) <= 60))
    const refused = (await house.receipts()).find(({ outcome }) => outcome === 'refused')
    expect(refused).toMatchObject({ attempt: 0, error_code: 'budget-exhausted', team: 'search', price_state: 'none' })
    expect(parseUsd(refused?.reserved_usd ?? '0')).toBeGreaterThan(0n)
    // Others have their own money.
    expect((await ask({ 'x-weir-team': 'ads' })).status).toBe(200)
  })

  test('says to ask for less, and not to wait, where the call alone is more than the whole limit', async () => {
    await open([{ name: 'rate', limit: { tokens: 200 }, per: 'minute' }])
    const { status, headers, text } = await ask()
    expect(status).toBe(429)
    expect(errorOf(text).message).toMatch(/more than the whole limit.* ask for less output or raise the limit/)
    expect(errorOf(text).message).not.toContain('resets')
    expect(headers.get('retry-after')).toBeNull()
    expect(headers.get('x-should-retry')).toBe('false')
  })

  test('is said as Anthropic says it on Anthropic’s wire', async () => {
    await open([{ name: 'org', limit: { calls: 1 }, per: 'month' }])
    await ask()
    const body = { model: 'claude-haiku-4-5', max_tokens: 20, messages: [{ role: 'user', content: 'hi' }] }
    const { status, text } = await ask({ 'x-api-key': 'k', 'anthropic-version': '2023-06-01' }, body, '/v1/messages')
    expect(status).toBe(429)
    expect(JSON.parse(text)).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
  })

  test('falls back to a cheaper target where its policy says so, and the receipt says why', async () => {
    await open([{ name: 'org', limit: { usd: 0.0032 }, per: 'month', when_exhausted: ['cheap/gpt-4o-mini'] }], {
      providers: { cheap: { adapter: 'openai-compatible', credentials: { api_key: 'sk-ours' }, price_as: 'cheap' } },
      settings: {
        prices: [
          {
            id: 'cheap',
            layer: 'contract',
            provider: 'cheap',
            models: ['gpt-4o-mini', 'gpt-4o-mini-2024-07-18'],
            rates: { 'in.text.fresh': '1', 'out.text.visible': '1' },
            source: 'test',
            checked_at: '2026-11-23',
          },
        ],
      },
    })
    await ask()
    const second = await ask()
    expect(second.status).toBe(200)
    expect(second.headers.get('x-weir-budget-fall-back')).toBe('org')
    const receipts = await house.receipts()
    expect(receipts.map(({ provider }) => provider)).toEqual(['openai', 'cheap'])
    expect(receipts[1]?.levers).toMatchObject([{ name: 'budget', action: 'acted' }])
    // The fall-back must fit too.
    let status = 200
    for (let n = 0; n < 60 && status === 200; n++) status = (await ask()).status
    expect(status).toBe(429)
    expect(parseUsd((await stateOf('org')).spent)).toBeLessThanOrEqual(parseUsd('0.0032'))
  })
})

test('a soft budget lets calls go on, warns in the head and shows that it is overrun', async () => {
  await open([{ name: 'mild', limit: { usd: 0.0004 }, per: 'month', kind: 'soft' }])
  await ask()
  const { status, headers } = await ask()
  expect(status).toBe(200)
  expect(headers.get('x-weir-budget-warning')).toBe('mild is overrun')
  expect((await stateOf('mild')).share).toBeGreaterThan(1)
})

test('an answer says how much is left of the budget that is nearest to its end', async () => {
  await open([
    { name: 'wide', limit: { usd: 100 }, per: 'month' },
    { name: 'near', scope: { team: 'each' }, limit: { calls: 4 }, per: 'hour' },
  ])
  const { headers } = await ask({ 'x-weir-team': 'a' })
  expect(headers.get('x-weir-budget')).toBe('near')
  expect(headers.get('x-weir-budget-left-calls')).toBe('3')
  expect(headers.get('x-weir-budget-limit-calls')).toBe('4')
  expect(headers.get('x-weir-budget-resets-at')).toMatch(/:00:00.000Z$/)
  const stream = await post(house, { body: chatBody({ stream: true }), headers: { 'x-weir-team': 'a' } })
  expect(stream.headers.get('x-weir-budget-left-calls')).toBe('2')
  await stream.arrayBuffer()
})

test('every session has its own cap of calls, and calls without one are not under it', async () => {
  await open([{ name: 'runs', scope: { session: 'each' }, limit: { calls: 2 }, per: 'lifetime' }])
  const statuses = async (session?: string) => {
    const headers: Record<string, string> = session ? { 'x-weir-session': session } : {}
    return [(await ask(headers)).status, (await ask(headers)).status, (await ask(headers)).status]
  }
  expect(await statuses('one')).toEqual([200, 200, 429])
  expect(await statuses('two')).toEqual([200, 200, 429])
  expect(await statuses()).toEqual([200, 200, 200])
})

describe('a reservation is made true', () => {
  const sent = () => JSON.parse(Buffer.from(house.simulator.calls.at(-1)?.body ?? []).toString())

  test('by a maximum of output where the client asked for none and a hard budget applies', async () => {
    await open([{ name: 'search', scope: { team: 'search' }, limit: { usd: 5 }, per: 'month' }], {
      settings: { reserve_output_tokens: 50 },
    })
    await ask({ 'x-weir-team': 'search' }, chatBody({ max_tokens: undefined }))
    expect(sent().max_completion_tokens).toBe(50)
    await ask({ 'x-weir-team': 'search' }, chatBody({ max_tokens: null }))
    expect(sent().max_completion_tokens).toBe(50)
    await ask({ 'x-weir-team': 'search' }, chatBody())
    expect(sent()).toEqual(chatBody())
    await ask({ 'x-weir-team': 'ads' }, chatBody({ max_tokens: undefined }))
    expect(sent().max_completion_tokens).toBeUndefined()
    for (const { cost_usd, reserved_usd } of await house.receipts())
      expect(parseUsd(cost_usd ?? '0')).toBeLessThanOrEqual(parseUsd(reserved_usd ?? '0'))
  })

  test('inside Gemini’s generationConfig, made where there is none', async () => {
    await open([{ name: 'org', limit: { usd: 5 }, per: 'month' }], { settings: { reserve_output_tokens: 50 } })
    const path = '/v1beta/models/gemini-2.5-flash:generateContent'
    const contents = [{ role: 'user', parts: [{ text: 'hi' }] }]
    await ask({ 'x-goog-api-key': 'k' }, { contents }, path)
    expect(sent()).toEqual({ contents, generationConfig: { maxOutputTokens: 50 } })
    await ask({ 'x-goog-api-key': 'k' }, { contents, generationConfig: { temperature: 0 } }, path)
    expect(sent().generationConfig).toEqual({ temperature: 0, maxOutputTokens: 50 })
  })

  test('by refusing what has no bound: tools that the provider runs, and endpoints without a meter', async () => {
    await open([{ name: 'strict', scope: { team: 'search' }, limit: { usd: 5 }, per: 'month' }])
    const team = { 'x-weir-team': 'search' }
    const searching = await ask(team, chatBody({ web_search_options: {} }))
    expect(searching.status).toBe(403)
    expect(errorOf(searching.text).message).toContain('strict')
    expect((await ask(team, { model: 'x' }, '/v1/batches')).status).toBe(403)
    expect((await ask(team, { model: 'x' }, '/v1/fine_tuning/jobs')).status).toBe(403)
    expect(house.simulator.calls).toHaveLength(0)
    // Under no budget, or where the budget lets them, they pass.
    expect((await ask({ 'x-weir-team': 'ads' }, { model: 'x' }, '/v1/batches')).status).not.toBe(403)
  })

  test('by the largest of what the body says of one thing, since a server may go by any', async () => {
    await open([{ name: 'org', limit: { usd: 500 }, per: 'month' }])
    const gemini = '/v1beta/models/gemini-2.5-flash:generateContent'
    const contents = [{ role: 'user', parts: [{ text: 'hi' }] }]
    const completion = { model: 'gpt-4o-mini', max_tokens: 1000, prompt: ['a', 'b', 'c'] }
    const asks: readonly [path: string, body: unknown, most: number][] = [
      ['/v1/chat/completions', chatBody({ max_completion_tokens: 1, max_tokens: 8000 }), 8000],
      ['/v1/chat/completions', chatBody({ max_tokens: 1000, n: '8' }), 8000],
      ['/v1/completions', completion, 3000],
      [gemini, { contents, generationConfig: { maxOutputTokens: 1, max_output_tokens: 7000 } }, 7000],
      [
        gemini,
        { contents, generationConfig: { maxOutputTokens: 1 }, generation_config: { max_output_tokens: 7000 } },
        7000,
      ],
      [gemini, { contents, generationConfig: { maxOutputTokens: 1000, candidate_count: 7 } }, 7000],
      [
        gemini,
        {
          contents,
          generationConfig: { maxOutputTokens: 7000 },
          generateContentRequest: { generationConfig: { maxOutputTokens: 1 } },
        },
        7000,
      ],
    ]
    for (const [path, body, most] of asks) {
      await ask(path === gemini ? { 'x-goog-api-key': 'k' } : {}, body, path)
      expect((await house.receipts()).at(-1)?.max_output_asked, JSON.stringify(body)).toBe(most)
    }
  })

  test('for pictures that have more tokens than bytes', async () => {
    await open([{ name: 'org', limit: { usd: 500 }, per: 'month' }])
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo' } }
    const messages = [{ role: 'user', content: Array.from({ length: 20 }, () => picture) }]
    await ask({ 'x-api-key': 'k' }, { model: 'claude-sonnet-5-5', max_tokens: 10, messages }, '/v1/messages')
    const [receipt] = await house.receipts()
    expect(receipt?.outcome).toBe('ok')
    expect(parseUsd(receipt?.cost_usd ?? '0')).toBeLessThanOrEqual(parseUsd(receipt?.reserved_usd ?? '0'))
  })

  test('for every picture that a form asks for, and every one that it brings', async () => {
    await open([{ name: 'org', limit: { usd: 500 }, per: 'month' }])
    const edit = async (n: string, images: number) => {
      const form = new FormData()
      form.append('model', 'gpt-image-nobody-knows')
      form.append('n', n)
      for (let image = 0; image < images; image++) form.append('image[]', new Blob(['small'], { type: 'image/png' }))
      const headers = { authorization: 'Bearer sk-client' }
      await fetch(`${house.gateway.url}/v1/images/edits`, { method: 'POST', headers, body: form })
      return Number((await house.receipts()).at(-1)?.reserved_usd)
    }
    const one = await edit('1', 1)
    const output = (16_384 * 600) / 1e6
    const picture = (20_000 * 150) / 1e6
    expect((await edit('4', 1)) - one).toBeCloseTo(3 * output, 1)
    expect((await edit('1', 3)) - one).toBeCloseTo(2 * picture, 0)
  })

  test('by refusing a body that names a key twice, because the provider may read the other one', async () => {
    await open([{ name: 'strict', scope: { team: 'search' }, limit: { usd: 5 }, per: 'month' }])
    const body = JSON.stringify(chatBody()).replace('{', '{"max_tokens":100000,')
    const refused = await ask({ 'x-weir-team': 'search' }, body)
    expect(refused.status).toBe(403)
    expect(errorOf(refused.text).message).toContain('the body names a key twice')
    expect((await ask({ 'x-weir-team': 'ads' }, body)).status).toBe(200)
  })

  test('and a model that nobody has priced counts at the ceiling', async () => {
    await open([{ name: 'org', limit: { usd: 5 }, per: 'month' }])
    const { status } = await ask({}, chatBody({ model: 'gpt-nobody-knows', max_tokens: 10 }))
    expect([200, 404]).toContain(status)
    const [receipt] = await house.receipts()
    const { spent } = await stateOf('org')
    if (status === 200) {
      const tokens = BigInt(receipt?.input_tokens ?? 0) * 150n + BigInt(receipt?.output_tokens ?? 0) * 600n
      expect(receipt?.price_state).toBe('unpriced')
      expect(parseUsd(spent)).toBe(tokens * 1_000_000n)
    } else expect(spent).toBe('0')
  })
})

test('a retry reserves anew, and an attempt that failed without a bill costs nothing', async () => {
  await open([{ name: 'org', limit: { usd: CALL_USD, calls: 5 }, per: 'month' }])
  house.simulator.faults.next(1, 'server-error')
  expect((await ask()).status).toBe(200)
  const receipts = await house.receipts()
  expect(receipts.map(({ outcome }) => outcome)).toEqual(['error', 'ok'])
  expect((await stateOf('org')).spent).toBe(receipts[1]?.cost_usd)
  expect((await stateOf('org', 'calls')).spent).toBe('1')
})

describe('budgets that change while the gateway runs', () => {
  const started = { overrides: { ledger: true } }
  const dataOf = () => house.gateway.settings.data
  const put = async (definition: Readonly<Record<string, unknown>> & Readonly<{ name: string }>) => {
    const store = await openStore({ data: dataOf() })
    await store.budgets.put({ name: definition.name, definition: JSON.stringify(definition), set_at_us: 1 })
    await store.close()
  }

  test('a new one knows what was spent before, and a changed limit keeps it', async () => {
    await open([], started)
    await house.gateway.ledger_ready
    for (let n = 0; n < 3; n++) await ask({ 'x-weir-team': 'search' })
    await put({ name: 'late', scope: { team: 'search' }, limit: { calls: 4 }, per: 'year' })
    await waitUntil(async () => (await house.gateway.budgets()).some(({ counted }) => counted))
    expect((await stateOf('late', 'calls')).spent).toBe('3')
    expect((await ask({ 'x-weir-team': 'search' })).status).toBe(200)
    expect((await ask({ 'x-weir-team': 'search' })).status).toBe(429)
    await put({ name: 'late', scope: { team: 'search' }, limit: { calls: 6 }, per: 'year' })
    await waitUntil(async () => (await stateOf('late', 'calls')).limit === '6')
    expect((await stateOf('late', 'calls')).spent).toBe('4')
    expect((await ask({ 'x-weir-team': 'search' })).status).toBe(200)
  })

  test('one that comes while calls are under way charges them once', async () => {
    await open([], { ...started, simulator: { latency_ms: 1200 } })
    await house.gateway.ledger_ready
    const calls = Array.from({ length: 5 }, () => ask())
    await waitUntil(() => house.simulator.calls.length === 5)
    await put({ name: 'late', limit: { calls: 10 }, per: 'year' })
    await waitUntil(async () => (await house.gateway.budgets()).some(({ counted }) => counted))
    await Promise.all(calls)
    expect((await stateOf('late', 'calls')).spent).toBe('5')
    const control = JSON.parse(readFileSync(join(dataOf(), 'control.json'), 'utf8'))
    const headers = { authorization: `Bearer ${control.token}` }
    const told = await fetch(`http://127.0.0.1:${control.port}/budgets`, { headers })
    expect(await told.json()).toEqual(await house.gateway.budgets())
  })
})

test('a thread that dies leaves nothing reserved: its calls are charged what their unknown receipts say', async () => {
  const workers: Worker[] = []
  await open([{ name: 'org', limit: { usd: 50 }, per: 'year' }], {
    simulator: { latency_ms: 700 },
    settings: { threads: 2, log_level: 'silent' },
    overrides: { on_worker: (worker) => void workers.push(worker) },
  })
  const calls = Array.from({ length: 24 }, () => ask({ connection: 'close' }).catch(() => undefined))
  await waitUntil(() => house.simulator.calls.length === 24)
  expect(Number((await stateOf('org')).reserved)).toBeGreaterThan(0)
  workers[0]?.postMessage(null)
  await Promise.all(calls)
  const receipts = await house.receipts()
  expect(receipts.some(({ outcome }) => outcome === 'unknown')).toBe(true)
  await waitUntil(async () => (await stateOf('org')).reserved === '0')
  const sum = receipts.reduce((total, { cost_usd }) => total + parseUsd(cost_usd ?? '0'), 0n)
  expect(parseUsd((await stateOf('org')).spent)).toBe(sum)
})

test('the metrics tell limit, spent and reserved of budgets without a counter for each value', async () => {
  await open([
    { name: 'org', limit: { usd: 5 }, per: 'month' },
    { name: 'users', scope: { user: 'each' }, limit: { calls: 5 }, per: 'month' },
  ])
  await ask({ 'x-weir-user': 'ada' })
  const text = await (await fetch(`${house.gateway.url}/metrics`)).text()
  expect(text).toContain('weir_budget_limit{budget="org",unit="usd"} 5\n')
  expect(text).toMatch(/weir_budget_spent\{budget="org",unit="usd"\} 0\.000\d+/)
  expect(text).toContain('weir_budget_reserved{budget="org",unit="usd"} 0\n')
  expect(text).not.toContain('ada')
})

test('whoever lists budgets sees a scope whose first call has just ended', async () => {
  await open([{ name: 'runs', scope: { session: 'each' }, limit: { calls: 2 }, per: 'lifetime' }], {
    overrides: { ledger: true },
  })
  await house.gateway.ledger_ready
  const list = () =>
    reachBudgets(house.gateway.settings, { now_us: () => 0, ledger: () => Promise.reject(new Error('not asked')) })
  expect(await list()).toMatchObject([{ budget: 'runs', scope: { session: 'each' }, spent: '0', left: '2' }])
  await ask({ 'x-weir-session': 'run-1' })
  expect(await list()).toMatchObject([{ budget: 'runs', scope: { session: 'run-1' }, spent: '1', left: '1' }])
})

test('a budget that the gateway has from a configuration which a command does not read is said to be there', async () => {
  await open([{ name: 'rate', limit: { calls: 2 }, per: 'minute' }], { overrides: { ledger: true } })
  await house.gateway.ledger_ready
  const { data } = house.gateway.settings
  const settings = async () => ({ ...defaultSettings, data })
  const around = { data, settings, now_us: () => 0, random: randomBytes, variable: () => undefined }
  const { context, close } = openContext({ ...around, field: (name) => name }, 'test')
  await expect(findBudget(context, 'rate')).rejects.toThrow(/rate .* running gateway, .* --config/)
  await expect(findBudget(context, 'none')).rejects.toThrow('there is no budget none')
  await close()
})
