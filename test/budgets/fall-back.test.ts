/** What an exhausted budget that names cheaper targets does with a call, through the real gateway. */
import { afterEach, expect, test } from 'vitest'
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

const open = async (list: readonly unknown[]) => {
  const { budgets, problems } = readBudgets(list)
  expect(problems).toEqual([])
  house = await startHouse({
    settings: { budgets, prices: [cheap] },
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

test('amounts and windows are said as people say them', async () => {
  await open([{ name: 'hourly', limit: { calls: 1 }, last: '1h' }])
  await (await ask()).arrayBuffer()
  const message = await said(await ask())
  expect(message).toContain('1 call in the last 1h')
  expect(message).toContain('spent 1 call, reserved 0 calls, and the call may take 1 call.')
})
