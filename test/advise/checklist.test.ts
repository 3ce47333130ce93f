/** The checklist judges by numbers: each step can be next, partly and done. */
import { describe, expect, test } from 'vitest'
import type { Practice } from '../../src/core/practice.ts'
import { checklistOf, type Facts, type StepName } from '../../src/playbook/advise/checklist.ts'

const nothing: Practice = {
  calls: 0,
  cost_usd: '0',
  counted_calls: 0,
  unpriced_calls: 0,
  unallocated_usd: '0',
  features: 0,
  mixed_features: 0,
  tokens: 0,
  waiting_tokens: 0,
  deferrable_calls: 0,
  writing_calls: 0,
  capped_calls: 0,
  chained_calls: 0,
  chained_cached_tokens: 0,
  experiment_calls: 0,
  levers: [],
  observed: [],
}

const facts = (practice: Partial<Practice>, over: Partial<Facts> = {}): Facts => ({
  practice: { ...nothing, ...practice },
  cacheable_tokens: 0,
  cached_tokens: 0,
  plays: { 'cache/exact': 'cache', 'compact/output': 'compact', 'odd/name': 'route' },
  outcomes: [],
  last_month: '2026-10',
  tag_rules: 0,
  closed_months: 0,
  budgets: 0,
  ...over,
})

const stateOf = (given: Facts, name: StepName) => checklistOf(given).steps.find(({ step }) => step === name)?.state
const lever = (name: string, calls: number) => [{ name, calls, saving_usd: '1.5' }]

test('without a call every step is next, and measuring comes first', () => {
  const { steps, done, current } = checklistOf(facts({}))
  expect(steps.map(({ state }) => state)).toEqual(Array(8).fill('next'))
  expect([done, current]).toEqual([0, 'measure'])
})

describe('each step', () => {
  const spent = { calls: 100, counted_calls: 100, cost_usd: '10', tokens: 1000 }
  const chained = { ...spent, chained_calls: 100 }
  test.each<[StepName, Facts, Facts]>([
    ['measure', facts({ ...spent, unpriced_calls: 1 }), facts(spent)],
    ['route', facts({ ...spent, features: 2, mixed_features: 1 }), facts({ ...spent, levers: lever('odd/name', 10) })],
    [
      'cache',
      facts({ ...chained, chained_cached_tokens: 79 }, { cacheable_tokens: 100, cached_tokens: 500 }),
      facts({ ...chained, chained_cached_tokens: 80 }, { cacheable_tokens: 100, cached_tokens: 500 }),
    ],
    ['batch', facts({ ...spent, waiting_tokens: 99 }), facts({ ...spent, waiting_tokens: 100 })],
    [
      'compact',
      facts({ ...spent, writing_calls: 10, capped_calls: 2 }),
      facts({ ...spent, writing_calls: 10, capped_calls: 8, levers: lever('compact/output', 3) }),
    ],
    ['own', facts({ ...spent, levers: lever('own/served', 9) }), facts({ ...spent, levers: lever('own/served', 10) })],
    [
      'allocate',
      facts({ ...spent, unallocated_usd: '0.3' }, { budgets: 1, closed_months: 1 }),
      facts({ ...spent, unallocated_usd: '0.2' }, { budgets: 1, closed_months: 1 }),
    ],
    ['prove', facts(spent, { outcomes: ['a'] }), facts({ ...spent, experiment_calls: 5 }, { outcomes: ['a'] })],
  ])('%s is partly, then done', (name, begun, ended) => {
    expect([stateOf(begun, name), stateOf(ended, name)]).toEqual(['partly', 'done'])
  })

  test('of the cache knows only of calls that say what their prompts begin with', () => {
    const step = (given: Facts) => checklistOf(given).steps.find(({ step }) => step === 'cache')
    expect(step(facts(spent))).toMatchObject({ state: 'next', command: 'weir serve' })
    expect(step(facts(spent, { cached_tokens: 40 }))).toMatchObject({
      state: 'partly',
      evidence: [
        'no call says what its prompt begins with, so what repeats is not known',
        '40 input tokens came from a cache',
      ],
    })
    expect(step(facts({ ...spent, chained_calls: 25 }))).toMatchObject({
      state: 'done',
      evidence: ['no prompt repeats enough to be cached', 'known of 25 % of calls'],
    })
  })

  test('takes a lever for what the catalogue says that it is, whatever its name sounds like', () => {
    const of = (name: string) =>
      checklistOf(facts({ ...spent, calls: 1000, levers: lever(name, 50) })).steps.flatMap(({ step, evidence }) =>
        evidence.join().includes(name) ? [step] : [],
      )
    expect([of('compact/output'), of('cache/exact'), of('odd/name')]).toEqual([['compact'], ['cache'], ['route']])
    expect([of('batch/cache-answers'), of('output-cap'), of('toString')]).toEqual([['batch'], [], []])
  })

  test('counts one thing as one, and says dollars to read', () => {
    const { steps } = checklistOf(
      facts(
        { ...spent, experiment_calls: 1, levers: lever('cache/exact', 1) },
        { budgets: 1, tag_rules: 2, closed_months: 1 },
      ),
    )
    const said = steps.flatMap(({ evidence }) => evidence).join()
    expect(said).toContain('1 budget, 2 virtual tags, 1 closed month')
    expect(said).toContain('cache/exact acted on 1 call and saved $1.50')
    expect(said).toContain('0 kinds of outcomes,1 call in a holdout or experiment,1 lever that acted')
  })

  test('names the command that is missing, in its order', () => {
    const command = (name: StepName, given: Facts) =>
      checklistOf(given).steps.find(({ step }) => step === name)?.command
    const allocated = (over: Partial<Facts>) => command('allocate', facts(spent, over))
    expect(command('allocate', facts({ ...spent, unallocated_usd: '9' }))).toBe('weir tags set FILE')
    expect(allocated({})).toBe('weir budgets set organisation --usd DOLLARS --per month')
    expect(allocated({ budgets: 1 })).toBe('weir close 2026-10')
    expect(allocated({ budgets: 1, last_month: null })).toBe('weir outcomes add --help')
    expect(allocated({ budgets: 1, closed_months: 1 })).toBe('weir outcomes add --help')
    expect(command('prove', facts(spent, { outcomes: ['ticket'] }))).toBe('weir levers --settings')
    expect(command('prove', facts({ ...spent, experiment_calls: 1 }, { outcomes: ['ticket'] }))).toBe(
      'weir report --per ticket',
    )
  })

  test('has evidence and a command', () => {
    for (const { evidence, command } of checklistOf(facts(spent)).steps) {
      expect(evidence.join()).toMatch(/\d|repeats/)
      expect(command).toMatch(/^weir /)
    }
  })
})
