import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { formatUsd } from '../../src/core/money.ts'
import type { PriceRow } from '../../src/core/price.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { price } from '../../src/playbook/price/price.ts'
import { call, line, usage } from './usage.ts'

const base: PriceRow = {
  id: 'base',
  layer: 'weir',
  provider: 'p',
  models: ['m', 'alias'],
  rates: { 'in.text.fresh': '2', 'out.text.visible': '10', 'in.text.cache_read': '0.2', 'in.text.cache_write': '2.5' },
  source: 'test',
  checked_at: '2026-11-23',
}
const row = (id: string, more: Partial<PriceRow>): PriceRow => ({ ...base, id, ...more })
const bookOf = (...rows: PriceRow[]) => compileBook({ rows, version: 'v' })
const spend = (rows: PriceRow[], ...args: Parameters<typeof call>) => {
  const priced = price(call(...args), bookOf(...rows))
  return priced.cost === null ? null : formatUsd(priced.cost)
}
const million = { 'in.text.fresh': 1_000_000 } as const
const m = { provider: 'p', model: 'm', moment: '2026-11-23T12:00Z', tokens: million }

describe('the row that holds', () => {
  test('is found by exact name or alias, and by nothing else', () => {
    expect(spend([base], m)).toBe('2')
    expect(spend([base], { ...m, model: 'alias' })).toBe('2')
    expect(spend([base], { ...m, model: 'm-new' })).toBeNull()
    expect(spend([base], { ...m, provider: 'other' })).toBeNull()
  })

  test('is that of the undated name when the model only adds a date, and says so', () => {
    const priced = price(call({ ...m, model: 'm-2026-11-02' }), bookOf(base))
    expect(formatUsd(priced.cost ?? (0n as never))).toBe('2')
    expect(priced.warnings).toEqual(['dated-alias: m-2026-11-02 is priced as its undated name'])
    expect(spend([base], { ...m, model: 'm-2026-13-02' })).toBeNull()
    expect(
      spend([base, row('dated', { models: ['m-20261102'], rates: { 'in.text.fresh': '9' } })], {
        ...m,
        model: 'm-20261102',
      }),
    ).toBe('9')
  })

  test('is the one with all conditions of both, where two conditions hold at once', () => {
    const rows = [
      base,
      row('long', { context: { operator: '>', tokens: 100 }, rates: { 'in.text.fresh': '4' } }),
      row('us', { geo: 'us', rates: { 'in.text.fresh': '3' } }),
      row('us-long', { geo: 'us', context: { operator: '>', tokens: 100 }, rates: { 'in.text.fresh': '6' } }),
    ]
    expect(spend(rows, m)).toBe('4')
    expect(spend(rows, m, { context_tokens: 100 })).toBe('2')
    expect(spend(rows, m, { geo: 'us', context_tokens: 100 })).toBe('3')
    expect(spend(rows, m, { geo: 'us' })).toBe('6')
  })

  test('is the narrower of two bands', () => {
    const rows = [
      base,
      row('over-100', { context: { operator: '>', tokens: 100 }, rates: { 'in.text.fresh': '4' } }),
      row('over-200', { context: { operator: '>=', tokens: 200 }, rates: { 'in.text.fresh': '8' } }),
    ]
    expect(spend(rows, m, { context_tokens: 199 })).toBe('4')
    expect(spend(rows, m, { context_tokens: 200 })).toBe('8')
  })

  test('is never a row of another tier, speed or batch: that is unpriced', () => {
    const flex = row('flex', { tier: 'flex', rates: { 'in.text.fresh': '1' } })
    expect(spend([base, flex], m, { service_tier: 'flex' })).toBe('1')
    expect(spend([base, flex], m, { service_tier: 'standard' })).toBe('2')
    expect(spend([base, flex], m, { service_tier: 'priority' })).toBeNull()
    expect(spend([base, flex], m, { speed: 'fast' })).toBeNull()
    expect(spend([base, flex], { ...m, batch: true })).toBeNull()
    const batch = row('batch', { batch: true, rates: { 'in.text.fresh': '1' } })
    expect(spend([base, batch], m, { service_tier: 'batch' })).toBe('1')
    expect(spend([base, batch], m, { kind: 'batch_item' })).toBe('1')
  })

  test('changes at the date: from is inclusive, to is exclusive', () => {
    const rows = [
      row('old', { effective_to: '2026-08-21' }),
      row('new', { effective_from: '2026-08-21', effective_to: '2026-09-01T10:00Z', rates: { 'in.text.fresh': '1' } }),
    ]
    expect(spend(rows, { ...m, moment: '2026-08-20T23:59:59Z' })).toBe('2')
    expect(spend(rows, { ...m, moment: '2026-08-21' })).toBe('1')
    expect(spend(rows, { ...m, moment: '2026-09-01T09:59:59Z' })).toBe('1')
    expect(spend(rows, { ...m, moment: '2026-09-01T10:00Z' })).toBeNull()
  })

  test('follows the wall clock of its zone over the change to daylight saving', () => {
    const peak = row('peak', {
      window: {
        zone: 'America/New_York',
        weekdays: [1, 2, 3, 4, 5],
        minutes: [[540, 1020]],
        except_dates: ['2026-11-26'],
      },
      rates: { 'in.text.fresh': '7' },
    })
    const rows = [base, peak]
    // New York is UTC-4 until 1 November 2026, 06:00 UTC, and UTC-5 from then on.
    expect(spend(rows, { ...m, moment: '2026-10-30T13:00Z' })).toBe('7')
    expect(spend(rows, { ...m, moment: '2026-10-30T12:59:59Z' })).toBe('2')
    expect(spend(rows, { ...m, moment: '2026-11-02T13:00Z' })).toBe('2')
    expect(spend(rows, { ...m, moment: '2026-11-02T14:00Z' })).toBe('7')
    expect(spend(rows, { ...m, moment: '2026-11-02T21:59:59Z' })).toBe('7')
    expect(spend(rows, { ...m, moment: '2026-11-02T22:00Z' })).toBe('2')
    expect(spend(rows, { ...m, moment: '2026-11-01T15:00Z' }), 'a Sunday').toBe('2')
    expect(spend(rows, { ...m, moment: '2026-11-26T15:00Z' }), 'an excepted Thursday').toBe('2')
  })
})

