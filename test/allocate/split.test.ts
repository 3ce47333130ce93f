import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { formatUsd, type Picodollars, parseUsd, sum } from '../../src/core/money.ts'
import { reallocate, type SplitRule } from '../../src/playbook/allocate/split/reallocate.ts'
import { percentWeights, splitByWeight, usageWeights } from '../../src/playbook/allocate/split/split.ts'

const seed = 20261123
const money = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map((amount) => amount as Picodollars)
const owner = fc.string({ minLength: 1, maxLength: 6 })
const weights = fc.uniqueArray(fc.record({ owner, weight: fc.bigInt({ min: 0n, max: 10n ** 24n }) }), {
  selector: (one) => one.owner,
  minLength: 1,
  maxLength: 12,
})
const said = (act: () => unknown) => {
  try {
    act()
    return 'accepted'
  } catch (error) {
    return error instanceof WeirError ? `${error.code} ${error.message}` : String(error)
  }
}

describe('a split', () => {
  test('loses nothing, and no part is a picodollar off its exact share', () => {
    fc.assert(
      fc.property(money, weights, (amount, shares) => {
        const parts = splitByWeight(amount, shares)
        expect(sum(parts.map((part) => part.amount))).toBe(amount)
        const total = shares.reduce((all, { weight }) => all + weight, 0n)
        if (total === 0n) return
        for (const { owner: name, weight } of shares) {
          const part = parts.find((one) => one.owner === name)?.amount ?? 0n
          const off = part * total - amount * weight
          expect(off < 0n ? -off : off).toBeLessThan(total)
        }
      }),
      { seed },
    )
  })

  test('does not depend on the order of its owners', () => {
    fc.assert(
      fc.property(money, weights, fc.integer(), (amount, shares, turn) => {
        const turned = shares.map((_, at) => shares[(at + Math.abs(turn)) % shares.length] as (typeof shares)[number])
        expect(splitByWeight(amount, turned)).toEqual(splitByWeight(amount, shares))
        expect(splitByWeight(amount, [...shares].reverse())).toEqual(splitByWeight(amount, shares))
      }),
      { seed },
    )
  })

  test('gives the odd picodollars to the largest remainders, and is even where nobody weighs anything', () => {
    const show = (parts: ReturnType<typeof splitByWeight>) => parts.map((part) => `${part.owner} ${part.amount}`)
    const three = ['c', 'a', 'b'].map((name) => ({ owner: name, weight: 0n }))
    expect(show(splitByWeight(10n as Picodollars, three))).toEqual(['a 4', 'b 3', 'c 3'])
    const uneven = splitByWeight(10n as Picodollars, [
      { owner: 'a', weight: 1n },
      { owner: 'b', weight: 8n },
      { owner: 'c', weight: 3n },
    ])
    expect(show(uneven)).toEqual(['a 1', 'b 7', 'c 2'])
    expect(show(splitByWeight(-10n as Picodollars, three))).toEqual(['a -4', 'b -3', 'c -3'])
  })

  test('refuses shares that are no split, and says which', () => {
    expect(said(() => splitByWeight(1n as Picodollars, []))).toMatch(/bad-input split\.owners: nobody/)
    expect(said(() => splitByWeight(1n as Picodollars, [{ owner: 'a', weight: -1n }]))).toMatch(/split\.weights\.a: -1/)
    expect(said(() => percentWeights({ a: '50', b: '49.999999999999' }))).toMatch(/split\.percent: shares sum to/)
    expect(said(() => percentWeights({ a: '33.333333333333', b: '66.666666666667' }))).toBe('accepted')
    expect(said(() => percentWeights({ a: 'half', b: '50' }))).toMatch(/split\.percent\.a: "half" is not a decimal/)
    expect(said(() => usageWeights(['a'], { a: 'lots' }))).toMatch(/split\.usage\.a/)
  })
})

