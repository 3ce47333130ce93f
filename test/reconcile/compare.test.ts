import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BillLine, type TokenKind, tokenKinds } from '../../src/core/bill.ts'
import type { MeteredRow } from '../../src/core/ledger.ts'
import { picodollars } from '../../src/core/money.ts'
import { foldLines } from '../../src/playbook/allocate/reconcile/fold.ts'
import { groupKinds } from '../../src/playbook/allocate/reconcile/kinds.ts'
import { reconcile } from '../../src/playbook/allocate/reconcile/reconcile.ts'
import type { Comparison } from '../../src/playbook/allocate/reconcile/result.ts'
import { isCompared } from '../../src/verbs/reconcile/answer.ts'
import { find, line, options, partsOf, row, usd } from './made.ts'

const totals = (bill: readonly BillLine[], metered: readonly MeteredRow[], given = {}) => {
  const { tokens, cost } = reconcile(bill, metered, options(given))
  return { tokens: partsOf(tokens), cost: partsOf(cost) }
}

describe('each difference gets its name', () => {
  const billed = [line({ quantity: 1000n }), line({ cost: usd('2') })]
  const same = row({ quantity: '1000', cost_usd: '2' })

  test('equal figures have no difference', () => {
    expect(totals(billed, [same])).toEqual({ tokens: {}, cost: {} })
  })

  test('spend that never passed Weir is bypass, at what the bill says it cost', () => {
    expect(totals(billed, [])).toEqual({ tokens: { bypass: 1000n }, cost: { bypass: usd('2') } })
    expect(totals(billed, [row({ quantity: '750', cost_usd: '1.5' })])).toEqual({
      tokens: { bypass: 250n },
      cost: { bypass: usd('0.5') },
    })
  })

  test('more tokens for as many requests are no bypass: they stay open', () => {
    const counted = [line({ quantity: 1000n, requests: 2 })]
    const less = [row({ quantity: '750' }), row({ meter: null, attempts: 2 })]
    expect(totals(counted, less).tokens).toEqual({ open: 250n })
    expect(totals([line({ quantity: 1000n, requests: 3 })], less).tokens).toEqual({ bypass: 250n })
  })

  test('what the provider lacks within its delay is late, and open after it', () => {
    const noon = { now_ms: Date.parse('2026-11-02T00:30:00Z') }
    const part = [line({ quantity: 600n }), line({ cost: usd('1.2') })]
    expect(totals(part, [same], noon)).toEqual({ tokens: { late: -400n }, cost: { late: usd('-0.8') } })
    expect(totals(part, [same])).toEqual({ tokens: { open: -400n }, cost: { open: usd('-0.8') } })
  })

  test('a bill that lacks most of the ledger because it is late is no verdict yet', () => {
    const at = options({ now_ms: Date.parse('2026-11-02T00:30:00Z') })
    const compared = (quantity: bigint) => isCompared(reconcile([line({ quantity })], [same], at))
    expect([compared(1000n), compared(600n), compared(400n), compared(1n)]).toEqual([true, true, false, false])
    expect(isCompared(reconcile([line({ quantity: 1n })], [same], options()))).toBe(true)
  })

  test('dollars are late after tokens are there', () => {
    const next = { now_ms: Date.parse('2026-11-02T12:00:00Z') }
    expect(totals([line({ quantity: 1000n }), line({ cost: usd('0.5') })], [same], next)).toEqual({
      tokens: {},
      cost: { late: usd('-1.5') },
    })
  })

  test('calls over midnight are counted on the other day', () => {
    const bill = [line({ quantity: 900n }), line({ day: '2026-11-02', quantity: 100n })]
    const over = [row({ quantity: '900' }), row({ quantity: '100', over_midnight: true })]
    const { compared } = reconcile(bill, over, options())
    expect(partsOf(find(compared, 'gpt-5.5', 'input')?.tokens)).toEqual({ boundary: -100n })
    expect(partsOf(find(compared, 'gpt-5.5', 'input', '2026-11-02')?.tokens)).toEqual({ boundary: 100n })
  })

  test('calls over the edges of the window are told too', () => {
    const before = row({ day: '2026-10-31', quantity: '70', over_midnight: true })
    expect(totals([line({ quantity: 1050n })], [row({ quantity: '1000' }), before]).tokens).toEqual({ boundary: 50n })
    const last = row({ day: '2026-11-30', quantity: '30', over_midnight: true })
    expect(totals([line({ quantity: 1000n })], [row({ quantity: '1000' }), last]).tokens).toEqual({ boundary: -30n })
  })

  test('tokens that we estimated after the client went are aborted, up to the estimate', () => {
    const estimate = row({ quantity: '300', cost_usd: '0.6', aborted: true, estimated: true })
    expect(totals(billed, [same, estimate])).toEqual({ tokens: { aborted: -300n }, cost: { aborted: usd('-0.6') } })
    expect(totals([line({ quantity: 900n })], [same, estimate]).tokens).toEqual({ aborted: -300n, open: -100n })
  })

  test('a reservation for a call whose end was not seen is aborted', () => {
    const reserved = row({ meter: null, cost_usd: '5', aborted: true, estimated: true, attempts: 1 })
    expect(totals(billed, [same, reserved]).cost).toEqual({ aborted: usd('-5') })
  })

  test('what has no price is unpriced, and costs what the bill says', () => {
    const unpriced = row({ quantity: '1000', priced: false, price_state: 'unpriced' })
    expect(totals(billed, [unpriced])).toEqual({ tokens: {}, cost: { unpriced: usd('2') } })
    expect(totals([line({ cost: usd('2') })], [unpriced]).cost).toEqual({ unpriced: usd('2') })
  })

  test('the same part off every price is a discount; off one alone it is open', () => {
    const days = ['2026-11-01', '2026-11-02', '2026-11-03']
    const bill = (day: string, cost: string) => [line({ day, quantity: 1000n }), line({ day, cost: usd(cost) })]
    const rows = days.map((day) => row({ day, quantity: '1000', cost_usd: '2' }))
    expect(
      totals(
        days.flatMap((day) => bill(day, '1.7')),
        rows,
      ).cost,
    ).toEqual({ discount: usd('-0.9') })
    const once = days.flatMap((day, at) => bill(day, at === 0 ? '1.7' : '2'))
    expect(totals(once, rows).cost).toEqual({ open: usd('-0.3') })
    expect(totals(bill('2026-11-01', '1.7'), rows.slice(0, 1)).cost).toEqual({ open: usd('-0.3') })
  })

  test('a discount is told also where tokens stay open: their dollars are open, the rest of the price is the discount', () => {
    const days = ['2026-11-01', '2026-11-02', '2026-11-03'] as const
    const bill = (day: string, tokens: bigint, cost: string) =>
      line({ day, quantity: tokens, requests: 1, cost: usd(cost) })
    const rows = days.map((day) => row({ day, quantity: '1000', attempts: 1, cost_usd: '2' }))
    const [more, less] = [
      [bill(days[0], 1500n, '2.7'), ...days.slice(1).map((day) => bill(day, 1000n, '1.8'))],
      [bill(days[0], 500n, '0.9'), ...days.slice(1).map((day) => bill(day, 1000n, '1.8'))],
    ]
    expect(totals(more, rows).cost).toEqual({ discount: usd('-0.6'), open: usd('0.9') })
    expect(totals(less, rows).cost).toEqual({ discount: usd('-0.5'), open: usd('-1') })
  })

  test('what the bill has no money for is open, and no discount of all of it', () => {
    const days = ['2026-11-01', '2026-11-02']
    const others = days.map((day) => line({ day, model: 'other', quantity: 10n, cost: usd('1') }))
    const rows = days.map((day) => row({ day, quantity: '1000', cost_usd: '2' }))
    const counted = days.map((day) => line({ day, quantity: 1000n }))
    const free = days.map((day) => line({ day, cost: usd('0') }))
    const partsFor = (bill: readonly BillLine[]) => {
      const { compared } = reconcile([...others, ...bill], rows, options())
      return partsOf(find(compared, 'gpt-5.5', 'input', '2026-11-02')?.cost)
    }
    expect(partsFor([])).toEqual({ open: usd('-2') })
    expect(partsFor(counted)).toEqual({ open: usd('-2') })
    expect(partsFor([...counted, ...free])).toEqual({ discount: usd('-2') })
  })

  test('a tier on the bill that the ledger did not see is a tier', () => {
    const batch = [line({ quantity: 1000n, tier: 'batch' }), line({ cost: usd('1') })]
    expect(totals(batch, [same]).cost).toEqual({ tier: usd('-1') })
    expect(totals(batch, [{ ...same, service_tier: 'batch' }]).cost).toEqual({ open: usd('-1') })
  })

  test('money of a tier that is billed elsewhere is a tier', () => {
    const bill = [line({ quantity: 1000n, tier: 'priority' }), line({ model: 'other', cost: usd('0') })]
    const rows = [{ ...same, service_tier: 'priority' }]
    expect(totals(bill, rows, { unbilled_tiers: ['priority'] }).cost).toEqual({ tier: usd('-2') })
  })

  test('searches and sessions are fees, taken together by day', () => {
    const bill = [line({ charge: 'fee', model: null, kinds: [], cost: usd('0.3') })]
    const search = row({ meter: 'web_search.query', quantity: '20', cost_usd: '0.2' })
    expect(totals([...billed, ...bill], [same, search]).cost).toEqual({ fee: usd('0.1') })
  })

  test('credits, taxes and the provider’s own rounding have their own names', () => {
    const others = (['credit', 'tax', 'discount', 'rounding'] as const).map((charge, at) =>
      line({ charge, model: null, kinds: [], cost: usd(`0.${at + 1}`) }),
    )
    expect(totals([...billed, ...others], [same]).cost).toEqual({
      credit: usd('0.1'),
      tax: usd('0.2'),
      discount: usd('0.3'),
      rounding: usd('0.4'),
    })
  })

  test('decimals that a bill does not show are rounding, and no more than those', () => {
    expect(totals([line({ quantity: 1000n }), line({ cost: usd('2.0000004') })], [same]).cost).toEqual({
      rounding: usd('0.0000004'),
    })
    expect(totals([line({ quantity: 1000n }), line({ cost: usd('2.00001') })], [same]).cost).toEqual({
      open: usd('0.00001'),
    })
    expect(totals([line({ quantity: 1001n, rounded: true })], [same]).tokens).toEqual({ rounding: 1n })
  })

  test('one model under two names cancels, and is told for a person to confirm', () => {
    const bill = [line({ model: 'nano 5.4', quantity: 1000n }), line({ model: 'nano 5.4', cost: usd('2') })]
    const { tokens, cost, suspected } = reconcile(bill, [{ ...same, model: 'gpt-5.4-nano' }], options())
    expect([partsOf(tokens), partsOf(cost)]).toEqual([{}, {}])
    expect(suspected).toEqual([{ name: 'nano 5.4', model: 'gpt-5.4-nano' }])
    const given = { models: { given: { 'nano 5.4': 'gpt-5.4-nano' }, known: () => undefined, own_names: false } }
    const confirmed = reconcile(bill, [{ ...same, model: 'gpt-5.4-nano' }], options(given))
    expect(confirmed.compared).toHaveLength(1)
    expect(confirmed.alignments).toEqual([{ name: 'nano 5.4', model: 'gpt-5.4-nano', by: 'given' }])
  })
})

