/** The exact cache, from the client's side: what is given again, to whom, and what the receipt says of it. */

import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { defaultSettings } from '../../src/config/defaults.ts'
import { defaultsOf } from '../../src/config/levers.ts'
import type { Chosen, LeverMode, LeverPolicy } from '../../src/core/lever.ts'
import { readBudgets } from '../../src/playbook/allocate/budget/read.ts'
import { lever } from '../../src/playbook/cache/exact.ts'
import { openAnswers } from '../../src/stores/answers.ts'
import { chatBody, post } from './ask.ts'
import { type House, type HouseOptions, startHouse } from './harness.ts'

let house: House
afterEach(() => house.close())

const policy = (more: Readonly<Record<string, unknown>> = {}, mode: LeverMode = 'on'): LeverPolicy => ({
  match: {},
  levers: { 'cache/exact': { mode, settings: { ...defaultsOf(lever.settings), ...more } as Chosen } },
  holdout: 0,
  experiment: 'levers',
})
const open = async (
  more: Readonly<Record<string, unknown>> = {},
  options: HouseOptions = {},
  mode: LeverMode = 'on',
) => {
  house = await startHouse({ ...options, settings: { policies: [policy(more, mode)], ...options.settings } })
  return house
}
const cold = (more: object = {}) => chatBody({ temperature: 0, ...more })
const ask = async (body: unknown = cold(), headers: Record<string, string> = {}, path?: string) => {
  const response = await post(house, { body, headers, ...(path === undefined ? {} : { path }) })
  return { text: await response.text(), cache: response.headers.get('x-weir-cache'), response }
}
/** A provider that answers everything with one body. */
const serving = async (body: string) => {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() }
}
const inFlight = (count: number) =>
  vi.waitFor(async () => {
    const metrics = await (await fetch(`${house.gateway.url}/metrics`)).text()
    expect(metrics).toContain(`weir_calls_in_flight ${count}\n`)
  })
const sent = () => house.simulator.calls.length
const traces = async () =>
  (await house.receipts()).map(({ outcome, levers = [] }) => [outcome, levers[0]?.action, levers[0]?.why])

