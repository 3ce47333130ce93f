import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { defaultsOf } from '../../src/config/levers.ts'
import type { Chosen } from '../../src/core/lever.ts'
import type { Settings } from '../../src/core/settings.ts'
import type { KeyRecord, Store } from '../../src/core/store.ts'
import { startGateway } from '../../src/gateway/start.ts'
import { lever } from '../../src/playbook/cache/exact.ts'
import { deriveKey, displayPrefix, hashToken, masterSecret, mintToken } from '../../src/stores/sealing.ts'
import { open as openStore } from '../../src/stores/sqlite.ts'
import { waitUntil } from '../waiting.ts'
import { chatBody, type OpenAiError, post } from './ask.ts'
import { type House, type HouseOptions, startHouse } from './harness.ts'
import { prices } from './prices.ts'

let house: House
let store: Store
let data: string
afterEach(async () => {
  await house.close()
  await store.close()
  rmSync(data, { recursive: true, force: true })
})

const hashed = (token: string): string =>
  hashToken(token, deriveKey(masterSecret({ data, random: randomBytes }), 'token-pepper'))

const add = async (more: Partial<KeyRecord> = {}): Promise<string> => {
  const token = mintToken(randomBytes)
  await store.keys.add({
    id: `key-${token.slice(5, 11)}`,
    name: 'test',
    prefix: displayPrefix(token),
    hash: hashed(token),
    tags: {},
    models: [],
    providers: [],
    endpoints: [],
    revision: 1,
    created_at_us: 1,
    ...more,
  })
  return token
}

/** The token that a key had before it was rotated, and that is no longer good. */
const mintOver = async (more: Partial<KeyRecord>): Promise<string> => {
  const token = mintToken(randomBytes)
  await add({ ...more, previous_hash: hashed(token), previous_until_us: 1000 })
  return token
}

const ours = {
  openai: { credentials: { api_key: 'sk-ours' } },
  anthropic: { credentials: { api_key: 'sk-ant-ours' } },
  google: { credentials: { api_key: 'g-ours' } },
  groq: { credentials: { api_key: 'gsk-ours' } },
}

/** A server of one's own, without a key of ours; the house gives it its address. */
const VLLM = { adapter: 'openai-compatible' }

/** A gateway in keys mode over a store that holds what `fill` adds. */
const openKeyed = async <T>(
  fill: () => Promise<T>,
  settings: Partial<Settings> = {},
  providers: HouseOptions['providers'] = ours,
): Promise<T> => {
  data = mkdtempSync(join(tmpdir(), 'weir-keys-'))
  store = await openStore({ data })
  const filled = await fill()
  house = await startHouse({ settings: { mode: 'keys', data, ...settings }, providers })
  return filled
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const codeOf = async (response: Response) => [response.status, ((await response.json()) as OpenAiError).error.code]

test('a Weir key opens the gateway wherever the SDK puts it, and our key goes to the provider in its place', async () => {
  const token = await openKeyed(() => add())
  const message = { model: 'claude-haiku-4-5', max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }
  const gemini = { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] }
  const generate = '/v1beta/models/gemini-2.5-flash:generateContent'
  const none = { authorization: '' }
  expect((await post(house, { headers: bearer(token) })).status).toBe(200)
  expect(
    (await post(house, { path: '/v1/messages', body: message, headers: { ...none, 'x-api-key': token } })).status,
  ).toBe(200)
  expect(
    (await post(house, { path: generate, body: gemini, headers: { ...none, 'x-goog-api-key': token } })).status,
  ).toBe(200)
  expect((await post(house, { path: `${generate}?key=${token}`, body: gemini, headers: none })).status).toBe(200)
  const sent = house.simulator.calls.map(({ headers, query }) => JSON.stringify([headers, query]))
  expect(sent.filter((text) => text.includes('weir_'))).toEqual([])
  expect(
    house.simulator.calls.map(
      ({ headers }) => headers['authorization'] ?? headers['x-api-key'] ?? headers['x-goog-api-key'],
    ),
  ).toEqual(['Bearer sk-ours', 'sk-ant-ours', 'g-ours', 'g-ours'])
})

test('what the key fixes wins over what the client says', async () => {
  const token = await openKeyed(() => add({ id: 'key-1', team: 'river', customer: 'acme', tags: { plan: 'gold' } }))
  const headers = {
    ...bearer(token),
    'x-weir-team': 'ocean',
    'x-weir-user': 'ann',
    'x-weir-tag-plan': 'free',
    'x-weir-tag-page': 'home',
  }
  await (await post(house, { headers, body: chatBody({ metadata: { customer: 'other' } }) })).arrayBuffer()
  expect(await house.receipts()).toMatchObject([
    { key_id: 'key-1', team: 'river', customer: 'acme', user: 'ann', tags: { plan: 'gold', page: 'home' } },
  ])
})

