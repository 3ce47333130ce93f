/** What every store must do with budgets, whatever engine is under it. */
import { describe, expect, test } from 'vitest'
import { openBeforeEach, type Place } from './place.ts'

const budget = (name: string, limit = '1') => ({
  name,
  definition: JSON.stringify({ name, limit: { usd: limit } }),
  set_at_us: 1_795_000_000_000_000,
})

export const budgetContract = (name: string, place: Place) => {
  describe(`the ${name} store keeps budgets`, () => {
    const at = openBeforeEach(place)

    test('none is there at first, and none can be taken away', async () => {
      expect(await at.store.budgets.list()).toEqual([])
      expect(await at.store.budgets.remove('nobody')).toBe(false)
    })

    test('gives them back by name exactly as they were put, also when it is opened again', async () => {
      const odd = { ...budget('b'), definition: `{"scope":{"team":"Ünïcode '); drop table budgets; --"}}` }
      await at.store.budgets.put(odd)
      await at.store.budgets.put({ ...budget('a'), set_at_us: 7 })
      await at.store.close()
      at.store = await at.here.open()
      expect(await at.store.budgets.list()).toStrictEqual([
        { ...budget('a'), set_at_us: 7, revision: 1 },
        { ...odd, revision: 1 },
      ])
    })

    test('puts a budget in the place of the one of its name, and counts its revision up', async () => {
      expect(await at.store.budgets.put(budget('one'))).toBe(1)
      expect(await at.store.budgets.put({ ...budget('one', '2'), set_at_us: 9 })).toBe(2)
      expect(await at.store.budgets.list()).toStrictEqual([{ ...budget('one', '2'), set_at_us: 9, revision: 2 }])
    })

    test('changes nothing for whoever has not seen the last change of any budget', async () => {
      expect(await at.store.budgets.version()).toBe(0)
      expect(await at.store.budgets.put(budget('one'), 0)).toBe(1)
      const seen = await at.store.budgets.version()
      expect(await at.store.budgets.put(budget('two'), 0)).toBeUndefined()
      expect(await at.store.budgets.put(budget('two'), seen)).toBe(1)
      expect(await at.store.budgets.put(budget('one', '2'), seen)).toBeUndefined()
      expect(await at.store.budgets.remove('one', seen)).toBe(false)
      expect((await at.store.budgets.list()).map(({ revision }) => revision)).toEqual([1, 1])
      expect(await at.store.budgets.remove('one', await at.store.budgets.version())).toBe(true)
      expect((await at.store.budgets.list()).map(({ name: which }) => which)).toEqual(['two'])
    })

    test('one that was taken away is made anew at a later revision, so that nobody mistakes it for the old one', async () => {
      await at.store.budgets.put(budget('one'))
      const before = await at.store.budgets.version()
      expect(await at.store.budgets.remove('one')).toBe(true)
      expect(await at.store.budgets.remove('one')).toBe(false)
      expect(await at.store.budgets.version()).toBeGreaterThan(before)
      const revision = (await at.store.budgets.put(budget('one', '2'))) ?? 0
      expect(revision).toBeGreaterThan(1)
      expect(await at.store.budgets.list()).toStrictEqual([{ ...budget('one', '2'), revision }])
    })

    test('of many that change one from the same version one does', async () => {
      await at.store.budgets.put(budget('one'))
      const others = await Promise.all(Array.from({ length: 6 }, () => at.here.open()))
      const put = await Promise.all(others.map((other, n) => other.budgets.put(budget('one', String(n + 2)), 1)))
      await Promise.all(others.map((other) => other.close()))
      expect(put.filter((revision) => revision !== undefined)).toEqual([2])
      const won = put.indexOf(2)
      expect(await at.store.budgets.list()).toStrictEqual([{ ...budget('one', String(won + 2)), revision: 2 }])
    })
  })
}