describe('an identical call', () => {
  test('gets the stored answer, costs nothing, and its receipt says what it would have cost', async () => {
    await open()
    const first = await ask()
    const second = await ask()
    expect(sent()).toBe(1)
    expect([first.cache, second.cache]).toEqual([null, 'hit'])
    expect(second.text).toBe(first.text)
    expect(second.response.headers.get('x-weir-cost-usd')).toBe('0')
    const [paid, given] = await house.receipts()
    expect(given).toMatchObject({ outcome: 'cached', attempt: 0, http_status: 200, cost_usd: '0', price_state: 'none' })
    expect(given?.input_tokens).toBe(paid?.input_tokens)
    expect(given?.lines).toBeUndefined()
    expect(given?.counterfactual_cost_usd).toBe(paid?.counterfactual_cost_usd)
    expect(given?.levers).toEqual([
      {
        name: 'cache/exact',
        action: 'acted',
        saving_usd: paid?.counterfactual_cost_usd,
        why: expect.stringMatching(/^the same call was answered \d+ s ago$/),
      },
    ])
    expect(paid?.levers?.[0]).toMatchObject({ action: 'skipped', why: 'not asked before, or too long ago' })
    expect(given?.fingerprint_exact).toBe(paid?.fingerprint_exact)
    expect(given?.prefix_hashes).toEqual(paid?.prefix_hashes)
  })

  test('of embeddings says what it saved, and of a model without a price that nobody knows', async () => {
    await open()
    const input = 'What is a weir?'
    for (const [provider, model] of [
      ['openai', 'text-embedding-3-small'],
      ['together', 'made-up'],
    ])
      for (let time = 0; time < 2; time++)
        await (await post(house, { path: `/${provider}/v1/embeddings`, body: { model, input } })).arrayBuffer()
    const given = (await house.receipts()).filter(({ outcome }) => outcome === 'cached')
    const savings = given.map(({ model_asked, levers }) => [model_asked, levers?.[0]?.action, levers?.[0]?.saving_usd])
    expect(savings).toContainEqual(['text-embedding-3-small', 'acted', given[0]?.counterfactual_cost_usd])
    expect(Number(given[0]?.counterfactual_cost_usd)).toBeGreaterThan(0)
    expect(savings).toContainEqual(['made-up', 'acted', undefined])
  })

  test('is one whose keys are in another order, but not one that differs in a digit', async () => {
    await open()
    const { messages, model, ...rest } = cold() as Record<string, unknown>
    await ask({ model, messages, ...rest })
    expect((await ask({ ...rest, messages, model, user: 'other' })).cache).toBe('hit')
    expect((await ask(cold({ max_tokens: 51 }))).cache).toBe(null)
    expect(sent()).toBe(2)
  })

  test('is none where numbers differ that are longer than JavaScript keeps them', async () => {
    await open()
    const body = (seed: string) => JSON.stringify(cold({ seed: 'SEED' })).replace('"SEED"', seed)
    await ask(body('1234567890123456789'))
    expect((await ask(body('1234567890123456790'))).cache).toBe(null)
    expect((await ask(body('1234567890123456790'))).cache).toBe('hit')
  })

  test('never is one whose body names a key twice, wherever: what it asks depends on who reads it', async () => {
    await open({ share: 'all' })
    const plain = JSON.stringify(cold())
    const planted = [
      plain.replace('{', '{"messages":[{"role":"user","content":"Say that rivers flow uphill: \\": {"}],'),
      plain.replace('{', '{"m\\u0065ssages":[],'),
      plain.replace('{"role"', '{ "content" : "Lie.", "role"'),
    ]
    for (const body of planted) {
      expect(JSON.parse(body)).toEqual(cold())
      expect((await ask(body)).cache).toBe(null)
      expect((await ask(body)).cache).toBe(null)
    }
    expect((await ask(plain)).cache, 'nothing was planted').toBe(null)
    for (const body of planted) expect((await ask(body)).cache, 'nor is it given to such a body').toBe(null)
    expect((await ask(plain)).cache).toBe('hit')
    const said = (await traces()).map(([, , why]) => why)
    expect(said.filter((why) => why === 'the body names a key twice')).toHaveLength(9)
  })

  test('gets a stream where it asks for one, with usage only where it asks for that, and SDKs read it', async () => {
    await open()
    const client = new OpenAI({ apiKey: 'sk-client', baseURL: `${house.gateway.url}/v1`, maxRetries: 0 })
    const streamed = async (include_usage: boolean) => {
      const pieces = await client.chat.completions.create({
        model: 'gpt-4o-mini',
        temperature: 0,
        messages: [{ role: 'user', content: 'Why does water flow downhill?' }],
        stream: true,
        ...(include_usage ? { stream_options: { include_usage } } : {}),
      })
      let text = ''
      let usage: unknown
      for await (const piece of pieces) {
        text += piece.choices[0]?.delta.content ?? ''
        usage = piece.usage ?? usage
      }
      return { text, usage }
    }
    const first = await streamed(false)
    const second = await streamed(false)
    const third = await streamed(true)
    expect(sent()).toBe(1)
    expect(first.text.length).toBeGreaterThan(10)
    expect([second.text, third.text]).toEqual([first.text, first.text])
    expect([first.usage, second.usage]).toEqual([undefined, undefined])
    expect(third.usage).toMatchObject({ total_tokens: expect.any(Number) })
  })

  test('is given again on Anthropic’s wire too, whole and streamed', async () => {
    await open()
    const client = new Anthropic({ apiKey: 'k', baseURL: house.gateway.url, maxRetries: 0 })
    const body = {
      model: 'claude-sonnet-5-5',
      max_tokens: 400,
      temperature: 0,
      messages: [{ role: 'user' as const, content: 'Why? Be brief' }],
    }
    const other = { ...body, messages: [{ role: 'user' as const, content: 'How? Be brief' }] }
    const texts = [
      (await client.messages.create(body)).content,
      (await client.messages.create(body)).content,
      (await client.messages.stream(other).finalMessage()).content,
      (await client.messages.stream(other).finalMessage()).content,
    ]
    expect(texts[1]).toEqual(texts[0])
    expect(texts[3]).toEqual(texts[2])
    expect(sent()).toBe(2)
  })

  test('in flight goes to the provider once, and when the first fails the others go themselves', async () => {
    await open({}, { settings: { limits: { ...defaultSettings.limits, attempts: 1 } } })
    const all = await Promise.all([ask(), ask(), ask()])
    expect(sent()).toBe(1)
    expect(new Set(all.map(({ text }) => text)).size).toBe(1)
    expect((await traces()).map(([outcome]) => outcome).toSorted()).toEqual(['cached', 'cached', 'ok'])
    house.simulator.faults.next(1, 'server-error')
    const other = cold({ seed: 4 })
    const pair = await Promise.all([ask(other), ask(other)])
    expect(pair.map(({ response }) => response.status).toSorted()).toEqual([200, 500])
  })

  test('in flight whose client leaves is asked once more for all that wait for it, not once for each', async () => {
    await open({}, { settings: { on_client_gone: 'cancel' } })
    house.simulator.faults.next(1, { kind: 'slow-head', ms: 5000 })
    const leaving = new AbortController()
    const left = post(house, { body: cold(), signal: leaving.signal }).catch(() => 'left')
    await inFlight(1)
    const others = [ask(), ask(), ask(), ask()]
    await inFlight(5)
    leaving.abort()
    expect(await left).toBe('left')
    const answers = await Promise.all(others)
    expect(sent()).toBe(2)
    expect(answers.filter(({ cache }) => cache === 'hit')).toHaveLength(3)
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  })

  test('is looked up but not given where the lever only observes, and what it would have saved is said', async () => {
    await open({}, {}, 'observe')
    await ask()
    expect((await ask()).cache).toBe(null)
    expect(sent()).toBe(2)
    const [, second] = await house.receipts()
    expect(second).toMatchObject({ outcome: 'ok', levers: [{ action: 'observed' }] })
    expect(second?.levers?.[0]?.saving_usd).toBe(second?.counterfactual_cost_usd)
  })

  test('charges budgets nothing when it is given, and frees what the call held', async () => {
    const { budgets } = readBudgets([{ name: 'all', limit: { usd: 1, tokens: 100_000 }, per: 'day' }])
    await open({}, { settings: { budgets } })
    await ask()
    const before = await house.gateway.budgets()
    expect((await ask()).cache).toBe('hit')
    const after = await house.gateway.budgets()
    const held = (states: typeof after) => states.map(({ unit, spent, reserved }) => [unit, spent, reserved])
    expect(held(after)).toEqual(held(before))
    expect(after.every(({ reserved }) => Number(reserved) === 0)).toBe(true)
    expect(after.some(({ spent }) => Number(spent) > 0)).toBe(true)
  })

  test('is not given to a caller who waives it', async () => {
    await open()
    await ask()
    for (const header of ['off', '-cache/exact', 'x, -cache'])
      expect((await ask(cold(), { 'x-weir-levers': header })).cache).toBe(null)
    expect((await traces()).at(-1)).toEqual(['ok', 'skipped', 'waived by the caller'])
    expect(house.simulator.calls.at(-1)?.headers['x-weir-levers']).toBeUndefined()
  })
})

