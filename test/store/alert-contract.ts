/** What every store must do with alerts, deliveries and containments, whatever engine is under it. */
import { describe, expect, test } from 'vitest'
import type { Alert, Containment, Delivery } from '../../src/core/alert.ts'
import { testAlert } from '../../src/playbook/allocate/alert/make.ts'
import { openBeforeEach, type Place } from './place.ts'

const now = 1_795_000_000_000_000
const alert = (id: string, over: Partial<Alert> = {}): Alert => ({
  ...testAlert(now),
  id,
  incident: `incident of ${id}`,
  ...over,
})
const delivery = (of: Alert, channel: string, over: Partial<Delivery> = {}): Delivery => ({
  id: `${of.id}.1.${channel}`,
  alert_id: of.id,
  channel,
  event: 'opened',
  alert: of,
  state: 'waiting',
  attempts: 0,
  created_us: now,
  next_us: now,
  ...over,
})
const held = (id: string, over: Partial<Containment> = {}): Containment => ({
  id,
  what: 'session',
  value: 's',
  owner: 'team:search',
  action: 'stop',
  from_us: now,
  ...over,
})

export const alertContract = (name: string, place: Place) => {
  describe(`the ${name} store keeps what alerts need`, () => {
    const at = openBeforeEach(place)

    test('an alert is written again as it is now, and lists are last seen first', async () => {
      await at.store.alerts.record([alert('a'), alert('b', { last_us: now + 5 })], [])
      await at.store.alerts.record([alert('a', { last_us: now + 9, told: 2 })], [])
      expect((await at.store.alerts.list({})).map(({ id, told }) => [id, told])).toEqual([
        ['a', 2],
        ['b', 1],
      ])
      expect((await at.store.alerts.list({ since_us: now + 6 })).map(({ id }) => id)).toEqual(['a'])
      expect((await at.store.alerts.list({ incident: 'incident of b' })).map(({ id }) => id)).toEqual(['b'])
      expect(await at.store.alerts.list({ state: 'resolved' })).toEqual([])
      expect(await at.store.alerts.list({ ids: ['b'], most: 1 })).toStrictEqual([alert('b', { last_us: now + 5 })])
    })

    test('what somebody said of an alert outlives that its numbers are written again', async () => {
      await at.store.alerts.record([alert('a')], [])
      expect(await at.store.alerts.judge('a', { verdict: 'no', at_us: now + 3 })).toBe(true)
      expect(await at.store.alerts.judge('nobody', { verdict: 'no', at_us: now })).toBe(false)
      await at.store.alerts.record([alert('a', { told: 2 })], [])
      expect(await at.store.alerts.judgedSince(now + 2)).toMatchObject([
        { id: 'a', told: 2, opinion: { verdict: 'no' } },
      ])
      expect(await at.store.alerts.judgedSince(now + 3)).toEqual([])
    })

    test('what is over for long is forgotten, and what is open, waits or is in force stays', async () => {
      const over = { state: 'resolved', last_us: now - 100 } as const
      const [gone, fresh, open, waits, contained, released] = [
        alert('gone', over),
        alert('fresh', { ...over, last_us: now }),
        alert('open', { last_us: now - 100 }),
        alert('waits', over),
        alert('contained', over),
        alert('released', over),
      ] as [Alert, Alert, Alert, Alert, Alert, Alert]
      const delivered = (of: Alert, created_us: number) => delivery(of, 'ops', { state: 'delivered', created_us })
      await at.store.alerts.record(
        [gone, fresh, open, waits, contained, released],
        [delivered(gone, now), delivered(fresh, now - 100), delivered(open, now), delivery(waits, 'ops')],
      )
      for (const id of ['contained', 'released']) await at.store.alerts.containments.add(held(id))
      await at.store.alerts.containments.release('released', now)
      expect(await at.store.alerts.prune(now - 50, now - 50)).toEqual({ alerts: 2, deliveries: 2 })
      const left = (await at.store.alerts.list({})).map(({ id }) => id).sort()
      expect(left).toEqual(['contained', 'fresh', 'open', 'waits'])
      expect(await at.store.alerts.deliveries.counts()).toEqual({ waiting: 1, delivered: 1, refused: 0 })
      expect((await at.store.alerts.containments.list()).map(({ id }) => id)).toEqual(['contained'])
      expect(await at.store.alerts.prune(now - 50, now - 50)).toEqual({ alerts: 0, deliveries: 0 })
    })

    test('a delivery that is there stays as it is when it is owed again', async () => {
      const one = alert('a')
      await at.store.alerts.record([one], [delivery(one, 'ops'), delivery(one, 'mail')])
      await at.store.alerts.deliveries.update(delivery(one, 'ops', { state: 'delivered', attempts: 1 }))
      await at.store.alerts.record([one], [delivery(one, 'ops'), delivery(one, 'mail')])
      expect((await at.store.alerts.deliveries.waiting(10)).map(({ channel }) => channel)).toEqual(['mail'])
      expect(await at.store.alerts.deliveries.counts()).toEqual({ waiting: 1, delivered: 1, refused: 0 })
      expect(await at.store.alerts.deliveries.of('a')).toHaveLength(2)
    })

    test('alert and deliveries are written together or not at all', async () => {
      const one = alert('a')
      const broken = { ...delivery(one, 'ops'), channel: null as unknown as string }
      await expect(at.store.alerts.record([one], [broken])).rejects.toThrow()
      expect(await at.store.alerts.list({})).toEqual([])
    })

    test('a containment ends at its moment or when it is released, and one that was released does not begin anew', async () => {
      const { containments } = at.store.alerts
      await containments.add(held('timed', { until_us: now + 10 }))
      await containments.add(held('open', { from_us: now + 1 }))
      expect((await containments.list(now)).map(({ id }) => id)).toEqual(['open', 'timed'])
      expect((await containments.list(now + 10)).map(({ id }) => id)).toEqual(['open'])
      expect(await containments.release('timed', now + 11)).toBe(false)
      await containments.add(held('timed', { from_us: now + 20, until_us: now + 30 }))
      expect((await containments.list(now + 25)).map(({ id }) => id)).toEqual(['timed', 'open'])
      expect(await containments.release('open', now + 12)).toBe(true)
      expect(await containments.release('open', now + 13)).toBe(false)
      await containments.add(held('open', { from_us: now + 40 }))
      expect((await containments.list(now + 41)).map(({ id }) => id)).toEqual([])
      expect((await containments.list()).find(({ id }) => id === 'open')?.released_us).toBe(now + 12)
    })

    test('what the watch remembers is there when the store is opened again', async () => {
      expect(await at.store.alerts.watched.load()).toBeUndefined()
      await at.store.alerts.watched.save({ state: 'one', position: 1 })
      await at.store.alerts.watched.save({ state: 'two', position: 2 })
      await at.store.close()
      at.store = await at.here.open()
      expect(await at.store.alerts.watched.load()).toEqual({ state: 'two', position: 2 })
    })
  })
}
