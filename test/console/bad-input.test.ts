/** What is wrong with an input is told by the name of its field, and nothing is changed for it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadSettings } from '../../src/config.ts'
import { providers as adapters } from '../../src/providers/index.ts'
import { type House, openHouse } from './house.ts'

type Operation = Readonly<{
  parameters?: readonly Readonly<{ name: string; in: string; required: boolean }>[]
  requestBody?: Readonly<{ content: Readonly<Record<string, Readonly<{ schema: Readonly<{ properties?: object }> }>>> }>
}>

let house: House
beforeAll(async () => {
  const { providers } = loadSettings({ cwd: import.meta.dirname, env: {}, providers: adapters })
  house = await openHouse([], { providers })
  await admin('POST', '/v1/outcomes', { kind: 'case', id: 'one', team: 'red', at: '2026-11-12' })
})
afterAll(() => house.close())

const admin = async (method: string, path: string, json?: unknown, body?: string) => {
  const more = { ...(json ? { json } : {}), ...(body ? { body } : {}) }
  const { status, text } = await house.ask(path, { token: house.tokens.admin, method, ...more })
  return { status, text, error: status === 200 ? undefined : JSON.parse(text).error }
}

describe('a time zone that is none', () => {
  /** What routes need beside the zone. */
  const query: Readonly<Record<string, string>> = {
    '/v1/unit-cost': 'per=case&',
    '/v1/outcomes': 'kind=case&since=2026-11-10&',
    '/v1/outcomes/import': 'kind=case&',
  }
  const body: Readonly<Record<string, object>> = {
    '/v1/outcomes': { kind: 'case', at: '2026-11-12' },
    '/v1/closes': { month: '2026-10' },
    '/v1/tags/preview': { rules: [] },
  }
  /** Does an operation take a zone, and where? One of a budget reads its own fields, and of one thing there is none here. */
  const placeOf = ({ parameters = [], requestBody }: Operation) => {
    if (parameters.some(({ name }) => name === 'zone')) return 'query'
    return 'zone' in (requestBody?.content['application/json']?.schema.properties ?? {}) ? 'body' : undefined
  }
  const ask = (method: string, route: string, place: 'query' | 'body') => {
    const zone = 'Mars/Olympus'
    if (place === 'body') return admin(method, route, { ...body[route], zone })
    const file = method === 'POST' ? 'id,at\na,2026-11-10\n' : undefined
    return admin(method, `${route}?${query[route] ?? ''}zone=${zone}`, undefined, file)
  }

  test('is named by every route that takes one', async () => {
    const { text } = await admin('GET', '/openapi.json')
    const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = JSON.parse(text).paths
    const asked = Object.entries(paths)
      .filter(([route]) => !route.includes('{'))
      .flatMap(([route, operations]) =>
        Object.entries(operations).map(([method, one]) => [method.toUpperCase(), route, placeOf(one)] as const),
      )
    const found: unknown[] = []
    for (const [method, route, place] of asked) {
      if (place === undefined) continue
      const { status, error } = await ask(method, route, place)
      found.push([method, route, status, /^zone\b/.test(error?.message ?? '')])
    }
    expect(found).toEqual((found as [string, string][]).map(([method, route]) => [method, route, 422, true]))
    expect(found.length).toBeGreaterThan(8)
  })
})

describe('a budget', () => {
  const put = (json: object) => admin('PUT', '/v1/budgets/bad', json)
  test.each([
    [{ limit: { usd: '-1' } }, ['limit.usd']],
    [{ limit: { tokens: -5, calls: 0 }, per: 'day' }, ['limit.tokens', 'limit.calls']],
    [{ limit: {} }, ['limit']],
    [{ limit: { usd: '1' }, per: 'age', zone: 'X/Y', scope: { tame: 'x' } }, ['scope.tame', 'per', 'zone']],
    [{ limit: { usd: '1' }, last: '7s' }, ['last']],
  ])('%j is refused by field, and not kept', async (json, fields) => {
    const { status, error } = await put(json)
    expect(status).toBe(422)
    const named = error.fields.map(({ field }: { field: string }) => field)
    expect(named).toEqual(expect.arrayContaining(fields))
    expect((await admin('GET', '/v1/budgets/bad')).status).toBe(404)
  })

  test('over another of the same scope, unit and window names the unit and the other', async () => {
    const one = { scope: { team: 'red' }, limit: { usd: '5', calls: 3 }, per: 'day' }
    expect((await admin('PUT', '/v1/budgets/first', one)).status).toBe(200)
    const { status, error } = await put({ ...one, limit: { calls: 9 } })
    expect([status, error.fields]).toEqual([
      422,
      [{ field: 'limit.calls', message: expect.stringContaining('first limits calls of the same scope and window') }],
    ])
  })
})

