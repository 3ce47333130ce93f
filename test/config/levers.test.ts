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

test('a match that names a provider or a wire that there is not is refused, because it could never match; a pattern may', () => {
  const told = (match: string, where = 'policies') => {
    const rest = where === 'policies' ? 'levers: { exact: on, cache/exact: on }' : 'targets: [openai]'
    try {
      load(`${where}:\n  - match: ${match}\n    ${rest}\n`)
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  expect(told('{ provider: opnai, wire: opnai-chat }')).toContain(
    'line 2, policies[0].match.provider: there is no provider opnai; did you mean openai?',
  )
  expect(told('{ wire: opnai-chat }')).toContain('match.wire: there is no wire opnai-chat; did you mean openai-chat?')
  expect(told('{ wire: opnai-chat }', 'routes')).toContain('line 2, routes[0].match.wire: there is no wire opnai-chat')
  expect(told('{ wire: openai-chat, model: x }', 'routes')).toBe('')
  const right = told('{ provider: "open*", wire: openai-chat }')
  expect(right).toContain('there is no lever exact; did you mean cache/exact?')
  expect(right).not.toContain('match')
})
