/** What every store must do, whatever engine is under it. */
import { describe, expect, test } from 'vitest'
import type { KeyRecord } from '../../src/core/store.ts'
import { openBeforeEach, type Place } from './place.ts'

const key = (id: string, over: Partial<KeyRecord> = {}): KeyRecord => ({
  id,
  name: `key ${id}`,
  prefix: 'weir_abcd…',
  hash: `hash-of-${id}`,
  tags: {},
  models: [],
  providers: [],
  endpoints: [],
  revision: 1,
  created_at_us: 1_795_000_000_000_000,
  ...over,
})

export const storeContract = (name: string, place: Place) => {
  describe(`the ${name} store`, () => {
    const at = openBeforeEach(place)

    test('is empty at first', async () => {
      expect(await at.store.keys.list()).toEqual([])
      expect(await at.store.secrets.all()).toEqual({})
    })

    test('gives a key back exactly as it was added, with every field and with the fewest', async () => {
      const full = key('full', {
        team: 'search',
        feature: 'answers',
        customer: 'Ünïcode & "quotes"',
        environment: 'production',
        tags: { cost_centre: '4711', 'a.b': 'x,y' },
        models: ['gpt-5*', 'claude-*'],
        providers: ['openai'],
        expires_at_us: 1_799_999_999_999_999,
      })
      await at.store.keys.add(full)
      await at.store.keys.add(key('bare', { created_at_us: 1_795_000_000_000_001 }))
      expect(await at.store.keys.list()).toStrictEqual([full, key('bare', { created_at_us: 1_795_000_000_000_001 })])
    })

    test('lists keys in the order in which they were made', async () => {
      await at.store.keys.add(key('b', { created_at_us: 2 }))
      await at.store.keys.add(key('c', { created_at_us: 3 }))
      await at.store.keys.add(key('a', { created_at_us: 1 }))
      expect((await at.store.keys.list()).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    })

    test('refuses a second key with the same id or the same hash', async () => {
      await at.store.keys.add(key('one'))
      await expect(at.store.keys.add(key('one', { hash: 'other' }))).rejects.toThrow()
      await expect(at.store.keys.add(key('two', { hash: 'hash-of-one' }))).rejects.toThrow()
      expect(await at.store.keys.list()).toHaveLength(1)
    })

    test('revokes a key once, and keeps the first time of it', async () => {
      await at.store.keys.add(key('one'))
      expect(await at.store.keys.revoke('one', 5)).toBe(true)
      expect(await at.store.keys.revoke('one', 9)).toBe(false)
      expect(await at.store.keys.revoke('nobody', 9)).toBe(false)
      expect((await at.store.keys.list())[0]?.revoked_at_us).toBe(5)
    })

    test('keeps the latest sealed credential of a provider, and forgets a removed one', async () => {
      await at.store.secrets.put('openai', 'v1.first')
      await at.store.secrets.put('openai', 'v1.second')
      await at.store.secrets.put('anthropic', 'v1.third')
      expect(await at.store.secrets.all()).toEqual({ openai: 'v1.second', anthropic: 'v1.third' })
      expect(await at.store.secrets.remove('openai')).toBe(true)
      expect(await at.store.secrets.remove('openai')).toBe(false)
      expect(await at.store.secrets.all()).toEqual({ anthropic: 'v1.third' })
    })

    test('keeps what was written when it is closed and opened again', async () => {
      await at.store.keys.add(key('one'))
      await at.store.close()
      at.store = await at.here.open()
      expect((await at.store.keys.list()).map(({ id }) => id)).toEqual(['one'])
    })

    test('shows what another connection wrote, and changes its revision for it', async () => {
      const other = await at.here.open()
      try {
        const before = await at.store.revision()
        expect(await at.store.revision()).toBe(before)
        await other.keys.add(key('one'))
        expect(await at.store.revision()).not.toBe(before)
        expect(await at.store.keys.list()).toHaveLength(1)
      } finally {
        await other.close()
      }
    })

    test('takes text that looks like SQL as text', async () => {
      const evil = `'); drop table keys; --`
      await at.store.keys.add(key('one', { name: evil, team: evil }))
      expect(await at.store.keys.revoke(evil, 1)).toBe(false)
      expect((await at.store.keys.list())[0]).toMatchObject({ name: evil, team: evil })
    })

    test('can be opened by many at once while it is new', async () => {
      const fresh = await place()
      const stores = await Promise.all(Array.from({ length: 4 }, () => fresh.open()))
      await Promise.all(stores.map((one, i) => one.keys.add(key(`k${i}`))))
      expect(await stores[0]?.keys.list()).toHaveLength(4)
      await Promise.all(stores.map((one) => one.close()))
      await fresh.clear()
    })
  })
}
