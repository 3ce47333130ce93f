/** What advice prints for weir.yaml: it must load, and turn the lever on for the calls that were replayed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadSettings } from '../../src/config.ts'
import type { Filter } from '../../src/core/dimension.ts'
import type { Chosen, Lever } from '../../src/core/lever.ts'
import { configurationOf, scopeOf } from '../../src/playbook/advise/configuration.ts'
import { defaultsOf } from '../../src/playbook/advise/fold.ts'
import { levers } from '../../src/playbook/levers.ts'
import { inOrder } from '../../src/playbook/order.ts'
import { providers } from '../../src/providers/index.ts'

const cwd = mkdtempSync(join(tmpdir(), 'weir-advised-'))
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const all = inOrder(levers)
const lever = all.find(({ name }) => name === 'cache/exact') as Lever

/** The policies that come of what is printed for these levers and filters. */
const loaded = (filters: readonly Filter[], settings: object = {}, turned_on: readonly Lever[] = [lever]) => {
  const candidates = turned_on.map((one) => ({ lever: one, settings: { ...defaultsOf(one), ...settings } as Chosen }))
  const printed = configurationOf(candidates, scopeOf(filters))
  writeFileSync(join(cwd, 'weir.yaml'), printed)
  const { policies } = loadSettings({ cwd, env: {}, providers })
  return { printed, policies, matches: policies.map(({ match }) => match) }
}

describe('what advice prints for weir.yaml', () => {
  test('turns the lever on for every call where every call was replayed, with the settings of the replay', () => {
    const settings = { ttl_s: 60, any_temperature: true, tags: ['release: 7', '4711', 'on'] }
    const { policies } = loaded([], settings)
    expect(policies).toMatchObject([{ match: {}, levers: { [lever.name]: { mode: 'on', settings } } }])
  })

  test.each(['search', '4711', '1e3', 'true', 'null', 'on', '~', '-', 'a: b', 'München # 2', '"'])(
    'names a team as it is called: %s',
    (team) => {
      expect(loaded([{ dimension: 'team', values: [team] }]).matches).toEqual([{ team }])
    },
  )

  test('has a policy for each of several values, and all fields in each', () => {
    const { matches } = loaded([
      { dimension: 'team', values: ['search', 'data'] },
      { dimension: 'key_id', values: ['key_1'] },
    ])
    expect(matches).toEqual([
      { team: 'search', key: 'key_1' },
      { team: 'data', key: 'key_1' },
    ])
  })

  test('matches the model that is asked for, and never takes the one that answered for it', () => {
    expect(loaded([{ dimension: 'model_asked', values: ['gpt-4o-mini'] }]).matches).toEqual([{ model: 'gpt-4o-mini' }])
    const served = loaded([{ dimension: 'model', values: ['gpt-4o-mini-2024-07-18'] }])
    expect(served.matches).toEqual([{}])
    expect(served.printed).toContain('a policy cannot say "model=gpt-4o-mini-2024-07-18"')
  })

  test('says which conditions it leaves out', () => {
    const { printed, matches } = loaded([
      { dimension: 'wire', values: ['openai-chat'] },
      { dimension: 'team', values: ['search'], negate: true },
      { dimension: 'feature', values: [null] },
    ])
    expect(matches).toEqual([{ wire: 'openai-chat' }])
    expect(printed.split('\n')[0]).toBe(
      '# For more calls than were replayed: a policy cannot say "team!=search and feature=".',
    )
  })

  test.each<readonly Filter[]>([[], [{ dimension: 'team', values: ['search', 'data'] }]])(
    'turns several levers on at once, in one policy each time and in the order of the playbook',
    (...filters) => {
      const { policies, matches } = loaded(filters, {}, all)
      expect(matches).toEqual(filters.length === 0 ? [{}] : [{ team: 'search' }, { team: 'data' }])
      for (const policy of policies) {
        expect(Object.keys(policy.levers)).toEqual(all.map(({ name }) => name))
        expect(new Set(Object.values(policy.levers).map(({ mode }) => mode))).toEqual(new Set(['on']))
      }
    },
  )
})
