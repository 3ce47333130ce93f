/** Whatever two write at once through the console: one wins and the other is told, or both hold. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type House, openHouse } from './house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

const send = async (method: string, path: string, json?: unknown, headers = {}) => {
  const answer = await house.ask(path, { token: house.tokens.admin, method, headers, ...(json ? { json } : {}) })
  return { status: answer.status, body: answer.json(), etag: answer.headers.get('etag') }
}
const budget = (usd: string) => ({ scope: { team: 'red' }, limit: { usd }, per: 'day' })
const put = (usd: string, headers = {}) => send('PUT', '/v1/budgets/contested', budget(usd), headers)
const shown = async () => (await send('GET', '/v1/budgets/contested')).body

test('a budget that two set from the same revision is set by one, and the other is told where it stands', async () => {
  const made = await put('1', { 'if-match': '"0"' })
  expect([made.status, made.body.revision, made.etag]).toEqual([200, 1, '"1"'])
  const both = await Promise.all([put('2', { 'if-match': '"1"' }), put('3', { 'if-match': '"1"' })])
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
  const won = both.find(({ status }) => status === 200)
  expect(both.find(({ status }) => status === 409)?.body.error).toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/^revision: .*is at revision 2 now/),
  })
  expect(await shown()).toMatchObject({ revision: 2, budget: { limits: won?.body.budget.limit } })
})

test('a budget is not made over one that is there, nor taken away by who saw another', async () => {
  expect((await put('4', { 'if-match': '"0"' })).status).toBe(409)
  expect((await send('DELETE', '/v1/budgets/contested', undefined, { 'if-match': '"1"' })).status).toBe(409)
  expect((await send('DELETE', '/v1/budgets/contested?revision=1')).body.error.message).toContain('revision 2 now')
  expect((await shown()).revision).toBe(2)
  expect((await send('DELETE', '/v1/budgets/contested', undefined, { 'if-match': '"2"' })).status).toBe(200)
  expect((await put('5', { 'if-match': '"2"' })).body.error.message).toContain('it is not there now')
  expect((await put('5')).body.revision).toBe(4)
  // A proxy that packs answers weakens the tag.
  expect((await put('5', { 'if-match': 'W/"4"' })).body.revision).toBe(5)
  expect((await put('6', { 'if-match': 'soon' })).body.error.fields).toEqual([
    { field: 'revision', message: expect.stringContaining('expected a whole number') },
  ])
})

test('two budgets of one scope, unit and window cannot both be made at once', async () => {
  const both = await Promise.all(['one', 'two'].map((name) => send('PUT', `/v1/budgets/same-${name}`, budget('9'))))
  expect(both.map(({ status }) => status)).toEqual([422, 422])
  const other = { scope: { team: 'blue' }, limit: { usd: '9' }, per: 'day' }
  const names = Array.from({ length: 8 }, (_, n) => `race-${n}`)
  const raced = await Promise.all(names.map((name) => send('PUT', `/v1/budgets/${name}`, other)))
  expect(raced.map(({ status }) => status).sort()).toEqual([200, 422, 422, 422, 422, 422, 422, 422])
  const apart = (name: string) => ({ ...other, scope: { team: name } })
  const others = names.map((name) => `apart-${name}`)
  const fitting = await Promise.all(others.map((name) => send('PUT', `/v1/budgets/${name}`, apart(name))))
  expect(new Set(fitting.map(({ status }) => status))).toEqual(new Set([200]))
})

test('splits that two set from the same version are set by one', async () => {
  const splits = (to: string) => ({ splits: [{ from: 'red', to: [to], by: 'even' }], version: 0 })
  const both = await Promise.all([send('PUT', '/v1/splits', splits('blue')), send('PUT', '/v1/splits', splits('x'))])
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
  expect(both.find(({ status }) => status === 409)?.body.error.message).toMatch(/^version: .*version 1 is in force/)
  await send('PUT', '/v1/splits', { splits: [] })
})

test('an outcome that two report is one; with other content the second is refused', async () => {
  const report = (count: number) => send('POST', '/v1/outcomes', { kind: 'case', id: 'x', at: '2026-11-12', count })
  const both = await Promise.all([report(1), report(1)])
  expect(both.map(({ body }) => body.added).sort()).toEqual([false, true])
  const other = await report(2)
  expect([other.status, other.body.error.message]).toEqual([422, expect.stringContaining('other content')])
  expect((await send('GET', '/v1/outcomes/kinds')).body).toMatchObject([{ kind: 'case', count: 1 }])
  const gone = await Promise.all([send('DELETE', '/v1/outcomes/x'), send('DELETE', '/v1/outcomes/x')])
  expect(gone.map(({ status }) => status).sort()).toEqual([200, 404])
})

test('a month that two close is closed once, and says the same afterwards', async () => {
  const close = () => send('POST', '/v1/closes', { month: '2026-10' })
  const both = await Promise.all([close(), close()])
  expect(both.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(both.find(({ status }) => status !== 200)?.body.error.message).toContain('2026-10')
  expect((await send('GET', '/v1/closes')).body).toHaveLength(1)
  expect((await send('GET', '/v1/closes/verify')).body).toEqual({ months: 1, broken: 0 })
})

test('a key that two rotate from the same revision has one new token; two may revoke it', async () => {
  const { body: key } = await send('POST', '/v1/keys', { name: 'turned' })
  const rotate = () => send('POST', `/v1/keys/${key.id}/rotate`, {}, { 'if-match': '"1"' })
  const both = await Promise.all([rotate(), rotate()])
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
  expect(both.find(({ status }) => status === 409)?.body.error.message).toMatch(/^revision: .*is at revision 2 now/)
  const revoke = () => send('POST', `/v1/keys/${key.id}/revoke`)
  expect((await Promise.all([revoke(), revoke()])).every(({ status }) => status === 200 || status === 404)).toBe(true)
  const { body: keys } = await send('GET', '/v1/keys')
  expect(keys.find(({ id }: { id: string }) => id === key.id).state).toBe('revoked')
})
