import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { checkWindow, periodOf, periodsInForce, type Window } from '../../src/playbook/allocate/window/window.ts'

const us = (text: string) => Date.parse(text) * 1000
const show = ({ id, from_us, to_us }: ReturnType<typeof periodOf>) =>
  `${id} ${new Date(from_us / 1000).toISOString()} ${new Date(to_us / 1000).toISOString()}`
const period = (window: Window, at: string) => show(periodOf(window, us(at)))

describe('calendar periods', () => {
  test('turn at local midnight in Asia/Shanghai', () => {
    const day = { every: 'day', zone: 'Asia/Shanghai' } as const
    expect(period(day, '2026-11-23T15:59:59.999Z')).toBe(
      'day:2026-11-23 2026-11-22T16:00:00.000Z 2026-11-23T16:00:00.000Z',
    )
    expect(period(day, '2026-11-23T16:00:00Z')).toBe('day:2026-11-24 2026-11-23T16:00:00.000Z 2026-11-24T16:00:00.000Z')
    expect(period({ ...day, every: 'month' }, '2026-11-30T16:00:00Z')).toBe(
      'month:2026-12 2026-11-30T16:00:00.000Z 2026-12-31T16:00:00.000Z',
    )
  })

  test('have 23 and 25 hours on the two days on which New York moves its clocks', () => {
    const day = { every: 'day', zone: 'America/New_York' } as const
    expect(period(day, '2026-03-08T12:00:00Z')).toBe('day:2026-03-08 2026-03-08T05:00:00.000Z 2026-03-09T04:00:00.000Z')
    expect(period(day, '2026-11-01T12:00:00Z')).toBe('day:2026-11-01 2026-11-01T04:00:00.000Z 2026-11-02T05:00:00.000Z')
    expect(period(day, '2026-11-02T04:59:59Z')).toBe('day:2026-11-01 2026-11-01T04:00:00.000Z 2026-11-02T05:00:00.000Z')
    const hour = { every: 'hour', zone: 'America/New_York' } as const
    expect(periodOf(hour, us('2026-11-01T05:30:00Z')).id).not.toBe(periodOf(hour, us('2026-11-01T06:30:00Z')).id)
  })

  test('begin at the skipped moment where an anchor falls into a gap, and at the first of two', () => {
    const day = { every: 'day', zone: 'America/New_York', anchor: { minute: 150 } } as const
    expect(period(day, '2026-03-08T12:00:00Z')).toBe('day:2026-03-08 2026-03-08T07:00:00.000Z 2026-03-09T06:30:00.000Z')
    const early = { ...day, anchor: { minute: 90 } }
    expect(period(early, '2026-11-01T12:00:00Z')).toBe(
      'day:2026-11-01 2026-11-01T05:30:00.000Z 2026-11-02T06:30:00.000Z',
    )
  })

  test('honour anchors: weeks from Sunday, fiscal years from April, months from the 31st', () => {
    const zone = 'UTC'
    expect(period({ every: 'week', zone }, '2026-11-23T00:00:00Z')).toContain('week:2026-11-23 ')
    expect(period({ every: 'week', zone, anchor: { weekday: 7 } }, '2026-11-23T00:00:00Z')).toContain(
      'week:2026-11-22 ',
    )
    expect(period({ every: 'year', zone, anchor: { month: 4 } }, '2026-03-31T23:59:59Z')).toBe(
      'year:2025-04-01 2025-04-01T00:00:00.000Z 2026-04-01T00:00:00.000Z',
    )
    expect(period({ every: 'quarter', zone, anchor: { month: 2 } }, '2027-01-15T00:00:00Z')).toBe(
      'quarter:2026-11-01 2026-11-01T00:00:00.000Z 2027-02-01T00:00:00.000Z',
    )
    expect(period({ every: 'month', zone, anchor: { day: 31 } }, '2027-02-10T00:00:00Z')).toBe(
      'month:2027-01-31 2027-01-31T00:00:00.000Z 2027-02-28T00:00:00.000Z',
    )
  })

  test('contain their instant, and follow each other without gap or overlap, in any zone', () => {
    const zones = [
      'UTC',
      'Asia/Shanghai',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'America/Sao_Paulo',
      'America/St_Johns',
      'Pacific/Apia',
      'Africa/Cairo',
    ]
    const windows = fc.record({
      every: fc.constantFrom(
        'hour' as const,
        'day' as const,
        'week' as const,
        'month' as const,
        'quarter' as const,
        'year' as const,
      ),
      zone: fc.constantFrom(...zones),
      anchor: fc.record({
        minute: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1439 })),
        weekday: fc.integer({ min: 1, max: 7 }),
        day: fc.integer({ min: 1, max: 31 }),
        month: fc.integer({ min: 1, max: 12 }),
      }),
    })
    const instants = fc.integer({ min: us('2001-01-01T00:00:00Z'), max: us('2045-01-01T00:00:00Z') })
    const changes = [
      '2026-03-08T07:00Z',
      '2026-11-01T06:00Z',
      '2026-04-04T15:00Z',
      '2026-10-03T15:30Z',
      '2011-12-30T10:00Z',
      '2010-11-07T02:31Z',
      '2018-02-18T02:00Z',
    ]
    const near = fc
      .tuple(fc.constantFrom(...changes.map(us)), fc.integer({ min: -5e10, max: 5e10 }))
      .map(([at, off]) => at + off)
    fc.assert(
      fc.property(windows, fc.oneof(instants, near), (window, at_us) => {
        const here = periodOf(window, at_us)
        expect(here.from_us).toBeLessThanOrEqual(at_us)
        expect(here.to_us).toBeGreaterThan(at_us)
        expect(periodOf(window, here.from_us)).toEqual(here)
        expect(periodOf(window, here.to_us - 1)).toEqual(here)
        const next = periodOf(window, here.to_us)
        expect(next.from_us).toBe(here.to_us)
        expect(next.id).not.toBe(here.id)
        expect(periodOf(window, here.from_us - 1).to_us).toBe(here.from_us)
      }),
      { seed: 20261123, numRuns: 1500 },
    )
  })
})

