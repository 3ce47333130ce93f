import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Past } from '../../src/core/past.ts'
import type { LeverTrace } from '../../src/core/receipt.ts'
import { lengthen, replayRemoved, shorten } from '../../src/playbook/compact/removed.ts'
import { automatic, rates } from './calling.ts'

const chain = { hashes: ['a', 'b', 'c', 'd'], tokens: [1000, 2000, 3000, 4000] }
const usage = { fresh: 1000, cache_read: 2000, cache_write_5m: 1000, cache_write_long: 0, output: 70 }

const pastOf = (traces: readonly LeverTrace[]): Past => ({
  ...{
    receipt_id: 'r',
    at_us: 0,
    ended_at_us: 1,
    circle: { endpoint: 'chat' },
    tenant: '',
    account: '',
    provider: 'openai',
  },
  ...{
    model: 'gpt-6-sol',
    stream: false,
    outcome: 'ok',
    fingerprints: {},
    chain,
    usage,
    tools_tokens: 0,
    system_tokens: 0,
  },
  ...{ traces, answered: false, rates },
})

const trace: LeverTrace = {
  name: 'compact/minify',
  action: 'observed',
  why: 'a test',
  tokens: 400,
  removed: [0, 300, 300, 400],
}

describe('a call whose prompt is shorter', () => {
  test('loses each token where it stood: read, written or fresh', () => {
    expect(shorten(usage, chain, [0, 300, 300, 400])).toEqual({
      ...usage,
      cache_read: 1700,
      cache_write_5m: 1000,
      fresh: 900,
    })
    const automatic = { ...usage, fresh: 1500, cache_read: 2500, cache_write_5m: 0 }
    expect(shorten(automatic, chain, [0, 300, 400, 400])).toEqual({ ...automatic, cache_read: 2150, fresh: 1450 })
  })

  test('loses what stood before the mark that was read up to, although characters misplace it', () => {
    // The instructions have more characters a token than the results behind them, so that every boundary seems to lie too far back.
    const seeming = { hashes: ['a', 'b', 'c', 'd'], tokens: [1150, 2150, 3080, 4000] }
    const shorter = { ...usage, cache_read: 1700, fresh: 900 }
    expect(shorten(usage, seeming, [0, 300, 300, 400])).toEqual(shorter)
    expect(lengthen(shorter, seeming, [0, 300, 300, 400])).toEqual(usage)
  })

  test('loses exactly what was taken out, and no class falls below zero', () => {
    const classes = fc.record({
      ...{
        fresh: fc.nat(5000),
        cache_read: fc.nat(5000),
        cache_write_5m: fc.nat(5000),
        cache_write_long: fc.nat(5000),
      },
      output: fc.nat(100),
    })
    const blocks = fc.array(fc.tuple(fc.nat(900), fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: 1,
      maxLength: 30,
    })
    fc.assert(
      fc.property(classes, blocks, (usage, blocks) => {
        const input = usage.fresh + usage.cache_read + usage.cache_write_5m + usage.cache_write_long
        const all = blocks.reduce((sum, [size]) => sum + size, 0)
        fc.pre(all > 0)
        let end = 0
        let taken = 0
        const tokens: number[] = []
        const removed: number[] = []
        for (const [size, share] of blocks) {
          end += size
          taken += Math.floor((size * share * input) / all)
          tokens.push(Math.round((end * input) / all))
          removed.push(taken)
        }
        const at = { hashes: [], tokens }
        const shorter = shorten(usage, at, removed)
        const left = shorter.fresh + shorter.cache_read + shorter.cache_write_5m + shorter.cache_write_long
        expect(Math.abs(input - left - Math.min(input, removed.at(-1) ?? 0))).toBeLessThanOrEqual(1)
        for (const name of ['fresh', 'cache_read', 'cache_write_5m', 'cache_write_long'] as const) {
          expect(shorter[name]).toBeGreaterThanOrEqual(0)
          expect(shorter[name]).toBeLessThanOrEqual(usage[name])
        }
        expect(shorter.output).toBe(usage.output)
      }),
    )
  })

  test('is as long as it was when what was taken out is put back', () => {
    const removed = [0, 300, 300, 400]
    expect(lengthen(shorten(usage, chain, removed), chain, removed)).toEqual(usage)
  })
})

describe('a replay of what a lever recorded', () => {
  const replay = replayRemoved('compact/minify', { cache_rule: () => automatic })

  test('is the shorter call where the lever observed', () => {
    expect(replay(pastOf([trace])).usage).toEqual(shorten(usage, chain, [0, 300, 300, 400]))
  })

  test('pays as written what would have got too short to be read from the cache', () => {
    const high = replayRemoved('compact/minify', { cache_rule: () => ({ ...automatic, minimum_tokens: 1800 }) })
    const { cache_read, cache_write_5m, ...rest } = shorten(usage, chain, [0, 300, 300, 400])
    expect(cache_read).toBeLessThan(1800)
    expect(high(pastOf([trace])).usage).toEqual({
      ...rest,
      cache_read: 0,
      cache_write_5m: cache_write_5m + cache_read,
    })
  })

  test('is the call as it was where nothing was recorded: a receipt has no text to claim anything of', () => {
    const silent = [
      pastOf([]),
      pastOf([{ ...trace, name: 'compact/tools' }]),
      pastOf([{ name: trace.name, action: 'skipped', why: '' }]),
    ]
    for (const past of silent) expect(replay(past)).toBe(past)
  })

  test('is the call as it was where the lever acted: its bill is the shorter one already', () => {
    const past = pastOf([{ ...trace, action: 'acted' }])
    expect(replay(past)).toBe(past)
  })
})
