/** What the document promises of an answer is what comes: every route of it is asked, and every answer read against it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { loadSettings } from '../../src/config.ts'
import { testAlert } from '../../src/playbook/allocate/alert/make.ts'
import { providers as adapters } from '../../src/providers/index.ts'
import { receipts } from '../cli/fixture.ts'
import { type House, now, openHouse } from './house.ts'

type Schema = Readonly<Record<string, unknown>>
type Operation = Readonly<{
  'x-access'?: string
  parameters?: readonly Readonly<{ name: string; in: string }>[]
  responses: Readonly<
    Record<string, Readonly<{ headers?: Schema; content?: Readonly<Record<string, Readonly<{ schema: Schema }>>> }>>
  >
}>
type Asked = Readonly<{ method: string; route: string; path: string; json?: unknown; body?: string }>

const hook = createServer((_, response) => response.end('thanks'))
let house: House
let operations: Readonly<Record<string, Readonly<Record<string, Operation>>>>
let key: string
let token: string
beforeAll(async () => {
  hook.listen(0, '127.0.0.1')
  await once(hook, 'listening')
  const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`
  const { providers } = loadSettings({ cwd: import.meta.dirname, env: {}, providers: adapters })
  house = await openHouse(receipts, {
    providers,
    channels: [{ name: 'here', type: 'webhook', fields: { url, secret: 'whsec_aGVsbG8=' } }],
  })
  operations = (await house.ask('/openapi.json', { token: house.tokens.admin })).json().paths
  const at = Date.parse(now) * 1000
  const alert = { ...testAlert(at), id: 'al-one', incident: 'one', kind: 'runaway-session' } as const
  const { alerts } = await house.context.store()
  const delivery = { id: 'd', alert_id: 'al-one', channel: 'here', event: 'opened', alert } as const
  await alerts.record([alert], [{ ...delivery, state: 'waiting', attempts: 0, created_us: at, next_us: at }])
  await alerts.containments.add({
    id: 'al-one',
    what: 'session',
    value: 's',
    owner: 'organisation',
    action: 'stop',
    from_us: at,
  })
  const made = await admin('POST', '/v1/keys', { name: 'first', team: 'red', models: ['gpt-*'] })
  key = made.json().id
  token = (await admin('POST', '/v1/tokens', { team: 'red', expires: '30d' })).json().id
})
afterAll(async () => {
  await house.close()
  hook.close()
})

const admin = (method: string, path: string, json?: unknown, body?: string) =>
  house.ask(path, { token: house.tokens.admin, method, ...(json ? { json } : {}), ...(body ? { body } : {}) })

const bill = JSON.stringify({
  data: [
    {
      start_time: Date.parse('2026-11-10') / 1000,
      results: [{ input_tokens: 3000, input_cached_tokens: 10, output_tokens: 100, model: 'gpt-5.5' }],
    },
  ],
})
const rules = [
  { name: 'one', when: { team: ['red', 'r?d'], feature: null }, set: { customer: 'x', feature: { from: 'user' } } },
]

/** Every route, in an order in which one finds what another made. `{}` in a path is what the document calls a field. */
const asks = (): readonly Asked[] => {
  const get = (route: string, query = '', path = route) => ({ method: 'GET', route, path: path + query })
  const post = (route: string, json: unknown = {}, path = route) => ({ method: 'POST', route, path, json })
  const put = (route: string, json: unknown, path = route) => ({ method: 'PUT', route, path, json })
  const remove = (route: string, path: string) => ({ method: 'DELETE', route, path })
  const send = (route: string, body: string, path: string) => ({ method: 'POST', route, path, body })
  return [
    get('/health'),
    get('/v1/tags'),
    put('/v1/tags', { rules }),
    get('/v1/tags', '?history=true'),
    post('/v1/tags/preview', { rules: [], since: '2026-11' }),
    get('/v1/splits'),
    put('/v1/splits', {
      splits: [
        { from: 'unallocated', by: 'percent', percent: { red: 25, blue: '75' } },
        { from: 'labs', to: ['red', 'blue'], by: 'usage', metric: 'calls' },
      ],
    }),
    get('/v1/splits', '?history=true'),
    put('/v1/budgets/{name}', { limit: { usd: '500', calls: 9 }, per: 'month' }, '/v1/budgets/all'),
    put(
      '/v1/budgets/{name}',
      { scope: { team: 'each' }, limit: { usd: '5' }, last: '24h', when_exhausted: ['groq/llama'] },
      '/v1/budgets/rolling',
    ),
    put('/v1/budgets/{name}', { scope: { session: 'each' }, limit: { tokens: 5 }, per: 'lifetime' }, '/v1/budgets/run'),
    get('/v1/budgets'),
    ...['all', 'rolling', 'run'].map((name) => get('/v1/budgets/{name}', '', `/v1/budgets/${name}`)),
    remove('/v1/budgets/{name}', '/v1/budgets/run'),
    post('/v1/outcomes', { kind: 'ticket', id: 'o1', session: 'red-session', at: '2026-11-12', value_usd: '2.5' }),
    send('/v1/outcomes/import', 'id,at,team\na,2026-11-10,red\nb,soon,red\n', '/v1/outcomes/import?kind=case'),
    get('/v1/outcomes', '?kind=ticket'),
    get('/v1/outcomes/kinds'),
    get('/v1/unit-cost', '?per=ticket&since=2026-11'),
    get('/v1/status'),
    get('/v1/spend', '?since=2026-11&by=team,model'),
    get('/v1/spend', '?since=all'),
    get('/v1/calls', '?since=all&limit=1000'),
    get('/v1/calls/{id}', '', '/v1/calls/call-red-1'),
    get('/v1/leaks', '?since=all'),
    get('/v1/owners', '?since=all'),
    get('/v1/checklist', '?since=all'),
    get('/v1/statements', '?every=month&at=2026-11'),
    get('/v1/statements', '?at=2026-11-10&by=customer'),
    post('/v1/closes', { month: '2026-10' }),
    get('/v1/closes'),
    get('/v1/closes/verify'),
    get('/v1/statements', '?every=month&at=2026-10'),
    get('/v1/focus/export', '?since=2026-11'),
    send('/v1/focus/check', 'BilledCost,BillingCurrency\nx,usd\n', '/v1/focus/check?version=1.3&examples=2'),
    send('/v1/reconcile/{source}', bill, '/v1/reconcile/openai?since=2026-11-10&until=2026-11-12'),
    get('/v1/prices'),
    get('/v1/prices/model', '?model=gpt-5.5'),
    get('/v1/keys'),
    { method: 'PATCH', route: '/v1/keys/{id}', path: `/v1/keys/${key}`, json: { expires: '90d' } },
    post('/v1/keys/{id}/rotate', {}, `/v1/keys/${key}/rotate`),
    get('/v1/keys'),
    post('/v1/keys', { name: 'second', team: 'blue' }),
    post('/v1/keys/{id}/revoke', {}, '/v1/keys/second/revoke'),
    get('/v1/keys'),
    get('/v1/tokens'),
    post('/v1/tokens', { admin: true }),
    post('/v1/tokens/{id}/revoke', {}, `/v1/tokens/${token}/revoke`),
    get('/v1/tokens'),
    get('/v1/alerts', '?all=true'),
    get('/v1/alerts/{id}', '', '/v1/alerts/al-one'),
    post('/v1/alerts/{id}/release', {}, '/v1/alerts/al-one/release'),
    post('/v1/alerts/{id}/feedback', { verdict: 'planned', until: '2d' }, '/v1/alerts/al-one/feedback'),
    get('/v1/alerts/{id}', '', '/v1/alerts/al-one'),
    post('/v1/alerts/test', { channel: 'here' }),
    remove('/v1/outcomes/{id}', '/v1/outcomes/o1'),
  ]
}