describe('rolling windows', () => {
  test('count every slice that a stretch of their length can touch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 48 }), fc.integer({ min: 0, max: 4e15 }), (slices, at_us) => {
        const window = { length_us: slices * 1_800_000_000, slices }
        const periods = periodsInForce(window, at_us)
        expect(periods.at(-1)).toEqual(periodOf(window, at_us))
        expect(periods[0]?.from_us).toBeLessThanOrEqual(at_us - window.length_us)
        expect(periods.every((one, at) => at === 0 || periods[at - 1]?.to_us === one.from_us)).toBe(true)
        expect(new Set(periods.map(({ id }) => id)).size).toBe(slices + 1)
      }),
      { seed: 20261123 },
    )
  })
})

test('a window that cannot be one is refused, and the message names its field', () => {
  const refused = (window: unknown) => {
    try {
      checkWindow(window as Window)
      return 'accepted'
    } catch (error) {
      return error instanceof WeirError ? `${error.code} ${error.message}` : String(error)
    }
  }
  expect(refused({ every: 'fortnight', zone: 'UTC' })).toMatch(/bad-config window\.every: "fortnight"/)
  expect(refused({ every: 'day', zone: 'Asia/Peking' })).toMatch(/unknown time zone "Asia\/Peking"/)
  expect(refused({ every: 'day', zone: 'UTC', anchor: { minute: 1440 } })).toMatch(/window\.anchor\.minute/)
  expect(refused({ every: 'week', zone: 'UTC', anchor: { weekday: 0 } })).toMatch(/window\.anchor\.weekday/)
  expect(refused({ length_us: 10, slices: 1 })).toMatch(/window\.length_us/)
  expect(refused({ length_us: 3_600_000_000, slices: 7 })).toMatch(/window\.slices/)
  expect(refused({ every: 'year', zone: 'UTC', anchor: { month: 4 } })).toBe('accepted')
})