describe('shared owners', () => {
  const costs = new Map([
    ['team:platform', parseUsd('100')],
    ['team:search', parseUsd('30')],
    ['team:support', parseUsd('10')],
    ['unallocated', parseUsd('1')],
  ])
  const totals = (rules: readonly SplitRule[], metrics = {}) =>
    Object.fromEntries(reallocate(costs, rules, metrics).map((row) => [row.owner, formatUsd(row.total)]))

  test.each([
    ['even', { by: 'even', to: ['team:search', 'team:support'] }, ['0', '80', '60', '1']],
    [
      'by percent',
      { by: 'percent', percent: { 'team:search': '12.5', 'team:support': '87.5' } },
      ['0', '42.5', '97.5', '1'],
    ],
    ['by spend', { by: 'spend', to: ['team:search', 'team:support'] }, ['0', '105', '35', '1']],
    ['by usage', { by: 'usage', metric: 'tokens', to: ['team:search', 'team:support'] }, ['0', '50', '90', '1']],
  ] as const)('hand their cost on %s', (_, rule, expected) => {
    const metrics = { tokens: { 'team:search': '0.5', 'team:support': '2' } }
    expect(Object.values(totals([{ from: 'team:platform', ...rule } as SplitRule], metrics))).toEqual(expected)
  })

  test('without named bearers are borne by everybody who shares nothing', () => {
    const rows = reallocate(costs, [
      { from: 'team:platform', by: 'spend' },
      { from: 'unallocated', by: 'even' },
    ])
    expect(rows.map((row) => `${row.owner} ${formatUsd(row.total)}`)).toEqual([
      'team:platform 0',
      'team:search 105.5',
      'team:support 35.5',
      'unallocated 0',
    ])
    expect(rows[1]?.shared).toEqual({ 'team:platform': parseUsd('75'), unallocated: parseUsd('0.5') })
  })

  test('keep the sum to the picodollar, whatever the rules and their order', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const amounts = fc.array(money, { minLength: 6, maxLength: 6 })
    const methods = fc.array(fc.constantFrom('even', 'spend', 'usage', 'percent'), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(amounts, methods, (list, ways) => {
        const spent = new Map(names.map((name, at) => [name, list[at] ?? (0n as Picodollars)]))
        const rules = ways.map((by, at) => {
          const percent = { e: '33.3', f: '66.7' }
          return {
            from: names[at],
            by,
            ...(by === 'usage' ? { metric: 'm' } : {}),
            ...(by === 'percent' ? { percent } : {}),
          }
        }) as SplitRule[]
        const metrics = { m: { d: '0.1', e: '7', f: '3' } }
        const rows = reallocate(spent, rules, metrics)
        expect(sum(rows.map((row) => row.total))).toBe(sum(spent.values()))
        expect(reallocate(new Map([...spent].reverse()), [...rules].reverse(), metrics)).toEqual(rows)
      }),
      { seed },
    )
  })

  test('take any name for an owner, also those that every object has', () => {
    const odd = new Map([
      ['__proto__', parseUsd('2')],
      ['constructor', parseUsd('4')],
      ['toString', parseUsd('1')],
    ])
    const rules: readonly SplitRule[] = [{ from: 'constructor', by: 'usage', metric: 'seats' }]
    const rows = reallocate(odd, rules, { seats: JSON.parse('{ "__proto__": "3" }') })
    expect(rows.map(({ owner, total }) => [owner, formatUsd(total)])).toEqual([
      ['__proto__', '6'],
      ['constructor', '0'],
      ['toString', '1'],
    ])
  })

  test('that chain, repeat or name nobody are refused with the rule and the field', () => {
    const refused = (...rules: SplitRule[]) => said(() => reallocate(costs, rules))
    const even = { by: 'even' } as const
    expect(refused({ from: 'a', ...even }, { from: 'a', ...even })).toMatch(/splits\[1\]\.from: .*split twice/)
    expect(refused({ from: 'a', ...even, to: ['b'] }, { from: 'b', ...even })).toMatch(
      /splits\[0\]\.to: "b" is itself split/,
    )
    expect(refused({ from: 'team:platform', by: 'usage', metric: 'seats' })).toMatch(/splits\[0\]\.metric/)
    expect(refused({ from: 'a', ...even, to: [] })).toMatch(/splits\[0\]\.to: nobody/)
  })
})
