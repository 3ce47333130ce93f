/** What every store must do with budgets, whatever engine is under it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Store } from '../../src/core/store.ts'

const budget = (name: string, limit = '1') => ({
  name,
  definition: JSON.stringify({ name, limit: { usd: limit } }),
  set_at_us: 1_795_000_000_000_000,
})

/** `place` makes a fresh, empty place and gives a function that opens it, any number of times. */
export const budgetContract = (
  name: string,
  place: () => Promise<{ open(): Promise<Store>; clear(): Promise<void> }>,
) => {
  describe(`the ${name} store keeps budgets`, () => {
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

    test('none is there at first, and none can be taken away', async () => {
      expect(await store.budgets.list()).toEqual([])
      expect(await store.budgets.remove('nobody')).toBe(false)
    })

    test('gives them back by name exactly as they were put, also when it is opened again', async () => {
      const odd = { ...budget('b'), definition: `{"scope":{"team":"Ünïcode '); drop table budgets; --"}}` }
      await store.budgets.put(odd)
      await store.budgets.put({ ...budget('a'), set_at_us: 7 })
      await store.close()
      store = await here.open()
      expect(await store.budgets.list()).toStrictEqual([
        { ...budget('a'), set_at_us: 7, revision: 1 },
        { ...odd, revision: 1 },
      ])
    })

    test('puts a budget in the place of the one of its name, and counts its revision up', async () => {
      expect(await store.budgets.put(budget('one'))).toBe(1)
      expect(await store.budgets.put({ ...budget('one', '2'), set_at_us: 9 })).toBe(2)
      expect(await store.budgets.list()).toStrictEqual([{ ...budget('one', '2'), set_at_us: 9, revision: 2 }])
    })

    test('changes nothing for whoever has not seen the last change of any budget', async () => {
      expect(await store.budgets.version()).toBe(0)
      expect(await store.budgets.put(budget('one'), 0)).toBe(1)
      const seen = await store.budgets.version()
      expect(await store.budgets.put(budget('two'), 0)).toBeUndefined()
      expect(await store.budgets.put(budget('two'), seen)).toBe(1)
      expect(await store.budgets.put(budget('one', '2'), seen)).toBeUndefined()
      expect(await store.budgets.remove('one', seen)).toBe(false)
      expect((await store.budgets.list()).map(({ revision }) => revision)).toEqual([1, 1])
      expect(await store.budgets.remove('one', await store.budgets.version())).toBe(true)
      expect((await store.budgets.list()).map(({ name: which }) => which)).toEqual(['two'])
    })

    test('one that was taken away is made anew at a later revision, so that nobody mistakes it for the old one', async () => {
      await store.budgets.put(budget('one'))
      const before = await store.budgets.version()
      expect(await store.budgets.remove('one')).toBe(true)
      expect(await store.budgets.remove('one')).toBe(false)
      expect(await store.budgets.version()).toBeGreaterThan(before)
      const revision = (await store.budgets.put(budget('one', '2'))) ?? 0
      expect(revision).toBeGreaterThan(1)
      expect(await store.budgets.list()).toStrictEqual([{ ...budget('one', '2'), revision }])
    })

    test('of many that change one from the same version one does', async () => {
      await store.budgets.put(budget('one'))
      const others = await Promise.all(Array.from({ length: 6 }, () => here.open()))
      const put = await Promise.all(others.map((other, n) => other.budgets.put(budget('one', String(n + 2)), 1)))
      await Promise.all(others.map((other) => other.close()))
      expect(put.filter((revision) => revision !== undefined)).toEqual([2])
      const won = put.indexOf(2)
      expect(await store.budgets.list()).toStrictEqual([{ ...budget('one', String(won + 2)), revision: 2 }])
    })
  })
}
