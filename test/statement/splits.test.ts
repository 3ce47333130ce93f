import { expect, test } from 'vitest'
import { readSplits } from '../../src/playbook/allocate/statement/splits.ts'

test.each([
  [{}, 'splits: must be a list of rules'],
  [{ dimension: 4, splits: [] }, 'dimension: must be the name of a dimension, e.g. team'],
  [['x'], 'splits[0]: a split has from and by'],
  [[{ by: 'even' }], 'splits[0].from: name the owner whose cost is shared'],
  [[{ from: 'a', by: 'weight' }], 'splits[0].by: "weight": use even, percent, spend or usage'],
  [[{ from: 'a', by: 'even', form: 1 }], 'splits[0].form: no such word: a split has from, to, by, percent, metric'],
  [[{ from: 'a', by: 'even', to: 'b' }], 'splits[0].to: must be a list of owners'],
  [[{ from: 'a', by: 'even', percent: { b: 100 } }], 'splits[0].percent: only a split by percent has shares'],
  [
    [{ from: 'a', by: 'percent' }],
    'splits[0].percent: name each owner with its share, e.g. { search: 60, billing: 40 }',
  ],
  [[{ from: 'a', by: 'percent', percent: { b: -1 } }], 'splits[0].percent.b: -1 is not a share from 0 to 100'],
  [[{ from: 'a', by: 'percent', percent: { b: 60, c: 30 } }], /^splits\[0\]\.percent: .*must sum to exactly 100/],
  [
    [{ from: 'a', by: 'usage', metric: 'seats' }],
    'splits[0].metric: "seats": use calls, tokens, input_tokens, output_tokens or outcome:KIND',
  ],
  [
    [
      { from: 'a', by: 'even' },
      { from: 'a', by: 'spend' },
    ],
    /splits\[1\].from.*split twice/,
  ],
  [
    [
      { from: 'a', by: 'even', to: ['b'] },
      { from: 'b', by: 'spend' },
    ],
    /splits\[0\].to.*itself split/,
  ],
])('a wrong split is refused by its place and field: %j', (input, message) => {
  expect(() => readSplits(input)).toThrow(message)
})

test('every wrong split is named at once', () => {
  const rules = [{ by: 'even' }, { from: 'b', by: 'even' }, { from: 'c', by: 'usage' }]
  expect(() => readSplits(rules)).toThrow(/^splits\[0\]\.from: .*; splits\[2\]\.metric: nothing: use calls/)
  const shares = (b: number) => ({ by: 'percent', percent: { b } })
  const sets = [
    { from: 'a', ...shares(60) },
    { from: 'c', by: 'even', to: ['a'] },
    { from: 'a', ...shares(100) },
  ]
  expect(() => readSplits(sets)).toThrow(
    /^splits\[2\]\.from: .*split twice; splits\[0\]\.percent: .*; splits\[1\]\.to: /,
  )
})

test('splits are of teams unless they say otherwise', () => {
  expect(readSplits([{ from: 'a', by: 'even' }]).dimension).toBe('team')
  expect(readSplits({ dimension: 'customer', splits: [{ from: 'a', by: 'even' }] }).dimension).toBe('customer')
})