test('lines that are alike are summed up, and lose nothing by it', () => {
  const folded = foldLines()
  const all = [
    line({ quantity: 3n, cost: usd('0.1'), requests: 1, rounded: true }),
    line({ quantity: 4n, cost: usd('0.2'), requests: 2, rounded: true }),
    line({ quantity: 4n, cost: null }),
    line({ quantity: 1n, cost: usd('0.1'), day: '2026-11-02' }),
  ]
  all.forEach(folded.add)
  expect(folded.lines()).toHaveLength(3)
  expect(folded.lines()[0]).toMatchObject({ quantity: 7n, cost: usd('0.3'), requests: 3, count: 2 })
  const short = [row({ quantity: '9', cost_usd: '0.3' }), row({ day: '2026-11-02', quantity: '1', cost_usd: '0.1' })]
  expect(totals(folded.lines(), short)).toEqual(totals(all, short))
  expect(totals(folded.lines(), short).tokens).toEqual({ rounding: 2n })
})

describe('what one amount counts together is compared together', () => {
  test('kinds that a line counts together are one group, and others stay apart', () => {
    expect(groupKinds([['input', 'cache_read']])).toEqual([
      ['input', 'cache_read'],
      ['cache_write'],
      ['cache_write_1h'],
      ['output'],
    ])
    expect(
      groupKinds([
        ['input', 'cache_read'],
        ['cache_read', 'output'],
      ])[0],
    ).toEqual(['input', 'cache_read', 'output'])
  })

  test('tokens stay apart where only the money is one amount, and bypass is valued by the kinds’ own prices', () => {
    const bill = [
      line({ kinds: ['input', 'cache_read', 'cache_write', 'cache_write_1h'], quantity: 1000n }),
      line({ kinds: ['output'], quantity: 200n }),
      line({ kinds: tokenKinds, cost: usd('30') }),
    ]
    const rows = [
      row({ quantity: '1000', cost_usd: '10' }),
      row({ meter: 'out.text.visible', quantity: '100', cost_usd: '10' }),
    ]
    expect(totals(bill, rows)).toEqual({ tokens: { bypass: 100n }, cost: { bypass: usd('10') } })
  })

  test('fees are within an amount that is for all of a model', () => {
    const bill = [line({ kinds: tokenKinds, cost: usd('3') })]
    const rows = [
      row({ quantity: '10', cost_usd: '2' }),
      row({ meter: 'web_search.query', quantity: '1', cost_usd: '1' }),
    ]
    expect(totals(bill, rows).cost).toEqual({})
  })

  test('a cost that only the provider stated is compared with all kinds of the model', () => {
    const bill = [line({ quantity: 10n }), line({ cost: usd('1') }), line({ kinds: ['output'], cost: usd('2') })]
    const rows = [
      row({ quantity: '10', priced: false, price_state: 'stated' }),
      row({ meter: null, cost_usd: '3', price_state: 'stated' }),
    ]
    expect(totals(bill, rows).cost).toEqual({})
  })
})

