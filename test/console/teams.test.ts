/** A team's token sees its team only, on every route that the OpenAPI document names. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Alert } from '../../src/core/alert.ts'
import type { Usd } from '../../src/core/money.ts'
import { testAlert } from '../../src/playbook/allocate/alert/make.ts'
import { verb as setBudget } from '../../src/verbs/budgets-set.ts'
import { verb as createKey } from '../../src/verbs/keys-create.ts'
import { verb as addOutcome } from '../../src/verbs/outcomes-add.ts'
import { perform } from '../../src/verbs/perform.ts'
import { type House, now, openHouse } from './house.ts'

type Parameter = Readonly<{
  name: string
  in: 'path' | 'query'
  required: boolean
  schema: Readonly<{ enum?: string[] }>
}>
type Operation = Readonly<{
  'x-access'?: 'admin' | 'team'
  parameters?: readonly Parameter[]
  security?: readonly unknown[]
}>
type Route = Readonly<{ method: string; path: string; operation: Operation }>

const alertOf = (owner: string, id: string, spent: string): Alert => ({
  ...testAlert(Date.parse(now) * 1000),
  id: `al-${id}`,
  incident: owner,
  kind: 'level-hour',
  owner,
  spent_usd: spent as Usd,
  message: `${owner} has spent ${spent}`,
})
const alerts = [
  alertOf('team:red', 'red-1', '2.25'),
  alertOf('feature:red-chat team:red', 'red-2', '2'),
  alertOf('team:blue', 'blue-1', '107'),
  alertOf('team:red blue', 'blue-2', '9'),
  alertOf('feature:x team:blue', 'blue-3', '9'),
  alertOf('organisation', 'everybody', '112.25'),
]
const budgets: readonly Readonly<{ name: string; scope?: object }>[] = [
  { name: 'red-budget', scope: { team: 'red' } },
  { name: 'blue-budget', scope: { team: 'blue' } },
  { name: 'each-team', scope: { team: 'each', environment: 'each' } },
  { name: 'teams-by-pattern', scope: { team: '*' } },
  { name: 'everybody' },
]

let house: House
let routes: readonly Route[]
beforeAll(async () => {
  house = await openHouse()
  for (const team of ['red', 'blue']) {
    await perform(createKey, { team, name: `${team}-key`, models: [`${team}-model`] }, house.context)
    const outcome = { kind: `${team}_ticket`, team, session: `${team}-session`, at: '2026-11-12' }
    await perform(addOutcome, { ...outcome, id: `${team}-outcome` }, house.context)
  }
  for (const budget of budgets)
    await perform(setBudget, { ...budget, limit: { usd: '500' }, per: 'year' }, house.context)
  const store = await house.context.store()
  const delivery = { state: 'waiting', attempts: 0, created_us: 0, next_us: 0, event: 'opened' } as const
  await store.alerts.record(
    alerts,
    alerts.map((alert) => ({ ...delivery, id: alert.id, alert_id: alert.id, channel: 'blue-channel', alert })),
  )
  const { paths } = (await house.ask('/openapi.json', { token: house.tokens.admin })).json()
  routes = Object.entries(paths as Record<string, Record<string, Operation>>).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
})
afterAll(() => house.close())

/** What a required field is given, on a path or on all; a route with another one fails here until it is named. */
const given: Readonly<Record<string, readonly string[]>> = {
  id: ['call-red-1', 'call-blue-1', 'blue-1'],
  '/v1/alerts/{id} id': ['al-red-1', 'al-blue-1', 'al-blue-2', 'al-blue', 'al-everybody'],
  name: ['red-budget', 'blue-budget', 'each-team', 'teams-by-pattern', 'everybody'],
  source: ['openai'],
  per: ['red_ticket', 'blue_ticket'],
  model: ['gpt-5.5'],
}
/** Everything else that is worth asking for: other words for the other team, in every field that could name it. */
const prying: Readonly<Record<string, readonly string[]>> = {
  where: ['team=blue', 'team!=red'],
  by: ['team', 'customer,key_id'],
  owner: ['team=blue', 'team:blue'],
  kind: ['blue_ticket', 'level-hour'],
  all: ['true'],
  after: ['blue-1'],
  at: ['2026-11'],
}

