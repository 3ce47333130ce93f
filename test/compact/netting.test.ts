import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Cut, choose, net, type Standing } from '../../src/playbook/compact/netting.ts'
import { further, noRuns, note } from '../../src/playbook/compact/runs.ts'

const standing: Standing = { warm: 10_000, readable: (at) => at, read: 0.1, write: 1.25, further: 0 }

/** The bill of this call and of `further` later ones that send the same prefix, counted token by token. */
const bill = (prompt: number, cuts: readonly Cut[], { warm, readable, read, write, further }: Standing) => {
  const taken = cuts.reduce((sum, { tokens }) => sum + tokens, 0)
  const first = cuts[0]?.at ?? prompt
  const kept = first >= warm ? warm : readable(first)
  const now = kept * read + (prompt - taken - kept) * write
  return now + further * (prompt - taken) * read
}

const cutsBelow = (prompt: number) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: prompt / 100 - 1 }), { maxLength: 6 })
    .map((places) => places.sort((left, right) => left - right))
    .chain((places) =>
      fc.tuple(
        ...places.map((place) => fc.record({ at: fc.constant(place * 100), tokens: fc.integer({ min: 1, max: 100 }) })),
      ),
    )

const anyStanding = (prompt: number) =>
  fc
    .record({
      warm: fc.integer({ min: 0, max: prompt }),
      step: fc.constantFrom(1, 64, 128, 1024),
      read: fc.constantFrom(0.025, 0.1, 0.5, 1),
      write: fc.constantFrom(1, 1.25, 2, 2.5),
      further: fc.integer({ min: 0, max: 400 }),
    })
    .map(({ step, ...rest }) => ({ ...rest, readable: (at: number) => at - (at % step) }))

describe('the netting rule', () => {
  test('comes to the difference of the two bills, whatever is cut', () => {
    fc.assert(
      fc.property(cutsBelow(20_000), anyStanding(20_000), (cuts, standing) => {
        expect(net(cuts, standing)).toBeCloseTo(bill(20_000, [], standing) - bill(20_000, cuts, standing), 3)
      }),
    )
  })

  test('says as the published rule does how many further calls a rewrite needs', () => {
    // Read 0.1, write 1.25: about 11.5 × what is written again ÷ what is taken out, less this call's own.
    const cut = { at: 4000, tokens: 1000 }
    const needed = (11.5 * (10_000 - 4000 - 1000)) / 1000
    expect(net([cut], { ...standing, further: Math.ceil(needed) })).toBeGreaterThan(0)
    expect(net([cut], { ...standing, further: Math.floor(needed) - 2 })).toBeLessThan(0)
  })

  test('always pays for new content and for a cold cache', () => {
    expect(net([{ at: 10_000, tokens: 1 }], standing)).toBeGreaterThan(0)
    expect(net([{ at: 0, tokens: 1 }], { ...standing, warm: 0 })).toBeGreaterThan(0)
  })

  test('chooses among all places to begin the one with the smallest bill', () => {
    fc.assert(
      fc.property(cutsBelow(20_000), anyStanding(20_000), (cuts, standing) => {
        const { from } = choose(cuts, standing)
        const made = bill(20_000, cuts.slice(from), standing)
        for (let other = 0; other <= cuts.length; other++)
          expect(made).toBeLessThanOrEqual(bill(20_000, cuts.slice(other), standing) + 1e-6)
      }),
    )
  })
})

describe('the expectation of further calls', () => {
  const learnt = (lengths: readonly number[]) => {
    const runs = noRuns()
    for (const length of lengths) for (let call = 1; call <= length; call++) note(runs, call)
    return runs
  }

  test('is about half of what was before nothing was learnt, and grows with a run', () => {
    expect(further(noRuns(), 8)).toBeGreaterThan(2)
    expect(further(noRuns(), 8)).toBeLessThan(6)
    expect(further(noRuns(), 64)).toBeGreaterThan(further(noRuns(), 8))
  })

  test('is nearly none where every run is one call', () => {
    expect(further(learnt(new Array(500).fill(1)), 1)).toBeLessThan(0.1)
  })

  test('is not above the truth, in the mean over runs of many lengths', () => {
    const lengths = Array.from({ length: 400 }, (_, index) => 1 + ((index * 7919) % 100))
    const runs = learnt(lengths)
    for (const call of [1, 2, 5, 10, 30, 60]) {
      const longer = lengths.filter((length) => length >= call)
      const truth = longer.reduce((sum, length) => sum + length - call, 0) / longer.length
      expect(further(runs, call)).toBeLessThanOrEqual(truth * 1.05)
      if (call < 30) expect(further(runs, call)).toBeGreaterThan(truth * 0.3)
    }
  })
})