describe('layers', () => {
  const contract = row('contract', { layer: 'contract', models: ['m'], rates: { 'in.text.fresh': '1.5' } })
  const catalog = row('catalog', { layer: 'catalog', rates: { 'in.text.fresh': '99', 'in.audio.fresh': '50' } })

  test('a contract holds for the dated names of its model, as far as our rows say that they are the same', () => {
    const ours = row('ours', { models: ['m', 'm-20261102'] })
    const other = row('other', { models: ['m-20250101'], rates: { 'in.text.fresh': '9' } })
    const dated = row('dated', { layer: 'contract', models: ['m-20261102'], rates: { 'in.text.fresh': '1' } })
    const at = (model: string, ...rows: PriceRow[]) => spend([ours, other, ...rows], { ...m, model })
    expect(at('m-20261102', contract)).toBe('1.5')
    expect(at('m-20260909', contract)).toBe('1.5')
    expect(at('m-20250101', contract)).toBe('9')
    expect(at('m-20261102', contract, dated)).toBe('1')
    expect(at('m', dated)).toBe('2')
  })

  test('a contract wins for what it names, and the list price holds for the rest', () => {
    const tokens = { 'in.text.fresh': 1_000_000, 'in.text.cache_read': 1_000_000 }
    expect(spend([base, contract], { ...m, tokens })).toBe('1.7')
    const priced = price(call({ ...m, tokens }), bookOf(base, contract), { layers: ['weir', 'catalog'] })
    expect(priced.cost && formatUsd(priced.cost)).toBe('2.2')
  })

  test('the catalogue fills only models, and times, for which we have no row', () => {
    expect(spend([base, catalog], m)).toBe('2')
    expect(spend([row('weir', { effective_from: '2026-12-01' }), catalog], m)).toBe('99')
    expect(spend([row('weir', { effective_to: '2026-11-01' }), catalog], m), 'we ended it').toBeNull()
  })
})