describe('names of models', () => {
  const aligned = (
    bill: string,
    ledger: readonly string[],
    models: Partial<ReturnType<typeof options>['models']> = {},
  ) => {
    const rows = ledger.map((model) => row({ model, quantity: '1' }))
    const given = options({ models: { given: {}, known: () => undefined, own_names: false, ...models } })
    return reconcile([line({ model: bill, quantity: 1n })], rows, given).alignments
  }
  const words = { own_names: true }

  test('a dated name is its undated one, on either side', () => {
    expect(aligned('gpt-5.5-2026-04-23', ['gpt-5.5'])).toMatchObject([{ model: 'gpt-5.5', by: 'dated' }])
    expect(aligned('gpt-5.5', ['gpt-5.5-2026-04-23'])).toMatchObject([{ model: 'gpt-5.5', by: 'dated' }])
  })

  test('a name that stands on both sides is never another', () => {
    const bill = [line({ model: 'gpt-5.5', quantity: 5n }), line({ model: 'gpt-5.5-2026-04-23', quantity: 7n })]
    const rows = [row({ quantity: '5' }), row({ model: 'gpt-5.5-2026-04-23', quantity: '7' })]
    const { compared, tokens } = reconcile(bill, rows, options())
    expect(compared.map(({ model }) => model)).toEqual(['gpt-5.5', 'gpt-5.5-2026-04-23'])
    expect(partsOf(tokens)).toEqual({})
  })

  test('the price book says which names are one model', () => {
    const known = (name: string) => (/^claude-opus-5-5(-latest)?$/.test(name) ? 'claude-opus-5-5' : undefined)
    expect(aligned('claude-opus-5-5-latest', ['claude-opus-5-5'], { known })).toMatchObject([{ by: 'price book' }])
  })

  test('names of a bill’s own are the one model of the same words and numbers', () => {
    expect(aligned('Claude4.6Sonnet', ['anthropic.claude-sonnet-4-6', 'anthropic.claude-opus-4-6'], words)).toEqual([
      { name: 'Claude4.6Sonnet', model: 'anthropic.claude-sonnet-4-6', by: 'words' },
    ])
    expect(aligned('Claude4.5Sonnet', ['us.anthropic.claude-sonnet-4-5-20250929-v1:0'], words)).toHaveLength(1)
    expect(aligned('gpt-4o-0806', ['gpt-4o-2024-08-06', 'gpt-4o-mini'], words)[0]).toMatchObject({ by: 'words' })
    expect(
      aligned('Claude4.6Sonnet global', ['global.anthropic.claude-sonnet-4-6', 'anthropic.claude-sonnet-4-6'], words),
    ).toMatchObject([{ model: 'global.anthropic.claude-sonnet-4-6' }])
  })

  test('nothing is guessed: other numbers, other words, or two that fit', () => {
    expect(aligned('Claude4.6Sonnet', ['anthropic.claude-sonnet-6-4'], words)).toEqual([])
    expect(aligned('5.4 nano', ['gpt-5.4-nano'], words)).toEqual([])
    expect(
      aligned('gpt-4o', ['gpt-4o-2024-08-06', 'gpt-4o-2024-05-13'], {
        ...words,
        known: (name) => (/\d{4}-\d\d-\d\d/.test(name) ? name : undefined),
      }),
    ).toEqual([])
    expect(aligned('Claude4.6Sonnet', ['claude-sonnet-4-6'])).toEqual([])
  })
})

