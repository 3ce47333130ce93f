import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chance as chanceOf } from '../../src/core/chance.ts'
import type { Picodollars } from '../../src/core/money.ts'
import { formatUsd, parseUsd } from '../../src/core/money.ts'
import { forecastPeriod, type SpendHistory } from '../../src/playbook/allocate/forecast/forecast.ts'
import { weekdayFactors } from '../../src/playbook/allocate/forecast/season.ts'

const normal = (chance: () => number) => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())
const usd = (value: number) => BigInt(Math.round(value * 1e12)) as Picodollars

/** Monday 2026-08-03; the month forecast is one of 30 days that begins on its day 60. */
const FIRST = 20_668
const MONTH = { from_day: FIRST + 60, to_day: FIRST + 90 }
const office = [1.2, 1.25, 1.2, 1.15, 1, 0.3, 0.25]
const families: Record<string, (chance: () => number) => (day: number) => number> = {
  'steady with quiet weekends': (chance) => (day) => 100 * (office[day % 7] ?? 1) * Math.exp(0.15 * normal(chance)),
  'noisy, every day alike': (chance) => () => 100 * Math.exp(0.5 * normal(chance)),
  'a level that wanders': (chance) => {
    let level = 100
    return (day) => {
      level *= Math.exp(0.04 * normal(chance))
      return level * (office[day % 7] ?? 1) * Math.exp(0.15 * normal(chance))
    }
  },
  'growth of 1 % a day': (chance) => (day) =>
    40 * 1.01 ** day * (office[day % 7] ?? 1) * Math.exp(0.2 * normal(chance)),
}

/** A forecast at a random moment of the month from 3 to 80 days of history, and what the month then cost. */
const trial = (family: (chance: () => number) => (day: number) => number, seed: number) => {
  const chance = chanceOf(seed)
  const draw = family(chance)
  const all = Array.from({ length: 90 }, (_, day) => usd(draw(day)))
  const today = 60 + Math.floor(chance() * 28)
  const known = Math.min(today, 3 + Math.floor(chance() * 80))
  const elapsed = chance()
  const first = today - known
  const cost = ((all[today] ?? 0n) * BigInt(Math.round(elapsed * 1e6))) / 1_000_000n
  const month = { from_day: FIRST + Math.max(60, first), to_day: MONTH.to_day }
  const history: SpendHistory = {
    first_day: FIRST + first,
    costs: all.slice(first, today),
    today: { cost: cost as Picodollars, elapsed },
  }
  const actual = all.slice(month.from_day - FIRST).reduce((sum, value) => sum + value, 0n)
  return { forecast: forecastPeriod(history, month), actual }
}

describe('the 80 % interval of a month-end forecast', () => {
  const TRIALS = 400
  const coverage = (name: string, from: number) => {
    const family = families[name]
    if (!family) throw new Error(name)
    let inside = 0
    for (let seed = from; seed < from + TRIALS; seed += 1) {
      const { forecast, actual } = trial(family, seed)
      if (actual >= forecast.low && actual <= forecast.high) inside += 1
    }
    return inside / TRIALS
  }

  test.each(Object.keys(families))('covers about four in five months: %s', (name) => {
    const share = coverage(name, 50_000)
    expect(share).toBeGreaterThan(0.7)
    expect(share).toBeLessThan(0.9)
  })

  test('covers about 80 % over all kinds of streams together', () => {
    const shares = Object.keys(families).map((name) => coverage(name, 90_000))
    const average = shares.reduce((sum, share) => sum + share, 0) / shares.length
    expect(average).toBeGreaterThan(0.76)
    expect(average).toBeLessThan(0.85)
  })
})

describe('a forecast', () => {
  const flat = (days: number, first = FIRST): SpendHistory => ({
    first_day: first,
    costs: Array.from({ length: days }, () => parseUsd('10')),
    today: { cost: parseUsd('5'), elapsed: 0.5 },
  })

  test('of a spend that never changes is that spend', () => {
    const month = { from_day: FIRST + 28, to_day: FIRST + 58 }
    const forecast = forecastPeriod(flat(42), month)
    expect(formatUsd(forecast.spent)).toBe('145')
    expect(formatUsd(forecast.expected)).toBe('300')
    expect(forecast.low < forecast.expected && forecast.expected < forecast.high).toBe(true)
  })

  test('knows after two weeks that weekends are quiet', () => {
    const costs = Array.from({ length: 14 }, (_, day) => usd(100 * (day % 7 < 5 ? 1 : 0)))
    const history = { first_day: FIRST, costs, today: { cost: usd(0), elapsed: 0 } }
    const workdays = forecastPeriod(history, { from_day: FIRST + 14, to_day: FIRST + 19 })
    const week = forecastPeriod(history, { from_day: FIRST + 14, to_day: FIRST + 21 })
    expect(Number(workdays.expected) / Number(usd(500))).toBeGreaterThan(0.85)
    expect(Number(week.expected) / Number(usd(500))).toBeLessThan(1.15)
    expect(weekdayFactors(FIRST, costs.map(Number))[6]).toBeLessThan(0.3)
  })

  test('is today’s pace on the first day, and nothing where nothing was spent', () => {
    const period = { from_day: FIRST, to_day: FIRST + 30 }
    expect(formatUsd(forecastPeriod(flat(0), period).expected)).toBe('300')
    const idle = forecastPeriod({ first_day: FIRST, costs: [], today: { cost: usd(0), elapsed: 0 } }, period)
    expect([idle.low, idle.expected, idle.high]).toEqual([0n, 0n, 0n])
  })

  test('never lies below what is spent, keeps its order, and narrows to the truth as the period ends', () => {
    const costs = fc.array(fc.bigInt({ min: 0n, max: 10n ** 16n }), { maxLength: 100 })
    fc.assert(
      fc.property(
        costs,
        fc.bigInt({ min: 0n, max: 10n ** 16n }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (list, cost, elapsed) => {
          const history = {
            first_day: FIRST,
            costs: list as Picodollars[],
            today: { cost: cost as Picodollars, elapsed },
          }
          const today = FIRST + list.length
          const forecast = forecastPeriod(history, { from_day: today - 3, to_day: today + 20 })
          const spent = list.slice(-3).reduce((sum, value) => sum + value, cost)
          expect(forecast.spent).toBe(spent)
          expect(forecast.low).toBeGreaterThanOrEqual(spent)
          expect(forecast.expected).toBeGreaterThanOrEqual(forecast.low)
          expect(forecast.high).toBeGreaterThanOrEqual(forecast.expected)
          const over = forecastPeriod(
            { ...history, today: { cost: cost as Picodollars, elapsed: 1 } },
            { from_day: today, to_day: today + 1 },
          )
          expect([over.low, over.expected, over.high]).toEqual([cost, cost, cost])
        },
      ),
      { seed: 20261123 },
    )
  })

  test('refuses a period that today is not in', () => {
    expect(() => forecastPeriod(flat(3), { from_day: FIRST + 4, to_day: FIRST + 30 })).toThrow(
      /lies outside the period/,
    )
  })
})