describe('a field that only its verb can judge', () => {
  test.each([
    ['GET', '/v1/spend?since=whenever', 'since', undefined],
    ['GET', '/v1/spend?zone=Mars/Olympus', 'zone', undefined],
    ['GET', '/v1/spend?by=taem', 'by', undefined],
    ['GET', '/v1/spend?where=taem=x', 'where', undefined],
    ['GET', '/v1/calls?after=nowhere', 'after', undefined],
    ['POST', '/v1/keys', 'providers', { name: 'x', providers: ['opneai'] }],
  ])('is named for machines, too: %s %s', async (method, path, field, json) => {
    const { status, error } = await admin(method, path, json)
    expect([status, error.fields]).toEqual([422, [{ field, message: error.message }]])
  })

  const split = (one: object) => ({ splits: [{ from: 'ops', by: 'spend' }, one] })
  test.each([
    ['GET', '/v1/spend?since=2026-11-20&until=2026-11-01', 'until', undefined],
    ['GET', '/v1/spend?format=pdf', 'format', undefined],
    ['POST', '/v1/closes', 'month', { month: 'soon' }],
    ['POST', '/v1/closes', 'month', { month: '2037-01' }],
    ['POST', '/v1/outcomes', 'id', { kind: 'case', id: 'one', team: 'blue', at: '2026-11-12' }],
    ['POST', '/v1/tokens', 'team', {}],
    ['POST', '/v1/reconcile/aws', 'source', undefined],
    ['POST', '/v1/reconcile/aws-cur', 'file', undefined],
    ['GET', '/v1/focus/export?version=9', 'version', undefined],
    ['POST', '/v1/focus/check?file=x', 'file', undefined],
    ['PUT', '/v1/budgets/x', 'the body', []],
    ['PUT', '/v1/budgets/x', 'name', { name: 'y', limit: { usd: '1' }, per: 'day' }],
    ['PUT', '/v1/splits', 'splits', {}],
    ['PUT', '/v1/splits', 'splits[1].by', split({ from: 'labs', by: 'evn' })],
    ['PUT', '/v1/splits', 'splits[1].percent', split({ from: 'labs', by: 'percent', percent: { a: 60 } })],
    ['PUT', '/v1/splits', 'splits[1].to', split({ from: 'labs', by: 'even', to: ['ops'] })],
  ])('is named where the message does not begin with it: %s %s %s', async (method, path, field, json) => {
    const { status, error } = await admin(method, path, json)
    expect([status, error.fields]).toEqual([422, [{ field, message: expect.any(String) }]])
  })

  test.each([
    ['reconcile/anthropic', '<html>'],
    ['outcomes/import?kind=case', 'a\n1\n'],
  ])('is that of the file that was sent, or of its columns: %s', async (path, body) => {
    const { status, error } = await admin('POST', `/v1/${path}`, undefined, body)
    const field = path.startsWith('outcomes') ? 'columns' : 'file'
    expect([status, error.fields]).toEqual([422, [{ field, message: expect.stringContaining('the file sent') }]])
  })

  test('names the provider that was probably meant, and makes no key', async () => {
    const { error } = await admin('POST', '/v1/keys', { name: 'locked-out', providers: ['opneai'] })
    expect(error.message).toBe('providers opneai: there is no such provider; did you mean openai?')
    expect((await admin('GET', '/v1/keys')).text).not.toContain('locked-out')
  })

  test('an endpoint that no wire reads is refused with what was meant, or with all that there are', async () => {
    const made = (endpoints: readonly string[]) => admin('POST', '/v1/keys', { name: 'one', endpoints })
    const { status, error } = await made(['chta'])
    expect([status, error.message]).toEqual([422, 'endpoints chta: there is no such endpoint; did you mean chat?'])
    expect((await made(['chat', 'fine_tuning'])).error.message).toMatch(
      /^endpoints fine_tuning: there is no such endpoint; known are: .*\bresponses\.compact\b/,
    )
    expect((await made(['chat', 'images.*', 'count_tokens'])).error).toBe(undefined)
  })
})

describe('a file', () => {
  test.each([
    ['openai', '{"data":[{"start_time":"soon","results":[{"input_tokens":1,"model":"m"}]}]}', 'start_time'],
    ['openai', '{"data":[{"start_time":1793000000,"results":[{"input_tokens":"many","model":"m"}]}]}', 'input_tokens'],
    ['anthropic', '{"data":[{"starting_at":"2026-11-01T00:00:00Z","results":[{"amount":"x"}]}]}', 'amount'],
    ['aws-cur', 'line_item_product_code,line_item_usage_type\nAmazonBedrock,x\n', 'line_item_unblended_cost'],
    [
      'azure-focus',
      'ChargePeriodStart,BilledCost,ServiceCategory,SkuMeter\nx,1,AI and Machine Learning,gpt\n',
      'ChargePeriodStart',
    ],
    ['gcp-billing', 'service.description,sku.description,cost\nVertex AI,Gemini,free\n', 'cost'],
    ['openrouter', 'date,model,prompt_tokens,completion_tokens,usage\n2026-11-01,m,1,2,\n', 'usage'],
  ])('of %s that is malformed says which field: %s', async (source, body, field) => {
    const { status, text } = await admin('POST', `/v1/reconcile/${source}`, undefined, body)
    expect([status < 500, text]).toEqual([true, expect.stringContaining(field)])
  })

  test('that is no bill of that provider says what was expected', async () => {
    const { status, error } = await admin('POST', '/v1/reconcile/openai', undefined, 'a,b\n1,2\n')
    expect([status, error.message]).toEqual([422, expect.stringContaining('usage or cost report of OpenAI')])
  })
})

test('a file that was sent and cannot be read is said to be that, and not where it lies on this machine', async () => {
  const sources = ['openai', 'anthropic', 'openrouter', 'aws-cur', 'gcp-billing', 'azure-focus']
  const rows = ['{"data":[],"has_more":true}', '{"data":[{"input_tokens":-5}]}']
  const bodies = [...rows, '{}', 'a,b\n1,2\n', '\u001f\u008b not packed', 'PAR1 and no more', '"never ends\n']
  const routes = [...sources.map((one) => `reconcile/${one}`), 'focus/check', 'outcomes/import?kind=case']
  for (const route of routes)
    for (const body of bodies) {
      const { text, status } = await admin('POST', `/v1/${route}`, undefined, body)
      const place = text.includes(house.data) || text.includes('/console/')
      expect([route, body, status < 500, place]).toEqual([route, body, true, false])
    }
})
