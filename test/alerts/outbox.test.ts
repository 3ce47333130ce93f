/** Deliveries out of a real store to real far sides: none is lost, and none doubled as far as its id tells. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Alert, Delivery } from '../../src/core/alert.ts'
import type { Destination } from '../../src/core/channel.ts'
import type { Store } from '../../src/core/store.ts'
import { openLog } from '../../src/gateway/log.ts'
import { startOutbox, waitAfter_ms } from '../../src/gateway/watch/outbox.ts'
import { testAlert } from '../../src/playbook/allocate/alert/make.ts'
import { open } from '../../src/stores/sqlite.ts'
import { httpReceiver } from './receivers.ts'

let data: string
let store: Store
let now = 1_795_000_000_000_000
const closing: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'weir-outbox-'))
  store = await open({ data })
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  await store.close()
  rmSync(data, { recursive: true, force: true })
})

const receiver = async (...answers: Parameters<typeof httpReceiver>) => {
  const made = await httpReceiver(...answers)
  closing.unshift(made.close)
  return made
}
const hook = (name: string, url: string): Destination => ({ name, type: 'webhook', fields: { url, secret: 'shared' } })

const outbox = (destinations: readonly Destination[]) => {
  const log = openLog({ log_level: 'silent' })
  const made = startOutbox({ store: store.alerts, destinations, now_us: () => now, random: () => 0.5, log })
  closing.unshift(made.stop)
  return made
}

const alert = (number: number): Alert => ({ ...testAlert(now + number), id: `al-${number}` })
const owe = async (number: number, channel = 'ops', event: Delivery['event'] = 'opened', later_us = 0) => {
  const delivery: Delivery = {
    id: `al-${number}.${event}.${channel}`,
    alert_id: `al-${number}`,
    channel,
    event,
    alert: alert(number),
    state: 'waiting',
    attempts: 0,
    created_us: now + number + later_us,
    next_us: now,
  }
  await store.alerts.record([alert(number)], [delivery])
}
const stateOf = async (number: number) =>
  (await store.alerts.deliveries.of(`al-${number}`)).map(({ state, attempts }) => [state, attempts])
const ids = (received: readonly { headers: Record<string, unknown> }[]) =>
  received.map(({ headers }) => headers['webhook-id'])

test('a far side that fails is tried again, after longer and longer, until it has the alert, under one id', async () => {
  const { url, received } = await receiver([500, 503, 200])
  await owe(1)
  const { flush } = outbox([hook('ops', url)])
  await flush()
  expect(await stateOf(1)).toEqual([['waiting', 1]])
  await flush()
  expect(received).toHaveLength(1)
  now += 1_000_000
  await flush()
  now += 1_000_000
  await flush()
  expect(received).toHaveLength(2)
  now += 1_000_000
  await flush()
  expect(await stateOf(1)).toEqual([['delivered', 3]])
  expect(new Set(ids(received))).toEqual(new Set(['al-1.opened.ops']))
})

test('the wait doubles up to five minutes, spread by chance, and never undercuts what the far side asks', () => {
  expect([1, 2, 3, 4].map((attempts) => waitAfter_ms(attempts, 0.5))).toEqual([1000, 2000, 4000, 8000])
  expect(waitAfter_ms(40, 0.5)).toBe(300_000)
  expect([waitAfter_ms(3, 0), waitAfter_ms(3, 0.999)]).toEqual([2000, 5996])
  expect(waitAfter_ms(1, 0.5, 60_000)).toBe(60_000)
  expect(waitAfter_ms(1, 0.5, 1e12)).toBe(3_600_000)
})

test('a process that ends with everything owed and a new one on the same store tell each alert once', async () => {
  const down = await receiver([503])
  for (let number = 1; number <= 5; number++) await owe(number)
  const first = outbox([hook('ops', down.url)])
  await first.flush()
  await first.stop()
  await store.close()
  store = await open({ data })
  const up = await receiver()
  now += 3_600_000_000
  await outbox([hook('ops', up.url)]).flush()
  expect(ids(up.received).sort()).toEqual([1, 2, 3, 4, 5].map((number) => `al-${number}.opened.ops`))
  await outbox([hook('ops', up.url)]).flush()
  expect(up.received).toHaveLength(5)
})

test('a channel that is down holds up no other, and is asked once, not once for each alert', async () => {
  const down = await receiver([500])
  const up = await receiver()
  for (let number = 1; number <= 4; number++) {
    await owe(number, 'down')
    await owe(number, 'up')
  }
  await outbox([hook('down', down.url), hook('up', up.url)]).flush()
  expect(up.received).toHaveLength(4)
  expect(down.received).toHaveLength(1)
})

test('one alert that a far side cannot take does not hold up the next', async () => {
  const { url, received } = await receiver([500, 200])
  await owe(1)
  await owe(2)
  const { flush } = outbox([hook('ops', url)])
  await flush()
  now += 1_000_000
  await flush()
  expect(ids(received)).toEqual(['al-1.opened.ops', 'al-2.opened.ops', 'al-1.opened.ops'])
  expect([await stateOf(1), await stateOf(2)]).toEqual([[['delivered', 2]], [['delivered', 1]]])
})

test('the end of an alert does not overtake its beginning', async () => {
  const { url, received } = await receiver([500, 200])
  await owe(1)
  await owe(1, 'ops', 'resolved', 10)
  const { flush } = outbox([hook('ops', url)])
  await flush()
  for (let tries = 0; tries < 3; tries++) {
    now += 2_000_000
    await flush()
  }
  expect(ids(received)).toEqual(['al-1.opened.ops', 'al-1.opened.ops', 'al-1.resolved.ops'])
})

test('what a far side refuses stays visible with its answer, and waits again once somebody may have set the channel right', async () => {
  const { url } = await receiver([404, 200])
  await owe(1)
  const { flush } = outbox([hook('ops', url)])
  await flush()
  expect(await store.alerts.deliveries.of('al-1')).toMatchObject([{ state: 'refused', answer: '404 ok' }])
  expect(await store.alerts.deliveries.counts()).toEqual({ waiting: 0, delivered: 0, refused: 1 })
  expect(await store.alerts.deliveries.retryRefused(now - 1, now)).toBe(1)
  await flush()
  expect(await stateOf(1)).toEqual([['delivered', 2]])
})

test('what nobody takes for a week is given up, and an unknown channel is said', async () => {
  const { url } = await receiver([500])
  await owe(1)
  await owe(2, 'renamed')
  now += 8 * 86_400_000_000
  await outbox([hook('ops', url)]).flush()
  expect(await store.alerts.deliveries.of('al-1')).toMatchObject([{ state: 'refused', answer: 'given up: 500 ok' }])
  expect(await store.alerts.deliveries.of('al-2')).toMatchObject([
    { state: 'refused', answer: 'weir.yaml names no such channel any more' },
  ])
})
