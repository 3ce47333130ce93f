import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { BudgetState } from '../../src/core/budget.ts'
import { weir } from '../cli/run.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'weir-budgets-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const budgets = (...words: string[]) => weir(['budgets', ...words], { cwd })

test('weir budgets sets, changes, shows and removes a budget, without a gateway too', async () => {
  expect((await budgets('set', 'search', '--scope', 'team=search', '--usd', '50', '--per', 'day')).code).toBe(0)
  await budgets('set', 'search', '--scope', 'team=search', '--usd', '75', '--calls', '9', '--per', 'day')
  const states = JSON.parse((await budgets('list', '--json')).out) as BudgetState[]
  expect(states).toMatchObject([
    { budget: 'search', unit: 'usd', limit: '75', spent: '0', left: '75', scope: { team: 'search' }, counted: true },
    { budget: 'search', unit: 'calls', limit: '9' },
  ])
  expect((await budgets('show', 'search')).out).toContain('$75.00 of $75.00')
  expect((await budgets('show', 'search')).out).toMatch(/Revision 2\.\n$/)
  const targets = ['--fall-back', 'groq/openai/gpt-oss-20b', '--fall-back', 'openai']
  await budgets('set', 'search', '--usd', '75', '--per', 'day', ...targets, '--allow-unbounded')
  expect((await budgets('show', 'search')).out).toContain(
    'Revision 3. When it is exhausted, calls go to groq/openai/gpt-oss-20b, else openai. Calls whose worst case nobody can know may pass.',
  )
  expect((await budgets('remove', 'search')).code).toBe(0)
  expect(await budgets('remove', 'search')).toMatchObject({ code: 1 })
  expect((await budgets('list')).out).toContain('No budgets.')
})

test('a budget of a key may name it, is kept by its id, and one of no key says so', async () => {
  const key = JSON.parse((await weir(['keys', 'create', '--name', 'api', '--json'], { cwd })).out)
  const set = await budgets('set', 'of-key', '--scope', 'key=api', '--usd', '5', '--per', 'day', '--json')
  expect(JSON.parse(set.out)).toMatchObject({ budget: { scope: { key: key.id } }, warnings: [] })
  const by = (value: string) =>
    budgets('set', 'other', '--scope', `key=${value}`, '--calls', '5', '--per', 'day', '--json')
  expect(JSON.parse((await by(key.id)).out)).toMatchObject({ budget: { scope: { key: key.id } }, warnings: [] })
  expect(JSON.parse((await by('each')).out).warnings).toEqual([])
  expect(JSON.parse((await by('nobody')).out)).toMatchObject({
    budget: { scope: { key: 'nobody' } },
    warnings: [expect.stringContaining('no key is called nobody')],
  })
})

test('of a key a list names what people call it', async () => {
  const key = JSON.parse((await weir(['keys', 'create', '--name', 'nightly', '--json'], { cwd })).out)
  await budgets('set', 'of-nightly', '--scope', 'key=nightly', '--usd', '5', '--per', 'day')
  for (const words of [['list'], ['show', 'of-nightly']])
    expect((await budgets(...words)).out).toContain(`key=nightly (${key.id})`)
  await budgets('remove', 'of-nightly')
})

test('a budget with a counter for each is listed before anybody has one', async () => {
  await budgets('set', 'per-key', '--scope', 'team=ads', '--scope', 'key=each', '--usd', '5', '--per', 'day')
  const { out } = await budgets('list', '--json')
  const listed = JSON.parse(out).filter(({ budget }: { budget: string }) => budget === 'per-key')
  expect(listed).toMatchObject([{ scope: { team: 'ads', key: 'each' }, spent: '0', left: '5', share: 0 }])
  expect((await budgets('list')).out).toMatch(/per-key +key=each team=ads .* 0 % /)
  await budgets('remove', 'per-key')
})

test('--revision keeps a command from undoing what somebody else changed', async () => {
  const set = (usd: string, ...words: string[]) => budgets('set', 'b', '--usd', usd, '--per', 'day', '--json', ...words)
  expect(JSON.parse((await set('1', '--revision', '0')).out).revision).toBe(1)
  expect(JSON.parse((await set('2')).out).revision).toBe(2)
  expect((await budgets('show', 'b')).out).toContain('Revision 2.')
  expect(await set('3', '--revision', '1')).toMatchObject({
    code: 1,
    err: expect.stringContaining('revision: the budget b was changed by somebody else meanwhile, it is at revision 2'),
  })
  expect((await budgets('remove', 'b', '--revision', '1')).code).toBe(1)
  expect((await budgets('remove', 'b', '--revision', '2')).code).toBe(0)
})

test('what is wrong is named by its field, and nothing is kept of it', async () => {
  const { code, err } = await budgets('set', 'bad', '--scope', 'tem=a', '--usd', '-1', '--per', 'day', '--zone', 'X/Y')
  expect(code).not.toBe(0)
  for (const field of ['scope.tem', 'limit.usd', 'zone']) expect(err).toContain(field)
  const twice = await budgets('set', 'bad', '--usd', '1', '--per', 'day', '--scope', 'team=a', '--scope', 'team=b')
  expect(twice.err).toContain('--scope team=b: team is said twice')
  const nowhere = await budgets('set', 'bad', '--usd', '1', '--per', 'day', '--fall-back', 'gorq/llama-3.3-70b')
  expect(nowhere.code).not.toBe(0)
  expect(nowhere.err).toContain('when_exhausted: there is no provider gorq; did you mean groq?')
  expect(JSON.parse((await budgets('list', '--json')).out)).toEqual([])
})

test('a budget of weir.yaml is shown, cannot be changed by command, and is told with its line when it is wrong', async () => {
  writeFileSync(join(cwd, 'weir.yaml'), 'budgets:\n  - { name: org, limit: { usd: 5 }, per: month }\n')
  expect((await budgets('show', 'org')).out).toContain('$5.00 of $5.00')
  const { out, err } = await budgets('list')
  expect(out).toContain('org')
  expect(err).toBe(`There is no ledger in ${join(cwd, 'weir-data')} yet, so nothing is spent.\n`)
  expect((await budgets('set', 'org', '--usd', '9', '--per', 'day')).err).toContain('weir.yaml')
  expect((await budgets('set', 'again', '--usd', '9', '--per', 'month')).err).toContain('limit.usd')
  const child = await budgets('set', 'big', '--usd', '9', '--per', 'month', '--scope', 'team=a')
  expect(child.err).toContain('org stops its calls at 5')
  writeFileSync(join(cwd, 'weir.yaml'), 'budgets:\n  - name: org\n    limit: { usd: -5 }\n    per: month\n')
  expect((await budgets('list')).err).toMatch(/line 3, budgets\[0\]\.limit\.usd/)
})

test('a list of budgets fits a narrow terminal, and keeps what is left', async () => {
  await budgets('set', 'customers', '--scope', 'customer=acme', '--tokens', '1000000', '--per', 'day')
  const { out } = await weir(['budgets', 'list'], { cwd, env: { COLUMNS: '60' } })
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60)
  expect(out).toMatch(/^customers .* 0 % .* 1,000,000 tokens$/m)
})