const addressesOf = ({ path, operation: { parameters = [] } }: Route): string[] => {
  const required = parameters.filter(({ required: needed }) => needed)
  const wide = parameters.some(({ name }) => name === 'since') ? ['since=2026-11'] : []
  let addresses: { path: string; query: string[] }[] = [{ path, query: wide }]
  for (const { name, in: place } of required) {
    const values = given[`${path} ${name}`] ?? given[name]
    if (values === undefined) throw new Error(`${path} needs ${name}: give it a value here`)
    addresses = addresses.flatMap((one) =>
      values.map((value) =>
        place === 'path'
          ? { ...one, path: one.path.replace(`{${name}}`, value) }
          : { ...one, query: [...one.query, `${name}=${value}`] },
      ),
    )
  }
  const optional = parameters.filter(({ required: needed }) => !needed)
  const asides = optional.flatMap(({ name, schema }) =>
    [...(prying[name] ?? []), ...(schema.enum ?? []).slice(-1)].map((value) => `${name}=${encodeURIComponent(value)}`),
  )
  return addresses.flatMap((one) =>
    [[], ...asides.map((aside) => [aside])].map((more) => `${one.path}?${[...one.query, ...more].join('&')}`),
  )
}

/** Names of blue's, and what it spent: 70, 30 and 7, and all sums with them. */
const ofBlue = /blue|"(?:70|30|7|100|107|107\.\d+|109\.25|112\.25|103|105\.\d+)"/

describe('every route of the document', () => {
  test('is there: the document names the verbs, and health', () => {
    expect(routes.length).toBeGreaterThan(30)
    expect(routes.filter(({ operation }) => operation.security?.length === 0).map(({ path }) => path)).toEqual([
      '/health',
    ])
  })

  test('answers nothing without a token', async () => {
    for (const route of routes.filter(({ path }) => path !== '/health'))
      for (const address of addressesOf(route).slice(0, 1)) {
        const { status } = await house.ask(address, { method: route.method })
        expect([route.method, address, status]).toEqual([route.method, address, 401])
      }
  })

  test('is refused to a team, or is there for it to read', async () => {
    for (const route of routes.filter(({ path }) => path !== '/health')) {
      const [address = ''] = addressesOf(route)
      const json = route.method === 'GET' || route.method === 'DELETE' ? {} : { json: {} }
      const { status } = await house.ask(address, { token: house.tokens.red, method: route.method, ...json })
      if (route.operation['x-access'] === 'admin')
        expect([route.method, address, status]).toEqual([route.method, address, 403])
      else expect([route.method, address, status]).toEqual(['GET', address, 200])
    }
  })

  test('says nothing of another team to a team, however it is asked', async () => {
    const open = routes.filter(({ operation }) => operation['x-access'] === 'team')
    const addresses = open.flatMap(addressesOf)
    await Promise.all(
      addresses.map(async (address) => {
        const { text, status } = await house.ask(address, { token: house.tokens.red })
        expect(status).toBeLessThan(500)
        // A refusal may repeat what was asked, and nothing else.
        const echo = address.includes('per=blue_ticket') ? '"kind":"blue_ticket"' : '—'
        const said = status === 200 ? text.replace(echo, '') : text.replaceAll(/blue(?:[_-](?:ticket|1))?/g, '')
        expect([address, status, ofBlue.exec(said)?.[0]]).toEqual([address, status, undefined])
      }),
    )
    expect(addresses.length).toBeGreaterThan(30)
  }, 120_000)

  test('tells the administrator something else than the team, so that the test above could have failed', async () => {
    const open = routes.filter(({ operation, path }) => operation['x-access'] === 'team' && !path.includes('{'))
    const silent = await Promise.all(
      open.map(async (route) => {
        for (const address of addressesOf(route)) {
          const [all, own] = [house.tokens.admin, house.tokens.red].map((token) => house.ask(address, { token }))
          if ((await all)?.text !== (await own)?.text) return []
        }
        return [route.path]
      }),
    )
    expect(silent.flat()).toEqual([])
  }, 120_000)
})

