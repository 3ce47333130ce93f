/** Compact levers through a real gateway: what the provider is sent, and what the receipts then promise. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { defaultsOf } from '../../src/config/levers.ts'
import type { Lever, LeverMode, LeverPolicy } from '../../src/core/lever.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { converts } from '../../src/gateway/levers/kit.ts'
import { leversSince } from '../../src/gateway/levers/since.ts'
import { cacheRule } from '../../src/playbook/cache/rules.ts'
import { lever as minify } from '../../src/playbook/compact/minify.ts'
import { lever as toolResults } from '../../src/playbook/compact/tool-results.ts'
import type { Message } from '../compact/calling.ts'
import { pastOf } from '../levers/past.ts'
import { post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House | undefined
afterEach(async () => {
  await house?.close()
  house = undefined
})

const levers: readonly Lever[] = [minify as unknown as Lever, toolResults as unknown as Lever]
const policy = (mode: LeverMode, some = levers): LeverPolicy => ({
  match: {},
  levers: Object.fromEntries(some.map(({ name, settings }) => [name, { mode, settings: defaultsOf(settings) }])),
  holdout: 0,
  experiment: 'levers',
})

const rows = (from: number) =>
  JSON.stringify(
    Array.from({ length: 40 }, (_, id) => ({ id: from + id, price: 1.5 })),
    null,
    2,
  )
const talk: Message[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'What is in the tables?' },
  ...[0, 100, 0, 200].flatMap((from, turn): Message[] => [
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: `c${turn}`, function: { name: 'read', arguments: '{"a": 1}' } }],
    },
    { role: 'tool', tool_call_id: `c${turn}`, content: rows(from) },
  ]),
]

/** Sends the conversation, a call after each result, and gives back what the provider got and what the receipts say. */
const work = async (mode: LeverMode, some = levers) => {
  const open = await startHouse({ settings: { policies: [policy(mode, some)] } })
  house = open
  for (const turns of [1, 2, 3, 4]) {
    const response = await post(open, {
      body: { model: 'gpt-4o-mini', max_tokens: 60, messages: talk.slice(0, 2 + 2 * turns) },
    })
    expect(response.status).toBe(200)
    await response.arrayBuffer()
  }
  const bodies = open.simulator.calls.map(
    ({ body }) => JSON.parse(new TextDecoder().decode(body)) as { messages: Message[] },
  )
  const receipts = await open.receipts()
  await open.close()
  house = undefined
  return { bodies, receipts }
}

const input = (receipts: readonly { input_tokens?: number }[]) =>
  receipts.reduce((sum, { input_tokens = 0 }) => sum + input_tokens, 0)

/** Input and answers, USD; the answers are equally long. */
const cost = (receipts: readonly Receipt[]) => receipts.reduce((sum, { cost_usd }) => sum + Number(cost_usd), 0)

/** What a lever's replay says that the calls would have saved. */
const promiseOf = (lever: Lever | undefined, receipts: readonly Receipt[]) => {
  const rates = { fresh: 2e6, cache_read: 1e6, cache_write: {}, output: 10e6 }
  const replay = lever?.replay(defaultsOf(lever.settings), {
    hash: String,
    cache_rule: cacheRule,
    converts,
    random: () => 0.5,
  })
  let tokens = 0
  let usd = 0
  for (const receipt of receipts) {
    const past = pastOf(receipt, rates)
    const { usage } = replay?.(past) ?? past
    const [fresh, read] = [past.usage.fresh - usage.fresh, past.usage.cache_read - usage.cache_read]
    tokens += fresh + read
    usd += (fresh * rates.fresh + read * rates.cache_read) / 1e12
  }
  return { tokens, usd }
}

describe('minify and tool-results through the gateway', () => {
  test('send less from the first call on, and keep every prefix', async () => {
    const observed = await work('observe')
    const on = await work('on')
    for (const { messages } of observed.bodies) expect(messages).toEqual(talk.slice(0, messages.length))
    for (const [index, { messages }] of on.bodies.entries()) {
      const next = on.bodies[index + 1]?.messages ?? messages
      expect(next.slice(0, messages.length)).toEqual(messages)
      expect(messages.map(({ tool_calls }) => tool_calls)).toEqual(
        talk.slice(0, messages.length).map(({ tool_calls }) => tool_calls),
      )
    }
    const last = on.bodies.at(-1)?.messages ?? []
    expect(last[3]?.content).toBe(JSON.stringify(JSON.parse(rows(0))))
    expect(last[7]?.content).toBe('[The same output as above, of tool call c0.]')
    for (const { levers: traces = [] } of on.receipts)
      expect(traces[0]).toMatchObject({ name: 'compact/minify', action: 'acted' })
  })

  test.each(levers.map(({ name }) => name))(
    '%s saves to within a hundredth what its replay promised, in tokens and in money',
    async (name) => {
      const some = levers.filter((lever) => lever.name === name)
      const observed = await work('observe', some)
      const on = await work('on', some)
      const promised = promiseOf(some[0], observed.receipts)
      const saved = input(observed.receipts) - input(on.receipts)
      expect(promised.tokens).toBeGreaterThan(500)
      expect(Math.abs(saved / promised.tokens - 1), `promised ${promised.tokens}, saved ${saved}`).toBeLessThan(0.01)
      const noted = on.receipts.reduce((sum, { levers: traces }) => sum + (traces?.[0]?.tokens ?? 0), 0)
      expect(noted, 'what the receipts say was taken out').toBe(saved)
      const saved_usd = cost(observed.receipts) - cost(on.receipts)
      expect(Math.abs(saved_usd / promised.usd - 1), `promised ${promised.usd}, saved ${saved_usd}`).toBeLessThan(0.01)
    },
  )
})

describe('since when a lever works as it does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-since-'))
  const path = join(folder, 'levers.json')

  test('is kept over restarts, and begins anew when it is set otherwise, turned off and on, or the file is broken', () => {
    const on = [policy('on')]
    expect(leversSince(path, on, 1000)).toEqual({ 'compact/minify': 1000, 'compact/tool-results': 1000 })
    expect(leversSince(path, on, 2000)).toEqual({ 'compact/minify': 1000, 'compact/tool-results': 1000 })
    const other = {
      ...policy('on'),
      levers: { ...policy('on').levers, 'compact/minify': { mode: 'on' as const, settings: { json: false } } },
    }
    expect(leversSince(path, [other], 3000)).toEqual({ 'compact/minify': 3000, 'compact/tool-results': 1000 })
    expect(leversSince(path, [policy('observe')], 4000)).toEqual({})
    expect(leversSince(path, on, 5000)['compact/minify']).toBe(5000)
    writeFileSync(path, '{"compact/minify"')
    expect(leversSince(path, on, 6000)['compact/minify']).toBe(6000)
    rmSync(folder, { recursive: true })
  })
})