test('a key with endpoints may call those and no other, nor a path that no wire knows', async () => {
  const token = await openKeyed(() => add({ endpoints: ['chat'] }))
  const headers = bearer(token)
  expect((await post(house, { headers })).status).toBe(200)
  const embed = { model: 'text-embedding-3-small', input: 'Hello' }
  const refused = async (path: string, body: object) => {
    const response = await post(house, { path, body, headers })
    return [response.status, ((await response.json()) as OpenAiError).error.message]
  }
  expect(await refused('/v1/embeddings', embed)).toEqual([
    403,
    expect.stringMatching(/may not call the endpoint embeddings. It may call: chat\.$/),
  ])
  expect(await refused('/v1/fine_tuning/jobs', {})).toEqual([403, expect.stringMatching(/may not call this path/)])
})

test('no key, a provider’s own key, an unknown key and an expired key are refused, each with a receipt', async () => {
  const expired = await openKeyed(() => add({ expires_at_us: 1000 }))
  expect(await codeOf(await post(house, { headers: { authorization: '' } }))).toEqual([401, 'invalid_api_key'])
  expect(await codeOf(await post(house, { headers: bearer('sk-own') }))).toEqual([401, 'invalid_api_key'])
  expect(await codeOf(await post(house, { headers: bearer(`weir_${'A'.repeat(43)}`) }))).toEqual([
    401,
    'invalid_api_key',
  ])
  const [status] = await codeOf(await post(house, { headers: bearer(expired) }))
  expect(status).toBe(401)
  expect(house.simulator.calls).toHaveLength(0)
  const receipts = await house.receipts()
  expect(receipts.map(({ outcome, error_code }) => [outcome, error_code])).toEqual([
    ['refused', 'unknown-key'],
    ['refused', 'unknown-key'],
    ['refused', 'unknown-key'],
    ['refused', 'key-expired'],
  ])
})

test('a call with a key that opens nothing any more says on its receipt whose key it was', async () => {
  const [revoked, expired, rotated] = await openKeyed(() =>
    Promise.all([
      add({ id: 'revoked', team: 'river', tags: { plan: 'gold' }, revoked_at_us: 1000 }),
      add({ id: 'expired', team: 'lake', customer: 'acme', expires_at_us: 1000 }),
      mintOver({ id: 'rotated', team: 'sea' }),
    ]),
  )
  for (const token of [revoked, expired, rotated])
    expect((await post(house, { headers: { ...bearer(token), 'x-weir-team': 'ocean' } })).status).toBe(401)
  expect(await house.receipts()).toMatchObject([
    { outcome: 'refused', error_code: 'unknown-key', key_id: 'revoked', team: 'river', tags: { plan: 'gold' } },
    { outcome: 'refused', error_code: 'key-expired', key_id: 'expired', team: 'lake', customer: 'acme' },
    { outcome: 'refused', error_code: 'key-expired', key_id: 'rotated', team: 'sea' },
  ])
})

test('a key of certain models and providers opens nothing else, not even paths that name no model', async () => {
  const token = await openKeyed(() => add({ models: ['gpt-4o*'], providers: ['openai'] }))
  const ask = (body: unknown, path = '/v1/chat/completions') => post(house, { body, path, headers: bearer(token) })
  expect((await ask(chatBody())).status).toBe(200)
  expect((await ask(chatBody({ model: 'gpt-5-mini' }))).status).toBe(403)
  expect((await ask({ model: 'gpt-4o' }, '/v1/assistants')).status).toBe(403)
  expect((await ask(chatBody(), '/groq/openai/v1/chat/completions')).status).toBe(403)
  expect(house.simulator.calls).toHaveLength(1)
})

test('a provider that this gateway has no key for is refused by name, but for a server of one’s own', async () => {
  const token = await openKeyed(() => add())
  const at = house.simulator.base_urls.openai
  const settings = { ...house.gateway.settings, port: 0 }
  const message = { model: 'claude-haiku-4-5', max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }
  await house.gateway.close()
  const anthropic = { name: 'anthropic', adapter: 'anthropic', options: {}, credentials: {} }
  const vllm = { name: 'vllm', adapter: 'openai-compatible', options: {}, credentials: {}, base_url: at }
  const quiet = { log_level: 'silent', providers: [anthropic, vllm] } as const
  const gateway = await startGateway({ ...settings, ...quiet }, { ledger: false, prices })
  const ask = (path: string, body: unknown) => post({ ...house, gateway }, { path, body, headers: bearer(token) })
  try {
    const response = await ask('/v1/messages', message)
    expect(response.status).toBe(500)
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect((await response.json()) as unknown).toMatchObject({
      type: 'error',
      error: { message: expect.stringContaining('no key for the provider anthropic') as string },
    })
    expect((await ask('/vllm/chat/completions', chatBody())).status).toBe(401) // the simulator's own: it was asked
  } finally {
    await gateway.close()
  }
})