describe('owners', () => {
  const bill = [line({ project: 'proj_a', quantity: 10n }), line({ project: 'proj_b', quantity: 5n })]
  const rows = [row({ owner: 'search', quantity: '10' })]

  test('are the bill’s ids under the names that they have in Weir', () => {
    const owners = { by: 'project', names: { proj_a: 'search' } } as const
    const { compared } = reconcile(bill, rows, options({ owners }))
    expect(compared.map(({ owner, tokens }) => [owner, partsOf(tokens)])).toEqual([
      ['proj_b', { bypass: 5n }],
      ['search', {}],
    ])
  })

  test('are one where nobody asks for them', () => {
    expect(totals(bill, rows).tokens).toEqual({ bypass: 5n })
  })
})

describe('nothing is lost between two figures', () => {
  const days = ['2026-11-01', '2026-11-02', '2026-11-03']
  const kinds: readonly (readonly TokenKind[])[] = [
    ['input'],
    ['output'],
    ['cache_read'],
    ['input', 'cache_read'],
    tokenKinds,
  ]
  const models = ['a', 'b', 'a-2026-01-01', null]
  const meters = [
    'in.text.fresh',
    'in.audio.cache_read',
    'out.text.visible',
    'out.text.reasoning',
    'web_search.query',
    null,
  ]
  const money = fc.bigInt(-5n * 10n ** 12n, 50n * 10n ** 12n).map((amount) => picodollars(amount))
  const anyLine = fc
    .record({
      day: fc.constantFrom(...days),
      model: fc.constantFrom(...models),
      project: fc.constantFrom('p', 'q', null),
      kinds: fc.constantFrom(...kinds),
      charge: fc.constantFrom('usage', 'usage', 'usage', 'fee', 'credit', 'tax', 'discount', 'rounding'),
      quantity: fc.option(fc.bigInt(0n, 10_000n)),
      cost: fc.option(money),
      requests: fc.option(fc.nat(3)),
      rounded: fc.boolean(),
      tier: fc.constantFrom(null, 'batch', 'priority'),
    })
    .map((given) => line(given as Partial<BillLine>))
  const anyRow = fc
    .record({
      day: fc.constantFrom(...days),
      model: fc.constantFrom(...models),
      owner: fc.constantFrom('search', 'q', null),
      meter: fc.constantFrom(...meters),
      quantity: fc.nat(10_000).map(String),
      cost_usd: fc.constantFrom('0', '0.000000000001', '1.25', '7', '-0.5'),
      priced: fc.boolean(),
      price_state: fc.constantFrom('priced', 'stated', 'unpriced'),
      aborted: fc.boolean(),
      estimated: fc.boolean(),
      over_midnight: fc.boolean(),
      attempts: fc.nat(2),
      service_tier: fc.constantFrom(null, 'batch', 'priority'),
    })
    .map((given) => row(given))

  const holds = (one: Comparison<bigint>): void => {
    const parts = [...one.parts.values()].reduce((sum, part) => sum + part, 0n)
    expect(parts + one.residual).toBe(one.provider - one.ledger)
  }

  const wholeTokens = (tokens: Comparison<bigint>, bill: readonly BillLine[], rows: readonly MeteredRow[]): void => {
    holds(tokens)
    const usage = bill.filter(({ charge }) => charge === 'usage')
    expect(tokens.provider).toBe(usage.reduce((sum, one) => sum + (one.quantity ?? 0n), 0n))
    const counted = rows.filter(({ meter }) => meter !== null && meter !== 'web_search.query')
    expect(tokens.ledger).toBe(counted.reduce((sum, one) => sum + BigInt(one.quantity), 0n))
  }
  const wholeCost = (cost: Comparison<bigint>, bill: readonly BillLine[], rows: readonly MeteredRow[]): void => {
    holds(cost)
    expect(cost.provider).toBe(bill.reduce((sum, one) => sum + (one.cost ?? 0n), 0n))
    expect(cost.ledger).toBe(rows.reduce((sum, one) => sum + usd(one.cost_usd), 0n))
  }

  test('named parts and residual are the difference, of every line and in total, to the picodollar', () => {
    fc.assert(
      fc.property(
        fc.array(anyLine, { maxLength: 25 }),
        fc.array(anyRow, { maxLength: 25 }),
        fc.boolean(),
        fc.constantFrom('2026-11-03T12:00:00Z', '2027-01-01T00:00:00Z'),
        (bill, rows, owned, now) => {
          const owners = owned ? { owners: { by: 'project', names: { p: 'search' } } as const } : {}
          const given = options({ now_ms: Date.parse(now), unbilled_tiers: ['priority'], ...owners })
          const { compared, tokens, cost } = reconcile(bill, rows, given)
          for (const one of compared.flatMap((each) => [each.tokens ?? [], each.cost ?? []].flat())) holds(one)
          if (tokens) wholeTokens(tokens, bill, rows)
          if (cost) wholeCost(cost, bill, rows)
        },
      ),
      { numRuns: 400, seed: 20261123 },
    )
  })

  test('a bill made of the ledger has no difference', () => {
    const clean = anyRow.map((one) => ({
      ...one,
      meter: one.meter ?? 'out.text.visible',
      priced: true,
      price_state: 'priced',
      service_tier: null,
    }))
    const kindOf = (meter: string): readonly TokenKind[] =>
      meter.startsWith('out') ? ['output'] : meter.endsWith('read') ? ['cache_read'] : ['input']
    fc.assert(
      fc.property(fc.array(clean, { maxLength: 20 }), (rows) => {
        const bill = rows.map((one) =>
          one.meter === 'web_search.query'
            ? line({ day: one.day, model: null, charge: 'fee', kinds: [], cost: usd(one.cost_usd) })
            : line({
                day: one.day,
                model: one.model,
                kinds: kindOf(one.meter),
                quantity: BigInt(one.quantity),
                cost: usd(one.cost_usd),
              }),
        )
        const { tokens, cost } = reconcile(bill, rows, options())
        expect([partsOf(tokens), partsOf(cost)]).toEqual([{}, {}])
      }),
      { numRuns: 200, seed: 20261123 },
    )
  })
})
