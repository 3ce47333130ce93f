/** What is changed through the console: whole or not at all, also where two change it at once. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyringOf } from '../../src/stores/keyring.ts'
import { type House, openHouse } from './house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

const admin = async (method: string, path: string, json?: unknown, headers = {}) => {
  const answer = await house.ask(path, { token: house.tokens.admin, method, headers, ...(json ? { json } : {}) })
  return { status: answer.status, body: answer.json(), etag: answer.headers.get('etag') }
}

const owning = async (token: string, at: string) => {
  const records = await (await house.context.store()).keys.list()
  const ring = keyringOf(records, house.context.secret('token-pepper'))
  const { key, refusal } = ring.identifyToken(token, Date.parse(at) * 1000)
  if (refusal) throw refusal
  return key
}

describe('a key', () => {
  test('is minted, rotated with a grace time, and revoked, and stays one key', async () => {
    const { body: made } = await admin('POST', '/v1/keys', { name: 'one', team: 'red', endpoints: ['chat'] })
    expect(made).toMatchObject({ name: 'one', endpoints: ['chat'], revision: 1, state: 'active' })
    const { body: next } = await admin('POST', `/v1/keys/${made.id}/rotate`, { grace: '2h' })
    expect(next.id).toBe(made.id)
    expect((await owning(next.token, '2026-11-30')).id).toBe(made.id)
    expect((await owning(made.token, '2026-11-20T13:59:00Z')).id).toBe(made.id)
    await expect(owning(made.token, '2026-11-20T14:01:00Z')).rejects.toThrow(/was rotated/)
    const { body: third } = await admin('POST', `/v1/keys/${made.id}/rotate`, { grace: '0' })
    await expect(owning(made.token, '2026-11-20T12:01:00Z')).rejects.toThrow(/no such Weir key/)
    await expect(owning(next.token, '2026-11-20T12:00:01Z')).rejects.toThrow(/was rotated/)
    await admin('POST', '/v1/keys/one/revoke')
    await expect(owning(third.token, '2026-11-20T12:01:00Z')).rejects.toThrow(/was revoked/)
    expect(JSON.stringify((await admin('GET', '/v1/keys')).body)).not.toMatch(/hash/)
  })

  test('that two change at once is changed by one, and the other is told', async () => {
    const { body: key, etag } = await admin('POST', '/v1/keys', { name: 'contested' })
    expect(etag).toBe('"1"')
    const change = (models: string[]) => admin('PATCH', `/v1/keys/${key.id}`, { models }, { 'if-match': '"1"' })
    const both = await Promise.all([change(['a']), change(['b'])])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    const won = both.find(({ status }) => status === 200)
    const { body: keys } = await admin('GET', '/v1/keys')
    const now = keys.find(({ name }: { name: string }) => name === 'contested')
    expect([now.models, now.revision]).toEqual([won?.body.models, 2])
    expect(both.find(({ status }) => status === 409)?.body.error.code).toBe('conflict')
  })
})

describe('rules', () => {
  test('that two set at once are set by one, whole', async () => {
    const rules = (team: string) => [{ when: { team: 'red' }, set: { customer: team } }]
    const set = (team: string) => admin('PUT', '/v1/tags', { rules: rules(team), version: 0 })
    const both = await Promise.all([set('x'), set('y')])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    expect((await admin('GET', '/v1/tags')).body).toMatchObject({ version: 1, rules: [expect.anything()] })
    expect((await admin('PUT', '/v1/tags', { rules: [] }, { 'if-match': '"0"' })).status).toBe(409)
    expect((await admin('PUT', '/v1/tags', { rules: [] }, { 'if-match': '"1"' })).body).toEqual({
      version: 2,
      changed: true,
    })
  })

  test('that are wrong are refused with every wrong field, and nothing is changed', async () => {
    const { status, body } = await admin('PUT', '/v1/tags', { rules: [{ when: { tame: 'x' }, set: { model: 'y' } }] })
    expect(status).toBe(422)
    expect(body.error.fields.map(({ field }: { field: string }) => field)).toEqual(
      expect.arrayContaining(['rules[0].when.tame', 'rules[0].set.model']),
    )
    const splits = await admin('PUT', '/v1/splits', { splits: [{ from: 'red', by: 'luck' }] })
    expect([splits.status, splits.body.error.message]).toEqual([422, expect.stringContaining('splits[0]')])
    expect((await admin('GET', '/v1/splits')).body.version).toBe(0)
  })
})

describe('files', () => {
  test('are exported, come back, and break no rule', async () => {
    const token = house.tokens.admin
    const exported = await house.ask('/v1/focus/export?since=2026-11&grain=hour', { token })
    expect(exported.text.split('\n').length).toBeGreaterThan(7)
    const checked = await house.ask('/v1/focus/check?examples=2', { token, method: 'POST', body: exported.text })
    expect(checked.json()).toMatchObject({ version: '1.4', rows: 7, violations: [] })
    const parquet = await house.ask('/v1/focus/export?since=2026-11&format=parquet', { token })
    expect(parquet.text.slice(0, 4)).toBe('PAR1')
    const path = await house.ask('/v1/focus/check?file=/etc/passwd', { token, method: 'POST', body: 'x' })
    expect([path.status, path.json().error.message]).toEqual([
      422,
      expect.stringMatching(/^file: there is no such field/),
    ])
  })

  test('of outcomes are taken in once, their bad rows named', async () => {
    const body = 'id,at,team\na,2026-11-10,red\nb,soon,red\n'
    const send = () => house.ask('/v1/outcomes/import?kind=case', { token: house.tokens.admin, method: 'POST', body })
    expect((await send()).json()).toMatchObject({ added: 1, bad: 1, bad_rows: [{ line: 3 }] })
    expect((await send()).json()).toMatchObject({ added: 0, already: 1 })
    expect((await admin('GET', '/v1/outcomes/kinds')).body).toMatchObject([{ kind: 'case', count: 1 }])
    expect((await admin('DELETE', '/v1/outcomes/a')).status).toBe(200)
    expect((await admin('DELETE', '/v1/outcomes/a')).status).toBe(404)
  })

  test('of any bytes are refused without a fault', async () => {
    const token = house.tokens.admin
    for (const path of ['/v1/focus/check', '/v1/reconcile/openai', '/v1/outcomes/import?kind=x']) {
      const { status } = await house.ask(path, { token, method: 'POST', body: randomBytes(2000) })
      expect([path, status < 500]).toEqual([path, true])
    }
    expect(house.faults).toEqual([])
  })
})

describe('statements', () => {
  test('come as Markdown, HTML and CSV, and a month is closed once', async () => {
    const token = house.tokens.admin
    const form = (format: string) => house.ask(`/v1/statements?every=month&at=2026-11&format=${format}`, { token })
    const [markdown, html, csv] = [await form('markdown'), await form('html'), await form('csv')]
    expect(markdown.text).toMatch(/^# Statements by team · 2026-11/)
    expect(html.headers.get('content-type')).toMatch(/^text\/html/)
    expect(csv.text.split('\r\n')[0]).toMatch(/^period,from,to,team,/)
    expect((await form('pdf')).json().error.message).toMatch(/^format: expected one of json, markdown/)
    expect((await admin('POST', '/v1/closes', { month: '2026-11' })).body.error.message).toMatch(/not over yet/)
    expect((await admin('POST', '/v1/closes', { month: '2026-10' })).status).toBe(200)
    expect((await admin('GET', '/v1/closes/verify')).body).toEqual({ months: 1, broken: 0 })
  })

  test('owners sum to the receipts, and what nobody is named for is one of them', async () => {
    const { body } = await admin('GET', '/v1/owners?since=2026-11')
    expect(body).toMatchObject({ organisation: 'Spectrum', cost_usd: '112.25', unallocated: { cost_usd: '3' } })
    expect(body.teams.map(({ name }: { name: string }) => name)).toEqual(['blue', 'unallocated', 'red'])
    const { body: list } = await admin('GET', '/v1/checklist?since=2026-11')
    expect(list.steps).toHaveLength(8)
  })
})