test('a path that no meter knows is refused in the shape of its provider’s API', async () => {
  const token = await openKeyed(() => add({ endpoints: ['chat'] }))
  const response = await post(house, {
    path: '/v1/messages/batches',
    body: { requests: [] },
    headers: { 'x-api-key': token },
  })
  expect(response.status).toBe(403)
  expect((await response.json()) as unknown).toMatchObject({ type: 'error', error: { type: 'permission_error' } })
})

const MINI = { model: 'gpt-4o-mini' }
const served = () =>
  house.simulator.calls.map(({ body }) => (JSON.parse(Buffer.from(body).toString()) as { model: string }).model)

test('a route takes a key to no model and no provider that the key may not ask for itself', async () => {
  const larger = { provider: 'openai', model: 'gpt-4.1' }
  const settings = {
    routes: [
      { match: MINI, targets: [larger, { provider: 'groq' }, { provider: 'openai' }] },
      { match: { model: 'gpt-4o' }, targets: [larger] },
    ],
  }
  const scoped = await openKeyed(() => add({ models: ['gpt-4o*'], providers: ['openai'] }), settings)
  expect((await post(house, { headers: bearer(scoped) })).status).toBe(200)
  expect(served()).toEqual(['gpt-4o-mini'])
  expect(await codeOf(await post(house, { headers: bearer(scoped), body: chatBody({ model: 'gpt-4o' }) }))).toEqual([
    403,
    'forbidden',
  ])
  house.simulator.faults.chance(1, 'server-error')
  expect((await post(house, { headers: bearer(scoped) })).status).toBeGreaterThanOrEqual(500)
  expect(
    (await house.receipts()).filter(({ outcome }) => outcome !== 'refused').map(({ provider }) => provider),
  ).toEqual(expect.not.arrayContaining(['groq']))
  house.simulator.faults.clear()
  expect(new Set(served())).toEqual(new Set(['gpt-4o-mini']))
})

test('a budget without room takes a key to no cheaper target that the key may not ask for itself', async () => {
  const settings: Partial<Settings> = {
    budgets: [
      {
        name: 'tiny',
        scope: { provider: 'openai' },
        limits: { usd: '0.000001' },
        window: { every: 'day', zone: 'UTC' },
        kind: 'hard',
        when_exhausted: [{ provider: 'groq', model: 'llama-3.1-8b-instant' }],
        unbounded: 'refuse',
      },
    ],
  }
  const keys = await openKeyed(
    () => Promise.all([add(), add({ models: ['gpt-4o*'] }), add({ providers: ['openai'] })]),
    settings,
  )
  const statuses: number[] = []
  for (const key of keys) statuses.push((await post(house, { headers: bearer(key) })).status)
  expect(statuses).toEqual([200, 429, 429])
  expect(served()).toHaveLength(1)
})

test('a key of certain models may name no other beside them, for the provider to fall back to or to use in a tool', async () => {
  const scoped = await openKeyed(() => add({ models: ['gpt-4o*'] }))
  const status = async (more: Readonly<Record<string, unknown>>) =>
    (await post(house, { headers: bearer(scoped), body: chatBody(more) })).status
  expect(await status({ models: ['gpt-4o', 'gpt-5'] })).toBe(403)
  expect(await status({ fallbacks: [{ model: 'gpt-5' }] })).toBe(403)
  expect(await status({ tools: [{ type: 'image_generation', model: 'gpt-image-1' }] })).toBe(403)
  expect(served()).toEqual([])
  expect(await status({ models: ['gpt-4o'] })).toBe(200)
})

test('a key of certain models may name no key of a body twice, because the provider may read the other one', async () => {
  const [scoped, free] = await openKeyed(() => Promise.all([add({ models: ['gpt-4o*'] }), add()]))
  for (const name of ['model', '\\u006dodel']) {
    const body = JSON.stringify(chatBody()).replace('{', `{"${name}":"gpt-5",`)
    const refused = await post(house, { headers: bearer(scoped), body })
    expect(refused.status).toBe(403)
    expect(((await refused.json()) as OpenAiError).error.message).toContain('names a key twice')
    expect((await post(house, { headers: bearer(free), body })).status).toBe(200)
  }
})

