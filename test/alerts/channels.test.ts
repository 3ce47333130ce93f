/** Every channel against a real far side on loopback: what it sends, and what it makes of the answer. */
import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import type { Alert, AlertEvent } from '../../src/core/alert.ts'
import type { Destination, Notice } from '../../src/core/channel.ts'
import type { Usd } from '../../src/core/money.ts'
import { tell } from '../../src/gateway/watch/tell.ts'
import { httpReceiver, mailReceiver } from './receivers.ts'

const at_us = Date.UTC(2026, 10, 3, 10) * 1000
const alert: Alert = {
  id: 'al-0123456789abcdef',
  incident: '["retry-storm","team:search","prompt:ab"]',
  kind: 'retry-storm',
  owner: 'team:<search> & <!channel>',
  subject: 'prompt:ab',
  severity: 'critical',
  state: 'open',
  since_us: at_us - 60_000_000,
  first_us: at_us,
  last_us: at_us,
  told: 1,
  spent_usd: '12.345' as Usd,
  projected_usd: '400' as Usd,
  explained_by: { dimension: 'key', value: 'key-1', cost_usd: '11' as Usd, share: 0.9 },
  calls: ['r1', 'r2'],
  trend_usd: ['0', '1', '12'],
  message: 'team:<search> & <!channel> has sent the same request 40 times in 60 s',
}
const notice = (event: AlertEvent = 'opened'): Notice => ({ id: `${alert.id}.1.ops`, event, alert, at_us })
const to = (type: string, fields: Destination['fields']): Destination => ({ name: 'ops', type, fields })

const open: (() => Promise<unknown>)[] = []
const receiver = async (...answers: Parameters<typeof httpReceiver>) => {
  const made = await httpReceiver(...answers)
  open.push(made.close)
  return made
}
const mailbox = async (...login: Parameters<typeof mailReceiver>) => {
  const made = await mailReceiver(...login)
  open.push(made.close)
  return made
}
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

describe('slack', () => {
  test('gets blocks within its limits, in which no name of ours can mention anybody', async () => {
    const { url, received } = await receiver()
    expect(await tell(notice(), to('slack', { url: `${url}/services/T0/B0/xyz` }))).toEqual({
      state: 'delivered',
      answer: '200 ok',
    })
    const [{ path = '', body = '' } = {}] = received
    expect(path).toBe('/services/T0/B0/xyz')
    const { text, blocks } = JSON.parse(body) as {
      text: string
      blocks: { type: string; fields?: { text: string }[] }[]
    }
    expect(text).toContain('Retry storm')
    expect(blocks.map(({ type }) => type)).toEqual(['header', 'section', 'section', 'context'])
    expect(JSON.stringify(blocks.slice(1))).not.toContain('<!channel>')
    expect(JSON.stringify(blocks)).toContain('&lt;!channel&gt;')
    const fields = blocks[2]?.fields?.map(({ text }) => text) ?? []
    expect(fields.length).toBeLessThanOrEqual(10)
    expect(fields).toEqual(
      expect.arrayContaining(['*so far*\n$12.35', '*if it goes on*\n$400', '*explained by*\nkey key-1 (90 %)']),
    )
  })
})