describe('fallbacks', () => {
  const cost = (tokens: Parameters<typeof line>[0]) => price(call({ ...m, tokens }), bookOf(base))

  test('within a modality are silent; a modality priced as text is named', () => {
    const silent = cost({
      'in.text.cache_write_5m': 1_000_000,
      'in.text.tool': 1_000_000,
      'out.text.reasoning': 1_000_000,
      'out.text.citation': 1_000_000,
      'out.text.prediction_rejected': 1_000_000,
    })
    expect(silent.cost && formatUsd(silent.cost)).toBe('34.5')
    expect(silent.warnings).toEqual([])
    const image = cost({ 'in.image.fresh': 1_000_000 })
    expect(image.cost && formatUsd(image.cost)).toBe('2')
    expect(image.warnings).toEqual(['rate-inherited: in.image.fresh is priced as in.text.fresh'])
  })

  test('one-hour cache writes are never priced as 5-minute ones: they are unpriced', () => {
    const priced = cost({ 'in.text.fresh': 10, 'in.text.cache_write_1h': 10 })
    expect(priced.cost).toBeNull()
    expect(priced.lines.map(({ meter, cost: one }) => [meter, one])).toEqual([
      ['in.text.fresh', 20n * 1_000_000n],
      ['in.text.cache_write_1h', null],
    ])
    expect(priced.warnings).toEqual([
      'unpriced: no price for p/m (standard standard) at that moment: in.text.cache_write_1h',
    ])
    expect(cost({ 'in.text.cache_write_1h': 0, 'in.text.fresh': 1 }).cost).toBe(2_000_000n)
  })
})

describe('lines', () => {
  test('are priced each at its own model, and a charge known only from the stated cost is added', () => {
    const advisor = row('advisor', { models: ['big'], rates: { 'in.text.fresh': '5', 'out.text.visible': '25' } })
    const billable = {
      ...call(m),
      usage: usage([
        line({ 'in.text.fresh': 1128, 'out.text.visible': 110 }),
        line(
          { 'in.text.fresh': 2518, 'out.text.visible': 22 },
          { kind: 'advisor', model_served: 'big', other_usd: '0.015885' },
        ),
      ]),
    }
    const priced = price(billable, bookOf(base, advisor))
    expect(priced.lines.map(({ model, meter, row: id }) => [model, meter, id])).toEqual([
      ['m', 'in.text.fresh', 'base'],
      ['m', 'out.text.visible', 'base'],
      ['big', 'in.text.fresh', 'advisor'],
      ['big', 'out.text.visible', 'advisor'],
      ['big', 'provider.other', undefined],
    ])
    expect(formatUsd(priced.input)).toBe('0.014846')
    expect(formatUsd(priced.output)).toBe('0.00165')
    expect(formatUsd(priced.fees)).toBe('0.015885')
    expect(priced.cost).toBe(priced.input + priced.output + priced.fees)
  })

  test('that nobody bills cost nothing, and say why', () => {
    for (const extra of [{ kind: 'declined' }, { funding: 'free' }, { funding: 'provisioned' }] as const) {
      const priced = price(call(m, extra), bookOf(base))
      expect(priced.cost).toBe(0n)
      expect(priced.warnings).toHaveLength(1)
    }
    expect(price(call(m, { funding: 'byok' }), bookOf(base)).cost, 'a shadow cost').toBe(2_000_000_000_000n)
  })

  test('odd usage is recorded, never thrown', () => {
    const odd = call({ ...m, tokens: { 'in.text.fresh': Number.NaN, 'out.text.visible': -5 } }, { other_usd: 'x' })
    const priced = price(odd, bookOf(base))
    expect(priced.cost).toBeNull()
    expect(priced.lines.map(({ cost }) => cost)).toEqual([null, null, null])
  })

  test('a unit takes the row whose attributes it has', () => {
    const rows = [
      row('image', { rates: { 'image.generated': '40000' } }),
      row('large', { attrs: { size: 'L' }, rates: { 'image.generated': '80000' } }),
      row('large-hd', { attrs: { size: 'L', quality: 'hd' }, rates: { 'image.generated': '120000' } }),
    ]
    const image = (attrs: Record<string, string>) =>
      spend(rows, { ...m, tokens: {} }, { units: { 'image.generated': { n: 2, attrs } } })
    expect(image({})).toBe('0.08')
    expect(image({ size: 'L' })).toBe('0.16')
    expect(image({ size: 'L', quality: 'hd' })).toBe('0.24')
    expect(image({ size: 'S', quality: 'hd' })).toBe('0.08')
  })
})

