/** Every kind of trouble end to end: calls over HTTP, their receipts in the ledger, an alert in the store, a signed webhook. */
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { defaultSettings } from '../../src/config.ts'
import type { Alert, AlertKind } from '../../src/core/alert.ts'
import type { Settings } from '../../src/core/settings.ts'
import { deriveKey, displayPrefix, hashToken, masterSecret, mintToken } from '../../src/stores/sealing.ts'
import { open as openStore } from '../../src/stores/sqlite.ts'
import { chatBody, post } from '../gateway/ask.ts'
import { type House, startHouse } from '../gateway/harness.ts'
import { prices } from '../gateway/prices.ts'
import { httpReceiver, type Received } from './receivers.ts'

const MINUTE = 60_000_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Sunday 2026-11-01, UTC. */
const START = Date.UTC(2026, 10, 1) * 1000
const SECRET = 'shared-secret'
/** A thousand times the tests' prices, so that a call costs about a dollar and the default floors hold. */
const dear = {
  version: 'dear',
  rows: prices.rows.map((row) => ({
    ...row,
    ...(row.id === 'openai/gpt-5-mini' ? { checked_at: '2026-09-01' } : {}),
    rates: Object.fromEntries(Object.entries(row.rates).map(([meter, rate]) => [meter, `${rate}000`])),
  })),
}

let house: House
let receiver: Awaited<ReturnType<typeof httpReceiver>>
let data: string
afterEach(async () => {
  await house.close()
  await receiver.close()
  rmSync(data, { recursive: true, force: true })
})

/** A call of the team `search`; `calls` of them at once, told apart by what they ask. */
type Traffic = Readonly<{
  at_us: number
  calls?: number
  key?: 'first' | 'second'
  headers?: Readonly<Record<string, string>>
  model?: string
  words?: number
  /** What stands before the question. */
  head?: string
}>

type Scenario = Readonly<{
  kind: AlertKind
  traffic: readonly Traffic[]
  settings?: Partial<Settings>
  off?: readonly AlertKind[]
  finds: Readonly<{ owner?: string; subject?: string; explained_by?: object; message: RegExp }>
}>

const hourly = (hours: number, more: Partial<Traffic> = {}): Traffic[] =>
  Array.from({ length: hours }, (_, hour) => ({ at_us: START + hour * HOUR, ...more }))
const every = (from_us: number, count: number, apart_us: number, more: Partial<Traffic> = {}): Traffic[] =>
  Array.from({ length: count }, (_, nth) => ({ at_us: from_us + nth * apart_us, ...more }))
const head = (mark: string) => `${mark} ${'weir '.repeat(1500)}`

const scenarios: readonly Scenario[] = [
  {
    // Each hour's calls come within ten minutes; then the same ten minutes come six times an hour.
    kind: 'level-hour',
    traffic: [...hourly(60, { calls: 2 }), ...every(START + 60 * HOUR, 6, 10 * MINUTE, { calls: 2 })],
    finds: { message: /team:search has spent \$[\d.]+ in this hour, [\d.]+ times the usual/ },
  },
  {
    kind: 'level-day',
    traffic: [
      ...every(START, 6, DAY, { calls: 6 }),
      ...every(START + 6 * DAY, 3, HOUR, { calls: 6, headers: { 'x-weir-feature': 'nightly' } }),
    ],
    off: ['level-burst', 'level-hour'],
    finds: {
      explained_by: expect.objectContaining({ dimension: 'feature', value: 'nightly' }),
      message: /team:search has spent \$[\d.]+ in this day, [\d.]+ times the usual/,
    },
  },
  {
    kind: 'mix-shift',
    traffic: [...hourly(26, { calls: 20 }), { at_us: START + 26 * HOUR, calls: 20, model: 'gpt-4o', words: 400 }],
    off: ['level-burst', 'level-hour', 'level-day', 'new-model'],
    finds: {
      explained_by: expect.objectContaining({ dimension: 'meter', value: 'gpt-4o-2024-08-06 out.text.visible' }),
      message: /a call of team:search costs [\d.]+ times what it usually does/,
    },
  },
  {
    kind: 'cache-drop',
    traffic: [
      ...every(START, 14, MINUTE, { calls: 24, head: head('stable') }),
      { at_us: START + 14 * MINUTE, calls: 24, head: 'changing' },
      { at_us: START + 15 * MINUTE },
    ],
    finds: { message: /reads 0 % of its input from cache, usually 9\d %/ },
  },
  {
    kind: 'new-key',
    traffic: [...hourly(80), ...every(START + 80 * HOUR, 8, MINUTE, { key: 'second' })],
    off: ['level-burst', 'level-hour', 'level-day'],
    finds: { subject: 'second', message: /team:search uses the key second for the first time and has spent \$5/ },
  },
  {
    kind: 'new-model',
    traffic: [...hourly(80), ...every(START + 80 * HOUR, 8, MINUTE, { model: 'gpt-4o' })],
    off: ['level-burst', 'level-hour', 'level-day'],
    finds: {
      subject: 'gpt-4o-2024-08-06',
      message: /team:search uses the model gpt-4o-2024-08-06 for the first time and has spent \$5/,
    },
  },
  {
    kind: 'leaked-key',
    traffic: [
      ...hourly(80, { headers: { 'x-weir-user': 'ann', 'x-weir-feature': 'answers' } }),
      ...every(START + 80 * HOUR, 40, MINUTE, { headers: { 'x-weir-user': 'nobody', 'x-weir-feature': 'unknown' } }),
    ],
    off: ['level-burst', 'level-hour', 'level-day'],
    finds: {
      subject: 'first',
      message: /key first is used with user nobody, feature unknown for the first time/,
    },
  },
  {
    kind: 'unpriced',
    traffic: [{ at_us: START, model: 'gpt-4.1' }],
    finds: { subject: 'openai/gpt-4.1-2025-04-14', message: /has no price: 1 call cost an unknown amount, at most/ },
  },
  {
    kind: 'stale-prices',
    traffic: every(START, 4, MINUTE, { model: 'gpt-5-mini' }),
    finds: { subject: 'openai/gpt-5-mini-2025-08-07', message: /were checked 61 days ago/ },
  },
  {
    kind: 'budget-forecast',
    traffic: every(START, 20, DAY / 4),
    settings: {
      budgets: [
        {
          name: 'search-monthly',
          scope: { team: 'search' },
          limits: { usd: '60' },
          window: { every: 'month', zone: 'UTC' },
          kind: 'soft',
          when_exhausted: 'refuse',
          unbounded: 'allow',
        },
      ],
    },
    finds: {
      subject: 'search-monthly',
      message: /team:search will have spent \$\d+.* of its budget search-monthly \(\$60\.00\) by the end of the period/,
    },
  },
]

