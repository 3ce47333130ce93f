/** The engine: what it adds up, parts and samples, over levers made for the test. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chance } from '../../src/core/chance.ts'
import type { Lever } from '../../src/core/lever.ts'
import { formatUsd, type Picodollars } from '../../src/core/money.ts'
import type { Past } from '../../src/core/past.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { parted } from '../../src/playbook/advise/advice.ts'
import { distinctNumbers } from '../../src/playbook/advise/distinct.ts'
import { MOST_WHOLE } from '../../src/playbook/advise/replay.ts'
import { shapley } from '../../src/playbook/advise/shapley.ts'
import { ExactSum } from '../../src/playbook/advise/tally.ts'
import { adviceOn } from '../levers/day.ts'
import { receiptOf } from './receipts.ts'

/** A lever of which only the replay matters. */
const leverOf = (name: string, replay: () => (past: Past) => Past): Lever => ({
  name,
  play: name.startsWith('cache') ? 'cache' : 'compact',
  about: name,
  settings: {},
  traits: { certainty: 'exact', risk: 'none', effort: 'switch' },
  pull: () => ({ do: 'nothing', why: 'made for a test' }),
  replay,
})

const again = leverOf('cache/again', () => {
  const seen = new Set<string>()
  return (past) => {
    const key = past.fingerprints.exact ?? ''
    const known = seen.has(key)
    seen.add(key)
    return known && !past.answered ? { ...past, answered: true } : past
  }
})
const half = leverOf('compact/half', () => (past) => ({
  ...past,
  usage: { ...past.usage, fresh: Math.floor(past.usage.fresh / 2) },
}))
const broken = leverOf('compact/broken', () => {
  let calls = 0
  return (past) => {
    calls += 1
    if (calls > 3) throw new Error('out of sorts')
    return past
  }
})

const day = Array.from({ length: 60 }, (_, at) =>
  receiptOf({
    at_s: at * 10,
    fresh: 900 + at,
    output: 20 + (at % 5),
    fingerprint_exact: (at % 20).toString(16).padStart(16, '0'),
  }),
)
const total = (receipts: readonly Receipt[]): string => {
  const sum = new ExactSum()
  for (const { cost_usd = '0' } of receipts) sum.add(Math.round(Number(cost_usd) * 1e12))
  return formatUsd(sum.total)
}
const amount = (usd: string) => Math.round(Number(usd) * 1e12)

