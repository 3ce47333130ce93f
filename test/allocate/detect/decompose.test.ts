import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Picodollars } from '../../../src/core/money.ts'
import { decompose } from '../../../src/playbook/allocate/detect/decompose.ts'
import { usd } from './traffic.ts'

const cell = (key: string, quantity: number, dollars: number) => ({ key, quantity, cost: usd(dollars) })

describe('a change of spend', () => {
  test('is volume, mix and price, and they sum to it to the picodollar, cell by cell', () => {
    const cells = fc.uniqueArray(
      fc.record({
        key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        quantity: fc.double({ min: 0, max: 1e9, noNaN: true }),
        cost: fc.bigInt({ min: 0n, max: 10n ** 18n }).map((amount) => amount as Picodollars),
      }),
      { selector: ({ key }) => key },
    )
    const mix = fc.record({ calls: fc.nat({ max: 1_000_000 }), cells })
    fc.assert(
      fc.property(mix, mix, (before, after) => {
        const change = decompose(before, after)
        const cost = (list: typeof before.cells) => list.reduce((sum, one) => sum + one.cost, 0n)
        expect(change.volume + change.mix + change.price).toBe(cost(after.cells) - cost(before.cells))
        for (const one of change.cells) {
          const of = (list: typeof before.cells) => list.find(({ key }) => key === one.key)?.cost ?? 0n
          expect(one.volume + one.mix + one.price).toBe(of(after.cells) - of(before.cells))
        }
      }),
      { seed: 20261123 },
    )
  })

  test('is all volume when only calls are more, all price when only rates are, all mix when another model answers', () => {
    const before = { calls: 100, cells: [cell('small in', 1000, 1), cell('large in', 1000, 10)] }
    const parts = ({ volume, mix, price }: ReturnType<typeof decompose>) => [volume, mix, price]
    const more = { calls: 300, cells: [cell('small in', 3000, 3), cell('large in', 3000, 30)] }
    expect(parts(decompose(before, more))).toEqual([usd(22), 0n, 0n])
    const dearer = { calls: 100, cells: [cell('small in', 1000, 2), cell('large in', 1000, 10)] }
    expect(parts(decompose(before, dearer))).toEqual([0n, 0n, usd(1)])
    const shifted = { calls: 100, cells: [cell('small in', 500, 0.5), cell('large in', 1500, 15)] }
    expect(parts(decompose(before, shifted))).toEqual([0n, usd(4.5), 0n])
    const fresh = { calls: 100, cells: [...before.cells, cell('huge in', 10, 7)] }
    expect(parts(decompose(before, fresh))).toEqual([0n, usd(7), 0n])
  })
})
