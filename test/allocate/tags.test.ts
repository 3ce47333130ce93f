import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { globCovers, globHolds, parseGlob } from '../../src/core/glob.ts'
import { readTagRules } from '../../src/playbook/allocate/tags/read.ts'
import { compileTagRules, type TagRule } from '../../src/playbook/allocate/tags/rules.ts'

const rules: readonly TagRule[] = [
  { name: 'search keys', when: { key_id: ['key_s1', 'key_s2'] }, set: { team: 'search' } },
  { when: { team: null, 'tag:squad': '*' }, set: { team: { from: 'tag:squad' } } },
  { when: { agent: 'claude-code*', environment: { not: 'ci' } }, set: { feature: 'coding', team: 'platform' } },
  { when: { team: null }, set: { team: 'unallocated' } },
]
const tag = (payer: Parameters<ReturnType<typeof compileTagRules>['apply']>[0]) => compileTagRules(rules).apply(payer)
const problems = (input: unknown) =>
  readTagRules(input).problems.map(({ rule, field, message }) => `${rule} ${field}: ${message}`)

describe('rules', () => {
  test('set a field by the first rule that holds, and another field by a later one', () => {
    expect(tag({ key_id: 'key_s2', agent: 'claude-code/3' })).toEqual({
      values: { team: 'search', feature: 'coding' },
      rules: { team: 1, feature: 3 },
    })
    expect(tag({ team: 'support', agent: 'claude-code' }).values).toEqual({ team: 'platform', feature: 'coding' })
    expect(tag({ team: 'support', agent: 'claude-code', environment: 'ci' }).values).toEqual({})
  })

  test('copy a value from another field, and fall through where it has none', () => {
    expect(tag({ tags: { squad: 'blue' } })).toEqual({ values: { team: 'blue' }, rules: { team: 2 } })
    expect(tag({ tags: {} })).toEqual({ values: { team: 'unallocated' }, rules: { team: 4 } })
  })

  test('read the receipt as it was written, not what another rule has set', () => {
    const chained = compileTagRules([
      { when: {}, set: { team: 'new' } },
      { when: { team: 'new' }, set: { feature: 'never' } },
      { when: { team: 'old' }, set: { feature: 'old feature' } },
    ])
    expect(chained.apply({ team: 'old' }).values).toEqual({ team: 'new', feature: 'old feature' })
  })

  test('take no tag from the prototype of an object', () => {
    expect(tag({ tags: {}, team: 'a' }).values).toEqual({})
    expect(
      compileTagRules([{ when: { 'tag:constructor': '*' }, set: { team: 'x' } }]).apply({ tags: {} }).values,
    ).toEqual({})
  })

  test('have a version that changes with rules and order, and not with names or the order of fields', () => {
    const version = (list: readonly TagRule[]) => compileTagRules(list).version
    const [first, second, third, last] = rules as [TagRule, TagRule, TagRule, TagRule]
    expect(version(rules)).toMatch(/^[0-9a-f]{16}$/)
    expect(version([second, first, third, last])).not.toBe(version(rules))
    expect(version([{ ...first, set: { team: 'Search' } }, second, third, last])).not.toBe(version(rules))
    const renamed = { ...third, name: 'x', when: { environment: { not: 'ci' }, agent: 'claude-code*' } }
    expect(version([first, second, renamed, last])).toBe(version(rules))
  })
})