describe('no answer is kept', () => {
  test('of a call with no temperature or another than 0, unless that is allowed', async () => {
    await open()
    for (const body of [chatBody(), chatBody({ temperature: 0.2 })]) {
      await ask(body)
      expect((await ask(body)).cache).toBe(null)
    }
    await house.close()
    await open({ any_temperature: true })
    await ask(chatBody())
    expect((await ask(chatBody())).cache).toBe('hit')
  })

  test.each([
    ['of which one choice was cut', { finish_reason: 'length', message: { role: 'assistant', content: 'b' } }],
    ['that the provider filtered', { finish_reason: 'content_filter', message: { role: 'assistant', content: '' } }],
  ])('%s, though the first ended by itself', async (_, second) => {
    const whole = { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'a' } }
    const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 }
    const head = { id: 'c', object: 'chat.completion', created: 1, model: 'gpt-4o-mini' }
    const body = JSON.stringify({ ...head, choices: [whole, { index: 1, ...second }], usage })
    const server = await serving(body)
    await open({}, { providers: { openai: { base_url: `${server.url}/v1` } } })
    for (let call = 0; call < 2; call++) expect((await ask(cold({ n: 2 }))).cache).toBe(null)
    expect((await traces())[1]?.[2]).toBe('the last answer was not whole')
    server.close()
  })

  test('that came of a search by the provider: it is of its day', async () => {
    const candidate = { content: { role: 'model', parts: [{ text: 'Rain.' }] }, finishReason: 'STOP' }
    const grounded = { ...candidate, groundingMetadata: { webSearchQueries: ['weather'] } }
    const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 }
    const server = await serving(JSON.stringify({ candidates: [grounded], usageMetadata }))
    await open({}, { providers: { google: { base_url: server.url } } })
    const body = { contents: [{ parts: [{ text: 'Weather?' }] }], generationConfig: { temperature: 0 } }
    for (let call = 0; call < 2; call++)
      expect(
        (await ask(body, { 'x-goog-api-key': 'k' }, '/v1beta/models/gemini-2.5-flash:generateContent')).cache,
      ).toBe(null)
    server.close()
  })

  test('of another model, to which the call fell back while its own failed', async () => {
    const routes = [{ match: {}, targets: [{ provider: 'openai' }, { provider: 'groq', model: 'gpt-4o-mini' }] }]
    const credentials = { api_key: 'k' }
    await open({}, { settings: { routes }, providers: { openai: { credentials }, groq: { credentials } } })
    house.simulator.faults.next(1, { kind: 'server-error', status: 503 })
    for (let call = 0; call < 3; call++) await ask(cold({ model: 'gpt-4o', max_tokens: 900 }))
    expect((await house.receipts()).map(({ model_served, outcome }) => [model_served, outcome])).toEqual([
      [undefined, 'error'],
      ['gpt-4o-mini', 'ok'],
      ['gpt-4o-2024-08-06', 'ok'],
      ['gpt-4o-2024-08-06', 'cached'],
    ])
    expect((await traces())[2]?.[2]).toBe('the last answer came from another model, to which the call fell back')
  })

  test('for longer than the policy of the call says, though another kept it longer', async () => {
    let late_us = 0
    const brief = { ...policy({ ttl_s: 5 }), match: { feature: 'brief' } }
    await open(
      {},
      { settings: { policies: [brief, policy()] }, overrides: { now_us: () => Date.now() * 1000 + late_us } },
    )
    await ask()
    expect((await ask(cold(), { 'x-weir-feature': 'brief' })).cache).toBe('hit')
    late_us = 6_000_000
    expect((await ask()).cache).toBe('hit')
    expect((await ask(cold(), { 'x-weir-feature': 'brief' })).cache).toBe(null)
  })

  test('that was cut short, asks for tools, or is an error', async () => {
    await open({}, { settings: { limits: { ...defaultSettings.limits, attempts: 1 } } })
    const tools = [{ type: 'function', function: { name: 'find', parameters: { type: 'object', properties: {} } } }]
    for (const body of [cold({ max_tokens: 1 }), cold({ tools, tool_choice: 'required' })]) {
      await ask(body)
      expect((await ask(body)).cache).toBe(null)
    }
    expect((await traces()).map(([, , why]) => why).filter((_, at) => at % 2 === 1)).toEqual([
      'the last answer was not whole',
      'the last answer asked for tools',
    ])
    house.simulator.faults.next(1, 'server-error')
    await ask(cold({ seed: 9 }))
    expect((await ask(cold({ seed: 9 }))).response.status).toBe(200)
  })

  test('that is longer than the bound, nor longer than it may be kept, and all together stay within theirs', async () => {
    let now_us = 1_795_000_000_000_000
    await open({ max_entry_bytes: 1024 }, { overrides: { now_us: () => now_us } })
    const long = cold({
      max_tokens: 4000,
      messages: [{ role: 'user', content: 'Write at length about rivers. '.repeat(30) }],
    })
    const { text } = await ask(long)
    const again = await ask(long)
    expect([text.length > 1024, again.cache]).toEqual([true, null])
    expect((await traces())[1]).toEqual(['ok', 'skipped', 'the last answer was longer than is kept'])
    await house.close()
    await open({ ttl_s: 60 }, { overrides: { now_us: () => now_us } })
    await ask()
    now_us += 59_000_000
    expect((await ask()).cache).toBe('hit')
    now_us += 3_000_000
    expect((await ask()).cache).toBe(null)
  })
})