test('keys of one team share kept answers where the policy says so, and no client makes itself one of a team', async () => {
  const settings = { ...defaultsOf(lever.settings), share: 'team' } as Chosen
  const levers = { [lever.name]: { mode: 'on' as const, settings } }
  const fill = () => Promise.all([add({ team: 'law' }), add({ team: 'law' }), add()])
  const [one, two, free] = await openKeyed(fill, {
    policies: [{ match: {}, levers, holdout: 0, experiment: 'levers' }],
  })
  const ask = async (token = '', headers: Record<string, string> = {}) => {
    const response = await post(house, {
      headers: { ...bearer(token), ...headers },
      body: chatBody({ temperature: 0 }),
    })
    await response.text()
    return response.headers.get('x-weir-cache')
  }
  expect([await ask(one), await ask(free, { 'x-weir-team': 'law' }), await ask(two)]).toEqual([null, null, 'hit'])
})

test('a key that is added or revoked meanwhile counts within a moment', async () => {
  await openKeyed(async () => {})
  const token = await add({ id: 'late' })
  const answers = (status: number) => async () => {
    const response = await post(house, { headers: bearer(token) })
    await response.arrayBuffer()
    return response.status === status
  }
  await waitUntil(answers(200))
  await store.keys.revoke('late', Date.now() * 1000)
  await waitUntil(answers(401))
})

test('where a provider refuses the key of the gateway, the answer passes as it came and says beside it whose key it was', async () => {
  const wrong = { credentials: { api_key: 'invalid-canary' } }
  const providers = { openai: wrong, google: wrong, 'aws-bedrock': { ...wrong, region: 'us-east-1' }, vllm: VLLM }
  const token = await openKeyed(() => add(), { log_level: 'error' }, providers)
  const ask = async (path: string, body: unknown = chatBody()) => {
    const response = await post(house, { path, body, headers: bearer(token) })
    return [response.headers.get('x-weir-warning'), response.status, await response.text()]
  }
  const contents = { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] }
  const converse = { messages: [{ role: 'user', content: [{ text: 'Hello' }] }] }
  const openai = "openai answered 401 to this gateway's own key, not to yours: tell its administrator"
  expect(await ask('/v1/chat/completions')).toEqual([openai, 401, expect.stringContaining('Incorrect API key')])
  expect(await ask('/v1/chat/completions')).toEqual([openai, 401, expect.anything()])
  expect(await ask('/v1beta/models/gemini-2.5-flash:generateContent', contents)).toEqual([
    openai.replace('openai', 'google').replace('401', '400'),
    400,
    expect.stringContaining('API_KEY_INVALID'),
  ])
  expect(await ask('/model/anthropic.claude-haiku-4-5-20251001-v1:0/converse', converse)).toEqual([
    openai.replace('openai', 'aws-bedrock').replace('401', '403'),
    403,
    expect.anything(),
  ])
  const none = 'vllm answered 401, and this gateway has no key for it: tell its administrator'
  expect(await ask('/vllm/chat/completions')).toEqual([none, 401, expect.anything()])
  const receipts = await house.receipts()
  expect(receipts.map(({ warnings }) => warnings?.[0]?.split(' ', 3).join(' '))).toEqual([
    'openai answered 401',
    'openai answered 401',
    'google answered 400',
    'aws-bedrock answered 403',
    'vllm answered 401,',
  ])
  const told = house.log.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
  expect(told.map(({ provider, http_status }) => `${provider} ${http_status}`)).toEqual([
    'openai 401',
    'google 400',
    'aws-bedrock 403',
    'vllm 401',
  ])
  expect(house.log.join()).not.toContain('canary')
})

test('a target that refuses the key of the gateway gives way to the next one, and is not asked again itself', async () => {
  const wrong = { credentials: { api_key: 'invalid' } }
  const routes = [
    { match: MINI, targets: [{ provider: 'openai' }, { provider: 'groq', model: 'llama-3.1-8b-instant' }] },
  ]
  const providers = { openai: wrong, groq: ours.groq }
  const token = await openKeyed(() => add(), { routes }, providers)
  const response = await post(house, { headers: bearer(token) })
  await response.arrayBuffer()
  expect([response.status, response.headers.get('x-weir-warning')]).toEqual([200, null])
  expect((await post(house, { headers: bearer(token), body: chatBody({ model: 'gpt-4o' }) })).status).toBe(401)
  const seen = (await house.receipts()).map(({ provider, attempt, http_status }) => [provider, attempt, http_status])
  expect(seen).toEqual([
    ['openai', 1, 401],
    ['groq', 2, 200],
    ['openai', 1, 401],
  ])
})

test('a client whose own key is refused is told nothing but what the provider says', async () => {
  data = mkdtempSync(join(tmpdir(), 'weir-keys-'))
  store = await openStore({ data })
  house = await startHouse({ settings: { data } })
  const response = await post(house, { headers: bearer('invalid') })
  expect([response.status, response.headers.get('x-weir-warning')]).toEqual([401, null])
})
