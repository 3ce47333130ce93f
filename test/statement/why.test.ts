import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OwnedRow } from '../../src/core/allocation.ts'
import { formatUsd, parseUsd, picodollars, sum } from '../../src/core/money.ts'
import { explainChange, moversOf } from '../../src/playbook/allocate/statement/why.ts'
import { costPer } from '../../src/playbook/allocate/unit-cost/unit-cost.ts'

const row = (group: OwnedRow['group'], over: Partial<OwnedRow> = {}): OwnedRow => ({
  group,
  cost_usd: '0',
  input_cost_usd: '0',
  output_cost_usd: '0',
  corrections_usd: '0',
  corrections: 0,
  calls: 0,
  attempts: 0,
  errors: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  batch_tokens: 0,
  useful_output_tokens: 0,
  unpriced_calls: 0,
  unmetered_calls: 0,
  estimated_calls: 0,
  ...over,
})

const money = fc.bigInt({ min: 0n, max: 10n ** 15n })
const rows = fc
  .uniqueArray(fc.constantFrom('gpt-5.5', 'claude-opus-5-5', 'gemini-3'), { maxLength: 3 })
  .chain((models) =>
    fc.tuple(
      ...models.map((model) =>
        fc
          .tuple(
            money,
            money,
            fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
            fc.nat(1000),
            fc.nat(1e6),
            fc.nat(1e6),
          )
          .map(([input, output, rest, calls, input_tokens, output_tokens]) =>
            row(
              { model },
              {
                calls,
                input_tokens,
                output_tokens,
                input_cost_usd: formatUsd(picodollars(input)),
                output_cost_usd: formatUsd(picodollars(output)),
                cost_usd: formatUsd(picodollars(input + output + rest)),
              },
            ),
          ),
      ),
    ),
  )

test('volume, mix and price sum to the change, to the picodollar', () => {
  fc.assert(
    fc.property(rows, rows, (before, now) => {
      const { volume_usd, mix_usd, price_usd } = explainChange(before, now)
      const cost = (some: readonly OwnedRow[]) => sum(some.map(({ cost_usd }) => parseUsd(cost_usd)))
      expect(sum([volume_usd, mix_usd, price_usd].map(parseUsd))).toBe(cost(now) - cost(before))
    }),
    { numRuns: 300, seed: 4 },
  )
})

const model = (calls: number, tokens: number, cost: string, name = 'gpt-5.5') =>
  row({ model: name }, { calls, input_tokens: tokens, input_cost_usd: cost, cost_usd: cost })

test('twice the calls is volume, another rate is price, another model is mix', () => {
  const before = [model(10, 1000, '10')]
  expect(explainChange(before, [model(20, 2000, '20')])).toEqual({ volume_usd: '10', mix_usd: '0', price_usd: '0' })
  expect(explainChange(before, [model(10, 1000, '5')])).toEqual({ volume_usd: '0', mix_usd: '0', price_usd: '-5' })
  expect(explainChange(before, [model(10, 1000, '30', 'claude-opus-5-5')])).toMatchObject({
    volume_usd: '0',
    mix_usd: '20',
  })
})

test('movers are the largest moves of all dimensions, each said once, dust left out', () => {
  const cost = (dimension: string, name: string | null, usd: string) => row({ [dimension]: name }, { cost_usd: usd })
  const movers = moversOf([
    {
      dimension: 'feature',
      before: [cost('feature', 'answers', '5'), cost('feature', 'agent', '1'), cost('feature', 'dust', '0')],
      now: [cost('feature', 'answers', '9'), cost('feature', 'agent', '0.5'), cost('feature', 'dust', '0.001')],
    },
    { dimension: 'model', before: [cost('model', 'gpt-5.5', '5')], now: [cost('model', 'gpt-5.5', '9')] },
    { dimension: 'customer', before: [cost('customer', null, '6')], now: [cost('customer', null, '99')] },
  ])
  expect(movers.map(({ dimension, name, moved_usd }) => [dimension, name, moved_usd])).toEqual([
    ['feature', 'answers', '4'],
    ['feature', 'agent', '-0.5'],
  ])
})

test('a cost without an outcome has no cost of one, and what is left of a division is rounded half up', () => {
  expect(costPer(parseUsd('10'), 0)).toBeNull()
  expect(costPer(parseUsd('10'), 3)).toBe('3.333333333333')
  expect(costPer(parseUsd('20'), 3)).toBe('6.666666666667')
  expect(costPer(parseUsd('-20'), 3)).toBe('-6.666666666667')
  expect(costPer(parseUsd('0'), 3)).toBe('0')
})
