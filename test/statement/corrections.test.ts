/** Closed months and what comes after them: nothing is lost, nothing is charged twice, and each cent has its reason. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatUsd, parseUsd, picodollars, sum } from '../../src/core/money.ts'
import {
  type Correction,
  correctionsOf,
  type Present,
  type Snapshot,
  snapshotOf,
} from '../../src/playbook/allocate/statement/corrections.ts'
import { type Bases, type Basis, directOf } from '../../src/playbook/allocate/statement/owners.ts'
import { bear, type OutcomeCounts, readSplits, type Splits } from '../../src/playbook/allocate/statement/splits.ts'

const owners = ['search', 'billing', 'platform', 'unallocated', 'labs'] as const

const amount = fc.bigInt({ min: -(10n ** 13n), max: 10n ** 16n }).map((one) => formatUsd(picodollars(one)))
const small = fc.integer({ min: 0, max: 1_000_000 })
const basis = fc.record({
  cost_usd: amount,
  corrections_usd: amount,
  calls: small,
  input_tokens: small,
  output_tokens: small,
})
const bases: fc.Arbitrary<Bases> = fc.dictionary(fc.constantFrom(...owners), basis, { maxKeys: 5 })
const outcomes: fc.Arbitrary<OutcomeCounts> = fc.dictionary(
  fc.constant('resolved_ticket'),
  fc.dictionary(fc.constantFrom(...owners), small, { maxKeys: 5 }),
)

const method = fc.constantFrom(
  { by: 'even' },
  { by: 'spend' },
  { by: 'usage', metric: 'tokens' },
  { by: 'usage', metric: 'calls' },
  { by: 'usage', metric: 'outcome:resolved_ticket' },
  { by: 'percent', percent: { search: 33.333, billing: '66.667' } },
)
const splits: fc.Arbitrary<Splits> = fc
  .tuple(fc.subarray(['platform', 'unallocated', 'labs']), fc.array(method, { minLength: 3, maxLength: 3 }))
  .map(([from, methods]) => readSplits(from.map((owner, at) => ({ from: owner, ...methods[at] }))))

const charges = (some: Bases, rules: Splits, counts: OutcomeCounts): ReadonlyMap<string, bigint> =>
  new Map(bear(some, rules, counts).map(({ owner, total }) => [owner, total]))

const direct = (some: Bases): bigint => Object.values(some).reduce((so_far, one) => so_far + directOf(one), 0n)

const byOwner = (corrections: readonly Correction[], owner: string): bigint =>
  corrections.filter((one) => one.owner === owner).reduce((so_far, one) => so_far + parseUsd(one.amount_usd), 0n)

const world = fc.record({ bases, outcomes, splits })

const close = ({
  bases: some,
  outcomes: counts,
  splits: rules,
}: Readonly<{ bases: Bases; outcomes: OutcomeCounts; splits: Splits }>) =>
  snapshotOf('2026-10', { bases: some, outcomes: counts, splits: rules, tags_version: 1, splits_version: 1 })

test('what every owner bears sums to what the receipts cost, whatever the splits', () => {
  fc.assert(
    fc.property(world, ({ bases: some, splits: rules, outcomes: counts }) => {
      expect(sum(bear(some, rules, counts).map(({ total }) => total))).toBe(direct(some))
    }),
    { numRuns: 300, seed: 1 },
  )
})

test('corrections bring every owner from what was charged to what is right, to the picodollar', () => {
  fc.assert(
    fc.property(world, world, bases, (then, now, retagged) => {
      const snapshot = close(then)
      const corrections = correctionsOf(snapshot, {
        as_tagged_then: now.bases,
        as_tagged_now: retagged,
        outcomes: now.outcomes,
        splits_then: then.splits,
        splits_now: now.splits,
      })
      const right = charges(retagged, now.splits, now.outcomes)
      for (const owner of owners) {
        const charged = parseUsd(snapshot.charged[owner] ?? '0')
        expect(charged + byOwner(corrections, owner)).toBe(right.get(owner) ?? 0n)
      }
      expect(corrections.every(({ amount_usd }) => amount_usd !== '0')).toBe(true)
    }),
    { numRuns: 300, seed: 2 },
  )
})

test('over many closes, what was charged and corrected is always what the receipts cost', () => {
  fc.assert(
    fc.property(world, fc.array(world, { minLength: 1, maxLength: 5 }), (first, later) => {
      let snapshot: Snapshot = close(first)
      let splits_then = first.splits
      let charged = sum(Object.values(snapshot.charged).map(parseUsd)) as bigint
      for (const next of later) {
        const corrections = correctionsOf(snapshot, {
          as_tagged_then: next.bases,
          as_tagged_now: next.bases,
          outcomes: next.outcomes,
          splits_then,
          splits_now: next.splits,
        })
        charged += sum(corrections.map(({ amount_usd }) => parseUsd(amount_usd)))
        expect(charged).toBe(direct(next.bases))
        snapshot = close(next)
        splits_then = next.splits
      }
    }),
    { numRuns: 100, seed: 3 },
  )
})

describe('the reason of a correction', () => {
  const then: Readonly<{ search: Basis }> = {
    search: { cost_usd: '10', corrections_usd: '0', calls: 4, input_tokens: 100, output_tokens: 10 },
  }
  const none = readSplits([])
  const snapshot = close({ bases: then, outcomes: {}, splits: none })
  const present: Present = {
    as_tagged_then: then,
    as_tagged_now: then,
    outcomes: {},
    splits_then: none,
    splits_now: none,
  }
  const reasons = (over: Partial<Present>) =>
    correctionsOf(snapshot, { ...present, ...over }).map(({ owner, reason, amount_usd }) => [owner, reason, amount_usd])

  test('is nothing where nothing changed', () => {
    expect(reasons({})).toEqual([])
  })

  test('is that calls came in late', () => {
    const late = { search: { ...then.search, cost_usd: '12.5', calls: 5 } }
    expect(reasons({ as_tagged_then: late, as_tagged_now: late })).toEqual([['search', 'late-receipts', '2.5']])
  })

  test('is that calls were priced anew', () => {
    const rerated = { search: { ...then.search, corrections_usd: '-0.000000000001' } }
    expect(reasons({ as_tagged_then: rerated, as_tagged_now: rerated })).toEqual([
      ['search', 're-rated', '-0.000000000001'],
    ])
  })

  test('is that other rules say who pays', () => {
    expect(reasons({ as_tagged_now: { billing: then.search } })).toEqual([
      ['billing', 'tag-rules', '10'],
      ['search', 'tag-rules', '-10'],
    ])
  })

  test('is that shared costs are split otherwise', () => {
    const shared = readSplits([{ from: 'search', by: 'percent', percent: { labs: 25, billing: 75 } }])
    expect(reasons({ splits_now: shared })).toEqual([
      ['billing', 'split-rules', '7.5'],
      ['labs', 'split-rules', '2.5'],
      ['search', 'split-rules', '-10'],
    ])
  })
})