describe('a team’s own answer', () => {
  test('is its receipts to the picodollar', async () => {
    const red = (path: string) => house.ask(path, { token: house.tokens.red })
    expect((await red('/v1/spend?since=2026-11')).json().total.cost_usd).toBe('2.25')
    expect((await red('/v1/status')).json()).toMatchObject({ cost_usd: '2.25', calls: 4 })
    const statement = (await red('/v1/statements?at=2026-11-10')).json()
    expect(statement).toMatchObject({ total_usd: '2', statements: [{ owner: 'red', total_usd: '2', share: null }] })
    expect((await red('/v1/unit-cost?per=red_ticket&since=2026-11')).json()).toMatchObject({
      total: { cost_usd: '2.25', count: 1 },
      rows: [{ owner: 'red' }],
    })
    expect((await red('/v1/calls/call-blue-1')).status).toBe(404)
    expect((await red('/v1/calls/call-red-1')).json()[0].receipt_id).toBe('red-1')
    expect((await red('/v1/keys')).json().map(({ name }: { name: string }) => name)).toEqual(['red-key'])
  })

  test('says nothing of how much of all there is', async () => {
    const status = async (token: string) => (await house.ask('/v1/status', { token })).json()
    expect(await status(house.tokens.admin)).toMatchObject({ segments: 1 })
    expect(await status(house.tokens.red)).toMatchObject({ receipts: 4, segments: 0 })
  })

  test('is its budgets and alerts, and of no other the name', async () => {
    const red = async (path: string) => (await house.ask(path, { token: house.tokens.red })).json()
    expect(await red('/v1/budgets')).toMatchObject([{ budget: 'red-budget', spent: '2.25', scope: { team: 'red' } }])
    expect(await red('/v1/budgets/red-budget')).toMatchObject({ written: 'store', counters: [{ spent: '2.25' }] })
    expect((await red('/v1/alerts')).map(({ id }: Alert) => id).sort()).toEqual(['al-red-1', 'al-red-2'])
    const { steps } = (await house.ask('/v1/checklist', { token: house.tokens.admin })).json()
    expect(JSON.stringify(steps)).toContain('5 budgets')
    expect(await red('/v1/alerts/al-red-1')).toMatchObject({ alert: { id: 'al-red-1' }, deliveries: [] })
    for (const path of ['/v1/budgets/everybody', '/v1/budgets/teams-by-pattern', '/v1/alerts/al-blue-2'])
      expect([path, (await house.ask(path, { token: house.tokens.red })).status]).toEqual([path, 404])
  })

  test('has its budget of the month on its statement, the lowest that is its own, unless another is said', async () => {
    const budget = { limit: { usd: '9' }, per: 'month' }
    const put = (name: string, json: object) =>
      house.ask(`/v1/budgets/${name}`, { token: house.tokens.admin, method: 'PUT', json: { ...budget, ...json } })
    const red = async (more = '') => {
      const said = await house.ask(`/v1/statements?at=2026-11-10${more}`, { token: house.tokens.red })
      return said.json().statements[0].budget_usd
    }
    expect(await red()).toBeNull()
    expect((await put('for-each', { scope: { team: 'each' } })).json()).toMatchObject({ budget: { name: 'for-each' } })
    expect(await red()).toBe('9')
    const shown = (await house.ask('/v1/budgets/for-each', { token: house.tokens.red })).json()
    expect(shown).toMatchObject({ written: 'store', counters: [{ scope: { team: 'red' }, spent: '2.25' }] })
    expect(shown.counters).toHaveLength(1)
    await put('for-many', { scope: { team: 're*' }, limit: { usd: '1' } })
    await put('for-blue', { scope: { team: 'blue' }, limit: { usd: '2' } })
    const all = await house.ask('/v1/statements?at=2026-11-10', { token: house.tokens.admin })
    const budgetOf = ({ owner, budget_usd }: { owner: string; budget_usd: string | null }) => [owner, budget_usd]
    expect(Object.fromEntries(all.json().statements.map(budgetOf))).toEqual({ blue: '2', red: '9', unallocated: null })
    await put('for-red', { scope: { team: 'red' }, limit: { usd: '7.5' } })
    expect(await red()).toBe('7.5')
    expect(await red('&budget=red%3D3')).toBe('3')
    const wrong = await put('for-red', { scope: { team: 'red' }, limit: { usd: '-1' }, zone: 'X/Y' })
    expect(wrong.status).toBe(422)
    expect(wrong.json().error.fields.map(({ field }: { field: string }) => field)).toEqual(['limit.usd', 'zone'])
  })

  test('follows the virtual tags in force', async () => {
    const rules = [{ when: { team: 'red', feature: 'red-chat' }, set: { team: 'blue' } }]
    const token = house.tokens.admin
    expect((await house.ask('/v1/tags', { token, method: 'PUT', json: { rules } })).json()).toEqual({
      version: 1,
      changed: true,
    })
    expect((await house.ask('/v1/spend?since=2026-11', { token: house.tokens.red })).json().total.cost_usd).toBe('0')
    expect((await house.ask('/v1/spend?since=2026-11', { token: house.tokens.blue })).json().total.cost_usd).toBe(
      '109.25',
    )
    const held = async (of: 'red' | 'blue') => {
      const read = async (path: string) => (await house.ask(path, { token: house.tokens[of] })).json()
      const { calls, cost_usd } = await read('/v1/status')
      const { total } = await read('/v1/spend?since=all')
      const shown = await read('/v1/calls/call-red-1')
      return { calls, cost_usd, all: total.cost_usd, shown: shown.error?.code ?? shown[0].team }
    }
    expect(await held('red')).toEqual({ calls: 0, cost_usd: '0', all: '0', shown: 'not-found' })
    expect(await held('blue')).toEqual({ calls: 7, cost_usd: '109.25', all: '109.25', shown: 'blue' })
    await house.ask('/v1/tags', { token, method: 'PUT', json: { rules: [] } })
  })
})