describe('a book is refused', () => {
  const refusal = (...rows: PriceRow[]): string => {
    try {
      bookOf(...rows)
    } catch (error) {
      if (error instanceof WeirError && error.code === 'bad-config') return error.message
      throw error
    }
    return 'accepted'
  }

  test.each([
    ['two open rows of the same conditions', [base, row('again', {})]],
    ['overlapping dates', [row('a', { effective_to: '2026-10-02' }), row('b', { effective_from: '2026-10-01' })]],
    [
      'two conditions of which neither is narrower',
      [row('a', { geo: 'us' }), row('b', { context: { operator: '>', tokens: 5 } })],
    ],
    [
      'bands that cross',
      [row('a', { context: { operator: '>', tokens: 5 } }), row('b', { context: { operator: '<', tokens: 9 } })],
    ],
    [
      'hours that overlap',
      [
        row('a', { window: { zone: 'UTC', minutes: [[0, 90]] } }),
        row('b', { window: { zone: 'UTC', minutes: [[60, 120]] } }),
      ],
    ],
  ])('for a tie: %s; both rows are named', (_, rows) => {
    expect(refusal(...rows)).toMatch(
      /^price rows (base and again|a and b|b and a) both hold for p\/m and neither is more specific/,
    )
  })

  test.each([
    ['dates that touch', [row('a', { effective_to: '2026-10-01' }), row('b', { effective_from: '2026-10-01' })]],
    [
      'bands that do not meet',
      [row('a', { context: { operator: '>=', tokens: 9 } }), row('b', { context: { operator: '<', tokens: 9 } })],
    ],
    [
      'different weekdays',
      [
        row('a', { window: { zone: 'UTC', weekdays: [1], minutes: [[0, 90]] } }),
        row('b', { window: { zone: 'UTC', weekdays: [2], minutes: [[0, 90]] } }),
      ],
    ],
    ['different layers', [base, row('again', { layer: 'catalog' })]],
    [
      'fees of different units',
      [
        row('a', { geo: 'us', attrs: { a: '1' }, rates: { request: '1' } }),
        row('b', { attrs: { b: '1' }, rates: { 'ocr.page': '1' } }),
      ],
    ],
  ])('but not for %s', (_, rows) => {
    expect(refusal(...rows)).toBe('accepted')
  })

  test.each<[string, Partial<PriceRow>, string]>([
    ['a zero rate that is not said to be free', { rates: { 'in.text.fresh': '0.00' } }, 'rates.in.text.fresh is zero'],
    [
      'a rate that is no plain decimal',
      { rates: { 'in.text.fresh': '1e-3' } },
      'rates.in.text.fresh must be a plain decimal',
    ],
    ['an unknown meter', { rates: { 'in.text.frish': '1' } as never }, 'rates.in.text.frish is not a meter'],
    ['no rates', { rates: {} }, 'rates is empty'],
    ['an unknown field', { note: 'x' } as never, 'unknown field note'],
    ['a pattern', { models: ['gpt-*'] }, 'models must be exact names'],
    ['a date that is none', { effective_from: '2026-02-30' }, 'effective_from must be a date'],
    [
      'dates the wrong way round',
      { effective_from: '2026-03-02', effective_to: '2026-03-01' },
      'effective_to must come after',
    ],
    ['an unknown zone', { window: { zone: 'Mars/Base', minutes: [[0, 1]] } }, 'window.zone "Mars/Base"'],
    ['hours out of the day', { window: { zone: 'UTC', minutes: [[60, 1441]] } }, 'window.minutes'],
  ])('for %s', (_, more, message) => {
    const said = refusal(row('wrong', more))
    expect(said).toContain('price row wrong (p)')
    expect(said).toContain(message)
  })

  test('for an id used twice', () => {
    expect(refusal(base, row('base', { models: ['other'] }))).toContain('price row id base is used twice')
  })
})

