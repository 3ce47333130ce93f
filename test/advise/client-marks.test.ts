/** What advice works out from counts alone of marks that clients set themselves, against the replay of the very prompts. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Chosen } from '../../src/core/lever.ts'
import type { Past } from '../../src/core/past.ts'
import { clientMarksCounter } from '../../src/playbook/advise/client-marks.ts'
import { rateSheet } from '../../src/playbook/advise/rates.ts'
import { lever } from '../../src/playbook/cache/provider-prefix.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { blankPast, costOf, kit, opus } from '../levers/past.ts'

type Turn = Readonly<{ gap_s: number; grows: number; isNew: boolean }>

/** A conversation of an agent; where a turn is new, it has nothing in common with those before it. */
const conversation = (turns: readonly Turn[]): readonly Past[] => {
  let [at_s, tokens, name] = [0, 0, 0]
  let chain: Past['chain'] = { hashes: [], tokens: [] }
  return turns.map(({ gap_s, grows, isNew }, at) => {
    at_s += gap_s
    if (isNew) [tokens, chain] = [0, { hashes: [], tokens: [] }]
    tokens += 5000 + grows
    name += 1
    chain = { hashes: [...chain.hashes, String(name)], tokens: [...chain.tokens, tokens] }
    const usage = { fresh: tokens, cache_read: 0, cache_write_5m: 0, cache_write_long: 0, output: 10 }
    const at_us = 1_760_000_000_000_000 + at_s * 1_000_000 + at
    return { ...blankPast, at_us, ended_at_us: at_us, chain, usage, rates: opus }
  })
}

const keptFor = (ttl: '5m' | '1h', calls: readonly Past[]): readonly Past[] => {
  const replay = lever.replay({ ttl, reach: 'everything', key: 'none' } as Chosen as never, kit)
  return calls.map(replay)
}

const counted = (calls: readonly Past[]) => {
  const counter = clientMarksCounter()
  const rates_of = rateSheet(compileBook({ rows: [], version: 'none' })).of('anthropic', 'none', {})
  for (const past of calls)
    counter.see({ past, cost: 0, other: 0, known: true, service: {}, rates_of, bits: 7, deferrable: false })
  return counter.result()
}

const bill = (calls: readonly Past[]): number => calls.reduce((sum, past) => sum + costOf(past), 0)

const turn = fc.record({
  gap_s: fc.constantFrom(20, 100, 400, 2000, 5000),
  grows: fc.nat(4000),
  isNew: fc.constant(false),
})

test('of prompts that only grow, an hour saves what is said, and of others at most that', () => {
  fc.assert(
    fc.property(fc.array(turn, { minLength: 2, maxLength: 15 }), fc.nat(14), (turns, changed) => {
      for (const at of [-1, changed]) {
        const calls = conversation(turns.map((one, place) => ({ ...one, isNew: place === at })))
        const [five, hour] = [keptFor('5m', calls), keptFor('1h', calls)]
        const { saved, hour_needless, hour_dearer } = counted(five)
        expect(saved).toBeCloseTo(bill(calls) - bill(five), -1)
        const most = hour_needless - hour_dearer
        if (at < 0) expect(most).toBeCloseTo(bill(five) - bill(hour), -1)
        else expect(most).toBeGreaterThanOrEqual(bill(five) - bill(hour) - 1)
      }
    }),
  )
})
