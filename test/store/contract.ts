/** What every store must do, whatever engine is under it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KeyRecord, Store } from '../../src/core/store.ts'

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

/** `place` makes a fresh, empty place and gives a function that opens it, any number of times. */
export const storeContract = (
  name: string,
  place: () => Promise<{ open(): Promise<Store>; clear(): Promise<void> }>,
) => {
  describe(`the ${name} store`, () => {
    let here: Awaited<ReturnType<typeof place>>
    let store: Store
    beforeEach(async () => {
      here = await place()
      store = await here.open()
    })
    afterEach(async () => {
      await store.close()
      await here.clear()
    })

    test('is empty at first', async () => {
      expect(await store.keys.list()).toEqual([])
      expect(await store.secrets.all()).toEqual({})
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
      await store.keys.add(full)
      await store.keys.add(key('bare', { created_at_us: 1_795_000_000_000_001 }))
      expect(await store.keys.list()).toStrictEqual([full, key('bare', { created_at_us: 1_795_000_000_000_001 })])
    })

    test('lists keys in the order in which they were made', async () => {
      await store.keys.add(key('b', { created_at_us: 2 }))
      await store.keys.add(key('c', { created_at_us: 3 }))
      await store.keys.add(key('a', { created_at_us: 1 }))
      expect((await store.keys.list()).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    })

    test('refuses a second key with the same id or the same hash', async () => {
      await store.keys.add(key('one'))
      await expect(store.keys.add(key('one', { hash: 'other' }))).rejects.toThrow()
      await expect(store.keys.add(key('two', { hash: 'hash-of-one' }))).rejects.toThrow()
      expect(await store.keys.list()).toHaveLength(1)
    })

    test('revokes a key once, and keeps the first time of it', async () => {
      await store.keys.add(key('one'))
      expect(await store.keys.revoke('one', 5)).toBe(true)
      expect(await store.keys.revoke('one', 9)).toBe(false)
      expect(await store.keys.revoke('nobody', 9)).toBe(false)
      expect((await store.keys.list())[0]?.revoked_at_us).toBe(5)
    })

    test('keeps the latest sealed credential of a provider, and forgets a removed one', async () => {
      await store.secrets.put('openai', 'v1.first')
      await store.secrets.put('openai', 'v1.second')
      await store.secrets.put('anthropic', 'v1.third')
      expect(await store.secrets.all()).toEqual({ openai: 'v1.second', anthropic: 'v1.third' })
      expect(await store.secrets.remove('openai')).toBe(true)
      expect(await store.secrets.remove('openai')).toBe(false)
      expect(await store.secrets.all()).toEqual({ anthropic: 'v1.third' })
    })

    test('keeps what was written when it is closed and opened again', async () => {
      await store.keys.add(key('one'))
      await store.close()
      store = await here.open()
      expect((await store.keys.list()).map(({ id }) => id)).toEqual(['one'])
    })

    test('shows what another connection wrote, and changes its revision for it', async () => {
      const other = await here.open()
      try {
        const before = await store.revision()
        expect(await store.revision()).toBe(before)
        await other.keys.add(key('one'))
        expect(await store.revision()).not.toBe(before)
        expect(await store.keys.list()).toHaveLength(1)
      } finally {
        await other.close()
      }
    })

    test('takes text that looks like SQL as text', async () => {
      const evil = `'); drop table keys; --`
      await store.keys.add(key('one', { name: evil, team: evil }))
      expect(await store.keys.revoke(evil, 1)).toBe(false)
      expect((await store.keys.list())[0]).toMatchObject({ name: evil, team: evil })
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
