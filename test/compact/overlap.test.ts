/** What two levers promise of one block: a token is taken out once. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Past } from '../../src/core/past.ts'
import type { LeverTrace } from '../../src/core/receipt.ts'
import { replayRemoved } from '../../src/playbook/compact/removed.ts'
import { blankPast } from '../levers/past.ts'

const kit = { cache_rule: () => undefined }
const names = ['compact/minify', 'compact/tool-results', 'compact/retrieval']
const trace = (name: string, removed: readonly number[]): LeverTrace => ({
  name,
  action: 'observed',
  why: '',
  removed: [...removed],
})

const pastOf = (tokens: readonly number[], traces: readonly LeverTrace[]): Past => ({
  ...blankPast,
  chain: { hashes: tokens.map(String), tokens },
  usage: { ...blankPast.usage, fresh: tokens.at(-1) ?? 0 },
  traces,
})

const leftAfter = (past: Past, order: readonly string[]): number =>
  order.reduce((left, name) => replayRemoved(name, kit)(left), past).usage.fresh

describe('two levers that only observed', () => {
  test('take out together what is there, not the sum of what each would take out alone', () => {
    const past = pastOf([100, 200], [trace('compact/minify', [0, 20]), trace('compact/tool-results', [0, 95])])
    // Of 100 tokens minify leaves 80, of which 95 % go: 4 are left beside the other block.
    expect(leftAfter(past, names)).toBe(104)
    expect(leftAfter(past, ['compact/minify'])).toBe(180)
    expect(leftAfter(past, ['compact/tool-results'])).toBe(105)
  })

  test('add up where they edit blocks apart', () => {
    const past = pastOf([100, 200], [trace('compact/minify', [20, 20]), trace('compact/tool-results', [0, 95])])
    expect(leftAfter(past, names)).toBe(85)
  })

  test('never touch a block that none of them edits, whatever they want of the others', () => {
    const wants = fc.array(fc.tuple(fc.nat(100), fc.nat(100), fc.nat(100)), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(wants, (blocks) => {
        const tokens = [...blocks, []].map((_, at) => (at + 1) * 100)
        const cumulative = (lever: number) => {
          let sum = 0
          const ends = blocks.map((block) => {
            sum += block[lever] ?? 0
            return sum
          })
          return [...ends, sum]
        }
        const past = pastOf(
          tokens,
          names.map((name, lever) => trace(name, cumulative(lever))),
        )
        // The last block is nobody's: its 100 tokens stay, but for rounding.
        expect(leftAfter(past, names)).toBeGreaterThanOrEqual(100 - names.length)
      }),
    )
  })
})