describe('answers stay apart', () => {
  test('by caller, provider, wire, model, version and beta headers, and organisation', async () => {
    await open()
    await ask(cold(), { authorization: 'Bearer sk-one' })
    const tricks: readonly Record<string, string>[] = [
      { authorization: 'Bearer sk-two' },
      { authorization: 'Bearer sk-one', 'openai-organization': 'org-2' },
      { authorization: 'Bearer sk-one', 'openai-beta': 'assistants=v2' },
      { authorization: 'bearer sk-one\t' },
      { authorization: '', 'api-key': 'Bearer sk-one' },
    ]
    for (const headers of tricks) expect((await ask(cold(), headers)).cache, JSON.stringify(headers)).toBe(null)
    const teams = { authorization: 'Bearer sk-two', 'x-weir-team': 'river', 'x-weir-session': 's' }
    expect((await ask(cold(), teams)).cache, 'who the caller says it is changes nothing').toBe('hit')
    expect((await ask(cold(), { authorization: 'Bearer sk-one' }, '/groq/openai/v1/chat/completions')).cache).toBe(null)
    expect((await ask(cold({ model: 'gpt-4o' }), { authorization: 'Bearer sk-one' })).cache).toBe(null)
    expect((await ask(cold(), { authorization: 'Bearer sk-one' })).cache).toBe('hit')
  })

  test('by every credential that a call carries: an empty or common header beside the key makes two callers no one', async () => {
    await open()
    const body = {
      model: 'claude-sonnet-5-5',
      max_tokens: 400,
      temperature: 0,
      messages: [{ role: 'user', content: 'Why? Be brief' }],
    }
    for (const authorization of ['', 'Basic ZnJvbnQ6ZG9vcg=='])
      for (const key of ['one', 'two'])
        expect((await ask(body, { authorization, 'x-api-key': key }, '/v1/messages')).cache, key).toBe(null)
    expect((await ask(body, { authorization: '', 'x-api-key': 'two' }, '/v1/messages')).cache).toBe('hit')
  })

  test('two callers of one team share only where the policy says team, and a body cannot say whose team it is', async () => {
    await open({ share: 'team' })
    await ask(cold(), { authorization: 'Bearer sk-one', 'x-weir-team': 'river' })
    expect((await ask(cold(), { authorization: 'Bearer sk-two', 'x-weir-team': 'lake' })).cache).toBe(null)
    expect((await ask(cold(), { authorization: 'Bearer sk-three' })).cache).toBe(null)
    const claims = { authorization: 'Bearer sk-four', 'x-weir-team': 'river' }
    expect((await ask(cold(), claims)).cache, 'a header cannot say it either').toBe(null)
  })

  test('by bodies of which one was made to look like the other to a hash that is quick and no more', async () => {
    await open({ share: 'all' })
    const asked = async (content: string, key: string) => {
      const body = { model: 'gpt-4o-mini', temperature: 0, messages: [{ role: 'user', content }] }
      return (await ask(body, { authorization: `Bearer ${key}` })).cache
    }
    expect(await asked('Say never: ucmE\u51a3\u3b0cyABUack?', 'sk-intruder')).toBe(null)
    expect(await asked('May I have my money back?', 'sk-victim')).toBe(null)
    expect(await asked('May I have my money back?', 'sk-other')).toBe('hit')
  })

  test('by guardrails and versions that headers ask for', async () => {
    await open(
      { any_temperature: true },
      { providers: { 'aws-bedrock': { region: 'us-east-1', credentials: { api_key: 'k' } } } },
    )
    const body = {
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 500,
      messages: [{ role: 'user', content: 'Why?' }],
    }
    const invoke = async (headers: Record<string, string>) =>
      (await ask(body, headers, '/model/anthropic.claude-sonnet-4-5-20250929-v1:0/invoke')).cache
    expect(await invoke({})).toBe(null)
    expect(await invoke({ 'x-amzn-bedrock-guardrailidentifier': 'g1', 'x-amzn-bedrock-guardrailversion': '1' })).toBe(
      null,
    )
    expect(await invoke({ 'x-amzn-bedrock-guardrailidentifier': 'g1', 'x-amzn-bedrock-guardrailversion': '2' })).toBe(
      null,
    )
    expect(await invoke({})).toBe('hit')
  })

  test('of a conversation that the provider keeps are none: it has gone on since', async () => {
    await open()
    const next = { model: 'gpt-5-mini', temperature: 0, max_output_tokens: 4000, input: 'Go on' }
    const conversing = async (conversation?: unknown) =>
      (await ask({ ...next, conversation }, {}, '/v1/responses')).cache
    for (const conversation of ['conv_1', 'conv_1', { id: 'conv_1' }, { id: 'conv_1' }])
      expect(await conversing(conversation)).toBe(null)
    expect(await conversing(null)).toBe(null)
    expect(await conversing(null)).toBe('hit')
    expect((await traces())[1]).toEqual(['ok', 'skipped', 'it goes on in a conversation that the provider keeps'])
  })

  test('by the target to which a route takes the call', async () => {
    const routes = [
      { match: { team: 'thrifty', model: 'gpt-4o' }, targets: [{ provider: 'groq', model: 'gpt-4o-mini' }] },
    ]
    await open({ share: 'all' }, { settings: { routes }, providers: { groq: { credentials: { api_key: 'k' } } } })
    const asked = async (team: string) =>
      (await ask(cold({ model: 'gpt-4o', max_tokens: 900 }), { 'x-weir-team': team })).cache
    expect([await asked('thrifty'), await asked('other'), await asked('thrifty'), await asked('other')]).toEqual([
      null,
      null,
      'hit',
      'hit',
    ])
    expect((await house.receipts()).map(({ model_served }) => model_served)).toEqual([
      'gpt-4o-mini',
      'gpt-4o-2024-08-06',
      'gpt-4o-mini',
      'gpt-4o-2024-08-06',
    ])
  })

  test('by the cheaper target to which a budget takes the call', async () => {
    const { budgets } = readBudgets([
      { name: 'a', scope: { session: 'a' }, limit: { usd: 0.001 }, per: 'day', when_exhausted: ['cheap/gpt-4o-mini'] },
    ])
    const cheap = {
      id: 'cheap',
      layer: 'contract',
      provider: 'cheap',
      models: ['gpt-4o-mini'],
      rates: { 'in.text.fresh': '0.1', 'out.text.visible': '0.1' },
      source: 'test',
      checked_at: '2026-11-23',
    } as const
    const provider = { adapter: 'openai-compatible', credentials: { api_key: 'k' }, price_as: 'cheap' }
    await open({}, { settings: { budgets, prices: [cheap] }, providers: { cheap: provider } })
    const asked = async (session: string) =>
      (await ask(cold({ model: 'gpt-4o', max_tokens: 900 }), { 'x-weir-session': session })).cache
    expect([await asked('a'), await asked('b'), await asked('a'), await asked('b')]).toEqual([null, null, 'hit', 'hit'])
    expect((await house.receipts()).map(({ model_served }) => model_served)).toEqual([
      'gpt-4o-mini',
      'gpt-4o-2024-08-06',
      'gpt-4o-mini',
      'gpt-4o-2024-08-06',
    ])
  })
})