describe('a replay', () => {
  test('of nothing costs what the receipts cost, to the picodollar, whatever they used', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ fresh: fc.nat(200_000), read: fc.nat(200_000), output: fc.nat(9000) }), {
          minLength: 1,
          maxLength: 12,
        }),
        async (calls) => {
          const receipts = calls.map((call, at) => receiptOf({ at_s: at, ...call }))
          const advice = await adviceOn(receipts, {})
          expect(advice.cost_usd).toBe(total(receipts))
          expect(advice.spent_usd['other']).toBe(0)
        },
      ),
      { numRuns: 5 },
    )
  }, 60_000)

  test('pulls levers one after the other: what each saves of what is left adds up, what each saves alone does not', async () => {
    const advice = await adviceOn(day, { again, half })
    const [first, second] = advice.findings
    const marginal = amount(first?.saving.mid_usd ?? '0') + amount(second?.saving.mid_usd ?? '0')
    expect(marginal).toBe(amount(advice.together.mid_usd))
    expect(amount(first?.alone_usd ?? '0') + amount(second?.alone_usd ?? '0')).toBeGreaterThan(marginal)
    expect(first?.lever).toBe('cache/again')
    expect(first?.calls).toBe(40)
  })

  test('parts what levers save together so that the parts add up to it, and each is the mean over the orders', async () => {
    const { findings, together } = await adviceOn(day, { again, half })
    const [one, other] = findings.map(({ alone_usd }) => amount(alone_usd)) as [number, number]
    const all = amount(together.mid_usd)
    // Of two, each gets what it saves on the mean of coming first and coming last.
    const parts = findings.map(({ shapley: part }) => amount(part?.usd ?? '0'))
    expect(Math.abs((parts[0] ?? 0) - (one + all - other) / 2)).toBeLessThan(10)
    expect(Math.abs((parts[1] ?? 0) - (other + all - one) / 2)).toBeLessThan(10)
    expect(findings.every(({ shapley: part }) => part?.exact)).toBe(true)
  }, 30_000)

  test('gives the same advice for the same seed, and a range around the middle', async () => {
    const one = await adviceOn(day, { again, half })
    expect(await adviceOn(day, { again, half })).toEqual(one)
    for (const { saving } of one.findings) {
      expect(Number(saving.low_usd)).toBeLessThan(Number(saving.mid_usd))
      expect(Number(saving.high_usd)).toBeGreaterThan(Number(saving.mid_usd))
    }
  }, 30_000)

  test('goes on without a lever that throws, and says which and why', async () => {
    const advice = await adviceOn(day, { broken, half })
    expect(advice.findings.find(({ lever }) => lever === 'compact/broken')?.failure).toBe('out of sorts')
    expect(advice.findings.find(({ lever }) => lever === 'compact/half')?.calls).toBe(60)
  })

  test('lets others have their turn within a page: the gateway on the same thread, and the ledger that gathers the next', async () => {
    const receipts = Array.from({ length: 1500 }, (_, at) => receiptOf({ at_s: at, fresh: 900, output: 20 }))
    let replayed = 0
    const counting = leverOf('compact/counting', () => (past) => {
      replayed += 1
      return past
    })
    const turns: number[] = []
    const look = (): void => {
      turns.push(replayed)
      if (replayed < receipts.length) setImmediate(look)
    }
    setImmediate(look)
    await adviceOn(receipts, { counting }, {}, { page: 10_000 })
    expect(turns.filter((at) => at > 0 && at < receipts.length).length).toBeGreaterThanOrEqual(4)
  }, 60_000)

  test('counts a call of several attempts once, at the cost of all, and what corrects it with it', async () => {
    const failed = receiptOf({ at_s: 5, fresh: 400, output: 0, outcome: 'cut' })
    const worked = receiptOf({ at_s: 6, fresh: 400, output: 10, call_id: failed.call_id, attempt: 2 })
    const corrects = {
      ...receiptOf({ at_s: 9, fresh: 0, output: 3 }),
      call_id: failed.call_id,
      corrects: worked.receipt_id,
    }
    const advice = await adviceOn([failed, worked, corrects, receiptOf({ at_s: 70, fresh: 400, output: 10 })], {
      again,
    })
    expect(advice.calls).toBe(2)
    expect(advice.cost_usd).toBe(total([failed, worked, corrects, receiptOf({ at_s: 70, fresh: 400, output: 10 })]))
  })

  test('replays calls without a known cost, because they fill caches, and counts no money of them', async () => {
    const { cost_usd: _, ...unpriced } = receiptOf({ at_s: 1, fresh: 500, output: 10, price_state: 'unpriced' })
    const priced = receiptOf({ at_s: 10, fresh: 500, output: 10 })
    const same = { fingerprint_exact: 'a'.padStart(16, '0') }
    const advice = await adviceOn(
      [
        { ...unpriced, ...same },
        { ...priced, ...same },
      ],
      { again },
    )
    expect(advice.together.mid_usd).toBe(priced.cost_usd)
    expect(advice.notes.join(' ')).toContain('1 call has no known cost')
  })

  test('gives prompts that change from their beginning with every call one row, which says so', async () => {
    const template = (at: number) =>
      at % 2 === 0 ? 'feedfeedfeedfeed' : at.toString(16).padStart(8, '0').padEnd(16, '0')
    const receipts = day.map((receipt, at) => ({ ...receipt, feature: 'mail', fingerprint_template: template(at) }))
    const { by } = await adviceOn(receipts, { half })
    expect(by.rows.map(({ name, calls }) => [name, calls])).toEqual([
      ['mail · 30 templates of one call each', 30],
      ['mail · template feedfeed', 30],
    ])
    const saved = by.rows.reduce((sum, { saving_usd }) => sum + amount(saving_usd), 0)
    expect(saved).toBe(amount((await adviceOn(receipts, { half })).together.mid_usd))
  })

  test('puts aside a lever that saves less than a thousandth of the cost', async () => {
    const crumb = leverOf('compact/crumb', () => (past) => ({
      ...past,
      usage: { ...past.usage, fresh: past.usage.fresh - 1 },
    }))
    const { findings, configuration } = await adviceOn(day, { crumb, half })
    const { worth, idle } = parted(findings)
    expect(worth.map(({ lever }) => lever)).toEqual(['compact/half'])
    expect(idle.map(({ lever }) => lever)).toEqual(['compact/crumb'])
    expect(configuration).not.toContain('crumb')
  })

  test('does not say that nothing pays where no call has a known cost', async () => {
    const { cost_usd: _, ...unpriced } = receiptOf({ at_s: 1, fresh: 500, output: 10, price_state: 'unpriced' })
    const same = { fingerprint_exact: 'a'.padStart(16, '0') }
    const again_s = receiptOf({ at_s: 10, fresh: 500, output: 10, price_state: 'unpriced' })
    const { cost_usd: __, ...later } = again_s
    const { notes } = await adviceOn(
      [
        { ...unpriced, ...same },
        { ...later, ...same },
      ],
      { again },
    )
    expect(notes[0]).toMatch(/cannot be told: most of its calls have no known cost/)
    expect(notes.join(' ')).not.toContain('Nothing pays')
  })

  test('does not say that nothing pays where one lever saves and another costs more than that', async () => {
    const dear = leverOf('compact/dear', () => (past) => ({
      ...past,
      usage: { ...past.usage, output: past.usage.output * 9 },
    }))
    const { together, findings, notes } = await adviceOn([receiptOf({ at_s: 1, fresh: 500, output: 100 })], {
      half,
      dear,
    })
    expect(Number(together.mid_usd)).toBeLessThan(0)
    expect(findings.map(({ lever, saving }) => [lever, Number(saving.mid_usd) > 0])).toEqual([
      ['compact/half', true],
      ['compact/dear', false],
    ])
    expect(notes.join(' ')).not.toContain('Nothing pays')
  })

  test('knows at each call only what came before it: the future changes nothing of what was saved', async () => {
    const early = day.slice(0, 30)
    const whole = await adviceOn(day, { again })
    const part = await adviceOn(early, { again })
    const later = await adviceOn(
      [
        ...early,
        ...day.slice(30).map((one) => ({ ...one, fingerprint_exact: one.receipt_id.slice(0, 8).padStart(16, '0') })),
      ],
      { again },
    )
    expect(later.together.mid_usd).toBe(part.together.mid_usd)
    expect(whole.together.mid_usd).not.toBe(part.together.mid_usd)
  }, 30_000)
})