describe('what is no rule', () => {
  test('is named by rule and field', () => {
    expect(readTagRules(rules).problems).toEqual([])
    expect(readTagRules(rules).rules).toHaveLength(4)
    expect(problems({})).toEqual(['0 : must be a list of rules'])
    expect(problems([{ when: { teem: 'x' }, set: { team: 'a' } }])[0]).toMatch(
      /^1 when\.teem: no such field: there are key_id/,
    )
    expect(problems([rules[0], { when: {}, set: { model: 'x' } }])[0]).toMatch(/^2 set\.model: cannot be set/)
    expect(problems([{ when: { user: '' }, set: { team: 'a' } }])[0]).toMatch(/^1 when\.user: the glob "" is empty/)
    expect(problems([{ when: { user: ['a', 'b\\'] }, set: { team: 'a' } }])[0]).toMatch(
      /^1 when\.user\[1\]: .*backslash/,
    )
    expect(problems([{ when: { user: { not: [] } }, set: { team: 'a' } }])[0]).toMatch(
      /^1 when\.user\.not: an empty list/,
    )
    expect(problems([{ when: { user: { is: 'a' } }, set: { team: 'a' } }])[0]).toMatch(/^1 when\.user: only `not`/)
    expect(problems([{ when: { user: 7 }, set: { team: 'a' } }])[0]).toMatch(/^1 when\.user: 7 is no text/)
    expect(problems([{ when: {}, set: {} }])[0]).toMatch(/^1 set: must name at least one/)
    expect(problems([{ when: {}, set: { team: { from: 'tag:' } } }])[0]).toMatch(/^1 set\.team\.from: no such field/)
    expect(problems([{ when: {}, set: { team: '' }, thus: 1 }])).toHaveLength(2)
    expect(problems([7])).toEqual(['1 : a rule must have `when` and `set`'])
  })

  test('is a rule that an earlier one always precedes', () => {
    const following = (when: TagRule['when'], later: TagRule['when'], set: TagRule['set'] = { team: 'b' }) =>
      problems([
        { when, set: { team: 'a' } },
        { when: later, set },
      ])
    expect(following({}, { user: 'x' })[0]).toMatch(/^2 when: never reached: rule 1 holds/)
    expect(following({ agent: 'claude*' }, { agent: 'claude-code-*', user: 'x' })).toHaveLength(1)
    expect(following({ agent: ['a', 'b'] }, { agent: 'b' })).toHaveLength(1)
    expect(following({ agent: { not: 'a' } }, { agent: null })).toHaveLength(1)
    expect(following({ agent: { not: 'a' } }, { agent: { not: ['a', 'b'] } })).toHaveLength(1)
    expect(following({ agent: '*' }, { agent: null })).toEqual([])
    expect(following({ agent: 'claude-code-*' }, { agent: 'claude*' })).toEqual([])
    expect(following({ agent: { not: ['a', 'b'] } }, { agent: { not: 'a' } })).toEqual([])
    expect(following({}, { user: 'x' }, { team: 'b', feature: 'c' })).toEqual([])
    const copying = [
      { when: {}, set: { team: { from: 'tag:t' } } },
      { when: {}, set: { team: 'a' } },
    ]
    expect(problems(copying)).toEqual([])
  })
})

describe('globs', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 7 })
  const value = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 })

  test('hold as the same regular expression would', () => {
    fc.assert(
      fc.property(text, value, (glob, found) => {
        const expression = new RegExp(`^${glob.replace(/\*+/g, '.*').replace(/\?/g, '.')}$`)
        expect(globHolds(parseGlob(glob), found)).toBe(expression.test(found))
      }),
      { seed: 20261123, numRuns: 2000 },
    )
  })

  test('never cover another wrongly', () => {
    fc.assert(
      fc.property(text, text, value, (wide, narrow, found) => {
        if (!globCovers(parseGlob(wide), parseGlob(narrow)) || !globHolds(parseGlob(narrow), found)) return
        expect(globHolds(parseGlob(wide), found)).toBe(true)
      }),
      { seed: 20261123, numRuns: 4000 },
    )
    expect(globCovers(parseGlob('a*'), parseGlob('ab*c'))).toBe(true)
  })

  test('take a star, a mark and a backslash as they are after a backslash', () => {
    expect(globHolds(parseGlob('a\\*b'), 'a*b')).toBe(true)
    expect(globHolds(parseGlob('a\\*b'), 'aXb')).toBe(false)
    expect(globHolds(parseGlob('\\\\'), '\\')).toBe(true)
  })
})