describe('webhook', () => {
  test('is signed over id, timestamp and body, and says the id by which a repetition is known', async () => {
    const { url, received } = await receiver()
    await tell(notice(), to('webhook', { url: `${url}/hook`, secret: 'whsec_c2VjcmV0LWJ5dGVz' }))
    const [{ headers = {}, body = '' } = {}] = received
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
    const expected = createHmac('sha256', Buffer.from('secret-bytes')).update(signed).digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${expected}`)
    expect(headers['webhook-id']).toBe('al-0123456789abcdef.1.ops')
    expect(headers['webhook-timestamp']).toBe(String(at_us / 1e6))
    expect(JSON.parse(body)).toMatchObject({ type: 'alert.opened', id: 'al-0123456789abcdef.1.ops', alert })
  })
})

describe('pagerduty', () => {
  test('opens an incident under the alert’s id and resolves the same', async () => {
    const { url, received } = await receiver([202])
    const destination = to('pagerduty', { url: `${url}/v2/enqueue`, routing_key: 'R0UT1NG' })
    await tell(notice(), destination)
    await tell(notice('resolved'), destination)
    const [opened, ended] = received.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    expect(opened).toMatchObject({
      routing_key: 'R0UT1NG',
      event_action: 'trigger',
      dedup_key: alert.id,
      payload: {
        severity: 'critical',
        source: alert.owner,
        class: 'retry-storm',
        timestamp: '2026-11-03T10:00:00.000Z',
        custom_details: { 'so far': '$12.35', calls: 'r1, r2' },
      },
    })
    expect(ended).toEqual({ routing_key: 'R0UT1NG', event_action: 'resolve', dedup_key: alert.id, client: 'weir' })
  })
})

test('long names of any letters are cut whole: within the limits, no half of a letter, no half of an escape', async () => {
  const { url, received } = await receiver()
  for (const pad of ['', 'x', 'xx', 'xxx', 'xxxx']) {
    const owner = `team:${pad}${'😀'.repeat(600)}`
    const long = { ...alert, owner, message: `${pad}${'&'.repeat(2000)}`, subject: owner }
    const sent = { ...notice(), alert: long }
    await tell(sent, to('slack', { url: `${url}/services/T0/B0/xyz-secret` }))
    await tell(sent, to('pagerduty', { url: `${url}/v2/enqueue`, routing_key: 'R0UT1NG-KEY' }))
  }
  for (const { path, body } of received) {
    expect(body).not.toMatch(/\\ud[89ab][0-9a-f]{2}/)
    const { blocks, payload } = JSON.parse(body)
    if (path === '/v2/enqueue') {
      expect(payload.summary.length).toBeLessThanOrEqual(1024)
      continue
    }
    expect(blocks[0].text.text.length).toBeLessThanOrEqual(150)
    expect(blocks[1].text.text.length).toBeLessThanOrEqual(3000)
    expect(blocks[1].text.text).toMatch(/&amp;…$/)
    for (const { text } of blocks[2].fields) expect(text.length).toBeLessThanOrEqual(2000)
  }
})

describe('email', () => {
  const from = 'weir@example.com'

  test('is a mail as text and HTML to everybody named, with the delivery’s id as its own', async () => {
    const { port, received } = await mailbox({ user: 'weir', password: 'p4ss' })
    const fields = {
      host: '127.0.0.1',
      port,
      user: 'weir',
      password: 'p4ss',
      from,
      to: ['a@example.com', 'b@example.com'],
    }
    expect((await tell(notice(), to('email', fields))).state).toBe('delivered')
    const [mail] = received
    expect(mail).toMatchObject({ from, to: ['a@example.com', 'b@example.com'], user: 'weir' })
    expect(mail?.raw).toMatch(/^Message-ID: <al-0123456789abcdef\.1\.ops@example\.com>/im)
    expect(mail?.raw).toContain('multipart/alternative')
    expect(mail?.raw).toContain('&lt;!channel&gt;')
    expect(mail?.raw).toMatch(/so far: +\$12\.35/)
    expect(mail?.raw).toMatch(/^Auto-Submitted: auto-generated/im)
  })

  test('is refused by a server that does not know the password, and tried again at one that is not there', async () => {
    const { port, close } = await mailbox({ user: 'weir', password: 'p4ss' })
    const fields = { host: '127.0.0.1', port, user: 'weir', password: 'wr0ng-secret', from, to: 'a@example.com' }
    const refused = await tell(notice(), to('email', fields))
    expect(refused.state).toBe('refused')
    expect(refused.answer).not.toContain('wr0ng')
    expect(refused.answer).toBe('535 the server refuses user or password (EAUTH)')
    const nobody = await tell(notice(), to('email', { ...fields, password: 'p4ss', to: 'nobody' }))
    expect(nobody.answer).toContain('the sender or a recipient is no address that it takes (EENVELOPE)')
    open.length = 0
    await close()
    expect((await tell(notice(), to('email', fields))).state).toBe('again')
  })
})

describe('answers', () => {
  const hook = (url: string) => to('webhook', { url, secret: 'k3y-canary-secret' })

  test.each([
    [200, 'delivered'],
    [204, 'delivered'],
    [400, 'refused'],
    [404, 'refused'],
    [408, 'again'],
    [429, 'again'],
    [500, 'again'],
    [503, 'again'],
  ])('%i is %s', async (status, state) => {
    const { url } = await receiver([status])
    expect((await tell(notice(), hook(url))).state).toBe(state)
  })

  test('a redirect is refused and not followed', async () => {
    const elsewhere = await receiver()
    const { url } = await receiver([(response) => response.writeHead(307, { location: elsewhere.url }).end()])
    expect(await tell(notice(), hook(url))).toEqual({ state: 'refused', answer: '307 redirects are not followed' })
    expect(elsewhere.received).toEqual([])
  })

  test('the wait that a far side asks for is heard', async () => {
    const { url } = await receiver([(response) => response.writeHead(429, { 'retry-after': '17' }).end()])
    expect(await tell(notice(), hook(url))).toMatchObject({ state: 'again', wait_ms: 17_000 })
  })

  test('nobody there, and a connection that breaks, are tried again', async () => {
    const gone = await receiver([(response) => response.destroy()])
    expect((await tell(notice(), hook(gone.url))).state).toBe('again')
    open.length = 0
    await gone.close()
    expect((await tell(notice(), hook(gone.url))).answer).toMatch(/^no answer \(/)
  })

  test('a far side that repeats our secret does not get it into what we keep', async () => {
    const echo = (text: string) => [(response: { end(text: string): void }) => response.end(text)]
    const signed = await receiver(echo('bad secret k3y-canary-secret'))
    expect((await tell(notice(), hook(signed.url))).answer).toBe('200 bad secret …')
    const slack = await receiver(echo('no such hook T0CANARY0/B0CANARY0/c4nary-tok3n'))
    const url = `${slack.url}/services/T0CANARY0/B0CANARY0/c4nary-tok3n`
    expect((await tell(notice(), to('slack', { url }))).answer).not.toMatch(/canary|c4nary/i)
  })

  test('words that a secret has in common with them stay', async () => {
    const plain = await receiver([(response) => response.writeHead(503).end('no services available')])
    const url = `${plain.url}/services/T0CANARY0/B0CANARY0/c4nary-tok3n`
    expect((await tell(notice(), to('slack', { url }))).answer).toBe('503 no services available')
    expect((await tell(notice(), to('webhook', { url, secret: 'a' }))).answer).toBe('503 no services available')
  })
})