const schemaOf = (method: string, route: string, status: string): Schema | undefined =>
  operations[route]?.[method.toLowerCase()]?.responses[status]?.content?.['application/json']?.schema

const headersIn = (method: string, route: string): readonly string[] => {
  const { headers = {} } = operations[route]?.[method.toLowerCase()]?.responses['200'] ?? {}
  return Object.keys(headers)
    .map((name) => name.toLowerCase())
    .sort()
}

const problems = (schema: Schema, answer: unknown): unknown => {
  const read = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(answer)
  return read.success ? [] : read.error.issues.slice(0, 5)
}

/** Schemas that let anything through: of an object without fields or with further ones, or of no type at all. */
const open = (schema: Schema, path = ''): string[] => {
  const inner = (value: unknown, at: string): string[] => open((value ?? {}) as Schema, `${path}${at}`)
  const union = (schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf']) as readonly unknown[] | undefined
  if (union !== undefined) return union.flatMap((one, at) => inner(one, `|${at}`))
  if (schema['type'] === 'array') return schema['prefixItems'] ? [] : inner(schema['items'], '[]')
  if (schema['type'] !== 'object')
    return (schema['type'] ?? schema['const'] ?? schema['enum']) ? [] : [`${path}: anything`]
  const { properties = {}, additionalProperties } = schema as Readonly<{
    properties?: Readonly<Record<string, unknown>>
    additionalProperties?: unknown
  }>
  const fields = Object.entries(properties).flatMap(([name, value]) => inner(value, `.${name}`))
  if (typeof additionalProperties === 'object') return [...fields, ...inner(additionalProperties, '.*')]
  return additionalProperties === false ? fields : [...fields, `${path}: any further field`]
}

describe('every answer of the document', () => {
  test('is closed: it names each of its fields and their types', () => {
    const found = Object.entries(operations).flatMap(([route, methods]) =>
      Object.keys(methods).flatMap((method) => {
        const schema = schemaOf(method, route, '200')
        return schema === undefined ? [] : open(schema, `${method} ${route} `)
      }),
    )
    // A budget comes back as it was said, with whatever value a field had.
    expect(found).toEqual(['put /v1/budgets/{name} .budget.*: anything'])
  })

  test('is what comes, on every route', async () => {
    const asked = new Set<string>()
    const wrong: unknown[] = []
    for (const { method, route, path, json, body } of asks()) {
      asked.add(`${method.toLowerCase()} ${route}`)
      const { status, text, headers } = await admin(method, path, json, body)
      expect([method, path, status, status === 200 ? '' : text]).toEqual([method, path, 200, ''])
      const told = [...headers.keys()].filter((name) => /^(etag|x-weir-)/.test(name))
      expect([method, path, told]).toEqual([method, path, headersIn(method, route)])
      const schema = schemaOf(method, route, '200')
      if (schema === undefined) expect(text).toContain('BilledCost')
      else wrong.push(...[problems(schema, JSON.parse(text))].flat().map((issue) => [method, path, issue]))
    }
    expect(wrong).toEqual([])
    const all = Object.entries(operations).flatMap(([route, methods]) =>
      Object.keys(methods).map((m) => `${m} ${route}`),
    )
    expect(all.filter((one) => !asked.has(one))).toEqual([])
  }, 120_000)

  test('of a file comes with what it holds and what it leaves out', async () => {
    const { headers } = await admin('GET', '/v1/focus/export?since=2026-11')
    const { total } = (await admin('GET', '/v1/spend?since=2026-11')).json()
    expect(total.unpriced_calls).toBeGreaterThan(0)
    expect(headers.get('x-weir-unpriced')).toBe(String(total.unpriced_calls))
    expect(headers.get('x-weir-cost-usd')).toBe(total.cost_usd)
  })

  test('that is CSV says how many rows its limit left out', async () => {
    const asked = async (limit: number) => {
      const { text, headers } = await admin('GET', `/v1/spend?since=all&by=team&format=csv&limit=${limit}`)
      return [text.trimEnd().split('\r\n').length - 1, headers.get('x-weir-more')]
    }
    const [all] = await asked(1000)
    expect(await asked(1000)).toEqual([all, '0'])
    expect(await asked(2)).toEqual([2, String(Number(all) - 2)])
  })

  test('that can be changed under a revision names If-Match', () => {
    const matching = Object.entries(operations).flatMap(([route, methods]) =>
      Object.entries(methods).flatMap(([method, { parameters = [] }]) =>
        parameters.some((one) => one.in === 'header' && one.name === 'If-Match') ? [`${method} ${route}`] : [],
      ),
    )
    expect(matching.sort()).toEqual([
      'delete /v1/budgets/{name}',
      'patch /v1/keys/{id}',
      'post /v1/keys/{id}/rotate',
      'put /v1/budgets/{name}',
      'put /v1/splits',
      'put /v1/tags',
    ])
  })

  test('of a team is of the same shape', async () => {
    for (const { method, route, path } of asks()) {
      const operation = operations[route]?.[method.toLowerCase()]
      const schema = schemaOf(method, route, '200')
      if (operation?.['x-access'] !== 'team' || schema === undefined) continue
      const { status, text } = await house.ask(path, { token: house.tokens.red, method })
      if (status === 200) expect([path, problems(schema, JSON.parse(text))]).toEqual([path, []])
    }
  }, 120_000)

  test('of a failure is the one shape of errors', async () => {
    const answers = [
      await house.ask('/v1/spend'),
      await admin('GET', '/v1/nothing'),
      await admin('GET', '/v1/spend?since=soon'),
      await admin('PUT', '/v1/budgets/x', { limit: { usd: '-1' }, per: 'age' }),
      await house.ask('/v1/tags', { token: house.tokens.red }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([401, 404, 422, 422, 403])
    const { components } = (await admin('GET', '/openapi.json')).json()
    for (const answer of answers) expect(problems(components.schemas.Error, answer.json())).toEqual([])
  })

  test('would be told if it were another', () => {
    const schema = schemaOf('get', '/v1/status', '200') ?? {}
    const answer = {
      receipts: 1,
      calls: 1,
      first_us: null,
      last_us: null,
      cost_usd: '1',
      input_tokens: 0,
      output_tokens: 0,
    }
    expect(problems(schema, { ...answer, unpriced: 0, segments: 1 })).toEqual([])
    expect(problems(schema, { ...answer, unpriced: 0 })).not.toEqual([])
    expect(problems(schema, { ...answer, unpriced: 0, segments: 1, more: 1 })).not.toEqual([])
    expect(problems(schema, { ...answer, unpriced: 0, segments: 1, cost_usd: 1 })).not.toEqual([])
  })
})
