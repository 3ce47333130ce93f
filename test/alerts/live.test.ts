/** The real gateway before the simulator: trouble in its traffic becomes an alert at a far side, and is contained. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { defaultSettings } from '../../src/config.ts'
import type { Alert, Containment } from '../../src/core/alert.ts'
import type { Budget } from '../../src/core/budget.ts'
import type { Destination } from '../../src/core/channel.ts'
import type { AlertSettings, Settings } from '../../src/core/settings.ts'
import { testAlert } from '../../src/playbook/allocate/alert/make.ts'
import { factsOf } from '../../src/playbook/allocate/alert/wording.ts'
import { open as openStore } from '../../src/stores/sqlite.ts'
import { chatBody, type OpenAiError, post } from '../gateway/ask.ts'
import { type House, startHouse } from '../gateway/harness.ts'
import { httpReceiver } from './receivers.ts'

type Receiver = Awaited<ReturnType<typeof httpReceiver>>
let house: House
let receiver: Receiver
let data: string
/** What of the settings is other when they are read anew. */
let changed: Partial<Settings> = {}

const webhook = (url: string): Destination => ({
  name: 'ops',
  type: 'webhook',
  fields: { url, secret: 'shared-secret' },
})

/** A gateway that watches, with an injected clock, and a webhook for what it finds. */
const openWatched = async (
  alerts: Partial<AlertSettings>,
  now_us = () => Date.now() * 1000,
  threads = 0,
  budgets: readonly Budget[] = [],
) => {
  receiver = await httpReceiver()
  data = mkdtempSync(join(tmpdir(), 'weir-watch-'))
  house = await startHouse({
    settings: {
      data,
      threads,
      budgets,
      channels: [webhook(receiver.url)],
      alerts: { ...defaultSettings.alerts, ...alerts },
    },
    overrides: {
      ledger: true,
      reread: async () => ({ ...house.gateway.settings, port: 0, ...changed }),
      ...(threads === 0 ? { now_us } : {}),
    },
  })
  await house.gateway.ledger_ready
}
afterEach(async () => {
  await house.close()
  await receiver.close()
  rmSync(data, { recursive: true, force: true })
})

const alertsTold = (): Alert[] => receiver.received.map(({ body }) => (JSON.parse(body) as { alert: Alert }).alert)

const ask = async (headers: Record<string, string>, body: unknown = chatBody()) => {
  const response = await post(house, { headers, body })
  const text = await response.text()
  return { status: response.status, retry_after: response.headers.get('retry-after'), text }
}