test('cost is quantity × rate as rational arithmetic has it, rounded half up once a line', () => {
  const rate = fc.tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 1, max: 999_999_999_999 }))
  fc.assert(
    fc.property(rate, rate, fc.nat({ max: 10_000_000 }), fc.nat({ max: 10_000_000 }), (a, b, input, output) => {
      const text = ([whole, fraction]: [number, number]) => `${whole}.${String(fraction).padStart(12, '0')}`
      const book = bookOf(row('r', { rates: { 'in.text.fresh': text(a), 'out.text.visible': text(b) } }))
      const priced = price(call({ ...m, tokens: { 'in.text.fresh': input, 'out.text.visible': output } }), book)
      const exact = ([whole, fraction]: [number, number], n: number) => {
        const product = (BigInt(whole) * 10n ** 12n + BigInt(fraction)) * BigInt(n)
        return (product * 2n + 10n ** 6n) / (2n * 10n ** 6n)
      }
      expect(priced.input).toBe(exact(a, input))
      expect(priced.output).toBe(exact(b, output))
      expect(priced.cost).toBe(exact(a, input) + exact(b, output))
    }),
    { seed: 7, numRuns: 500 },
  )
})

type Condition = Readonly<{ geo: string | undefined; region: string | undefined; band: number | undefined }>

const conditioned = ({ geo, region, band }: Condition, index: number): PriceRow =>
  row(`r${index}`, {
    ...(geo ? { geo } : {}),
    ...(region ? { region } : {}),
    ...(band ? { context: { operator: '>' as const, tokens: band } } : {}),
    rates: { 'in.text.fresh': String(index + 1) },
  })

const accepted = (rows: PriceRow[]) => {
  try {
    return bookOf(...rows)
  } catch {
    return undefined
  }
}

/** The condition that lies within all others that hold, by brute force; undefined when there is none. */
const mostSpecific = (
  conditions: readonly Condition[],
  at: { geo: string; region: string; context_tokens: number },
) => {
  const matching = conditions.filter(
    ({ geo, region, band }) =>
      (!geo || geo === at.geo) && (!region || region === at.region) && (!band || at.context_tokens > band),
  )
  const inside = (a: Condition, b: Condition) =>
    (!b.geo || a.geo === b.geo) && (!b.region || a.region === b.region) && (a.band ?? 0) >= (b.band ?? 0)
  const best = matching.find((a) => matching.every((b) => inside(a, b)))
  return { best: best && `r${conditions.indexOf(best)}`, some: matching.length > 0 }
}

test('a book that is accepted leaves no call between two rows', () => {
  const condition = fc.record({
    geo: fc.constantFrom(undefined, 'us'),
    region: fc.constantFrom(undefined, 'eu', 'us'),
    band: fc.constantFrom(undefined, 10, 20),
  })
  const calls = ['us', 'de'].flatMap((geo) =>
    ['eu', 'us', 'jp'].flatMap((region) => [5, 15, 25].map((context_tokens) => ({ geo, region, context_tokens }))),
  )
  let books = 0
  fc.assert(
    fc.property(fc.array(condition, { minLength: 1, maxLength: 7 }), (conditions) => {
      const book = accepted(conditions.map(conditioned))
      if (!book) return
      books += 1
      for (const at of calls) {
        const { best, some } = mostSpecific(conditions, at)
        const priced = price(call({ ...m, tokens: { 'in.text.fresh': 1 } }, at), book)
        expect(priced.cost === null).toBe(!some)
        expect(priced.lines[0]?.row).toBe(best)
      }
    }),
    { seed: 11, numRuns: 500 },
  )
  expect(books).toBeGreaterThan(50)
})