test('Shapley values are those of the glove game: the scarce glove is worth two thirds, the others a sixth each', () => {
  const worth = Array.from({ length: 8 }, (_, set) => ((set & 1) !== 0 && (set & 6) !== 0 ? 1 : 0))
  const [left = 0, right = 0, other = 0] = shapley(worth, 3)
  expect(left).toBeCloseTo(2 / 3, 12)
  expect(right).toBeCloseTo(1 / 6, 12)
  expect(other).toBeCloseTo(1 / 6, 12)
})

test('a sum of picodollars is exact beyond what a float can hold', () => {
  const sum = new ExactSum()
  for (let at = 0; at < 3000; at++) sum.add(9_007_199_254_740_991 - at)
  const expected = (9_007_199_254_740_991n * 3000n - (2999n * 3000n) / 2n) as Picodollars
  expect(sum.total).toBe(expected)
})

test('sessions are counted as a set counts them, however many there are and whatever their bits', () => {
  const bits = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -3, max: 3 }))
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 3000 }), (numbers) => {
      const counted = distinctNumbers()
      for (const number of numbers) counted.add(number)
      expect(counted.size()).toBe(new Set(numbers).size)
    }),
  )
})

describe('what a lever saves alone', () => {
  /** Forty calls in each of 250 sessions, longer in some than in others, of which a part comes again. */
  const sessions = (seed: number): Receipt[] => {
    const random = chance(seed)
    const weights = Array.from({ length: 250 }, () => 200 + Math.floor(3000 * random()))
    return Array.from({ length: 10_000 }, (_, at) => {
      const session = at % weights.length
      return receiptOf({
        at_s: at * 4,
        fresh: Math.floor((weights[session] ?? 0) * (0.5 + random())),
        output: 20,
        session: `s${session}`,
        fingerprint_exact: Math.floor(random() * 15_000)
          .toString(16)
          .padStart(16, '0'),
      })
    })
  }

  test('is estimated from sessions of a ledger too large to replay whole, within the error that is told', async () => {
    const levers = { 'cache/again': again, 'compact/half': half }
    for (const seed of [1, 2, 3]) {
      const receipts = sessions(seed)
      const whole = await adviceOn(receipts, levers, {}, { page: 5000 })
      // The same calls, taken for so many that a sixth of the sessions stands for all.
      const sampled = await adviceOn(receipts, levers, {}, { page: 5000, expected: MOST_WHOLE + 1 })
      const of = ({ findings }: typeof whole) => findings.find(({ lever }) => lever === 'compact/half')
      const [truth, told] = [of(whole), of(sampled)]
      expect(truth?.alone_error_usd).toBe('0')
      const error = amount(told?.alone_error_usd ?? '0')
      expect(told?.alone_usd).not.toBe(truth?.alone_usd)
      expect(Math.abs(amount(told?.alone_usd ?? '0') - amount(truth?.alone_usd ?? '0'))).toBeLessThan(3 * error)
      // An error that says nothing would cover everything.
      expect(error).toBeLessThan(0.1 * amount(truth?.alone_usd ?? '0'))
      // What is saved in turn is no estimate, however many there are.
      expect(told?.saving.mid_usd).toBe(truth?.saving.mid_usd)
    }
  }, 120_000)
})