const withStore = async <T>(work: (store: Awaited<ReturnType<typeof openStore>>) => Promise<T>): Promise<T> => {
  const store = await openStore({ data })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

test('a retry storm is told within two minutes of traffic, with dollars, the calls to look at and the owner by the rules in force', async () => {
  let now = Date.UTC(2026, 10, 3, 10) * 1000
  await openWatched({ floors: { 'retry-storm': '0' } }, () => now)
  const rules = [{ when: { user: 'ann' }, set: { team: 'search' } }]
  await withStore((store) => store.rules.put('tags', JSON.stringify(rules), now))
  for (let sent = 0; sent < 10; sent++) {
    await ask({ 'x-weir-user': 'ann' })
    now += 10_000_000
  }
  await house.gateway.catchUp()
  await receiver.until(1)
  const [alert] = alertsTold()
  expect(alert).toMatchObject({ kind: 'retry-storm', owner: 'team:search', state: 'open', told: 1 })
  expect(alert?.message).toContain('the same request 8 times in 70 s')
  expect(alert?.calls).toHaveLength(8)
  expect(Number(alert?.projected_usd)).toBeGreaterThan(Number(alert?.spent_usd))
  expect((alert?.first_us ?? 0) - Date.UTC(2026, 10, 3, 10) * 1000).toBeLessThan(120_000_000)
})

test('alerts and channels that are set while the gateway runs hold from then on, with what the watch knows', async () => {
  let now = Date.UTC(2026, 10, 3, 10) * 1000
  const quiet: Partial<AlertSettings> = { floors: { 'retry-storm': '0' }, off: ['retry-storm'] }
  await openWatched(quiet, () => now)
  const storm = async (): Promise<void> => {
    for (let sent = 0; sent < 5; sent++) {
      await ask({ 'x-weir-team': 'search' })
      now += 2_000_000
    }
    await house.gateway.catchUp()
  }
  await storm()
  const late = await httpReceiver()
  changed = {
    alerts: { ...defaultSettings.alerts, ...quiet, off: [] },
    channels: [{ ...webhook(late.url), name: 'late' }],
  }
  expect(await house.gateway.reload()).toEqual({ in_force: ['channels', 'alerts'], next_start: [] })
  await storm()
  await late.until(1)
  const [told] = late.received.map(({ body }) => (JSON.parse(body) as { alert: Alert }).alert)
  expect(told).toMatchObject({ kind: 'retry-storm', owner: 'team:search' })
  // Those that were sent before belong to it.
  expect(told?.message).toContain('the same request 8 times in 14 s')
  expect(receiver.received).toHaveLength(0)

  changed = { alerts: { ...defaultSettings.alerts, watch: false } }
  await house.gateway.reload()
  await storm()
  expect(late.received).toHaveLength(1)
  await late.close()
  changed = {}
})

test('a session that runs away is stopped before it has spent three times its agent’s p99, the others go on, and release lets it go on', async () => {
  let now = Date.UTC(2026, 10, 3, 10) * 1000
  await openWatched(
    {
      floors: { 'runaway-session': '0' },
      off: ['new-model', 'level-burst', 'level-hour', 'level-day', 'retry-storm'],
      contain: [{ kind: 'runaway-session', action: 'stop' }],
    },
    () => now,
  )
  const turn = (session: string, number: number) =>
    ask(
      { 'x-weir-team': 'coding', 'x-weir-session': session, 'x-weir-agent': 'coder' },
      chatBody({ messages: [{ role: 'user', content: `${session} ${number} ${'word '.repeat(40)}` }] }),
    )
  for (let batch = 0; batch < 11; batch++) {
    const sessions = Array.from({ length: 10 }, (_, at) => `s-${batch * 10 + at}`)
    for (let number = 0; number < 3; number++) {
      const answers = await Promise.all(sessions.map((session) => turn(session, number)))
      expect(answers.every(({ status }) => status === 200)).toBe(true)
    }
    now += 60_000_000
  }
  await house.gateway.catchUp()
  let refused = { status: 0, retry_after: null as string | null, text: '' }
  let sent = 0
  for (; sent < 60 && refused.status !== 403; sent++) {
    refused = await turn('wild', sent)
    now += 1_000_000
    // A turn of an agent takes longer than its receipt takes to the watch.
    await house.gateway.catchUp()
  }
  expect(refused.status).toBe(403)
  const { error } = JSON.parse(refused.text) as OpenAiError
  expect(error.message).toMatch(/This session ran away and is stopped .* weir alerts release al-[0-9a-f]{16}/)
  expect((await turn('calm', 1)).status).toBe(200)
  await receiver.until(1)
  const alert = alertsTold().find(({ kind }) => kind === 'runaway-session')
  expect(alert).toMatchObject({ owner: 'team:coding', subject: 'wild' })
  expect(alert?.contained).toEqual({ what: 'session', value: 'wild', action: 'stop' })
  const times = Number(/([\d.]+) times what 99 of 100/.exec(alert?.message ?? '')?.[1])
  expect(times).toBeGreaterThan(1.5)
  expect(times).toBeLessThan(3)
  const stranger = { 'x-weir-team': 'search', 'x-weir-session': 'wild', 'x-weir-agent': 'coder' }
  expect((await ask(stranger)).status).toBe(200)
  await withStore((store) => store.alerts.containments.release(alert?.id ?? '', now))
  await house.gateway.catchUp()
  expect((await turn('wild', 1000)).status).toBe(200)
}, 120_000)

test('what is slowed down may send so many calls a minute over all threads together, and is told when to come back', async () => {
  await openWatched(
    {
      floors: { 'retry-storm': '0' },
      contain: [{ kind: 'retry-storm', action: 'throttle', calls_per_minute: 3, minutes: 30 }],
    },
    undefined,
    2,
  )
  const headers = { 'x-weir-team': 'search', 'x-weir-session': 'loop', connection: 'close' }
  await Promise.all(Array.from({ length: 10 }, () => ask(headers)))
  await house.gateway.catchUp()
  await receiver.until(1)
  const held = (await withStore((store) => store.alerts.containments.list())) as readonly Containment[]
  expect(held).toMatchObject([{ what: 'session', value: 'loop', owner: 'team:search', action: 'throttle' }])
  const minute = () => Math.floor(Date.now() / 60_000)
  let answers: Awaited<ReturnType<typeof ask>>[] = []
  for (let tries = 0; tries < 2; tries++) {
    const begun = minute()
    answers = await Promise.all(Array.from({ length: 12 }, () => ask(headers)))
    if (minute() === begun) break
  }
  const passed = answers.filter(({ status }) => status === 200)
  const refused = answers.filter(({ status }) => status === 429)
  const contained = factsOf(alertsTold()[0] as Alert).find(([name]) => name === 'contained')?.[1]
  expect(contained).toMatch(
    /^the session loop may send 3 calls a minute until 20.* UTC; to let it go on: weir alerts release al-[0-9a-f]{16}$/,
  )
  expect(passed.length).toBeLessThanOrEqual(3)
  expect(refused.length).toBe(12 - passed.length)
  expect(Number(refused[0]?.retry_after)).toBeGreaterThan(0)
  expect(refused[0]?.text).toContain('may send 3 calls a minute')
}, 30_000)

test('a budget tells when a share of it is spent, each once, with its owner, and when it burns', async () => {
  let now = Date.UTC(2026, 10, 3, 10) * 1000
  const budget: Budget = {
    name: 'search-daily',
    scope: { team: 'search' },
    limits: { usd: '0.0041' },
    window: { every: 'day', zone: 'UTC' },
    kind: 'soft',
    when_exhausted: 'refuse',
    unbounded: 'allow',
  }
  await openWatched({ floors: { 'budget-burn': '0' }, off: ['retry-storm'] }, () => now, 0, [budget])
  for (let sent = 0; sent < 10; sent++) {
    await ask({ 'x-weir-team': 'search' }, chatBody({ messages: [{ role: 'user', content: `question ${sent}` }] }))
    now += 10_000_000
    await house.gateway.catchUp()
  }
  await receiver.until(4)
  const told = alertsTold()
  const spent = told.filter(({ kind }) => kind === 'budget-spent')
  expect(spent.map(({ severity }) => severity).sort()).toEqual(['critical', 'info', 'warning'])
  for (const one of spent) expect(one).toMatchObject({ owner: 'team:search', subject: 'search-daily' })
  expect(spent.find(({ severity }) => severity === 'info')?.message).toMatch(/team:search has spent (5|6|7)\d % /)
  expect(told.find(({ kind }) => kind === 'budget-burn')).toMatchObject({
    owner: 'team:search',
    subject: 'search-daily',
  })
  now += 86_400_000_000
  await house.gateway.catchUp()
  const open = await withStore((store) => store.alerts.list({ state: 'open' }))
  expect(open.filter(({ kind }) => kind === 'budget-spent')).toEqual([])
}, 40_000)

test('a hard budget that refuses calls tells that it is used up, and until when, though its limit is never reached', async () => {
  let now = Date.UTC(2026, 10, 3, 10) * 1000
  const budget: Budget = {
    name: 'search-daily',
    scope: { team: 'search' },
    limits: { tokens: 3000 },
    window: { every: 'day', zone: 'UTC' },
    kind: 'hard',
    when_exhausted: 'refuse',
    unbounded: 'allow',
  }
  await openWatched({ off: ['retry-storm'] }, () => now, 0, [budget])
  const send = async (max_tokens: number) => {
    const body = chatBody({ max_tokens, messages: [{ role: 'user', content: `sim:output=${max_tokens}` }] })
    now += 10_000_000
    const { status } = await ask({ 'x-weir-team': 'search' }, body)
    await house.gateway.catchUp()
    return status
  }
  expect(await send(4000)).toBe(429)
  expect(await send(1600)).toBe(200)
  now += 10_000_000
  await house.gateway.catchUp()
  await receiver.until(1)
  expect(alertsTold().map(({ severity }) => severity)).toEqual(['info'])
  expect(await send(1600)).toBe(429)
  now += 10_000_000
  await house.gateway.catchUp()
  await receiver.until(2)
  const told = alertsTold()[1]
  expect(told).toMatchObject({ kind: 'budget-spent', severity: 'critical', subject: 'search-daily' })
  expect(told?.message).toMatch(/has spent 5\d % \(\d+ tokens\) .* has no room for more calls until 2026-11-04T00:00Z/)
}, 40_000)

test('the cap of one session tells when it is used up, and not on the way there: sessions come by the hundred', async () => {
  let now = Date.UTC(2026, 10, 3, 10) * 1000
  const budget: Budget = {
    name: 'runs',
    scope: { session: 'each' },
    limits: { calls: 4 },
    window: { lifetime: true },
    kind: 'hard',
    when_exhausted: 'refuse',
    unbounded: 'allow',
  }
  await openWatched({ off: ['retry-storm'] }, () => now, 0, [budget])
  const alerts = () => withStore((store) => store.alerts.list({}))
  const run = async (calls: number) => {
    for (let sent = 0; sent < calls; sent++) await ask({ 'x-weir-session': 'run-7' })
    await house.gateway.catchUp()
    now += 10_000_000
    await house.gateway.catchUp()
  }
  await run(3)
  expect(await alerts()).toEqual([])
  await run(2)
  expect(await alerts()).toMatchObject([{ kind: 'budget-spent', severity: 'critical', owner: 'session:run-7' }])
}, 40_000)

test('an alert that is open shows what its trouble has come to, tells nobody of that, and is over with all that it cost', async () => {
  let now = Date.UTC(2026, 10, 3, 10) * 1000
  await openWatched({ floors: { 'retry-storm': '0' }, off: ['level-burst', 'level-hour'] }, () => now)
  const send = async (count: number) => {
    for (let sent = 0; sent < count; sent++) {
      await ask({ 'x-weir-team': 'search' })
      now += 10_000_000
    }
    await house.gateway.catchUp()
  }
  await send(10)
  await receiver.until(1)
  await send(30)
  now += 10_000_000
  await house.gateway.catchUp()
  const [open] = await withStore((store) => store.alerts.list({ state: 'open' }))
  const [told] = alertsTold()
  expect(open).toMatchObject({ kind: 'retry-storm', told: 1, id: told?.id, since_us: told?.since_us })
  expect(Number(open?.spent_usd)).toBeGreaterThan(4 * Number(told?.spent_usd))
  expect(open?.message).toMatch(/the same request 3\d times in 3\d\d s/)
  expect(now - (open?.last_us ?? 0)).toBeLessThan(100_000_000)
  now += 2 * 3_600_000_000
  await house.gateway.catchUp()
  await receiver.until(2)
  expect(alertsTold()[1]).toMatchObject({ state: 'resolved', spent_usd: open?.spent_usd })
}, 30_000)

test('alerts that are over are forgotten after the days that the settings keep them', async () => {
  let now = Date.UTC(2026, 10, 3, 10) * 1000
  await openWatched({ keep_days: 40 }, () => now)
  await house.gateway.catchUp()
  const old = { ...testAlert(now - 41 * 86_400e6), state: 'resolved' } as const
  const young = { ...testAlert(now - 39 * 86_400e6), id: 'young', state: 'resolved' } as const
  await withStore((store) => store.alerts.record([old, young], []))
  const left = async () => (await withStore((store) => store.alerts.list({}))).map(({ id }) => id)
  now += 86_400e6 / 2
  await house.gateway.catchUp()
  expect(await left()).toHaveLength(2)
  now += 86_400e6 / 2
  await house.gateway.catchUp()
  expect(await left()).toEqual(['young'])
})
