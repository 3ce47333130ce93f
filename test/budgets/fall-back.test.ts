/** What an exhausted budget that names cheaper targets does with a call, through the real gateway. */
import { afterEach, describe, expect, test } from 'vitest'
import { defaultSettings } from '../../src/config.ts'
import type { Settings } from '../../src/core/settings.ts'
import { readBudgets } from '../../src/playbook/allocate/budget/read.ts'
import { chatBody, type OpenAiError, post } from '../gateway/ask.ts'
import { type House, startHouse } from '../gateway/harness.ts'

let house: House
afterEach(() => house.close())

const cheap = {
  id: 'cheap',
  layer: 'contract',
  provider: 'cheap',
  models: ['gpt-4o-mini', 'gpt-4o-mini-2024-07-18'],
  rates: { 'in.text.fresh': '1', 'out.text.visible': '1' },
  source: 'test',
  checked_at: '2026-11-23',
} as const

const open = async (list: readonly unknown[], more: Partial<Settings> = {}) => {
  const { budgets, problems } = readBudgets(list)
  expect(problems).toEqual([])
  house = await startHouse({
    settings: { budgets, prices: [cheap], ...more },
    providers: { cheap: { adapter: 'openai-compatible', credentials: { api_key: 'sk-ours' }, price_as: 'cheap' } },
  })
}
const ask = (more: Parameters<typeof chatBody>[0] = {}) =>
  post(house, { headers: { 'x-weir-team': 'labs' }, body: chatBody(more) })
const said = async (response: Response) => ((await response.json()) as OpenAiError).error.message

const inner = {
  name: 'inner',
  scope: { team: 'labs' },
  limit: { usd: 0.002 },
  per: 'day',
  when_exhausted: ['cheap/gpt-4o-mini'],
}
const outer = { name: 'outer', limit: { usd: 0.0025 }, per: 'month' }

test.each([
  ['outer first', [outer, inner]],
  ['inner first', [inner, outer]],
])('nested budgets that have no room go to the target that fits into all of them, %s', async (_, list) => {
  await open(list)
  for (const stream of [false, true]) {
    const response = await ask({ stream })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-weir-budget-fall-back')).toBe('inner')
    await response.arrayBuffer()
  }
  expect((await house.receipts()).map(({ provider }) => provider)).toEqual(['cheap', 'cheap'])
})

test('the head says that a call went elsewhere also where that is under no budget at all', async () => {
  await open([{ ...inner, scope: { provider: 'openai' } }])
  const response = await ask()
  expect([response.status, response.headers.get('x-weir-budget-fall-back')]).toEqual([200, 'inner'])
  await response.arrayBuffer()
})

test('a refusal says that the fall-back has no room either, or cannot take the call, and names itself in the head', async () => {
  await open([{ ...inner, limit: { usd: 0.000001 } }])
  const full = await ask()
  expect(full.status).toBe(429)
  expect(full.headers.get('x-weir-error')).toBe('budget-exhausted')
  expect(await said(full)).toContain('Its fall-back (cheap/gpt-4o-mini) has no room either. It resets')
  await house.close()
  await open([{ ...inner, limit: { usd: 0.000001 }, when_exhausted: ['anthropic/claude-haiku-4-5'] }])
  expect(await said(await ask())).toContain(
    'Its fall-back (anthropic/claude-haiku-4-5) cannot take this call: that needs the wire openai-chat, a key of ours',
  )
})

describe('a later attempt that no longer fits goes to the fall-back, too', () => {
  const only = { ...inner, when_exhausted: ['nowhere', 'cheap/gpt-4o-mini'] }
  const targets = async () =>
    (await house.receipts()).map(({ provider, attempt, outcome }) => [provider, attempt, outcome])

  test('where a route sends it to a dearer target', async () => {
    const routes = [{ match: {}, targets: [{ provider: 'cheap', model: 'gpt-4o-mini' }, { provider: 'openai' }] }]
    await open([only], { routes })
    house.simulator.faults.next(1, { kind: 'rate-limit' })
    const response = await ask()
    expect(response.status).toBe(200)
    expect(response.headers.get('x-weir-budget-fall-back')).toBe('inner')
    await response.arrayBuffer()
    expect(await targets()).toEqual([
      ['cheap', 1, 'error'],
      ['cheap', 2, 'ok'],
    ])
  })

  test('where the attempt before it was paid for', async () => {
    await open([{ ...only, limit: { usd: 0.00294 } }])
    house.simulator.faults.next(1, { kind: 'cut', after: 3 })
    const response = await ask()
    expect(response.status).toBe(200)
    await response.arrayBuffer()
    expect(await targets()).toEqual([
      ['openai', 1, 'cut'],
      ['cheap', 2, 'ok'],
    ])
    const [first, second] = await house.receipts()
    expect(first?.levers).toBeUndefined()
    expect(second?.levers).toMatchObject([{ name: 'budget', action: 'acted' }])
  })

  test('or is refused, saying that the fall-back has no room either', async () => {
    await open([{ ...only, limit: { usd: 0.00294 }, when_exhausted: ['openai/gpt-4o'] }])
    house.simulator.faults.next(1, { kind: 'cut', after: 3 })
    const response = await ask()
    expect(response.status).toBe(429)
    expect(await said(response)).toContain('Its fall-back (openai/gpt-4o) ')
  })

  test('but not to one that fails repeatedly, and the refusal says so', async () => {
    await open([{ ...inner, when_exhausted: ['cheap/gpt-4o-mini'] }], {
      breaker: { failures: 1, open_ms: 60_000 },
      limits: { ...defaultSettings.limits, attempts: 1 },
    })
    house.simulator.faults.next(1, { kind: 'server-error' })
    expect((await ask()).status).toBe(500)
    const response = await ask()
    expect(response.status).toBe(429)
    expect(await said(response)).toContain(
      'Its fall-back (cheap/gpt-4o-mini) failed repeatedly and is not called for now',
    )
  })
})

test('amounts and windows are said as people say them', async () => {
  await open([{ name: 'hourly', limit: { calls: 1 }, last: '1h' }])
  await (await ask()).arrayBuffer()
  const message = await said(await ask())
  expect(message).toContain('1 call in the last 1h')
  expect(message).toContain('spent 1 call, reserved 0 calls, and the call may take 1 call.')
})
