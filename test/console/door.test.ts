/** Who gets an answer, in what shape, and what is never said. */
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startConsole } from '../../src/console/start.ts'
import type { Usd } from '../../src/core/money.ts'
import { receipt } from '../allocate-cli/more.ts'
import { waitUntil } from '../waiting.ts'
import { type House, openHouse } from './house.ts'

/** So many teams that a file of their charges is read in several pieces. */
const many = Array.from({ length: 150 }, (_, at) =>
  receipt(`many-${at}`, '2026-11-15T08:00:00Z', { team: `team-${at}`, cost_usd: '0.01' as Usd }),
)

let house: House
beforeAll(async () => {
  house = await openHouse(many)
})
afterAll(() => house.close())

/** What lies between a request and its answer. */
const filesOf = ({ data }: House): readonly string[] => {
  const folder = join(data, 'console')
  return existsSync(folder) ? readdirSync(folder) : []
}

const codeOf = (answer: { json(): { error: { code: string } } }) => answer.json().error.code

describe('without a token', () => {
  test('only health answers', async () => {
    expect((await house.ask('/health')).json()).toEqual({ status: 'ok' })
    for (const path of ['/', '/openapi.json', '/v1/spend', '/v1/keys', '/nowhere', '/health/..%2fv1/spend']) {
      const answer = await house.ask(path)
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 401, 'unknown-key'])
    }
  })

  test('a wrong, a cut and a gateway’s token are refused with the same words', async () => {
    const wrong = [
      house.tokens.admin.slice(0, -1),
      `${house.tokens.admin}x`,
      `weir_${'A'.repeat(43)}`,
      'weirc_'.padEnd(49, 'A'),
    ]
    const answers = await Promise.all(wrong.map((token) => house.ask('/v1/spend', { token })))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answers[0]?.status).toBe(401)
  })

  test('a token in the query is no token', async () => {
    expect((await house.ask(`/v1/spend?token=${house.tokens.admin}`)).status).toBe(401)
  })
})

describe('with a token', () => {
  const admin = (path: string, more = {}) => house.ask(path, { token: house.tokens.admin, ...more })

  test('no answer may be kept, framed, sniffed or read by another site', async () => {
    const answer = await admin('/v1/spend', { headers: { origin: 'https://elsewhere.example' } })
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    const refused = await house.ask('/v1/spend')
    expect(refused.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('a path that is not there and a fault are said in the one shape', async () => {
    const answer = await admin('/v1/nowhere')
    expect([answer.status, codeOf(answer)]).toEqual([404, 'unknown-path'])
  })

  test('every wrong field is named', async () => {
    const answer = await admin('/v1/calls?limit=many&order=best&colour=red')
    expect(answer.status).toBe(422)
    expect(answer.json().error).toMatchObject({
      code: 'bad-input',
      fields: [
        { field: 'limit', message: expect.stringContaining('whole number') },
        { field: 'order', message: 'expected one of newest, dearest' },
        { field: 'colour', message: 'there is no such field' },
      ],
    })
    const since = await admin('/v1/spend?since=soon')
    expect(since.json().error.message).toMatch(/^since soon is not a time/)
    const where = await admin('/v1/spend?where=team')
    expect(where.json().error.message).toMatch(/^where team: write NAME=VALUE/)
  })

  test('a body that is too long, no JSON or no object is refused', async () => {
    const post = (body: string) => admin('/v1/keys', { method: 'POST', body })
    expect(codeOf(await post('{'))).toBe('malformed-json')
    expect(codeOf(await post('[1]'))).toBe('bad-input')
    expect(codeOf(await post(JSON.stringify({ name: 'x'.repeat(1_100_000) })))).toBe('body-too-large')
  })

  test('a token that was revoked or has expired is refused at once', async () => {
    const made = (await admin('/v1/tokens', { method: 'POST', json: { team: 'red', name: 'short' } })).json()
    expect((await house.ask('/v1/spend', { token: made.token })).status).toBe(200)
    await admin('/v1/tokens/short/revoke', { method: 'POST' })
    expect((await house.ask('/v1/spend', { token: made.token })).status).toBe(401)
    const listed = await admin('/v1/tokens')
    expect(listed.text).not.toContain(made.token)
    expect(listed.json().find(({ name }: { name: string }) => name === 'short').state).toBe('revoked')
  })

  test('the head of a file leaves no file behind', async () => {
    const path = '/v1/focus/export?since=2026-11'
    const head = await admin(path, { method: 'HEAD' })
    expect([head.status, head.text, head.headers.get('content-type')]).toEqual([200, '', 'text/csv; charset=utf-8'])
    await waitUntil(() => filesOf(house).length === 0)
    expect((await admin(path)).text).toContain('BilledCost')
  })

  test('a body that breaks off is no fault of ours, and leaves no file behind', async () => {
    const headers = { authorization: `Bearer ${house.tokens.admin}`, 'content-length': '1000' }
    const sending = request(`${house.url}/v1/focus/check`, { method: 'POST', headers }).on('error', () => {})
    sending.write('BilledCost')
    await waitUntil(() => filesOf(house).length === 1)
    sending.destroy()
    await waitUntil(() => filesOf(house).length === 0)
    expect((await admin('/v1/status')).status).toBe(200)
  })

  test('a second console that finds the port taken takes no file from the first', async () => {
    const headers = { authorization: `Bearer ${house.tokens.admin}` }
    const sending = request(`${house.url}/v1/outcomes/import?kind=case`, { method: 'POST', headers })
    sending.write('id,at\n')
    await waitUntil(() => filesOf(house).length === 1)
    const more = { port: Number(new URL(house.url).port), version: '', elsewhere: 'take another', fault: () => {} }
    await expect(startConsole({ ...house.context, ...more })).rejects.toThrow(/cannot listen .*: take another/)
    sending.end('a,2026-11-10\n')
    const [answer] = (await once(sending, 'response')) as [IncomingMessage]
    expect([answer.statusCode, JSON.parse(await text(answer))]).toMatchObject([200, { added: 1 }])
  })

  test('nothing failed behind the scenes', () => {
    expect(house.faults).toEqual([])
  })
})