const mintKeys = async (): Promise<Readonly<Record<'first' | 'second', string>>> => {
  const store = await openStore({ data })
  const pepper = deriveKey(masterSecret({ data, random: randomBytes }), 'token-pepper')
  const mint = async (id: string): Promise<string> => {
    const token = mintToken(randomBytes)
    const hidden = { prefix: displayPrefix(token), hash: hashToken(token, pepper) }
    const allowed = { models: [], providers: [], endpoints: [] }
    await store.keys.add({
      id,
      name: id,
      ...hidden,
      ...allowed,
      tags: {},
      team: 'search',
      revision: 1,
      created_at_us: 1,
    })
    return token
  }
  const keys = { first: await mint('first'), second: await mint('second') }
  await store.close()
  return keys
}

const openHouse = async ({ settings = {}, off = [] }: Scenario, now_us: () => number) => {
  receiver = await httpReceiver()
  data = mkdtempSync(join(tmpdir(), 'weir-kinds-'))
  const keys = await mintKeys()
  house = await startHouse({
    simulator: { now_us },
    settings: {
      mode: 'keys',
      data,
      channels: [{ name: 'hook', type: 'webhook', fields: { url: receiver.url, secret: SECRET } }],
      alerts: { ...defaultSettings.alerts, off },
      ...settings,
    },
    providers: { openai: { credentials: { api_key: 'sk-ours' } } },
    overrides: { ledger: true, now_us, prices: dear },
  })
  await house.gateway.ledger_ready
  return keys
}

/** The signature that the headers must have, by the specification of Standard Webhooks. */
const signatureOf = ({ headers, body }: Received): string =>
  `v1,${createHmac('sha256', SECRET).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`).digest('base64')}`

test.for(scenarios)(
  'trouble of the kind $kind comes from calls to the webhook, and nothing else does',
  async (scenario) => {
    let now = START
    let asked = 0
    const keys = await openHouse(scenario, () => now)
    for (const {
      at_us,
      calls = 1,
      key = 'first',
      headers = {},
      model = 'gpt-4o-mini',
      words = 80,
      head,
    } of scenario.traffic) {
      now = at_us
      const sent = Array.from({ length: calls }, () => {
        asked += 1
        const system = head === 'changing' ? `${asked} ${head}`.repeat(800) : (head ?? 'Answer.')
        const messages = [
          { role: 'system', content: system },
          { role: 'user', content: `sim:output=${words} question ${asked}` },
        ]
        const body = chatBody({ model, max_tokens: undefined, max_completion_tokens: 1000, messages })
        return post(house, { body, headers: { ...headers, authorization: `Bearer ${keys[key]}` } })
      })
      for (const answer of await Promise.all(sent)) expect(answer.status, await answer.text()).toBe(200)
    }
    await house.gateway.catchUp()
    // A budget is forecast from what the ledger has, every ten minutes.
    now += 11 * MINUTE
    await house.gateway.catchUp()
    await receiver.until(1)
    const told = receiver.received.map(({ body }) => JSON.parse(body) as { type: string; alert: Alert })
    expect(told.map(({ alert }) => alert.kind)).toEqual([scenario.kind])
    const { message, ...finds } = scenario.finds
    expect(told[0]?.alert).toMatchObject({ owner: 'team:search', state: 'open', told: 1, ...finds })
    expect(told[0]?.alert.message).toMatch(message)
    for (const one of receiver.received) expect(one.headers['webhook-signature']).toBe(signatureOf(one))
    const store = await openStore({ data })
    const kept = await store.alerts.list({})
    await store.close()
    // It is the one that was told, at what its trouble has come to since.
    const alike = told.map(({ alert: { id, incident, since_us, first_us } }) => ({ id, incident, since_us, first_us }))
    expect(kept).toMatchObject(alike.map((one) => ({ ...one, state: 'open', told: 1 })))
    expect(Number(kept[0]?.spent_usd)).toBeGreaterThanOrEqual(Number(told[0]?.alert.spent_usd))
    expect(kept[0]?.calls.length).toBeGreaterThan(0)
  },
)