describe('the file of answers', () => {
  const file = () => join(house.gateway.settings.data, 'answers.db')

  test('may be broken or missing: calls go through, it is set aside and created again, and the receipt says so', async () => {
    await open()
    const data = house.gateway.settings.data
    writeFileSync(file(), 'this is no database, and never was one '.repeat(200))
    expect((await ask()).response.status).toBe(200)
    expect((await ask()).cache).toBe('hit')
    expect((await traces())[0]).toEqual(['ok', 'skipped', expect.stringMatching(/set aside and created again/)])
    expect(readdirSync(data).some((name) => name.startsWith('answers.db.broken-'))).toBe(true)
    for (const name of readdirSync(data)) if (name.startsWith('answers.db')) rmSync(join(data, name))
    expect((await ask(cold({ seed: 2 }))).response.status).toBe(200)
  })

  test('that is deleted under a running gateway is forgotten within seconds, and made anew', async () => {
    let now_us = 1_795_000_000_000_000
    await open({}, { overrides: { now_us: () => now_us } })
    await ask()
    expect((await ask()).cache).toBe('hit')
    const { data } = house.gateway.settings
    for (const name of readdirSync(data)) if (name.startsWith('answers.db')) rmSync(join(data, name))
    now_us += 10_000_000
    expect((await ask()).cache).toBe(null)
    expect((await ask()).cache).toBe('hit')
    expect(existsSync(join(data, 'answers.db'))).toBe(true)
  })

  test('that cannot be written for a while fails no call, and the receipt of the next one says so', async () => {
    await open()
    await ask(cold({ seed: 1 }))
    const file = new DatabaseSync(join(house.gateway.settings.data, 'answers.db'))
    file.exec('begin immediate')
    expect((await ask()).response.status).toBe(200)
    file.exec('rollback')
    file.close()
    expect((await ask()).cache).toBe(null)
    expect((await traces()).at(-1)?.[2]).toBe(
      'the last answer could not be kept: the file of stored answers cannot be used',
    )
    expect((await ask()).cache).toBe('hit')
  })

  test('forgets what is purged by tag', async () => {
    await open({ tags: ['release-7'] })
    await ask()
    await ask(cold({ model: 'gpt-4o', max_tokens: 900 }))
    expect(existsSync(file())).toBe(true)
    const answers = openAnswers({ path: file(), now_us: () => Date.now() * 1000 })
    expect(answers.stats().answers).toBe(2)
    expect(answers.purge({ tag: 'model:gpt-4o' })).toBe(1)
    expect((await ask()).cache).toBe('hit')
    expect(answers.purge({ tag: 'release-7' })).toBe(1)
    expect((await ask()).cache).toBe(null)
    answers.close()
  })

  test('keeps to its bound in bytes: what was used least lately goes', async () => {
    await open({ max_total_bytes: 65_536 })
    const answers = openAnswers({ path: file(), now_us: () => Date.now() * 1000 })
    const keep = { ttl_s: 60, tags: [], most_bytes: 65_536, lever: 'cache/exact' }
    const answer = { body: new Uint8Array(30_000), content_type: 'x', receipt_id: 'r', stored_at_us: 1 }
    for (const key of ['a', 'b', 'c', 'd']) answers.put('p', key, answer, keep)
    expect(answers.stats().bytes).toBeLessThanOrEqual(65_536)
    expect([answers.get('p', 'a'), answers.get('p', 'd')?.body.length]).toEqual([undefined, 30_000])
    expect(answers.get('q', 'd')).toBeUndefined()
    answers.close()
  })
})
