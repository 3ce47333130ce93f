/** `weir alerts` on a store without a gateway, whole outputs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defaultSettings } from '../../src/config.ts'
import type { Alert, Delivery } from '../../src/core/alert.ts'
import type { Usd } from '../../src/core/money.ts'
import { recordOnce } from '../../src/gateway/watch/record.ts'
import { testAlert } from '../../src/playbook/allocate/alert/make.ts'
import { factsOf, titleOf } from '../../src/playbook/allocate/alert/wording.ts'
import { open } from '../../src/stores/sqlite.ts'
import { start, weir, weirProcess } from '../cli/run.ts'
import { httpReceiver } from './receivers.ts'

let cwd: string
const data = () => join(cwd, 'weir-data')
const at = Date.UTC(2026, 10, 3, 10) * 1000
const storm: Alert = {
  ...testAlert(at),
  id: 'al-aaaa000000000001',
  kind: 'retry-storm',
  owner: 'team:search',
  subject: 'prompt:ab',
  severity: 'critical',
  spent_usd: '12.345' as Usd,
  projected_usd: '400' as Usd,
  explained_by: { dimension: 'key', value: 'key-1', cost_usd: '11' as Usd, share: 0.9 },
  change_usd: { volume: '1' as Usd, mix: '2' as Usd, price: '0' as Usd },
  calls: ['r1', 'r2'],
  trend_usd: ['0', '1', '2', '8'],
  message: 'team:search has sent the same request 40 times in 60 s',
  contained: { what: 'session', value: 's-1', action: 'stop' },
}
const level: Alert = {
  ...storm,
  id: 'al-bbbb000000000002',
  kind: 'level-hour',
  owner: 'organisation',
  severity: 'warning',
  state: 'resolved',
  resolved_us: at + 9e6,
  last_us: at - 3_600_000_000,
  contained: undefined as never,
}
const delivery: Delivery = {
  id: `${storm.id}.1.ops`,
  alert_id: storm.id,
  channel: 'ops',
  event: 'opened',
  alert: storm,
  state: 'delivered',
  attempts: 2,
  created_us: at,
  next_us: at,
  ended_us: at + 3_000_000,
  answer: '200 ok',
}

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'weir-alerts-cli-'))
  const store = await open({ data: data() })
  await store.alerts.record(
    [storm, level],
    [delivery, { ...delivery, id: `${storm.id}.1.pager`, channel: 'pager', state: 'waiting', answer: '503' }],
  )
  await store.alerts.containments.add({
    id: storm.id,
    what: 'session',
    value: 's-1',
    owner: 'team:search',
    action: 'stop',
    from_us: at,
  })
  await store.close()
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))
const run = (...words: string[]) => weir(['alerts', ...words], { cwd })

test('the list shows what is open, with all also what is over, last seen first', async () => {
  expect((await run()).out).toMatchInlineSnapshot(`
    "last seen            severity  kind         owner        about      so far  if it goes on  six hours  state          told  id
    2026-11-03 10:00:00  critical  retry-storm  team:search  prompt:ab  $12.35        $400.00  ▁▂▃█       open, stopped  1/2   al-aaaa000000000001
    "
  `)
  expect((await run('--all')).out).toMatchInlineSnapshot(`
    "last seen            severity  kind         owner         about      so far  if it goes on  six hours  state          told    id
    2026-11-03 10:00:00  critical  retry-storm  team:search   prompt:ab  $12.35        $400.00  ▁▂▃█       open, stopped  1/2     al-aaaa000000000001
    2026-11-03 09:00:00  warning   level-hour   organisation  prompt:ab  $12.35        $400.00  ▁▂▃█       resolved       nobody  al-bbbb000000000002
    "
  `)
  expect((await run('--owner', 'team:labs')).out).toBe('No open alert: weir alerts --all shows those that are over.\n')
  expect(JSON.parse((await run('--json')).out)).toMatchObject([
    { id: storm.id, told_to: { deliveries: 2, delivered: 1 } },
  ])
})

test('keys are told by their names, with the ids behind', async () => {
  const id = 'key_00112233445566ff'
  const store = await open({ data: data() })
  await store.keys.add({
    ...{ id, name: 'nightly-job', prefix: 'weir_x', hash: 'x', tags: {}, models: [], providers: [], endpoints: [] },
    ...{ created_at_us: 1, revision: 1 },
  })
  const told: Alert = {
    ...storm,
    id: 'al-cccc000000000003',
    kind: 'new-key',
    owner: `key:${id}`,
    subject: id,
    explained_by: { dimension: 'key', value: id, cost_usd: '11' as Usd, share: 0.9 },
    message: `key:${id} uses the key ${id} for the first time`,
    contained: { what: 'key', value: id, action: 'stop' },
  }
  const channels = [{ name: 'ops', type: 'slack', fields: {} }]
  const settings = { channels, alerts: defaultSettings.alerts }
  await recordOnce(told, { store: store.alerts, keys: store.keys, settings, now_us: () => at })
  const [waiting] = await store.alerts.deliveries.of(told.id)
  await store.close()
  const name = `nightly-job (${id})`
  expect(waiting?.alert).toMatchObject({ owner: `key:${id}`, subject: id, names: { [id]: 'nightly-job' } })
  const notice = waiting?.alert ?? told
  expect(titleOf(notice, 'opened')).toContain(`: key:${name}`)
  expect(Object.fromEntries(factsOf(notice))).toMatchObject({
    owner: `key:${name}`,
    'explained by': `key ${name} (90 %)`,
    contained: expect.stringContaining(`the key ${name} is stopped`),
  })
  const { out } = await run('show', 'al-cccc')
  expect(out).toContain(`key:${name} uses the key ${name} for the first time`)
  for (const line of [`owner          key:${name}`, `about          ${name}`, `explained by   key ${name}:`])
    expect(out).toContain(line)
})

test('one alert is shown whole, by the beginning of its id', async () => {
  expect((await run('show', 'al-aaaa')).out).toMatchInlineSnapshot(`
    "team:search has sent the same request 40 times in 60 s

    alert          al-aaaa000000000001
    kind           retry-storm
    severity       critical
    state          open, stopped
    owner          team:search
    about          prompt:ab
    so far         $12.35
    if it goes on  $400.00
    explained by   key key-1: $11.00, 90 %
    change         volume $1.00, mix $2.00, price $0.00
    six hours      ▁▂▃█
    began          2026-11-03 10:00:00
    first told     2026-11-03 10:00:00
    last seen      2026-11-03 10:00:00
    told           1
    contained      session s-1 stopped from 2026-11-03 10:00:00 until it is released

    channel  event   state      attempts  when                 answer
    ops      opened  delivered         2  2026-11-03 10:00:03  200 ok
    pager    opened  waiting           2  2026-11-03 10:00:03  503

    Calls to look at
      weir calls r1
      weir calls r2
    "
  `)
  expect(await run('show', 'al-')).toMatchObject({ code: 1, err: expect.stringContaining('there is no alert al-') })
  expect(await run('show', 'al-cccc')).toMatchObject({
    code: 1,
    err: expect.stringContaining('there is no alert al-cccc; weir alerts shows all'),
  })
})

test('feedback is kept for the gateway, and bad words are refused with what there is', async () => {
  expect((await run('feedback', 'al-aaaa', 'no')).out).toContain('takes a quarter more for team:search')
  expect((await run('feedback', 'al-bbbb', 'planned', '--until', '2d')).out).toMatch(/pages nobody until 20\d\d-/)
  expect((await run('--all')).out).toMatch(/no trouble/)
  expect(await run('feedback', 'al-aaaa', 'maybe')).toMatchObject({
    code: 2,
    err: 'weir: maybe is no verdict: say yes, no, planned\n',
  })
  expect(await run('feedback', 'al-aaaa', 'planned', '--until', '2020-01-01')).toMatchObject({
    code: 2,
    err: 'weir: --until 2020-01-01 is not in the future\n',
  })
  expect(await run('feedback', 'al-aaaa', 'no', '--until', '2d')).toMatchObject({ code: 2 })
  expect(await run('--kind', 'storm')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--kind: expected one of budget-burn'),
  })
})

test('what is released, or said to be no trouble, is shown as contained no longer', async () => {
  await run('release', 'al-aaaa')
  expect((await run()).out).toMatch(/ open +1\/2/)
  expect((await run('show', 'al-aaaa')).out).toMatch(/state +open\n[\s\S]*contained +session s-1 stopped.*\(released\)/)
})

test.each(['no', 'planned'])('feedback %s lets go on what the alert has contained; yes does not', async (verdict) => {
  expect((await run('feedback', 'al-aaaa', 'yes')).out).not.toContain('may go on')
  expect((await run('feedback', 'al-aaaa', verdict)).out).toContain('The session s-1 may go on.\n')
  expect(await run('release', 'al-aaaa')).toMatchObject({ code: 1, err: expect.stringContaining('goes on already') })
})

test.each([
  ['yes', 'noted'],
  ['no', 'closed'],
])('feedback %s on an alert of a budget promises no other threshold', async (verdict, done) => {
  const store = await open({ data: data() })
  await store.alerts.record([{ ...storm, id: 'al-dddd', kind: 'budget-spent', subject: 'search' }], [])
  await store.close()
  expect((await run('feedback', 'al-dddd', verdict)).out).toBe(
    `al-dddd: ${done}. A budget’s alerts follow its limit: weir budgets set search\n`,
  )
})

test('what is open, waits or was refused stands in weir status', async () => {
  mkdirSync(join(data(), 'journal'))
  const { out } = await weir(['status'], { cwd })
  expect(out).toContain('alerts    1 open: weir alerts\n')
  expect(out).toContain('channels  1 delivery waits: weir alerts test\n')
})

test('release says which other alert still holds the same', async () => {
  const store = await open({ data: data() })
  const also = {
    id: level.id,
    what: 'session',
    value: 's-1',
    owner: 'team:search',
    action: 'stop',
    from_us: at,
  } as const
  await store.alerts.containments.add(also)
  await store.alerts.containments.add({ ...also, id: 'al-eeee', owner: 'team:labs' })
  await store.close()
  expect((await run('release', 'al-aaaa')).out).toBe(
    'The session s-1 is still held: weir alerts release al-bbbb000000000002\n',
  )
  expect((await run('feedback', 'al-bbbb', 'no')).out).toContain('The session s-1 may go on.\n')
})

test('release lets go once, and says so of what goes on already', async () => {
  expect((await run('release', 'al-aaaa')).out).toBe('The session s-1 may go on.\n')
  expect(await run('release', 'al-aaaa')).toMatchObject({
    code: 1,
    err: expect.stringContaining('the session s-1 goes on already, since 20'),
  })
  expect(await run('release', 'al-bbbb')).toMatchObject({
    code: 1,
    err: expect.stringContaining('nothing was contained'),
  })
})

describe('a test of channels', () => {
  test('says what each far side answered, marked as a test, and fails where one does not take it', async () => {
    const good = await httpReceiver()
    const bad = await httpReceiver([403])
    writeFileSync(
      join(cwd, 'weir.yaml'),
      `channels:\n  ops: { type: webhook, url: "${good.url}", secret: s3cret-words }\n  old: { type: webhook, url: "${bad.url}", secret: s3cret-words }\n`,
    )
    expect(await run('test', 'ops')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/ops +webhook +delivered +200 ok/),
    })
    expect(JSON.parse(good.received[0]?.body ?? '{}')).toMatchObject({ type: 'alert.test', alert: { kind: 'test' } })
    const all = await run('test')
    expect(all.out).toMatch(/old +webhook +refused +403 ok/)
    expect(all).toMatchObject({ code: 1, err: 'weir: not delivered to old\n' })
    expect(await run('test', 'opps')).toMatchObject({
      code: 1,
      err: 'weir: there is no channel opps; known here: ops, old\n',
    })
    await good.close()
    await bad.close()
  })

  test('uses a secret that the store keeps sealed, which is shown nowhere', async () => {
    const far = await httpReceiver()
    writeFileSync(join(cwd, 'weir.yaml'), 'channels: { chat: { type: slack } }\n')
    expect(await run('test')).toMatchObject({
      code: 2,
      err: expect.stringContaining('channels.chat.url: found nothing'),
    })
    const url = `${far.url}/services/c4nary`
    const none = await weirProcess(
      ['alerts', 'secret', 'chat', '--field', 'url', '--data', data()],
      'http://c4nary.example',
    )
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining('--field url: the value (not shown) is not') })
    const kept = await weirProcess(['alerts', 'secret', 'chat', '--field', 'url', '--data', data()], `${url}\n`)
    expect(kept).toMatchObject({ code: 0, out: expect.stringContaining('The url of the channel chat is kept, sealed') })
    const tried = await run('test')
    expect(tried).toMatchObject({ code: 0, out: expect.stringContaining('delivered') })
    expect(far.received[0]?.path).toBe('/services/c4nary')
    expect((await weir(['keys', 'provider', 'list'], { cwd })).out).toContain('No provider key is kept')
    expect(kept.out + tried.out + tried.err).not.toContain('c4nary')
    await far.close()
  })
})

test('follow prints what is there and each alert as it comes, until it is told to end', async () => {
  const child = start(['alerts', '--follow', '--json', '--data', data()])
  const lines: string[] = []
  let wake = () => {}
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    lines.push(...text.trim().split('\n'))
    wake()
  })
  const upTo = async (count: number) => {
    while (lines.length < count) await new Promise<void>((resolve) => (wake = resolve))
  }
  await upTo(2)
  const store = await open({ data: data() })
  await store.alerts.record([{ ...storm, told: 2, last_us: at + 5 }], [])
  await store.close()
  await upTo(3)
  child.kill('SIGINT')
  const [code] = await new Promise<[number | null]>((resolve) => child.on('exit', (ended) => resolve([ended])))
  expect(code).toBe(0)
  expect(lines.map((line) => (JSON.parse(line) as Alert).told)).toEqual([1, 1, 2])
})
