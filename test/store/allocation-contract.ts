/** What every store must do with outcomes, rules and closed months, whatever engine is under it. */
import { describe, expect, test } from 'vitest'
import type { ClosedMonth } from '../../src/core/allocation.ts'
import { formatUsd, picodollars } from '../../src/core/money.ts'
import type { OutcomeEvent } from '../../src/core/outcome.ts'
import { openBeforeEach, type Place } from './place.ts'

const outcome = (id: string, over: Partial<OutcomeEvent> = {}): OutcomeEvent => ({
  id,
  kind: 'resolved_ticket',
  count: 1,
  at_us: 1_795_000_000_000_000,
  ...over,
})

const closed = (month: string, over: Partial<ClosedMonth> = {}): ClosedMonth => ({
  by: 'team',
  month,
  zone: 'UTC',
  closed_at_us: 1_795_000_000_000_000,
  document: '{"total_usd":"0.1"}',
  sha256: 'ab'.repeat(32),
  ...over,
})

export const allocationContract = (name: string, place: Place) => {
  describe(`the ${name} store keeps what allocation needs`, () => {
    const at = openBeforeEach(place)

    test('nothing is there at first', async () => {
      expect(await at.store.outcomes.list({})).toEqual([])
      expect(await at.store.outcomes.kinds()).toEqual([])
      expect(await at.store.rules.list('tags')).toEqual([])
      expect(await at.store.closes.list()).toEqual([])
    })

    test('gives an outcome back exactly as it was added, with every field and with the fewest', async () => {
      const full = outcome('full', {
        count: 3,
        team: 'search',
        feature: 'answers',
        customer: 'Ünïcode & "quotes"',
        user: 'u-1',
        environment: 'production',
        session: 's-1',
        value_usd: formatUsd(picodollars(12_345_678_901_234_567n)),
      })
      const bare = outcome('bare', { count: 0, at_us: 1_795_000_000_000_001 })
      expect(await at.store.outcomes.add([bare, full])).toEqual({ added: 2, already: 0, conflicts: [] })
      expect(await at.store.outcomes.list({})).toStrictEqual([full, bare])
    })

    test('adds an outcome once however often it comes, and never changes one', async () => {
      await at.store.outcomes.add([outcome('one')])
      const again = [outcome('one'), outcome('one', { count: 2 }), outcome('two'), outcome('two')]
      expect(await at.store.outcomes.add(again)).toEqual({ added: 1, already: 2, conflicts: ['one'] })
      expect((await at.store.outcomes.list({})).map(({ id, count }) => [id, count])).toEqual([
        ['one', 1],
        ['two', 1],
      ])
    })

    test('adds more outcomes at once than a statement has room for', async () => {
      const many = Array.from({ length: 2500 }, (_, i) => outcome(`o${i}`))
      expect((await at.store.outcomes.add(many)).added).toBe(2500)
      expect((await at.store.outcomes.add(many)).already).toBe(2500)
      expect((await at.store.outcomes.kinds())[0]).toMatchObject({ events: 2500, count: 2500 })
    })

    test('finds outcomes by kind and by window, whose end is outside', async () => {
      await at.store.outcomes.add([
        outcome('a', { at_us: 10 }),
        outcome('b', { at_us: 20 }),
        outcome('c', { at_us: 30 }),
        outcome('d', { at_us: 20, kind: 'active_user' }),
      ])
      const found = await at.store.outcomes.list({ kind: 'resolved_ticket', from_us: 10, to_us: 30 })
      expect(found.map(({ id }) => id)).toEqual(['a', 'b'])
      expect(await at.store.outcomes.kinds()).toEqual([
        { kind: 'active_user', events: 1, count: 1, first_us: 20, last_us: 20 },
        { kind: 'resolved_ticket', events: 3, count: 3, first_us: 10, last_us: 30 },
      ])
    })

    test('removes an outcome once', async () => {
      await at.store.outcomes.add([outcome('one')])
      expect(await at.store.outcomes.remove('one')).toBe(true)
      expect(await at.store.outcomes.remove('one')).toBe(false)
      expect(await at.store.outcomes.list({})).toEqual([])
    })

    test('numbers the versions of each kind of rules by itself, and keeps them all', async () => {
      expect(await at.store.rules.put('tags', '[1]', 5)).toBe(1)
      expect(await at.store.rules.put('tags', '[2]', 6)).toBe(2)
      expect(await at.store.rules.put('splits', '[3]', 7)).toBe(1)
      expect(await at.store.rules.list('tags')).toStrictEqual([
        { kind: 'tags', version: 1, set_at_us: 5, rules: '[1]' },
        { kind: 'tags', version: 2, set_at_us: 6, rules: '[2]' },
      ])
    })

    test('gives two writers two versions', async () => {
      const other = await at.here.open()
      try {
        const versions = await Promise.all([
          at.store.rules.put('tags', '[1]', 1),
          other.rules.put('tags', '[2]', 1),
          at.store.rules.put('tags', '[3]', 1),
        ])
        expect(versions.toSorted()).toEqual([1, 2, 3])
      } finally {
        await other.close()
      }
    })

    test('closes a month once for each dimension, and never changes it', async () => {
      expect(await at.store.closes.add(closed('2026-10'))).toBe(true)
      expect(await at.store.closes.add(closed('2026-10', { document: '{}' }))).toBe(false)
      expect(await at.store.closes.add(closed('2026-09'))).toBe(true)
      expect(await at.store.closes.add(closed('2026-10', { by: 'customer' }))).toBe(true)
      expect((await at.store.closes.list('team')).map(({ month }) => month)).toEqual(['2026-09', '2026-10'])
      expect(await at.store.closes.list('customer')).toStrictEqual([closed('2026-10', { by: 'customer' })])
      expect(await at.store.closes.list()).toHaveLength(3)
      expect((await at.store.closes.list('team'))[1]?.document).toBe('{"total_usd":"0.1"}')
    })

    test('keeps all of it when it is closed and opened again', async () => {
      await at.store.outcomes.add([outcome('one')])
      await at.store.rules.put('splits', '[]', 1)
      await at.store.closes.add(closed('2026-10'))
      await at.store.close()
      at.store = await at.here.open()
      expect(await at.store.outcomes.list({})).toHaveLength(1)
      expect(await at.store.rules.list('splits')).toHaveLength(1)
      expect(await at.store.closes.list()).toHaveLength(1)
    })
  })
}
