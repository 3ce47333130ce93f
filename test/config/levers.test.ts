import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadSettings } from '../../src/config.ts'
import { providers } from '../../src/providers/index.ts'

const cwd = mkdtempSync(join(tmpdir(), 'weir-levers-'))
afterAll(() => rmSync(cwd, { recursive: true, force: true }))
const load = (yaml: string) => {
  writeFileSync(join(cwd, 'weir.yaml'), yaml)
  return loadSettings({ cwd, env: {}, providers }).policies
}

test('levers come from policies in their order, and what is said for every call comes last', () => {
  const policies = load(`
levers: { cache/exact: observe }
policies:
  - match: { team: support, model: "gpt-*" }
    holdout: 0.05
    experiment: autumn
    levers:
      cache/exact: { ttl_s: 60, tags: [release-7] }
      cache/provider-prefix: off
`)
  expect(policies).toHaveLength(2)
  expect(policies[0]).toMatchObject({ match: { team: 'support', model: 'gpt-*' }, holdout: 0.05, experiment: 'autumn' })
  expect(policies[0]?.levers['cache/exact']).toMatchObject({
    mode: 'on',
    settings: { ttl_s: 60, share: 'key', tags: ['release-7'] },
  })
  expect(policies[0]?.levers['cache/provider-prefix']).toMatchObject({ mode: 'off', settings: { ttl: 'auto' } })
  expect(policies[1]).toMatchObject({ match: {}, holdout: 0, levers: { 'cache/exact': { mode: 'observe' } } })
  expect(load('port: 4141')).toEqual([])
})

test('an unknown lever or setting, or a value that does not fit, is refused with its line, its field and the nearest right name', () => {
  const wrong = `levers:
  cache/exakt: on
  cache/exact: { mode: maybe, ttl: 60, share: everybody, ttl_s: 0 }
policies:
  - levers: { cache/provider-prefix: { reach: all } }
    match: { teem: x }
    holdout: 2
`
  expect(() => load(wrong)).toThrow(/policies\[0\]\.match\.teem|policies\.0\.match\.teem/)
  const said = () => {
    try {
      load(wrong.replace('teem: x', 'team: x').replace('holdout: 2', 'holdout: 0.2'))
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  expect(said()).toContain('line 2, levers.cache/exakt: there is no lever cache/exakt; did you mean cache/exact?')
  expect(said()).toMatch(/mode: found "maybe"; expected off, observe or on/)
  expect(said()).toMatch(/cache\/exact has no setting ttl; did you mean ttl_s\?/)
  expect(said()).toMatch(/share: found "everybody"; expected one of key, team, all/)
  expect(said()).toMatch(/ttl_s: found 0; expected a number from 1 to 2592000 s/)
  expect(said()).toMatch(/reach: found "all"; expected one of auto, definitions, everything/)
})
